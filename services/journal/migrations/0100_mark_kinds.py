"""A mark's value is a kind and a number (docs/decisions/0153), which the history's format 3 covers.

The default is the one kind of the release before, which may still write while this one comes, in format 2. New constraints
stand for every row already and are proved in 0101. `reason` is '' from now on where there is none: a row without nulls is 8
bytes shorter, and the digest is the same.
"""

from alembic import op

revision = "0100"
down_revision = "0091"


def upgrade() -> None:
    """Forward only."""
    op.execute(
        """
        ALTER TABLE mark_revisions
            ADD COLUMN kind smallint NOT NULL DEFAULT 1,
            ALTER COLUMN reason SET DEFAULT '',
            -- What it held, the next one holds.
            -- squawk-ignore ban-drop-constraint
            DROP CONSTRAINT mark_revisions_value_in_scale,
            ADD CONSTRAINT mark_revisions_number_of_kind CHECK (
                CASE WHEN value IS NULL THEN kind = 1
                ELSE CASE kind
                    WHEN 1 THEN value BETWEEN 1 AND 5
                    WHEN 2 THEN value BETWEEN 0 AND 1
                    WHEN 3 THEN value = 0
                    WHEN 4 THEN value = 0
                    WHEN 5 THEN value / 10 BETWEEN 1 AND 5 AND value % 10 BETWEEN 1 AND 5
                    WHEN 6 THEN value BETWEEN 0 AND 10
                    WHEN 7 THEN value BETWEEN 0 AND 100
                    ELSE false
                END END
            ) NOT VALID;
        COMMENT ON COLUMN mark_revisions.kind IS
            '1 five-point, 2 passed 1 or not 0, 3 not assessed, 4 exempt, 5 mark and its retake, 6 ten-point, 7 hundred-point';
        COMMENT ON COLUMN mark_revisions.value IS 'a number of the kind; null: taken back';

        ALTER TABLE mark_batches
            -- squawk-ignore ban-drop-constraint
            DROP CONSTRAINT mark_batches_format_known,
            ADD CONSTRAINT mark_batches_format_known CHECK (format IN (1, 2, 3)) NOT VALID;
        COMMENT ON COLUMN mark_batches.format IS
            '1 digests without a format, 2 digests that begin with it, 3 digests of rows that name their kind';
        """
    )
