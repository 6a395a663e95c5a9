"""The projection of the deadlines that other services own (Clauses R7, R16, R18). access's own stand in `deadlines`.

With its clause the subject names a deadline. `fact_time` is that of the event: the later one counts, in whatever order they
come. No names: jobs count it over all schools.
"""

from alembic import op

from chassis import tables

revision = "0007"
down_revision = "0006"

KNOWN = """
CREATE TABLE known_deadlines (
    school_id uuid NOT NULL REFERENCES schools,
    clause text NOT NULL,
    subject_id text NOT NULL,
    start_time timestamptz NOT NULL,
    due_time timestamptz NOT NULL,
    met_time timestamptz,
    evidence_id text NOT NULL DEFAULT '',
    fact_time timestamptz NOT NULL,
    PRIMARY KEY (school_id, clause, subject_id)
);
CREATE INDEX known_deadlines_by_due_time ON known_deadlines (school_id, due_time);
CREATE INDEX known_deadlines_open ON known_deadlines (clause, due_time) WHERE met_time IS NULL;
CREATE INDEX deadlines_by_due_time ON deadlines (school_id, due_time);
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON known_deadlines TO diary_access_app;
CREATE POLICY jobs ON known_deadlines FOR SELECT TO diary_access_jobs USING (true);
GRANT SELECT (clause, due_time, met_time) ON known_deadlines TO diary_access_jobs;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(KNOWN)
    op.execute(tables.school_table("known_deadlines"))
    op.execute(RIGHTS)
