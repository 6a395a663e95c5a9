"""Facts are told once by the key of `news`; the indexes that said so of letters go, locking nobody out."""

from alembic import op

from chassis.migrate import concurrently

revision = "0102"
down_revision = "0101"


def upgrade() -> None:
    """Forward only."""
    with concurrently():
        op.execute("ALTER TABLE deliveries VALIDATE CONSTRAINT deliveries_have_one_receiver")
        for index in ("deliveries_once_a_fact", "deliveries_once_a_document"):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
