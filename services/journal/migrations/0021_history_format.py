"""A batch says in which format it was digested: other scales and kinds of results will change what a row is.

The default is the format of the release before, which may still write while this one comes. What is new in the check stands for
every row already, so nothing is read to prove it.
"""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Forward only."""
    op.execute(
        """
        ALTER TABLE mark_batches ADD COLUMN format smallint NOT NULL DEFAULT 1;
        ALTER TABLE mark_batches ADD CONSTRAINT mark_batches_format_known CHECK (format IN (1, 2)) NOT VALID;
        COMMENT ON COLUMN mark_batches.format IS '1 digests without a format, 2 digests that begin with it';
        """
    )
