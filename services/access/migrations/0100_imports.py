"""Imports of files (chassis/imports), and the rights by which the service itself writes a roster, as the command does."""

from alembic import op

from chassis import tables

revision = "0100"
down_revision = "0093"


def upgrade() -> None:
    """Forward only."""
    op.execute(tables.IMPORTS_V1.format(role="diary_access"))
    for table in tables.IMPORT_TABLES:
        op.execute(tables.school_table(table))
    # A new year changes which one is current. A school itself is made by the operator alone.
    op.execute("GRANT UPDATE (version, current_year_id) ON schools TO diary_access_app")
