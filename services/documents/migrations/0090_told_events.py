"""The number of an event is readable where it was written: what is committed is published without being read back."""

from alembic import op

from chassis import tables

revision = "0090"
down_revision = "0069"


def upgrade() -> None:
    """Forward only."""
    op.execute(tables.CHASSIS_V3.format(role="diary_documents"))
