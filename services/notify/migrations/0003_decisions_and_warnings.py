"""Signed decisions to applicants, who need no account (R23, R26), and warnings before an access ends (R6, R13)."""

from alembic import op

revision = "0003"
down_revision = "0002"

# `class_id` is known when a decision is sent first; the class teacher of that class sees its delivery.
DELIVERIES = """
ALTER TABLE deliveries
    ADD COLUMN applicant_id uuid,
    ADD COLUMN document_id uuid,
    ADD COLUMN class_id uuid,
    ALTER COLUMN account_id DROP NOT NULL,
    DROP CONSTRAINT deliveries_kind_is_known,
    DROP CONSTRAINT deliveries_credentials_name_a_grant,
    DROP CONSTRAINT deliveries_marks_name_a_student;
ALTER TABLE deliveries
    ADD CONSTRAINT deliveries_kind_is_known CHECK (kind BETWEEN 1 AND 4),
    ADD CONSTRAINT deliveries_credentials_and_warnings_name_a_grant CHECK ((kind IN (1, 4)) = (grant_id IS NOT NULL)),
    ADD CONSTRAINT deliveries_marks_and_warnings_name_a_student CHECK ((kind IN (2, 4)) = (student_id IS NOT NULL)),
    ADD CONSTRAINT deliveries_decisions_name_no_account CHECK ((kind = 3) = (account_id IS NULL)),
    ADD CONSTRAINT deliveries_decisions_name_an_applicant CHECK ((kind = 3) = (applicant_id IS NOT NULL)),
    ADD CONSTRAINT deliveries_decisions_name_a_document CHECK ((kind = 3) = (document_id IS NOT NULL)),
    ADD CONSTRAINT deliveries_decisions_alone_name_a_class CHECK (kind = 3 OR class_id IS NULL),
    -- Only access may say that a decision is not wanted, at an attempt. The release before knows no decisions and would cancel
    -- what it claims while both run.
    ADD CONSTRAINT deliveries_decisions_are_cancelled_at_an_attempt CHECK (kind <> 3 OR state <> 4 OR attempt_count > 0);
CREATE UNIQUE INDEX deliveries_once_a_document ON deliveries (school_id, document_id) WHERE kind = 3;
-- So that the queue takes a bounded number of letters with files at once.
GRANT SELECT (kind) ON deliveries TO diary_notify_jobs;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(DELIVERIES)
