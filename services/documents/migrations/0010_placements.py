"""Students' times in classes: who moves on a day is of the new class from its midnight, whatever becomes of the events.

Filled from the class that the projection knows, as if it were of ever; a version lower by one lets `rebuild` bring the days.
"""

from alembic import op

from chassis import tables

revision = "0010"
down_revision = "0007"

_PLACEMENTS = """
SET LOCAL statement_timeout = '10min';
CREATE TABLE placements (
    school_id uuid NOT NULL,
    student_id uuid NOT NULL,
    from_time timestamptz NOT NULL,
    to_time timestamptz,
    class_id uuid NOT NULL,
    is_named boolean NOT NULL,
    PRIMARY KEY (school_id, student_id, from_time)
);
COMMENT ON COLUMN placements.is_named IS 'false when the roster names it no more; nothing is deleted';
CREATE INDEX placements_by_class ON placements (school_id, class_id) INCLUDE (student_id, from_time, to_time, is_named);
INSERT INTO placements (school_id, student_id, from_time, class_id, is_named)
SELECT school_id, student_id, '-infinity', class_id, true FROM students WHERE class_id IS NOT NULL;
UPDATE students SET version = version - 1;
GRANT SELECT, INSERT, UPDATE ON placements TO diary_documents_app;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(_PLACEMENTS)
    op.execute(tables.school_table("placements"))
