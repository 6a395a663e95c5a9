"""What a school's papers say of it: its letterhead, its head in the dative, its founder."""

from alembic import op

from chassis import tables

revision = "0009"
down_revision = "0008"

DETAILS = """
CREATE TABLE school_details (
    school_id uuid PRIMARY KEY REFERENCES schools,
    address text NOT NULL DEFAULT '',
    phone text NOT NULL DEFAULT '',
    email text NOT NULL DEFAULT '',
    site text NOT NULL DEFAULT '',
    locality text NOT NULL DEFAULT '',
    head_position text NOT NULL DEFAULT '',
    head_position_dative text NOT NULL DEFAULT '',
    head_name_dative text NOT NULL DEFAULT '',
    founder text NOT NULL DEFAULT '',
    founder_contacts text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1
);
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON school_details TO diary_access_app;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(DETAILS)
    op.execute(tables.school_table("school_details"))
    op.execute(RIGHTS)
