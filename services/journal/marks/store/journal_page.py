"""Courses of a school and the page of one: the frame with its permission, then students x lessons."""

# ruff: noqa: S608 - the statements are composed of constants of this room

from datetime import datetime
from uuid import UUID

from chassis import sight
from chassis.auth import Caller
from chassis.db import Connection
from diary.options.v1.options_pb2 import ROLE_ADMIN, ROLE_DEPUTY, ROLE_HEAD
from services.journal.curriculum.rules import Period, WorkType
from services.journal.curriculum.store import periods_of
from services.journal.lessons.rules.attendance import AbsenceCode
from services.journal.lessons.store.lessons import LESSON_COLUMNS, SHOWN, build_lesson
from services.journal.marks.rules.journal_page import ListedCourse, Page, PageAbsence, PageFrame, PageMark, PageStudent
from services.journal.marks.store.marks import FIVE_POINT
from services.journal.roster.store import read_parts

_COURSE_COLUMNS = (
    "c.course_id, c.subject_name, c.class_id, coalesce(k.name, '') AS class_name, c.group_name, c.teacher_names, c.is_marked"
)

# $1 school, $2 account, $3 session, $4 now. Of courses their teachers, of classes their class teachers, of the school deputy,
# admin and head.
_CALLER = sight.Viewer()
_TEACHES = sight.teaches("r.object_id")
_WORKS_WITH_CLASS = sight.works_with_class("r.object_id")
_WORKS_FOR_SCHOOL = sight.works_for_school("$1", ROLE_DEPUTY, ROLE_ADMIN, ROLE_HEAD)
_STAFF_RELATIONS = f"""
SELECT r.kind, r.object_id, r.role FROM relations r
WHERE {_CALLER.holds(_TEACHES, _WORKS_WITH_CLASS, _WORKS_FOR_SCHOOL)} AND {_CALLER.lives()}
"""
_FOR_SCHOOL = f"EXISTS (SELECT FROM mine WHERE {sight.of_kind(sight.SCHOOL, 'mine')})"

_IS_STAFF = f"SELECT EXISTS ({_STAFF_RELATIONS})"

# Courses of the school year that today belongs to, the last one begun, after a key ($5 to $7): of who has a place in the whole
# school, class by class in the order of an index, which stops when the page is full, and those that gather several classes; of
# others the own courses and those of the own classes. A course whose class is not told yet is shown when it is.
_OF_YEAR = """
    c.school_id = $1 AND c.end_date >= y.start_date AND c.start_date <= y.end_date
    AND ({class_key}, c.sort_key, c.course_id) > ($5::text, $6::text, $7::uuid)
"""
_LIST_COURSES = f"""
WITH mine AS MATERIALIZED ({_STAFF_RELATIONS}), year AS MATERIALIZED (
    SELECT y.start_date, y.end_date
    FROM schools s
    CROSS JOIN LATERAL (SELECT ($4::timestamptz AT TIME ZONE s.time_zone)::date AS today) AS t
    CROSS JOIN LATERAL (
        SELECT s.year_start_date, s.year_end_date UNION ALL SELECT * FROM unnest(s.year_starts, s.year_ends)
    ) AS y (start_date, end_date)
    WHERE s.school_id = $1
    ORDER BY y.start_date <= t.today DESC, abs(y.start_date - t.today) LIMIT 1
), page AS (
    SELECT course_id, class_key, sort_key FROM (
        (SELECT c.course_id, k.sort_key AS class_key, c.sort_key
         FROM classes k CROSS JOIN year y CROSS JOIN LATERAL (
             SELECT c.course_id, c.sort_key FROM courses c
             WHERE c.class_id = k.class_id AND {_OF_YEAR.format(class_key="k.sort_key")} OFFSET 0
         ) AS c
         WHERE k.school_id = $1 AND k.sort_key >= $5::text AND {_FOR_SCHOOL}
         ORDER BY k.sort_key, c.sort_key, c.course_id LIMIT $8)
        UNION (
         SELECT c.course_id, '~', c.sort_key
         FROM courses c CROSS JOIN year y
         WHERE c.class_id IS NULL AND {_OF_YEAR.format(class_key="'~'")} AND {_FOR_SCHOOL}
         ORDER BY c.sort_key, c.course_id LIMIT $8)
        UNION
        SELECT c.course_id, coalesce(k.sort_key, '~'), c.sort_key
        FROM mine r CROSS JOIN year y
        JOIN courses c ON c.course_id = r.object_id LEFT JOIN classes k ON k.school_id = $1 AND k.class_id = c.class_id
        WHERE {sight.of_kind(sight.COURSE)} AND {_OF_YEAR.format(class_key="coalesce(k.sort_key, '~')")}
        UNION
        SELECT c.course_id, k.sort_key, c.sort_key
        FROM mine r CROSS JOIN year y
        JOIN classes k ON k.school_id = $1 AND k.class_id = r.object_id JOIN courses c ON c.class_id = k.class_id
        WHERE {sight.of_kind(sight.CLASS)} AND {_OF_YEAR.format(class_key="k.sort_key")}
    ) AS found
    ORDER BY class_key, sort_key, course_id LIMIT $8
)
SELECT {_COURSE_COLUMNS}, EXISTS (SELECT FROM mine WHERE {sight.teaches("c.course_id", "mine")}) AS is_own,
    p.class_key, p.sort_key
FROM page p
JOIN courses c ON c.school_id = $1 AND c.course_id = p.course_id
LEFT JOIN classes k ON k.school_id = $1 AND k.class_id = c.class_id
ORDER BY p.class_key, p.sort_key, p.course_id
"""

_FIND_FRAME = f"""
SELECT {_COURSE_COLUMNS}, mine.teaches, mine.sees_illness, s.time_zone, s.mark_min,
    {periods_of("c")} AS periods,
    ARRAY(
        SELECT ROW(w.work_type_id, w.name, w.weight) FROM work_types w WHERE w.school_id = $1 ORDER BY w.list_number
    ) AS work_types
FROM courses c
JOIN schools s ON s.school_id = $1
LEFT JOIN classes k ON k.school_id = $1 AND k.class_id = c.class_id
CROSS JOIN LATERAL (
    SELECT bool_or({sight.of_kind(sight.COURSE)}) AS teaches,
        bool_or({sight.of_kind(sight.CLASS)} OR {sight.in_role(ROLE_DEPUTY)}) AS sees_illness
    FROM ({_STAFF_RELATIONS}) AS r
    WHERE {sight.of_kind(sight.SCHOOL)} OR {sight.teaches("c.course_id")} OR {sight.works_with_class("c.class_id")}
    HAVING count(*) > 0
) AS mine
WHERE c.school_id = $1 AND c.course_id = $5
"""

_GET_PAGE = f"""
SELECT
    ARRAY(
        SELECT ROW(m.student_id, coalesce(s.display_name, ''), s.family_name, s.given_name, s.patronymic) FROM (
            SELECT DISTINCT student_id FROM course_members
            WHERE school_id = $1 AND course_id = $2 AND from_date <= $4
              AND (to_date IS NULL OR to_date >= greatest($3, from_date))
        ) AS m
        LEFT JOIN students s ON s.school_id = $1 AND s.student_id = m.student_id
        ORDER BY s.sort_key, m.student_id
    ) AS students,
    ARRAY(
        SELECT ROW({LESSON_COLUMNS}) FROM lessons l
        WHERE l.school_id = $1 AND l.course_id = $2 AND l.lesson_date BETWEEN $3 AND $4 AND {SHOWN}
        ORDER BY l.lesson_date, l.lesson_number
    ) AS lessons,
    ARRAY(
        SELECT ROW(m.mark_id::text, m.lesson_id::text, m.student_id::text, m.value, m.revision) FROM (
            SELECT DISTINCT ON (mark_id) mark_id, lesson_id, student_id, lesson_date, {FIVE_POINT}, revision FROM mark_revisions
            WHERE school_id = $1 AND course_id = $2 AND lesson_date BETWEEN $3 AND $4
            ORDER BY mark_id, revision DESC
        ) AS m
        WHERE m.value IS NOT NULL ORDER BY m.lesson_date, m.lesson_id, m.student_id, m.mark_id
    ) AS marks,
    ARRAY(
        SELECT ROW(a.lesson_id, a.student_id, a.code) FROM attendance a
        WHERE a.school_id = $1 AND a.course_id = $2 AND a.lesson_date BETWEEN $3 AND $4 AND a.code > 0
        ORDER BY a.lesson_date, a.lesson_id, a.student_id
    ) AS absences
"""

CourseKey = tuple[str, str, UUID]


async def is_staff(connection: Connection, school_id: UUID, who: Caller, now: datetime) -> bool:
    """Whether the caller has any place in the school's journal."""
    found: bool = await connection.fetchval(_IS_STAFF, school_id, who.account_id, who.session_id, now)
    return found


async def list_courses(
    connection: Connection, school_id: UUID, who: Caller, now: datetime, after: CourseKey, limit: int
) -> list[tuple[ListedCourse, CourseKey]]:
    """Courses of the year that the caller may open, with their keys in the list, after a key."""
    rows = await connection.fetch(_LIST_COURSES, school_id, who.account_id, who.session_id, now, *after, limit)
    return [(ListedCourse(*row[:8]), (row["class_key"], row["sort_key"], row["course_id"])) for row in rows]


async def find_frame(connection: Connection, school_id: UUID, who: Caller, now: datetime, course_id: UUID) -> PageFrame | None:
    """The course with periods and work types, or None when the caller may not open it."""
    row = await connection.fetchrow(_FIND_FRAME, school_id, who.account_id, who.session_id, now, course_id)
    if row is None:
        return None
    return PageFrame(
        course=ListedCourse(*row[:8]),
        teaches=row["teaches"],
        sees_illness=row["sees_illness"],
        time_zone=row["time_zone"],
        mark_min=row["mark_min"],
        periods=[Period(*period) for period in row["periods"]],
        work_types=[WorkType(*work_type) for work_type in row["work_types"]],
    )


async def get_page(connection: Connection, school_id: UUID, course_id: UUID, period: Period) -> Page:
    """Students x lessons of a course and period."""
    row = await connection.fetchrow(_GET_PAGE, school_id, course_id, period.start_date, period.end_date)
    if row is None:
        raise LookupError("a SELECT without FROM gives a row")
    return Page(
        students=[PageStudent(student_id, shown, read_parts(*parts)) for student_id, shown, *parts in row["students"]],
        lessons=[build_lesson(lesson) for lesson in row["lessons"]],
        marks=[PageMark._make(mark) for mark in row["marks"]],
        absences=[PageAbsence(lesson, student, AbsenceCode(code)) for lesson, student, code in row["absences"]],
    )
