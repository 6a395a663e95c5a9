"""People, classes, study groups, staff, guardianships, grants, relations, accounts and sessions.

Civil dates stand in `validity` ranges, first day inclusive, day after the last exclusive. `role` and `kind` of relations are
numbers of diary.options.v1; a relation is derived from one fact (grant, appointment, teaching) and keeps its id for ever.
"""

from alembic import op

from chassis import tables

revision = "0001"
down_revision = None

REGION = """
CREATE TABLE schools (
    school_id uuid PRIMARY KEY DEFAULT uuidv7(),
    code text COLLATE "C" NOT NULL CONSTRAINT schools_code_is_free UNIQUE,
    name text NOT NULL,
    full_name text NOT NULL,
    time_zone text NOT NULL,
    mark_min smallint NOT NULL DEFAULT 2 CONSTRAINT schools_mark_min_of_a_scale CHECK (mark_min IN (1, 2)),
    current_year_id uuid,
    version bigint NOT NULL DEFAULT 1
);

CREATE TABLE accounts (
    account_id uuid PRIMARY KEY DEFAULT uuidv7(),
    login text COLLATE "C" NOT NULL CONSTRAINT accounts_login_is_free UNIQUE,
    password_hash text NOT NULL,
    is_operator boolean NOT NULL DEFAULT false,
    create_time timestamptz NOT NULL,
    CONSTRAINT accounts_login_is_lower_case CHECK (login <> '' AND login = lower(login))
);

CREATE TABLE sessions (
    session_id uuid PRIMARY KEY DEFAULT uuidv7(),
    account_id uuid NOT NULL REFERENCES accounts,
    refresh_digest bytea NOT NULL CONSTRAINT sessions_refresh_digest_is_used_once UNIQUE,
    previous_refresh_digest bytea,
    create_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL,
    end_time timestamptz
);
CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX sessions_by_previous_refresh_digest ON sessions (previous_refresh_digest);
CREATE INDEX sessions_expire_time ON sessions (expire_time);

-- By digest: people type their password into the wrong field.
CREATE TABLE sign_in_failures (
    login_digest bytea PRIMARY KEY,
    fail_times timestamptz[] NOT NULL,
    update_time timestamptz NOT NULL
);
CREATE INDEX sign_in_failures_update_time ON sign_in_failures (update_time);
"""

PEOPLE = """
CREATE TABLE school_years (
    school_id uuid NOT NULL REFERENCES schools,
    year_id uuid NOT NULL DEFAULT uuidv7(),
    name text NOT NULL,
    validity daterange NOT NULL,
    PRIMARY KEY (school_id, year_id),
    CONSTRAINT school_years_do_not_overlap UNIQUE (school_id, validity WITHOUT OVERLAPS)
);
ALTER TABLE schools ADD CONSTRAINT schools_current_year_is_own FOREIGN KEY (school_id, current_year_id)
    REFERENCES school_years (school_id, year_id) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE people (
    school_id uuid NOT NULL REFERENCES schools,
    person_id uuid NOT NULL DEFAULT uuidv7(),
    family_name text NOT NULL,
    given_name text NOT NULL,
    patronymic text NOT NULL DEFAULT '',
    sort_key text COLLATE "C" NOT NULL,
    birth_date date,
    gender text,
    version bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (school_id, person_id),
    CONSTRAINT people_gender_is_known CHECK (gender IN ('female', 'male')),
    CONSTRAINT people_have_a_name CHECK (family_name <> '')
);

CREATE TABLE account_people (
    account_id uuid NOT NULL REFERENCES accounts,
    school_id uuid NOT NULL,
    person_id uuid NOT NULL,
    PRIMARY KEY (school_id, person_id),
    CONSTRAINT account_people_one_person_a_school UNIQUE (account_id, school_id),
    CONSTRAINT account_people_whole UNIQUE (school_id, person_id, account_id),
    FOREIGN KEY (school_id, person_id) REFERENCES people
);

CREATE TABLE students (
    school_id uuid NOT NULL,
    student_id uuid NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (school_id, student_id),
    FOREIGN KEY (school_id, student_id) REFERENCES people (school_id, person_id)
);

CREATE TABLE enrolments (
    school_id uuid NOT NULL,
    enrolment_id uuid NOT NULL DEFAULT uuidv7(),
    student_id uuid NOT NULL,
    kind text NOT NULL DEFAULT 'full_time',
    order_number text NOT NULL,
    order_date date NOT NULL,
    validity daterange NOT NULL,
    PRIMARY KEY (school_id, enrolment_id),
    FOREIGN KEY (school_id, student_id) REFERENCES students,
    CONSTRAINT enrolments_do_not_overlap UNIQUE (school_id, student_id, validity WITHOUT OVERLAPS),
    CONSTRAINT enrolments_kind_is_known CHECK (kind IN ('full_time', 'part_time', 'at_home', 'extern', 'temporary')),
    CONSTRAINT enrolments_have_an_order CHECK (order_number <> '')
);

CREATE TABLE classes (
    school_id uuid NOT NULL,
    class_id uuid NOT NULL DEFAULT uuidv7(),
    year_id uuid NOT NULL,
    name text NOT NULL,
    grades smallint[] NOT NULL,
    previous_class_id uuid,
    version bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (school_id, class_id),
    FOREIGN KEY (school_id, year_id) REFERENCES school_years,
    FOREIGN KEY (school_id, previous_class_id) REFERENCES classes (school_id, class_id),
    CONSTRAINT classes_name_is_free UNIQUE (school_id, year_id, name),
    CONSTRAINT classes_grades_are_of_a_school CHECK (
        cardinality(grades) > 0 AND grades <@ ARRAY[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]::smallint[]
    ),
    CONSTRAINT classes_lowest_grade_first CHECK (grades[1] <= ALL (grades))
);

CREATE TABLE placements (
    school_id uuid NOT NULL,
    student_id uuid NOT NULL,
    class_id uuid NOT NULL,
    validity daterange NOT NULL,
    CONSTRAINT placements_do_not_overlap PRIMARY KEY (school_id, student_id, validity WITHOUT OVERLAPS),
    FOREIGN KEY (school_id, class_id) REFERENCES classes,
    CONSTRAINT placements_within_enrolment FOREIGN KEY (school_id, student_id, PERIOD validity)
        REFERENCES enrolments (school_id, student_id, PERIOD validity)
);
CREATE INDEX placements_by_class ON placements (school_id, class_id) INCLUDE (student_id, validity);

CREATE TABLE guardianships (
    school_id uuid NOT NULL,
    guardianship_id uuid NOT NULL DEFAULT uuidv7(),
    guardian_person_id uuid NOT NULL,
    student_id uuid NOT NULL,
    kind text NOT NULL,
    document text NOT NULL,
    court_limits text NOT NULL DEFAULT '',
    validity daterange NOT NULL,
    PRIMARY KEY (school_id, guardianship_id),
    FOREIGN KEY (school_id, guardian_person_id) REFERENCES people (school_id, person_id),
    FOREIGN KEY (school_id, student_id) REFERENCES students,
    CONSTRAINT guardianships_do_not_overlap UNIQUE (school_id, student_id, guardian_person_id, validity WITHOUT OVERLAPS),
    CONSTRAINT guardianships_whole UNIQUE (school_id, guardianship_id, guardian_person_id, student_id),
    CONSTRAINT guardianships_kind_is_known CHECK (kind IN (
        'mother', 'father', 'guardian_to_14', 'trustee_to_18', 'foster_parent', 'organisation', 'representative'
    )),
    CONSTRAINT guardianships_are_of_others CHECK (guardian_person_id <> student_id)
);
"""

STAFF = """
CREATE TABLE appointments (
    school_id uuid NOT NULL,
    appointment_id uuid NOT NULL DEFAULT uuidv7(),
    person_id uuid NOT NULL,
    role smallint NOT NULL,
    class_id uuid,
    order_number text NOT NULL,
    order_date date NOT NULL,
    validity daterange NOT NULL,
    PRIMARY KEY (school_id, appointment_id),
    FOREIGN KEY (school_id, person_id) REFERENCES people,
    FOREIGN KEY (school_id, class_id) REFERENCES classes,
    CONSTRAINT appointments_role_is_of_staff CHECK (role BETWEEN 5 AND 11),
    CONSTRAINT appointments_class_is_of_class_teacher CHECK ((role = 6) = (class_id IS NOT NULL)),
    CONSTRAINT appointments_have_an_order CHECK (order_number <> ''),
    CONSTRAINT appointments_do_not_overlap EXCLUDE USING gist (
        school_id WITH =, person_id WITH =, role WITH =,
        (coalesce(class_id, '00000000-0000-0000-0000-000000000000'::uuid)) WITH =, validity WITH &&
    )
);
CREATE INDEX appointments_by_person ON appointments (school_id, person_id);
CREATE INDEX appointments_by_class ON appointments (school_id, class_id) WHERE class_id IS NOT NULL;

CREATE TABLE study_groups (
    school_id uuid NOT NULL,
    study_group_id uuid NOT NULL DEFAULT uuidv7(),
    year_id uuid NOT NULL,
    class_id uuid,
    subject_name text NOT NULL,
    group_name text NOT NULL DEFAULT '',
    is_marked boolean NOT NULL DEFAULT true,
    validity daterange NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (school_id, study_group_id),
    FOREIGN KEY (school_id, year_id) REFERENCES school_years,
    FOREIGN KEY (school_id, class_id) REFERENCES classes,
    CONSTRAINT study_groups_have_a_subject CHECK (subject_name <> '')
);

CREATE TABLE study_group_teachers (
    school_id uuid NOT NULL,
    teaching_id uuid NOT NULL DEFAULT uuidv7(),
    study_group_id uuid NOT NULL,
    person_id uuid NOT NULL,
    validity daterange NOT NULL,
    PRIMARY KEY (school_id, teaching_id),
    FOREIGN KEY (school_id, study_group_id) REFERENCES study_groups,
    FOREIGN KEY (school_id, person_id) REFERENCES people,
    CONSTRAINT study_group_teachers_do_not_overlap UNIQUE (school_id, study_group_id, person_id, validity WITHOUT OVERLAPS)
);
CREATE INDEX study_group_teachers_by_person ON study_group_teachers (school_id, person_id);

CREATE TABLE study_group_members (
    school_id uuid NOT NULL,
    study_group_id uuid NOT NULL,
    student_id uuid NOT NULL,
    validity daterange NOT NULL,
    CONSTRAINT study_group_members_do_not_overlap
        PRIMARY KEY (school_id, study_group_id, student_id, validity WITHOUT OVERLAPS),
    FOREIGN KEY (school_id, study_group_id) REFERENCES study_groups,
    FOREIGN KEY (school_id, student_id) REFERENCES students
);
"""

GRANTS = """
CREATE TABLE grants (
    school_id uuid NOT NULL,
    grant_id uuid NOT NULL DEFAULT uuidv7(),
    student_id uuid NOT NULL,
    account_id uuid NOT NULL,
    holder_person_id uuid NOT NULL,
    role smallint NOT NULL,
    guardianship_id uuid,
    application_number text NOT NULL,
    application_date date NOT NULL,
    granted_by_account_id uuid NOT NULL REFERENCES accounts,
    granted_by_role smallint NOT NULL,
    grant_time timestamptz NOT NULL,
    end_time timestamptz,
    end_ground text,
    ended_by_account_id uuid REFERENCES accounts,
    PRIMARY KEY (school_id, grant_id),
    FOREIGN KEY (school_id, student_id) REFERENCES students,
    CONSTRAINT grants_account_is_the_holders FOREIGN KEY (school_id, holder_person_id, account_id)
        REFERENCES account_people (school_id, person_id, account_id),
    CONSTRAINT grants_guardianship_is_the_holders FOREIGN KEY (school_id, guardianship_id, holder_person_id, student_id)
        REFERENCES guardianships (school_id, guardianship_id, guardian_person_id, student_id),
    CONSTRAINT grants_role_is_of_family CHECK (role IN (3, 4)),
    CONSTRAINT grants_student_holds_the_own CHECK ((role = 3) = (holder_person_id = student_id)),
    CONSTRAINT grants_guardian_has_guardianship CHECK ((role = 4) = (guardianship_id IS NOT NULL)),
    CONSTRAINT grants_follow_an_application CHECK (application_number <> ''),
    CONSTRAINT grants_given_by_admin_or_class_teacher CHECK (granted_by_role IN (6, 10)),
    CONSTRAINT grants_end_has_ground CHECK ((end_time IS NULL) = (end_ground IS NULL)),
    CONSTRAINT grants_end_ground_is_known CHECK (end_ground IN ('revoked', 'left', 'guardianship_ended')),
    CONSTRAINT grants_end_after_start CHECK (end_time >= grant_time)
);
CREATE UNIQUE INDEX grants_one_open ON grants (school_id, student_id, account_id) WHERE end_time IS NULL;
CREATE INDEX grants_by_student ON grants (school_id, student_id);
CREATE INDEX grants_by_holder ON grants (school_id, holder_person_id);

CREATE TABLE relations (
    school_id uuid NOT NULL REFERENCES schools,
    relation_id uuid NOT NULL DEFAULT uuidv7(),
    fact_id uuid NOT NULL,
    kind smallint NOT NULL,
    object_id uuid NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts,
    role smallint NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    valid_from_time timestamptz NOT NULL,
    valid_to_time timestamptz,
    PRIMARY KEY (school_id, relation_id),
    CONSTRAINT relations_one_of_a_kind_per_fact UNIQUE (school_id, fact_id, kind),
    CONSTRAINT relations_end_after_start CHECK (valid_to_time IS NULL OR valid_to_time >= valid_from_time)
);
CREATE INDEX relations_by_account ON relations (school_id, account_id, object_id)
    INCLUDE (kind, role, valid_from_time, valid_to_time);

-- What must still reach another service for an ending to hold there too. A queue: relations of all schools, sessions of none.
CREATE TABLE ending_pushes (
    push_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target text NOT NULL,
    school_id uuid,
    relation_id uuid,
    session_id uuid,
    create_time timestamptz NOT NULL,
    try_time timestamptz NOT NULL,
    CONSTRAINT ending_pushes_target_is_known CHECK (target IN ('journal', 'notify', 'documents')),
    CONSTRAINT ending_pushes_relation_or_session CHECK (num_nonnulls(relation_id, session_id) = 1),
    CONSTRAINT ending_pushes_relation_has_school CHECK ((relation_id IS NULL) = (school_id IS NULL))
);
CREATE INDEX ending_pushes_by_relation ON ending_pushes (relation_id) WHERE relation_id IS NOT NULL;
CREATE INDEX ending_pushes_by_session ON ending_pushes (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX ending_pushes_try_time ON ending_pushes (try_time);
"""

SCHOOL_TABLES = (
    "school_years",
    "people",
    "students",
    "enrolments",
    "classes",
    "placements",
    "guardianships",
    "appointments",
    "study_groups",
    "study_group_teachers",
    "study_group_members",
    "grants",
    "relations",
)

RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON school_years, people, students, enrolments, classes, placements, guardianships, appointments,
    study_groups, study_group_teachers, study_group_members, grants, relations TO diary_access_app;
GRANT SELECT ON schools TO diary_access_app;
GRANT SELECT, INSERT ON account_people TO diary_access_app;
GRANT SELECT (account_id, login), INSERT ON accounts TO diary_access_app;
GRANT SELECT (session_id, account_id, expire_time, end_time) ON sessions TO diary_access_app;
GRANT SELECT, INSERT ON ending_pushes TO diary_access_app;

GRANT SELECT, INSERT, UPDATE ON schools, accounts TO diary_access_region;
GRANT SELECT, INSERT ON account_people TO diary_access_region;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions, sign_in_failures TO diary_access_region;
GRANT SELECT, INSERT ON ending_pushes TO diary_access_region;

GRANT SELECT, UPDATE, DELETE ON ending_pushes TO diary_access_jobs;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(tables.CHASSIS_V1.format(role="diary_access"))
    for part in (REGION, PEOPLE, STAFF, GRANTS):
        op.execute(part)
    for table in SCHOOL_TABLES:
        op.execute(tables.school_table(table))
    op.execute(RIGHTS)
