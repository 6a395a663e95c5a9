"""The journal: projections of access's roster, periods, timetable, lessons, marks with their history, attendance.

Why it stands as it does: copies of course and day in marks and attendance let one index answer a week; `mark_revisions` and
`mark_batches` can only be added to; foreign keys are left out where a class is written at once, since each costs a lookup a
row and the same statement has just read the parent.
"""

from alembic import op

from chassis import tables

revision = "0001"
down_revision = None

_PROJECTIONS = """
CREATE TABLE schools (
    school_id uuid PRIMARY KEY,
    name text NOT NULL,
    time_zone text NOT NULL,
    year_start_date date NOT NULL,
    year_end_date date NOT NULL,
    mark_min smallint NOT NULL,
    version bigint NOT NULL,
    work_types_version int NOT NULL DEFAULT 1,
    CONSTRAINT schools_mark_min_known CHECK (mark_min IN (1, 2)),
    CONSTRAINT schools_year_end_after_start CHECK (year_end_date > year_start_date)
);
COMMENT ON COLUMN schools.work_types_version IS 'raised with every change of a work type, since diary cards are kept by it';

CREATE TABLE classes (
    school_id uuid NOT NULL,
    class_id uuid NOT NULL,
    name text NOT NULL,
    grades smallint[] NOT NULL,
    sort_key text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (school_id, class_id)
);

CREATE TABLE students (
    school_id uuid NOT NULL,
    student_id uuid NOT NULL,
    display_name text NOT NULL,
    sort_key text COLLATE "C" NOT NULL,
    class_id uuid,
    version bigint NOT NULL,
    PRIMARY KEY (school_id, student_id)
);

CREATE TABLE courses (
    school_id uuid NOT NULL,
    course_id uuid NOT NULL,
    class_id uuid,
    subject_name text NOT NULL,
    group_name text NOT NULL,
    sort_key text COLLATE "C" NOT NULL,
    is_marked boolean NOT NULL,
    teacher_names text[] NOT NULL,
    start_date date NOT NULL,
    end_date date NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (school_id, course_id)
);
CREATE INDEX courses_by_class ON courses (school_id, class_id);

CREATE TABLE course_members (
    school_id uuid NOT NULL,
    course_id uuid NOT NULL,
    student_id uuid NOT NULL,
    from_date date NOT NULL,
    to_date date,
    course_version bigint NOT NULL,
    PRIMARY KEY (school_id, course_id, student_id, from_date),
    FOREIGN KEY (school_id, course_id) REFERENCES courses,
    CONSTRAINT course_members_end_after_start CHECK (to_date >= from_date - 1)
);
COMMENT ON COLUMN course_members.to_date IS 'last day; one before from_date when the membership turned out never to have been';
CREATE INDEX course_members_by_student ON course_members (school_id, student_id)
    INCLUDE (course_id, from_date, to_date, course_version);
"""

_LESSONS = """
CREATE TABLE periods (
    school_id uuid NOT NULL,
    period_id uuid NOT NULL,
    name text NOT NULL,
    start_date date NOT NULL,
    end_date date NOT NULL,
    is_closed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (school_id, period_id),
    CONSTRAINT periods_end_after_start CHECK (end_date >= start_date),
    CONSTRAINT periods_do_not_overlap EXCLUDE USING gist (school_id WITH =, daterange(start_date, end_date, '[]') WITH &&)
);

CREATE TABLE work_types (
    school_id uuid NOT NULL,
    work_type_id uuid NOT NULL,
    name text NOT NULL,
    weight int NOT NULL,
    list_number smallint NOT NULL,
    PRIMARY KEY (school_id, work_type_id),
    CONSTRAINT work_types_name_once UNIQUE (school_id, name),
    CONSTRAINT work_types_weight_positive CHECK (weight > 0)
);
COMMENT ON COLUMN work_types.weight IS 'in hundredths: 100 is one';

CREATE TABLE timetable_slots (
    school_id uuid NOT NULL,
    course_id uuid NOT NULL,
    weekday smallint NOT NULL,
    lesson_number smallint NOT NULL,
    start_date date NOT NULL,
    end_date date NOT NULL,
    PRIMARY KEY (school_id, course_id, weekday, lesson_number, start_date),
    FOREIGN KEY (school_id, course_id) REFERENCES courses,
    CONSTRAINT timetable_slots_weekday_known CHECK (weekday BETWEEN 1 AND 7),
    CONSTRAINT timetable_slots_number_known CHECK (lesson_number BETWEEN 1 AND 15)
);

CREATE TABLE lessons (
    school_id uuid NOT NULL,
    lesson_id uuid NOT NULL,
    course_id uuid NOT NULL,
    class_id uuid,
    lesson_date date NOT NULL,
    lesson_number smallint NOT NULL,
    state smallint NOT NULL,
    topic text NOT NULL DEFAULT '',
    homework text NOT NULL DEFAULT '',
    work_type_id uuid,
    revision int NOT NULL DEFAULT 1,
    attendance_revision int NOT NULL DEFAULT 0,
    PRIMARY KEY (school_id, lesson_id),
    FOREIGN KEY (school_id, course_id) REFERENCES courses,
    FOREIGN KEY (school_id, work_type_id) REFERENCES work_types,
    CONSTRAINT lessons_one_a_number UNIQUE (school_id, course_id, lesson_date, lesson_number),
    CONSTRAINT lessons_number_known CHECK (lesson_number BETWEEN 1 AND 15),
    CONSTRAINT lessons_state_known CHECK (state IN (1, 2)),
    CONSTRAINT lessons_attendance_of_held CHECK (attendance_revision = 0 OR state = 2)
) WITH (fillfactor = 90);
COMMENT ON COLUMN lessons.state IS '1 planned, 2 held';
"""

_MARKS = """
CREATE TABLE course_chains (
    school_id uuid NOT NULL,
    course_id uuid NOT NULL,
    head bytea NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (school_id, course_id),
    FOREIGN KEY (school_id, course_id) REFERENCES courses
) WITH (fillfactor = 70);
COMMENT ON TABLE course_chains IS 'newest link of a course''s history, and the lock under which its marks are written';

CREATE TABLE mark_batches (
    school_id uuid NOT NULL,
    course_id uuid NOT NULL,
    batch_number bigint NOT NULL,
    account_id uuid NOT NULL,
    create_time timestamptz NOT NULL,
    row_digests bytea NOT NULL,
    head bytea NOT NULL,
    PRIMARY KEY (school_id, course_id, batch_number)
);
COMMENT ON COLUMN mark_batches.row_digests IS 'salted SHA-256 of each revision, 32 bytes each, in order of mark_id';

CREATE TABLE mark_revisions (
    school_id uuid NOT NULL,
    mark_id uuid NOT NULL,
    revision int NOT NULL,
    lesson_id uuid NOT NULL,
    course_id uuid NOT NULL,
    student_id uuid NOT NULL,
    lesson_date date NOT NULL,
    value smallint,
    batch_number bigint NOT NULL,
    salt bytea NOT NULL,
    reason text,
    PRIMARY KEY (school_id, mark_id, revision),
    CONSTRAINT mark_revisions_value_in_scale CHECK (value BETWEEN 1 AND 5),
    CONSTRAINT mark_revisions_revision_positive CHECK (revision >= 1)
);
COMMENT ON TABLE mark_revisions IS 'append-only: the newest revision is the mark; who and when stand in mark_batches';
COMMENT ON COLUMN mark_revisions.value IS 'null: taken back';
-- Covers a diary week.
CREATE INDEX mark_revisions_by_student ON mark_revisions (school_id, student_id, lesson_date, mark_id, revision)
    INCLUDE (lesson_id, value);
-- A lesson's marks lie side by side in the table, so a page needs no covering index; equal keys share their space.
CREATE INDEX mark_revisions_by_course ON mark_revisions (school_id, course_id, lesson_date);

CREATE TABLE attendance (
    school_id uuid NOT NULL,
    lesson_id uuid NOT NULL,
    student_id uuid NOT NULL,
    course_id uuid NOT NULL,
    lesson_date date NOT NULL,
    code smallint NOT NULL,
    account_id uuid NOT NULL,
    update_time timestamptz NOT NULL,
    PRIMARY KEY (school_id, lesson_id, student_id),
    CONSTRAINT attendance_code_known CHECK (code BETWEEN 0 AND 4)
);
COMMENT ON COLUMN attendance.code IS '0 present after all, 1 absent, 2 excused, 3 ill, 4 late';
CREATE INDEX attendance_by_student ON attendance (school_id, student_id, lesson_date) INCLUDE (lesson_id, code);
CREATE INDEX attendance_by_course ON attendance (school_id, course_id, lesson_date);
"""

_SCHOOL_TABLES = (
    "schools",
    "classes",
    "students",
    "courses",
    "course_members",
    "periods",
    "work_types",
    "timetable_slots",
    "lessons",
    "course_chains",
    "mark_batches",
    "mark_revisions",
    "attendance",
)

_GRANTS = """
GRANT SELECT, INSERT, UPDATE ON schools, classes, students, courses, course_members, periods, work_types, timetable_slots,
    lessons, attendance TO diary_journal_app;
GRANT SELECT, INSERT, UPDATE (head, seq) ON course_chains TO diary_journal_app;
GRANT SELECT, INSERT ON mark_batches, mark_revisions TO diary_journal_app;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(tables.CHASSIS_V1.format(role="diary_journal"))
    op.execute(tables.RELATIONS_V1.format(role="diary_journal"))
    op.execute(_PROJECTIONS)
    op.execute(_LESSONS)
    op.execute(_MARKS)
    for table in _SCHOOL_TABLES:
        op.execute(tables.school_table(table))
    op.execute(_GRANTS)
