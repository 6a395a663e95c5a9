"""A sheet keeps how its guardian's declaration asked for it when it was printed (Clause R7); 0: not said, as before this.

`wanted_channel` has the numbers of diary.documents.v1. The next migration proves it of the rows there are.
"""

from alembic import op

revision = "0068"
down_revision = "0040"

WANTED = """
ALTER TABLE printouts
    ADD COLUMN wanted_channel smallint NOT NULL DEFAULT 0,
    ADD COLUMN wanted_note text NOT NULL DEFAULT '',
    ADD CONSTRAINT printouts_wanted_channel_is_known CHECK (wanted_channel BETWEEN 0 AND 3) NOT VALID,
    ADD CONSTRAINT printouts_other_wanted_ways_have_a_note CHECK ((wanted_channel = 3) = (wanted_note <> '')) NOT VALID;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(WANTED)
