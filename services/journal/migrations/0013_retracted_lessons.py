"""A lesson recorded by mistake is withdrawn: the row stays, planned or hidden; what it said, who withdrew it and why is kept.

A hidden lesson is a planned one that the timetable does not have, so that the code of the release before, which does not know
the column, shows it as planned and breaks on nothing.
"""

from alembic import op

from chassis import tables

revision = "0013"
down_revision = "0011"

_RETRACTIONS = """
ALTER TABLE lessons ADD COLUMN is_retracted boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN lessons.is_retracted IS 'while planned: withdrawn and in no timetable, so shown to nobody';

CREATE TABLE lesson_retractions (
    school_id uuid NOT NULL,
    lesson_id uuid NOT NULL,
    revision int NOT NULL,
    course_id uuid NOT NULL,
    batch_number bigint NOT NULL,
    topic text NOT NULL,
    homework text NOT NULL,
    work_type_id uuid,
    account_id uuid NOT NULL,
    create_time timestamptz NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (school_id, lesson_id, revision),
    FOREIGN KEY (school_id, lesson_id) REFERENCES lessons,
    CONSTRAINT lesson_retractions_reason_stated CHECK (reason <> '')
);
COMMENT ON TABLE lesson_retractions IS 'append-only: what a withdrawn lesson said; batch_number is its link in the chain';
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(_RETRACTIONS)
    op.execute(tables.school_table("lesson_retractions"))
    op.execute("GRANT SELECT, INSERT ON lesson_retractions TO diary_journal_app")
