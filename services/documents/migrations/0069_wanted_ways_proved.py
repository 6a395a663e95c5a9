"""The wanted ways of sheets hold for every row, locking nobody out."""

from alembic import op

from chassis.migrate import concurrently

revision = "0069"
down_revision = "0068"


def upgrade() -> None:
    """Forward only."""
    with concurrently():
        op.execute("ALTER TABLE printouts VALIDATE CONSTRAINT printouts_wanted_channel_is_known")
        op.execute("ALTER TABLE printouts VALIDATE CONSTRAINT printouts_other_wanted_ways_have_a_note")
