"""Statements of Appendix 2 and 3, which end their signers' access, and declarations for paper (Clauses R8, R30-R33).

`kind` and `paper_reason` are numbers of diary.access.v1. A declaration is never changed but by the time of its end.
"""

from alembic import op

from chassis import tables

revision = "0004"
down_revision = "0003"

STATEMENTS = """
ALTER TABLE applications ADD COLUMN kind smallint NOT NULL DEFAULT 1
    CONSTRAINT applications_kind_is_known CHECK (kind BETWEEN 1 AND 3);
ALTER TABLE applicants ADD COLUMN paper_reason smallint NOT NULL DEFAULT 2
    CONSTRAINT applicants_paper_reason_is_known CHECK (paper_reason IN (1, 2));
ALTER TABLE applicants ADD COLUMN declines_printouts boolean NOT NULL DEFAULT false;
ALTER TABLE applicants ADD COLUMN ends_paper_mode boolean NOT NULL DEFAULT false;

ALTER TABLE grants ADD COLUMN end_application_id uuid;
ALTER TABLE grants ADD CONSTRAINT grants_end_application_is_there FOREIGN KEY (school_id, end_application_id)
    REFERENCES applications (school_id, application_id);
ALTER TABLE grants DROP CONSTRAINT grants_end_ground_is_known;
ALTER TABLE grants ADD CONSTRAINT grants_end_ground_is_known
    CHECK (end_ground IN ('revoked', 'left', 'guardianship_ended', 'declined'));
ALTER TABLE grants ADD CONSTRAINT grants_declined_by_a_statement
    CHECK ((end_ground IS NOT DISTINCT FROM 'declined') = (end_application_id IS NOT NULL));
CREATE INDEX grants_by_end_application ON grants (school_id, end_application_id) WHERE end_application_id IS NOT NULL;

CREATE TABLE paper_declarations (
    school_id uuid NOT NULL,
    declaration_id uuid NOT NULL DEFAULT uuidv7(),
    application_id uuid NOT NULL,
    student_id uuid NOT NULL,
    guardian_person_id uuid NOT NULL,
    year smallint NOT NULL,
    number integer NOT NULL,
    declare_date date NOT NULL,
    reason smallint NOT NULL,
    declines_printouts boolean NOT NULL,
    revoke_time timestamptz,
    PRIMARY KEY (school_id, declaration_id),
    FOREIGN KEY (school_id, application_id) REFERENCES applications,
    FOREIGN KEY (school_id, student_id) REFERENCES students,
    FOREIGN KEY (school_id, guardian_person_id) REFERENCES people (school_id, person_id),
    CONSTRAINT paper_declarations_number_is_used_once UNIQUE (school_id, year, number),
    CONSTRAINT paper_declarations_once_in_a_statement UNIQUE (school_id, application_id, guardian_person_id),
    CONSTRAINT paper_declarations_reason_is_known CHECK (reason IN (1, 2)),
    CONSTRAINT paper_declarations_are_of_others CHECK (guardian_person_id <> student_id)
);
CREATE UNIQUE INDEX paper_declarations_one_open ON paper_declarations (school_id, student_id, guardian_person_id)
    WHERE revoke_time IS NULL;
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE (revoke_time) ON paper_declarations TO diary_access_app;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(STATEMENTS)
    op.execute(tables.school_table("paper_declarations"))
    op.execute(RIGHTS)
