"""How a guardian asks to be given printouts (Clauses R7, R8), in a statement and in a declaration; 0: not said, as before this.

`printout_way` has the numbers of diary.access.v1. What rows there are says nothing of it; the next migration proves it.
"""

from alembic import op

revision = "0068"
down_revision = "0064"

WAYS = """
ALTER TABLE {table}
    ADD COLUMN printout_way smallint NOT NULL DEFAULT 0,
    ADD COLUMN printout_way_note text NOT NULL DEFAULT '',
    ADD CONSTRAINT {table}_printout_way_is_known CHECK (printout_way BETWEEN 0 AND 3) NOT VALID,
    ADD CONSTRAINT {table}_other_ways_have_a_note CHECK ((printout_way = 3) = (printout_way_note <> '')) NOT VALID,
    ADD CONSTRAINT {table}_declined_printouts_have_no_way CHECK (printout_way = 0 OR NOT declines_printouts) NOT VALID;
"""


def upgrade() -> None:
    """Forward only."""
    for table in ("applicants", "paper_declarations"):
        op.execute(WAYS.format(table=table))
