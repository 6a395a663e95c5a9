"""A document may be shown after the registration, in an application that is not decided (Clause R6)."""

from alembic import op

revision = "0093"
down_revision = "0092"


def upgrade() -> None:
    """Forward only."""
    op.execute("GRANT UPDATE (authority_document, authority_date, authority_last_date) ON applicants TO diary_access_app")
