"""Applications with their applicants, log, numbers and deadlines; first credentials as digests only.

An account without `password_hash` has not been activated: its holder has first credentials at most. `state`, `channel` and
`credentials_way` are numbers of diary.access.v1.
"""

from alembic import op

from chassis import tables

revision = "0003"
down_revision = "0002"

# Accounts that stand already were made with a password; when it was set is not known of them.
ACCOUNTS = """
ALTER TABLE accounts ALTER COLUMN password_hash DROP NOT NULL;
ALTER TABLE accounts ADD COLUMN activated_time timestamptz;
ALTER TABLE accounts ADD COLUMN is_activated boolean NOT NULL GENERATED ALWAYS AS (password_hash IS NOT NULL) STORED;
ALTER TABLE accounts ADD COLUMN slip_count integer NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD CONSTRAINT accounts_activated_by_a_password
    CHECK (activated_time IS NULL OR password_hash IS NOT NULL);

CREATE TABLE one_time_passwords (
    account_id uuid NOT NULL REFERENCES accounts,
    issue_number integer NOT NULL,
    password_hash text,
    create_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL,
    void_time timestamptz,
    PRIMARY KEY (account_id, issue_number),
    CONSTRAINT one_time_passwords_void_has_no_hash CHECK ((void_time IS NULL) = (password_hash IS NOT NULL)),
    CONSTRAINT one_time_passwords_expire_later CHECK (expire_time > create_time)
);
CREATE UNIQUE INDEX one_time_passwords_one_live ON one_time_passwords (account_id) WHERE void_time IS NULL;

CREATE TABLE activation_tokens (
    token_digest bytea PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    create_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL,
    CONSTRAINT activation_tokens_are_sha256 CHECK (length(token_digest) = 32),
    CONSTRAINT activation_tokens_expire_later CHECK (expire_time > create_time)
);
CREATE INDEX activation_tokens_by_account ON activation_tokens (account_id, create_time);
"""

APPLICATIONS = """
CREATE TABLE regulation_versions (
    school_id uuid NOT NULL REFERENCES schools,
    regulation_id uuid NOT NULL DEFAULT uuidv7(),
    title text NOT NULL,
    order_number text,
    order_date date,
    valid_from date NOT NULL,
    PRIMARY KEY (school_id, regulation_id),
    CONSTRAINT regulation_versions_one_a_day UNIQUE (school_id, valid_from),
    CONSTRAINT regulation_versions_order_is_whole CHECK ((order_number IS NULL) = (order_date IS NULL))
);

-- Numbers without gaps: the row is the last lock of the transaction that takes the next number.
CREATE TABLE counters (
    school_id uuid NOT NULL REFERENCES schools,
    name text NOT NULL,
    year smallint NOT NULL,
    value integer NOT NULL,
    PRIMARY KEY (school_id, name, year)
);

CREATE TABLE applications (
    school_id uuid NOT NULL,
    application_id uuid NOT NULL DEFAULT uuidv7(),
    year smallint NOT NULL,
    number integer NOT NULL,
    student_id uuid NOT NULL,
    regulation_id uuid NOT NULL,
    channel smallint NOT NULL,
    state smallint NOT NULL,
    receive_time timestamptz NOT NULL,
    register_time timestamptz NOT NULL,
    start_time timestamptz,
    decide_time timestamptz,
    version bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (school_id, application_id),
    FOREIGN KEY (school_id, student_id) REFERENCES students,
    FOREIGN KEY (school_id, regulation_id) REFERENCES regulation_versions,
    CONSTRAINT applications_number_is_used_once UNIQUE (school_id, year, number),
    CONSTRAINT applications_channel_is_known CHECK (channel BETWEEN 1 AND 3),
    CONSTRAINT applications_state_is_known CHECK (state BETWEEN 1 AND 3),
    CONSTRAINT applications_are_registered_after_receipt CHECK (register_time >= receive_time),
    CONSTRAINT applications_decided_have_a_time CHECK ((state = 3) = (decide_time IS NOT NULL)),
    CONSTRAINT applications_only_waiting_ones_have_no_start CHECK (state = 2 OR start_time IS NOT NULL)
);
CREATE INDEX applications_by_student ON applications (school_id, student_id);

-- As filed: what the person is to the child and by which document stands here also when the guardianship changes later.
CREATE TABLE applicants (
    school_id uuid NOT NULL,
    applicant_id uuid NOT NULL DEFAULT uuidv7(),
    application_id uuid NOT NULL,
    place smallint NOT NULL,
    person_id uuid NOT NULL,
    guardianship_id uuid,
    guardian_kind text,
    authority_document text NOT NULL DEFAULT '',
    email text NOT NULL DEFAULT '',
    credentials_way smallint NOT NULL,
    grant_id uuid,
    hand_over_time timestamptz,
    handed_over_by_account_id uuid REFERENCES accounts,
    PRIMARY KEY (school_id, applicant_id),
    FOREIGN KEY (school_id, application_id) REFERENCES applications,
    FOREIGN KEY (school_id, person_id) REFERENCES people,
    FOREIGN KEY (school_id, guardianship_id) REFERENCES guardianships,
    FOREIGN KEY (school_id, grant_id) REFERENCES grants,
    CONSTRAINT applicants_once_in_a_case UNIQUE (school_id, application_id, person_id),
    CONSTRAINT applicants_guardian_has_a_kind CHECK ((guardianship_id IS NULL) = (guardian_kind IS NULL)),
    CONSTRAINT applicants_way_is_known CHECK (credentials_way IN (1, 2)),
    CONSTRAINT applicants_email_where_wanted CHECK (credentials_way <> 2 OR email <> ''),
    CONSTRAINT applicants_handed_over_by_someone CHECK ((hand_over_time IS NULL) = (handed_over_by_account_id IS NULL))
);
CREATE INDEX applicants_by_grant ON applicants (school_id, grant_id) WHERE grant_id IS NOT NULL;

-- Clause R2: append-only; nobody but the owner may change or drop a line.
CREATE TABLE case_log (
    school_id uuid NOT NULL,
    entry_id uuid NOT NULL DEFAULT uuidv7(),
    application_id uuid NOT NULL,
    time timestamptz NOT NULL,
    actor_account_id uuid NOT NULL REFERENCES accounts,
    state smallint NOT NULL,
    ground text NOT NULL,
    PRIMARY KEY (school_id, entry_id),
    FOREIGN KEY (school_id, application_id) REFERENCES applications,
    CONSTRAINT case_log_has_a_ground CHECK (ground <> '')
);
CREATE INDEX case_log_by_application ON case_log (school_id, application_id);

-- The owner's copy of its clocks: here R15 of each applicant. No names: jobs count it over all schools.
CREATE TABLE deadlines (
    school_id uuid NOT NULL REFERENCES schools,
    clause text NOT NULL,
    subject_id uuid NOT NULL,
    start_time timestamptz NOT NULL,
    due_time timestamptz NOT NULL,
    met_time timestamptz,
    evidence text NOT NULL DEFAULT '',
    PRIMARY KEY (school_id, clause, subject_id),
    CONSTRAINT deadlines_due_after_start CHECK (due_time > start_time),
    CONSTRAINT deadlines_met_has_evidence CHECK ((met_time IS NULL) = (evidence = ''))
);
CREATE INDEX deadlines_open ON deadlines (clause, due_time) WHERE met_time IS NULL;

-- What a case asks of a student: the enrolment and the class that are not over, the next ones where none has begun.
CREATE FUNCTION student_card(of_school uuid, of_student uuid, at timestamptz)
RETURNS TABLE (order_number text, order_date date, from_date date, class_id uuid, class_name text, is_placed boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT e.order_number, e.order_date, lower(e.validity), l.class_id, coalesce(c.name, ''),
           coalesce(lower(l.validity) <= t.today, false)
    FROM (SELECT (at AT TIME ZONE time_zone)::date AS today FROM schools WHERE school_id = of_school) t
    LEFT JOIN LATERAL (
        SELECT * FROM enrolments n
        WHERE n.school_id = of_school AND n.student_id = of_student AND coalesce(upper(n.validity), 'infinity') > t.today
        ORDER BY lower(n.validity) LIMIT 1
    ) e ON true
    LEFT JOIN LATERAL (
        SELECT * FROM placements n
        WHERE n.school_id = of_school AND n.student_id = of_student AND coalesce(upper(n.validity), 'infinity') > t.today
        ORDER BY lower(n.validity) LIMIT 1
    ) l ON true
    LEFT JOIN classes c ON c.school_id = of_school AND c.class_id = l.class_id;
END;

-- The roles in which an account may act for a student now: by appointment in the school, but a teacher's; a class teacher's
-- only for the student's class (Clause R9).
CREATE FUNCTION roles_towards(of_school uuid, of_student uuid, of_account uuid, at timestamptz) RETURNS smallint[]
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(array_agg(DISTINCT r.role), '{}')
    FROM relations r
    WHERE r.school_id = of_school AND r.account_id = of_account
      AND r.valid_from_time <= at AND (r.valid_to_time IS NULL OR r.valid_to_time > at)
      AND (r.kind = 6 AND r.role NOT IN (5, 6)
           OR r.kind = 4 AND r.role = 6
              AND r.object_id = (SELECT c.class_id FROM student_card(of_school, of_student, at) c));
END;
"""

SCHOOL_TABLES = ("regulation_versions", "counters", "applications", "applicants", "case_log", "deadlines")

RIGHTS = """
GRANT SELECT, INSERT ON regulation_versions, case_log TO diary_access_app;
GRANT SELECT, INSERT, UPDATE ON counters TO diary_access_app;
GRANT SELECT, INSERT, UPDATE (state, decide_time, version) ON applications TO diary_access_app;
GRANT SELECT, INSERT, UPDATE (grant_id, hand_over_time, handed_over_by_account_id) ON applicants TO diary_access_app;
GRANT SELECT, INSERT, UPDATE (met_time, evidence) ON deadlines TO diary_access_app;
GRANT SELECT (is_activated, slip_count), UPDATE (slip_count) ON accounts TO diary_access_app;
GRANT SELECT (account_id, issue_number, create_time, expire_time, void_time), INSERT, UPDATE (void_time, password_hash)
    ON one_time_passwords TO diary_access_app;
GRANT SELECT, INSERT, DELETE ON activation_tokens TO diary_access_app;

GRANT SELECT, UPDATE (void_time, password_hash) ON one_time_passwords TO diary_access_region;
GRANT SELECT, DELETE ON activation_tokens TO diary_access_region;

CREATE POLICY jobs ON deadlines FOR SELECT TO diary_access_jobs USING (true);
GRANT SELECT (clause, due_time, met_time) ON deadlines TO diary_access_jobs;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(ACCOUNTS)
    op.execute(APPLICATIONS)
    for table in SCHOOL_TABLES:
        op.execute(tables.school_table(table))
    op.execute(RIGHTS)
