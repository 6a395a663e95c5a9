"""Attempts at events are counted by us; dead events keep the time of their fact and go when they are handled after all."""

from alembic import op

from chassis import tables

revision = "0020"
down_revision = "0010"


def upgrade() -> None:
    """Forward only."""
    op.execute(tables.CHASSIS_V2.format(role="diary_notify"))
