"""The ways of giving printouts hold for every row, locking nobody out."""

from alembic import op

from chassis.migrate import concurrently

revision = "0069"
down_revision = "0068"

PROVED = ("printout_way_is_known", "other_ways_have_a_note", "declined_printouts_have_no_way")


def upgrade() -> None:
    """Forward only."""
    with concurrently():
        for table in ("applicants", "paper_declarations"):
            for name in PROVED:
                op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {table}_{name}")
