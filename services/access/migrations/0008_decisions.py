"""A refusal as a paper: which case of its ground it is, who signs as acting head, how the paper was signed and given (Clauses
R19-R23).

`reason`, `signing_way` and `channel` are numbers of diary.access.v1. Refusals from before have no reason.
"""

from alembic import op

from chassis import tables

revision = "0008"
down_revision = "0007"

REFUSALS = """
ALTER TABLE refusals
    ADD COLUMN reason smallint,
    ADD COLUMN fact_date date,
    ADD COLUMN fact_order_number text NOT NULL DEFAULT '',
    ADD CONSTRAINT refusals_reason_is_of_its_ground CHECK (
        reason IS NULL OR ground = 1 AND reason BETWEEN 1 AND 3 OR ground = 2 AND reason IN (4, 5)
        OR ground = 3 AND reason IN (6, 7)),
    ADD CONSTRAINT refusals_of_age_or_left_has_a_date CHECK ((reason IN (2, 5)) IS NOT TRUE OR fact_date IS NOT NULL);

ALTER TABLE appointments
    ADD COLUMN is_acting boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT appointments_only_a_head_is_acting CHECK (role = 11 OR NOT is_acting);
"""

# A line that no person caused has no actor.
LOG = "ALTER TABLE case_log ALTER COLUMN actor_account_id DROP NOT NULL;"

# What documents and notify tell of an applicant's copy; a copy is given once.
PAPERS = """
CREATE TABLE decision_papers (
    school_id uuid NOT NULL,
    document_id uuid NOT NULL,
    application_id uuid NOT NULL,
    applicant_id uuid NOT NULL,
    issue_time timestamptz NOT NULL,
    signing_way smallint,
    sign_time timestamptz,
    channel smallint,
    deliver_time timestamptz,
    delivered_by_account_id uuid REFERENCES accounts,
    PRIMARY KEY (school_id, document_id),
    FOREIGN KEY (school_id, application_id) REFERENCES refusals (school_id, application_id),
    FOREIGN KEY (school_id, applicant_id) REFERENCES applicants,
    CONSTRAINT decision_papers_one_an_applicant UNIQUE (school_id, applicant_id),
    CONSTRAINT decision_papers_way_is_known CHECK (signing_way IN (1, 2)),
    CONSTRAINT decision_papers_signed_whole CHECK ((signing_way IS NULL) = (sign_time IS NULL)),
    CONSTRAINT decision_papers_channel_is_known CHECK (channel BETWEEN 1 AND 3),
    CONSTRAINT decision_papers_given_whole CHECK ((channel IS NULL) = (deliver_time IS NULL)),
    CONSTRAINT decision_papers_are_signed_before_given CHECK (channel IS NULL OR signing_way IS NOT NULL),
    CONSTRAINT decision_papers_given_by_someone CHECK (channel IS NULL OR (channel = 2) = (delivered_by_account_id IS NULL))
);
CREATE INDEX decision_papers_by_application ON decision_papers (school_id, application_id);
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE (signing_way, sign_time, channel, deliver_time, delivered_by_account_id)
    ON decision_papers TO diary_access_app;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(REFUSALS)
    op.execute(LOG)
    op.execute(PAPERS)
    op.execute(tables.school_table("decision_papers"))
    op.execute(RIGHTS)
