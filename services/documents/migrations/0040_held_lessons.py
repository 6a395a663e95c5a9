"""A withdrawn lesson owes no sheet: held lessons are kept one by one, and what a week owes, and its term, can be taken back.

`lesson_count` is NULL in weeks begun before: their lessons are not known one by one, so that they only grow.
"""

from alembic import op

from chassis import tables

revision = "0040"
down_revision = "0031"

_TABLES = """
CREATE TABLE held_lessons (
    school_id uuid NOT NULL,
    lesson_id uuid NOT NULL,
    class_id uuid NOT NULL,
    lesson_date date NOT NULL,
    is_held boolean NOT NULL,
    fact_time timestamptz NOT NULL,
    PRIMARY KEY (school_id, lesson_id)
);
COMMENT ON TABLE held_lessons IS 'the newest word of the journal on a lesson, by the time of the fact';
CREATE INDEX held_lessons_by_class ON held_lessons (school_id, class_id, lesson_date);
GRANT SELECT, INSERT, UPDATE ON held_lessons TO diary_documents_app;

ALTER TABLE lesson_weeks ADD COLUMN lesson_count int;
COMMENT ON COLUMN lesson_weeks.lesson_count IS 'NULL in weeks begun before lessons were kept one by one';
-- A week that owed something had a lesson; those of before 0005 were not noted.
INSERT INTO lesson_weeks (school_id, class_id, monday_date, last_lesson_date)
SELECT DISTINCT school_id, class_id, monday_date, monday_date FROM owed_printouts ON CONFLICT DO NOTHING;

ALTER TABLE owed_printouts ADD COLUMN is_owed boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN owed_printouts.is_owed IS 'false when the lessons for which it was owed were withdrawn';
GRANT UPDATE (is_owed) ON owed_printouts TO diary_documents_app;

ALTER TABLE deadlines ADD COLUMN is_void boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN deadlines.is_void IS 'taken back: the week owes nothing and never did';
GRANT UPDATE (is_void) ON deadlines TO diary_documents_app;
GRANT SELECT (is_void) ON deadlines TO diary_documents_jobs;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(_TABLES)
    op.execute(tables.school_table("held_lessons"))
