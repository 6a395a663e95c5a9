"""Letters: contact points, preferences, students' classes, deliveries as a queue, and their attempts (R26)."""

from alembic import op

from chassis import tables

revision = "0002"
down_revision = "0001"

# Of no school: an account may have children in several. The app role sees that an account has an address, never which.
CONTACTS = """
CREATE TABLE contact_points (
    account_id uuid NOT NULL,
    kind text NOT NULL,
    address text NOT NULL,
    source text NOT NULL,
    update_time timestamptz NOT NULL,
    PRIMARY KEY (account_id, kind),
    CONSTRAINT contact_points_kind_is_known CHECK (kind IN ('email')),
    CONSTRAINT contact_points_source_is_known CHECK (source IN ('application'))
);
GRANT SELECT, INSERT, UPDATE ON contact_points TO diary_notify_region;
GRANT SELECT (account_id, kind) ON contact_points TO diary_notify_app;
"""

PREFERENCES = """
CREATE TABLE preferences (
    school_id uuid NOT NULL,
    account_id uuid NOT NULL,
    student_id uuid NOT NULL,
    is_marks_letter_on boolean NOT NULL,
    update_time timestamptz NOT NULL,
    PRIMARY KEY (school_id, account_id, student_id)
);
GRANT SELECT, INSERT, UPDATE ON preferences TO diary_notify_app;
"""

# Which class a student is placed in, so that a class teacher finds the deliveries of the own class.
STUDENTS = """
CREATE TABLE students (
    school_id uuid NOT NULL,
    student_id uuid NOT NULL,
    class_id uuid,
    version bigint NOT NULL,
    PRIMARY KEY (school_id, student_id)
);
CREATE INDEX students_by_class ON students (school_id, class_id);
GRANT SELECT, INSERT, UPDATE ON students TO diary_notify_app;
"""

# Numbers of `kind` are those of diary.notify.v1.NoticeKind, of `state` those of DeliveryState and 5 for "being sent".
DELIVERIES = """
CREATE TABLE deliveries (
    school_id uuid NOT NULL,
    delivery_id uuid NOT NULL DEFAULT uuidv7(),
    kind smallint NOT NULL,
    account_id uuid NOT NULL,
    student_id uuid,
    grant_id uuid,
    event_id uuid NOT NULL,
    mark_ids uuid[] NOT NULL DEFAULT '{}',
    state smallint NOT NULL DEFAULT 1,
    attempt_count integer NOT NULL DEFAULT 0,
    is_copy_possible boolean NOT NULL DEFAULT false,
    next_attempt_time timestamptz NOT NULL,
    lease_end_time timestamptz,
    provider_answer text NOT NULL DEFAULT '',
    fact_time timestamptz NOT NULL,
    create_time timestamptz NOT NULL,
    send_time timestamptz,
    PRIMARY KEY (school_id, delivery_id),
    CONSTRAINT deliveries_once_an_event UNIQUE NULLS NOT DISTINCT (school_id, event_id, account_id, student_id),
    CONSTRAINT deliveries_kind_is_known CHECK (kind IN (1, 2)),
    CONSTRAINT deliveries_state_is_known CHECK (state BETWEEN 1 AND 5),
    CONSTRAINT deliveries_credentials_name_a_grant CHECK ((kind = 1) = (grant_id IS NOT NULL)),
    CONSTRAINT deliveries_marks_name_a_student CHECK ((kind = 2) = (student_id IS NOT NULL)),
    CONSTRAINT deliveries_marks_name_marks CHECK ((kind = 2) = (cardinality(mark_ids) > 0)),
    CONSTRAINT deliveries_sent_has_time CHECK ((state = 2) = (send_time IS NOT NULL)),
    CONSTRAINT deliveries_being_sent_has_lease CHECK (state <> 5 OR lease_end_time IS NOT NULL)
);
CREATE INDEX deliveries_due ON deliveries (next_attempt_time) WHERE state IN (1, 5);
CREATE INDEX deliveries_open_by_account ON deliveries (school_id, account_id, student_id) WHERE state IN (1, 5);
CREATE INDEX deliveries_by_account ON deliveries (school_id, account_id, delivery_id);
GRANT SELECT, INSERT, UPDATE ON deliveries TO diary_notify_app;
GRANT SELECT (school_id, delivery_id, state, next_attempt_time, lease_end_time), UPDATE (lease_end_time)
    ON deliveries TO diary_notify_jobs;
CREATE POLICY claim ON deliveries TO diary_notify_jobs USING (true) WITH CHECK (true);

CREATE TABLE delivery_attempts (
    school_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    attempt_number integer NOT NULL,
    outcome smallint NOT NULL,
    provider_answer text NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (school_id, delivery_id, attempt_number),
    FOREIGN KEY (school_id, delivery_id) REFERENCES deliveries,
    CONSTRAINT delivery_attempts_outcome_is_known CHECK (outcome BETWEEN 1 AND 5)
);
GRANT SELECT, INSERT ON delivery_attempts TO diary_notify_app;
"""


def upgrade() -> None:
    """Forward only."""
    for part in (CONTACTS, PREFERENCES, STUDENTS, DELIVERIES):
        op.execute(part)
    for table in ("preferences", "students", "deliveries", "delivery_attempts"):
        op.execute(tables.school_table(table))
