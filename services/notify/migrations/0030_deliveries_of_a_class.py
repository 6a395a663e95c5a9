"""Deliveries about a student, and decisions of a class, newest first: what a class teacher's list walks along."""

from alembic import op

from chassis.migrate import concurrently

revision = "0030"
down_revision = "0020"

INDEXES = {
    "deliveries_by_student": "deliveries (school_id, student_id, delivery_id) WHERE student_id IS NOT NULL",
    "deliveries_by_class": "deliveries (school_id, class_id, delivery_id) WHERE class_id IS NOT NULL",
    "deliveries_of_an_account": "deliveries (school_id, account_id, delivery_id) WHERE student_id IS NULL",
}


def upgrade() -> None:
    """Forward only."""
    with concurrently():
        for name, what in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {what}")
