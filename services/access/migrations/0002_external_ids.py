"""Ids under which other systems know our people, classes and study groups, so that an import finds them again."""

from alembic import op

from chassis import tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Forward only."""
    op.execute(
        """
        CREATE TABLE external_ids (
            school_id uuid NOT NULL REFERENCES schools,
            kind text NOT NULL,
            external_id text COLLATE "C" NOT NULL,
            entry_id uuid NOT NULL,
            PRIMARY KEY (school_id, kind, external_id),
            CONSTRAINT external_ids_one_of_an_entry UNIQUE (school_id, kind, entry_id),
            CONSTRAINT external_ids_kind_is_known CHECK (kind IN ('school', 'year', 'person', 'class', 'study_group'))
        );
        GRANT SELECT, INSERT ON external_ids TO diary_access_app;
        """
    )
    op.execute(tables.school_table("external_ids"))
