"""Events past their term are found by an index, locking nobody out."""

from alembic import op

from chassis import tables
from chassis.migrate import concurrently

revision = "0091"
down_revision = "0090"


def upgrade() -> None:
    """Forward only."""
    with concurrently():
        for statement in tables.OUTBOX_PUBLISHED_TIME:
            op.execute(statement)
