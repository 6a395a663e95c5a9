"""Weekly print runs, their sheets and hand-overs, and the deadlines of R7.

What was printed is proof, so the bytes are kept and no row of a run is changed: `print_runs`, `printouts` and `hand_overs` can
only be added to. `channel` has the numbers of diary.documents.v1.
"""

from alembic import op

from chassis import tables

revision = "0002"
down_revision = "0001"

_TABLES = """
CREATE TABLE print_runs (
    school_id uuid NOT NULL,
    print_run_id uuid NOT NULL DEFAULT uuidv7(),
    class_id uuid NOT NULL,
    class_name text NOT NULL,
    monday_date date NOT NULL,
    time_zone text NOT NULL,
    account_id uuid NOT NULL,
    create_time timestamptz NOT NULL,
    pdf bytea NOT NULL,
    pdf_sha256 bytea NOT NULL,
    PRIMARY KEY (school_id, print_run_id),
    CONSTRAINT print_runs_week_begins_on_monday CHECK (extract(isodow FROM monday_date) = 1),
    CONSTRAINT print_runs_digest_is_of_the_pdf CHECK (sha256(pdf) = pdf_sha256)
);
-- A PDF is compressed already.
ALTER TABLE print_runs ALTER COLUMN pdf SET STORAGE EXTERNAL;
CREATE INDEX print_runs_by_class ON print_runs (school_id, class_id, print_run_id);

CREATE TABLE printouts (
    school_id uuid NOT NULL,
    print_run_id uuid NOT NULL,
    student_id uuid NOT NULL,
    list_number smallint NOT NULL,
    student_name text NOT NULL,
    year smallint NOT NULL,
    sheet_number integer NOT NULL,
    declaration_number text NOT NULL,
    PRIMARY KEY (school_id, print_run_id, student_id),
    FOREIGN KEY (school_id, print_run_id) REFERENCES print_runs,
    CONSTRAINT printouts_number_is_used_once UNIQUE (school_id, year, sheet_number)
);

CREATE TABLE hand_overs (
    school_id uuid NOT NULL,
    hand_over_id uuid NOT NULL DEFAULT uuidv7(),
    print_run_id uuid NOT NULL,
    student_id uuid NOT NULL,
    channel smallint NOT NULL,
    handed_date date NOT NULL,
    note text NOT NULL,
    is_receipted boolean NOT NULL,
    account_id uuid NOT NULL,
    record_time timestamptz NOT NULL,
    PRIMARY KEY (school_id, hand_over_id),
    FOREIGN KEY (school_id, print_run_id, student_id) REFERENCES printouts,
    CONSTRAINT hand_overs_channel_is_known CHECK (channel BETWEEN 1 AND 4),
    CONSTRAINT hand_overs_other_ways_have_a_note CHECK (channel < 3 OR note <> ''),
    CONSTRAINT hand_overs_only_given_ones_are_receipted CHECK (channel < 4 OR NOT is_receipted)
);
CREATE INDEX hand_overs_by_printout ON hand_overs (school_id, print_run_id, student_id, hand_over_id);

-- Numbers without gaps: the row is the last lock of the transaction that takes the next numbers.
CREATE TABLE counters (
    school_id uuid NOT NULL,
    name text NOT NULL,
    year smallint NOT NULL,
    value integer NOT NULL,
    PRIMARY KEY (school_id, name, year)
);

-- The owner's copy of its clocks: here R7 of each class and week. No names: jobs count it over all schools.
CREATE TABLE deadlines (
    school_id uuid NOT NULL,
    clause text NOT NULL,
    subject_id uuid NOT NULL,
    class_id uuid NOT NULL,
    monday_date date NOT NULL,
    start_time timestamptz NOT NULL,
    due_time timestamptz NOT NULL,
    met_time timestamptz,
    evidence text NOT NULL DEFAULT '',
    PRIMARY KEY (school_id, clause, subject_id),
    CONSTRAINT deadlines_one_a_week UNIQUE (school_id, clause, class_id, monday_date),
    CONSTRAINT deadlines_due_after_start CHECK (due_time > start_time),
    CONSTRAINT deadlines_met_has_evidence CHECK ((met_time IS NULL) = (evidence = ''))
);
CREATE INDEX deadlines_open ON deadlines (clause, due_time) WHERE met_time IS NULL;
"""

_SCHOOL_TABLES = ("print_runs", "printouts", "hand_overs", "counters", "deadlines")

_RIGHTS = """
GRANT SELECT, INSERT ON print_runs, printouts, hand_overs TO diary_documents_app;
GRANT SELECT, INSERT, UPDATE ON counters TO diary_documents_app;
GRANT SELECT, INSERT, UPDATE (met_time, evidence) ON deadlines TO diary_documents_app;

CREATE POLICY jobs ON deadlines FOR SELECT TO diary_documents_jobs USING (true);
GRANT SELECT (clause, due_time, met_time) ON deadlines TO diary_documents_jobs;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(_TABLES)
    for table in _SCHOOL_TABLES:
        op.execute(tables.school_table(table))
    op.execute(_RIGHTS)
