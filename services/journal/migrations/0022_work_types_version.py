"""Whatever changes a work type raises its school's version, by which encoded diary cards are kept.

A trigger rather than a rule for writers: a card with a name of yesterday is found by nobody who writes the next statement.
"""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Forward only."""
    op.execute(
        """
        CREATE FUNCTION raise_work_types_version() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE schools SET work_types_version = work_types_version + 1
            WHERE school_id IN (SELECT school_id FROM changed);
            RETURN NULL;
        END $$;
        CREATE TRIGGER work_types_inserted AFTER INSERT ON work_types
            REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION raise_work_types_version();
        CREATE TRIGGER work_types_updated AFTER UPDATE ON work_types
            REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION raise_work_types_version();
        """
    )
