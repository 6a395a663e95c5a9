"""Wrong codes of a second factor are counted by the session that gave them, which ends with the fifth (decision 0112).

The release before counts all of an account's in `second_factors.fail_times`; there those of sign-ins stay.
"""

from alembic import op

revision = "0072"
down_revision = "0069"


def upgrade() -> None:
    """Forward only."""
    op.execute("ALTER TABLE sessions ADD COLUMN wrong_codes smallint NOT NULL DEFAULT 0")
