"""An import invents no order (Clause R10), and the current year is the one that contains the day (Clauses R13, R14).

What came by a list without an order has none. `current_year` says once which year a day belongs to: the last one begun, so that
a summer is of the year that ended; before the first, that one.
"""

from alembic import op

revision = "0016"
down_revision = "0012"


def upgrade() -> None:
    """Forward only."""
    op.execute(
        """
        ALTER TABLE enrolments
            ALTER COLUMN order_number DROP NOT NULL,
            ALTER COLUMN order_date DROP NOT NULL,
            ADD CONSTRAINT enrolments_order_is_whole CHECK (num_nulls(order_number, order_date) IN (0, 2)) NOT VALID;
        ALTER TABLE appointments
            ALTER COLUMN order_number DROP NOT NULL,
            ALTER COLUMN order_date DROP NOT NULL,
            ADD CONSTRAINT appointments_order_is_whole CHECK (num_nulls(order_number, order_date) IN (0, 2)) NOT VALID,
            ADD CONSTRAINT appointments_by_lists_are_teachers CHECK (role IN (5, 6) OR order_number IS NOT NULL) NOT VALID;
        UPDATE enrolments SET order_number = NULL, order_date = NULL WHERE order_number = 'по списку OneRoster';
        UPDATE appointments SET order_number = NULL, order_date = NULL WHERE order_number = 'по списку OneRoster';

        CREATE FUNCTION current_year(of_school uuid, on_day date) RETURNS uuid
        LANGUAGE sql STABLE
        BEGIN ATOMIC
            SELECT year_id FROM school_years
            WHERE school_id = of_school
            ORDER BY lower(validity) <= on_day DESC, abs(lower(validity) - on_day) LIMIT 1;
        END;
        """
    )
