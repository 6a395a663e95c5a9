"""The families informed on paper, as access tells them, and whom each week's term owes a printout (Clauses R7, R8).

`schools`, `students` and `paper_modes` are a projection: only a higher version is written and ended declarations stay, so that
neither a late event nor a rebuild brings one back. `owed_printouts` is frozen when a week's term opens: who declares or moves
later counts from the next week, so that no week of the past changes its measure.
"""

from alembic import op

from chassis import tables

revision = "0004"
down_revision = "0003"

_TABLES = """
CREATE TABLE schools (
    school_id uuid PRIMARY KEY,
    time_zone text NOT NULL,
    version bigint NOT NULL
);

CREATE TABLE students (
    school_id uuid NOT NULL,
    student_id uuid NOT NULL,
    class_id uuid,
    version bigint NOT NULL,
    PRIMARY KEY (school_id, student_id)
);
CREATE INDEX students_by_class ON students (school_id, class_id);

CREATE TABLE paper_modes (
    school_id uuid NOT NULL,
    declaration_id uuid NOT NULL,
    student_id uuid NOT NULL,
    number text NOT NULL,
    declines_printouts boolean NOT NULL,
    revoke_time timestamptz,
    version bigint NOT NULL,
    -- An id of version 7 tells when it was made; of another kind of id it is not known, and counts from ever.
    record_time timestamptz NOT NULL GENERATED ALWAYS AS (coalesce(uuid_extract_timestamp(declaration_id), '-infinity')) STORED,
    PRIMARY KEY (school_id, declaration_id)
);
CREATE INDEX paper_modes_by_student ON paper_modes (school_id, student_id);

CREATE TABLE owed_printouts (
    school_id uuid NOT NULL,
    class_id uuid NOT NULL,
    monday_date date NOT NULL,
    student_id uuid NOT NULL,
    PRIMARY KEY (school_id, class_id, monday_date, student_id)
);
CREATE INDEX owed_printouts_by_student ON owed_printouts (school_id, student_id);
"""

_RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON schools, students, paper_modes TO diary_documents_app;
GRANT SELECT, INSERT ON owed_printouts TO diary_documents_app;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(_TABLES)
    for table in ("schools", "students", "paper_modes", "owed_printouts"):
        op.execute(tables.school_table(table))
    op.execute(_RIGHTS)
