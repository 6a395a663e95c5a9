"""One letter an account for the same marks in the same revisions, held up by an index, locking nobody out."""

from alembic import op

from chassis.migrate import concurrently

revision = "0093"
down_revision = "0092"


def upgrade() -> None:
    """Forward only."""
    with concurrently():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS deliveries_once_a_fact")
        op.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY deliveries_once_a_fact "
            "ON deliveries (school_id, account_id, student_id, fact_key) WHERE fact_key IS NOT NULL"
        )
