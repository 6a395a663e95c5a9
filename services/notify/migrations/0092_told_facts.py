"""A letter about marks knows which fact it tells: the same marks in the same revisions, told again under another event, are no
second letter.

`fact_key` is a digest of the marks and their revisions; letters of other kinds, and those from before, have none.
"""

from alembic import op

revision = "0092"
down_revision = "0091"


def upgrade() -> None:
    """Forward only."""
    op.execute("ALTER TABLE deliveries ADD COLUMN fact_key uuid")
