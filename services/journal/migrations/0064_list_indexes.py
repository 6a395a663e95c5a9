"""The indexes by which a page of courses touches its page (docs/decisions/0104): classes in their order, each year's
courses of each.
"""

from alembic import op

from chassis.migrate import concurrently

revision = "0064"
down_revision = "0022"

INDEXES = {
    "classes_in_order": "classes (school_id, sort_key, class_id)",
    "courses_of_class": "courses (school_id, class_id, end_date)",
}


def upgrade() -> None:
    """Forward only."""
    with concurrently():
        for name, what in INDEXES.items():
            # One that was left half made is of no use.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {what}")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS courses_by_class")
