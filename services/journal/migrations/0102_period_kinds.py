"""Periods have a kind, and classes and courses go by one (docs/decisions/0155): quarters for 8А beside half-years for 10А.

Quarters are what every school had, and what the code of the release before goes on to write. Classes and courses that are there
keep them where a lesson was held: a year that runs is not divided anew. New checks stand for every row already, proved in 0103.
"""

from alembic import op

revision = "0102"
down_revision = "0101"


def upgrade() -> None:
    """Forward only."""
    op.execute(
        """
        ALTER TABLE periods
            ADD COLUMN kind smallint NOT NULL DEFAULT 1,
            ADD CONSTRAINT periods_kind_known CHECK (kind BETWEEN 1 AND 5) NOT VALID,
            -- What it held of quarters, the next one holds.
            -- squawk-ignore ban-drop-constraint
            DROP CONSTRAINT periods_do_not_overlap,
            -- An exclusion is made in no other way, and a school has some six rows a year.
            -- squawk-ignore constraint-missing-not-valid
            ADD CONSTRAINT periods_do_not_overlap
                EXCLUDE USING gist (school_id WITH =, kind WITH =, daterange(start_date, end_date, '[]') WITH &&);
        COMMENT ON COLUMN periods.kind IS '1 quarter, 2 trimester, 3 half-year, 4 module, 5 year';
        ALTER TABLE classes
            ADD COLUMN period_kind smallint NOT NULL DEFAULT 1,
            ADD CONSTRAINT classes_period_kind_known CHECK (period_kind BETWEEN 1 AND 5) NOT VALID;
        ALTER TABLE courses
            ADD COLUMN period_kind smallint NOT NULL DEFAULT 1,
            ADD CONSTRAINT courses_period_kind_known CHECK (period_kind BETWEEN 1 AND 5) NOT VALID;
        COMMENT ON COLUMN courses.period_kind IS 'of the class, or of the classes gathered; stays once a lesson was held';
        """
    )
