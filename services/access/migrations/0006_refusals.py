"""Refusals with frozen evidence, signed by the head (Clauses R19-R23); the second factor of staff.

`ground` and `state` are numbers of diary.access.v1.
"""

from alembic import op

from chassis import tables

revision = "0006"
down_revision = "0005"

REFUSALS = """
ALTER TABLE applications DROP CONSTRAINT applications_state_is_known;
ALTER TABLE applications ADD CONSTRAINT applications_state_is_known CHECK (state BETWEEN 1 AND 5);
ALTER TABLE applications DROP CONSTRAINT applications_decided_have_a_time;
ALTER TABLE applications ADD CONSTRAINT applications_decided_have_a_time CHECK ((state IN (3, 5)) = (decide_time IS NOT NULL));

-- Exactly one of the three grounds: a statement for R21 and for no other, and always evidence.
CREATE TABLE refusals (
    school_id uuid NOT NULL,
    application_id uuid NOT NULL,
    ground smallint NOT NULL,
    statement_id uuid,
    evidence text NOT NULL,
    proposed_by_account_id uuid NOT NULL REFERENCES accounts,
    propose_time timestamptz NOT NULL,
    year smallint,
    number integer,
    signed_by_account_id uuid REFERENCES accounts,
    sign_time timestamptz,
    PRIMARY KEY (school_id, application_id),
    FOREIGN KEY (school_id, application_id) REFERENCES applications,
    FOREIGN KEY (school_id, statement_id) REFERENCES applications (school_id, application_id),
    CONSTRAINT refusals_number_is_used_once UNIQUE (school_id, year, number),
    CONSTRAINT refusals_ground_is_of_the_closed_list CHECK (ground IN (1, 2, 3)),
    CONSTRAINT refusals_own_statement_is_linked CHECK ((ground = 3) = (statement_id IS NOT NULL)),
    CONSTRAINT refusals_have_evidence CHECK (evidence <> ''),
    CONSTRAINT refusals_signed_whole CHECK (num_nonnulls(year, number, signed_by_account_id, sign_time) IN (0, 4))
);
"""

# The secret of a second factor must be read to check a code, so it stands here as it is; the password is asked for besides.
FACTORS = """
CREATE TABLE second_factors (
    account_id uuid PRIMARY KEY REFERENCES accounts,
    secret text NOT NULL,
    enrol_time timestamptz NOT NULL,
    confirm_time timestamptz,
    last_step bigint NOT NULL DEFAULT 0
);
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON refusals TO diary_access_app;
GRANT SELECT, INSERT, UPDATE ON second_factors TO diary_access_region;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(REFUSALS)
    op.execute(FACTORS)
    op.execute(tables.school_table("refusals"))
    op.execute(RIGHTS)
