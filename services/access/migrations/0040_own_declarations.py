"""A guardian's own declarations are found by the guardian."""

from alembic import op

from chassis.migrate import concurrently

revision = "0040"
down_revision = "0031"


def upgrade() -> None:
    """Forward only."""
    with concurrently():
        # One that was left half made is of no use.
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS paper_declarations_by_guardian")
        op.execute(
            "CREATE INDEX CONCURRENTLY paper_declarations_by_guardian "
            "ON paper_declarations (school_id, guardian_person_id, declaration_id)"
        )
