"""Checks of 0102 are proved, locking nobody out."""

from alembic import op

from chassis.migrate import concurrently

revision = "0103"
down_revision = "0102"

_PROVED = {
    "periods": "periods_kind_known",
    "classes": "classes_period_kind_known",
    "courses": "courses_period_kind_known",
}


def upgrade() -> None:
    """Forward only."""
    with concurrently():
        for table, constraint in _PROVED.items():
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}")
