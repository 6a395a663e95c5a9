"""The frame: outbox, inbox, requests, and the projection of relations."""

from alembic import op

from chassis import tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Forward only."""
    op.execute(tables.CHASSIS_V1.format(role="diary_notify"))
    op.execute(tables.RELATIONS_V1.format(role="diary_notify"))
