"""The family's own door: statements through the diary, withdrawal, declarations for paper on a sheet of their own, and warnings
before an access ends (Clauses R6, R8, R13, R24, R32).

`state`, `channel` and `form` are numbers of diary.access.v1. A warning is told once an account, grant and end.
"""

from alembic import op

from chassis import tables

revision = "0010"
down_revision = "0009"

CASES = """
ALTER TABLE applications
    DROP CONSTRAINT applications_state_is_known,
    DROP CONSTRAINT applications_decided_have_a_time,
    DROP CONSTRAINT applications_channel_is_known;
ALTER TABLE applications
    ADD CONSTRAINT applications_state_is_known CHECK (state BETWEEN 1 AND 6),
    ADD CONSTRAINT applications_decided_have_a_time CHECK ((state IN (3, 5, 6)) = (decide_time IS NOT NULL)),
    ADD CONSTRAINT applications_channel_is_known CHECK (channel BETWEEN 1 AND 4),
    ADD CONSTRAINT applications_statements_are_not_withdrawn CHECK (state <> 6 OR kind = 1);
CREATE INDEX applicants_by_person ON applicants (school_id, person_id);
"""

DECLARATIONS = """
ALTER TABLE paper_declarations
    ALTER COLUMN application_id DROP NOT NULL,
    ADD COLUMN form smallint NOT NULL DEFAULT 1,
    ADD COLUMN recorded_by_account_id uuid REFERENCES accounts,
    ADD CONSTRAINT paper_declarations_form_is_known CHECK (form BETWEEN 1 AND 4),
    ADD CONSTRAINT paper_declarations_of_a_statement_name_it CHECK ((form = 1) = (application_id IS NOT NULL));
CREATE INDEX paper_declarations_by_student ON paper_declarations (school_id, student_id, declaration_id);
"""

WARNINGS = """
CREATE TABLE ending_warnings (
    school_id uuid NOT NULL,
    grant_id uuid NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts,
    end_time timestamptz NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (school_id, grant_id, account_id, end_time),
    FOREIGN KEY (school_id, grant_id) REFERENCES grants
);
CREATE INDEX relations_ending ON relations (school_id, valid_to_time) WHERE kind = 3 AND valid_to_time IS NOT NULL;
"""

RIGHTS = """
GRANT SELECT, INSERT ON ending_warnings TO diary_access_app;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(CASES)
    op.execute(DECLARATIONS)
    op.execute(WARNINGS)
    op.execute(tables.school_table("ending_warnings"))
    op.execute(RIGHTS)
