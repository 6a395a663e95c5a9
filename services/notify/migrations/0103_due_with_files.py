"""Letters with files that are due are found by an index, however many others wait, locking nobody out."""

from alembic import op

from chassis.migrate import concurrently

revision = "0103"
down_revision = "0102"


def upgrade() -> None:
    """Forward only."""
    with concurrently():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS deliveries_due_with_files")
        op.execute(
            "CREATE INDEX CONCURRENTLY deliveries_due_with_files ON deliveries (next_attempt_time) "
            "WHERE state IN (1, 5) AND has_files"
        )
