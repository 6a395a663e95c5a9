"""A code that was used knows the request that used it: the same request, sent again, is no second use (Clause R22).

`last_request` is the digest of that request. The release before leaves it as it is, and refuses the repeat.
"""

from alembic import op

revision = "0092"
down_revision = "0091"


def upgrade() -> None:
    """Forward only."""
    op.execute("ALTER TABLE second_factors ADD COLUMN last_request bytea")
