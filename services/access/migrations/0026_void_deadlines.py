"""A deadline of another service that never was: documents began terms of R7 by mistake, and takes them back.

The row stays, so that an older event cannot bring the term back; it is shown and counted no more.
"""

from alembic import op

revision = "0026"
down_revision = "0022"

VOID = """
ALTER TABLE known_deadlines ADD COLUMN is_void boolean NOT NULL DEFAULT false;
GRANT SELECT (is_void) ON known_deadlines TO diary_access_jobs;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(VOID)
