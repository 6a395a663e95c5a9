"""A case about a student who never was enrolled has no start of its clock, and is granted, refused or withdrawn all the same
(Clauses R15, R20, R24).
"""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Forward only."""
    op.execute(
        """
        ALTER TABLE applications
            DROP CONSTRAINT applications_only_waiting_ones_have_no_start,
            ADD CONSTRAINT applications_registered_ones_have_a_start CHECK (state <> 1 OR start_time IS NOT NULL);
        """
    )
