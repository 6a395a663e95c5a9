"""A student's week: the hottest read, hence one statement, keys instead of contents, and an index for each part.

The statement decides the permission, and reads only what differs between students or tells versions: the lessons' keys, the own
marks and absences. What a lesson is, all its students share; it is read by `list_contents` on the first miss and kept encoded
(convert/diary_week.py). One row comes back: decoding 35 rows in Python would cost as much as reading them in Postgres, and the
parts of the row are computed only when the viewer may see them.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from chassis import sight
from chassis.auth import Caller
from chassis.db import Connection, Question, asking
from diary.options.v1.options_pb2 import ROLE_ADMIN, ROLE_CLASS_TEACHER, ROLE_DEPUTY, ROLE_HEAD
from services.journal.diary.rules.diary_week import LessonContent, Week, WeekAbsence, WeekMark, read_lesson_id, split_keys
from services.journal.lessons.store.lessons import SHOWN
from services.journal.marks.store.marks import FIVE_POINT

# ruff: noqa: S608 - the statements are composed of constants of this room

# All that a card is made of: the lesson's record, the course (its version comes with the membership), names of work types.
_LESSON_KEY = "uuid_send(l.lesson_id) || int4send(l.revision) || int8send({course_version}) || int4send({work_types_version})"
_WEEK_KEY = _LESSON_KEY.format(course_version="m.course_version", work_types_version="s.work_types_version")
_CONTENT_KEY = _LESSON_KEY.format(
    course_version="c.version", work_types_version="(SELECT s.work_types_version FROM schools s WHERE s.school_id = $1)"
)

# Who may see a student: the family, the teacher of the class that the student is in, and deputy, admin and head of the school;
# family, class teacher and deputy are told of an illness (decision 11). Without an open relation, or in an ended session, there
# is no row.
_CALLER = sight.Viewer("door.school_id", "$3", "$4", "$5")
_WORKS_WITH_CLASS = f"""{sight.of_kind(sight.CLASS)} AND {sight.in_role(ROLE_CLASS_TEACHER)} AND EXISTS (
    SELECT FROM placements p
    WHERE p.school_id = door.school_id AND p.student_id = $2 AND p.class_id = r.object_id AND p.is_named
      AND p.from_time <= $5 AND (p.to_time IS NULL OR p.to_time > $5))"""
_WORKS_FOR_SCHOOL = sight.works_for_school("door.school_id", ROLE_DEPUTY, ROLE_ADMIN, ROLE_HEAD)
_ask_week = asking(f"""
WITH viewer AS (
    SELECT bool_or(NOT {sight.of_kind(sight.SCHOOL)} OR {sight.in_role(ROLE_DEPUTY)}) AS sees_illness
    FROM students t
    JOIN relations r ON {_CALLER.holds(sight.sees_student("$2"), _WORKS_WITH_CLASS, _WORKS_FOR_SCHOOL)}
    WHERE t.school_id = door.school_id AND t.student_id = $2 AND {_CALLER.lives()}
    HAVING count(*) > 0
)
SELECT viewer.sees_illness,
    (
        SELECT string_agg({_WEEK_KEY}, '' ORDER BY l.lesson_date, l.lesson_number)
        FROM course_members m
        JOIN lessons l ON l.school_id = door.school_id AND l.course_id = m.course_id AND l.lesson_date BETWEEN $6 AND $7
            AND l.lesson_date >= m.from_date AND (m.to_date IS NULL OR l.lesson_date <= m.to_date)
            AND {SHOWN}
        WHERE m.school_id = door.school_id AND m.student_id = $2
    ) AS lesson_keys,
    ARRAY(
        SELECT ROW(uuid_send(k.lesson_id), k.mark_id::text, k.value, k.revision) FROM (
            SELECT DISTINCT ON (lesson_date, mark_id) mark_id, revision, lesson_id, {FIVE_POINT} FROM mark_revisions
            WHERE school_id = door.school_id AND student_id = $2 AND lesson_date BETWEEN $6 AND $7
            ORDER BY lesson_date, mark_id, revision DESC
        ) AS k
        WHERE k.value IS NOT NULL
    ) AS marks,
    ARRAY(
        SELECT ROW(uuid_send(a.lesson_id), a.code) FROM attendance a
        WHERE a.school_id = door.school_id AND a.student_id = $2 AND a.lesson_date BETWEEN $6 AND $7 AND a.code > 0
    ) AS absences
FROM viewer
JOIN schools s ON s.school_id = door.school_id
""")

# Names of work types and the school's version are no joins: a small table would be read whole for each lesson.
_LIST_CONTENTS = f"""
SELECT {_CONTENT_KEY},
    l.lesson_id, l.lesson_date, l.lesson_number, l.state, c.subject_name, c.teacher_names, l.topic, l.homework,
    CASE WHEN l.work_type_id IS NULL THEN ''
        ELSE (SELECT w.name FROM work_types w WHERE w.school_id = $1 AND w.work_type_id = l.work_type_id) END,
    l.course_id
FROM lessons l
JOIN courses c ON c.school_id = $1 AND c.course_id = l.course_id
WHERE l.school_id = $1 AND l.lesson_id = ANY($2)
"""


ask_zone = asking("SELECT s.time_zone FROM schools s WHERE s.school_id = door.school_id")


def ask_week(student_id: UUID, who: Caller, now: datetime, monday: date) -> Question:
    """The question for a student's week; `read_week` reads its answer."""
    return _ask_week(student_id, who.account_id, who.session_id, now, monday, monday + timedelta(days=6))


def read_week(rows: Sequence[Any]) -> Week | None:
    """The week, or None when the caller may not see the student or there is none."""
    if not rows:
        return None
    sees_illness, keys, marks, absences = rows[0]
    return Week(sees_illness, split_keys(keys or b""), [WeekMark(*m) for m in marks], [WeekAbsence(*a) for a in absences])


async def list_contents(connection: Connection, school_id: UUID, keys: Sequence[bytes]) -> list[LessonContent]:
    """What the lessons of keys now are: read once for all students of a class. A lesson may be newer than its key."""
    rows = await connection.fetch(_LIST_CONTENTS, school_id, [UUID(bytes=read_lesson_id(key)) for key in keys])
    return [LessonContent(*row) for row in rows]
