"""A student's week: the hottest read, hence one statement, keys instead of contents, and an index for each part.

The statement decides the permission and reads only what differs between students, or tells versions: the lessons' ids and
revisions, the own marks and absences. What a lesson is, all its students share; it is read once by `list_cards` and kept
encoded (convert/diary_week.py). Rows of four kinds come back by UNION ALL, since a join would multiply them.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.auth import Caller
from chassis.db import Connection
from services.journal.rules.diary_week import LessonContent, LessonKey, Week, WeekMark

_VIEWER, _LESSON, _MARK, _ABSENCE = range(4)  # kinds of rows

# Who may see a student: who has a relation to the student (3), the class teacher of the class (4), and deputy (7), admin (10)
# and head (11) of the school (6); family, class teacher and deputy are told of an illness (decision 11). Numbers are those of
# diary.options.v1. Without an open relation, or in an ended session, `viewer` is empty and so is all the rest.
_FIND_WEEK = """
WITH viewer AS MATERIALIZED (
    SELECT bool_or(r.kind <> 6 OR r.role = 7) AS sees_illness
    FROM students s
    JOIN relations r ON r.school_id = $1 AND r.account_id = $3
        AND r.valid_from_time <= $5 AND (r.valid_to_time IS NULL OR r.valid_to_time > $5)
        AND (r.kind = 3 AND r.object_id = $2
             OR r.kind = 4 AND r.object_id = s.class_id AND r.role = 6
             OR r.kind = 6 AND r.object_id = $1 AND r.role IN (7, 10, 11))
    WHERE s.school_id = $1 AND s.student_id = $2 AND NOT EXISTS (SELECT FROM ended_sessions e WHERE e.session_id = $4)
    HAVING count(*) > 0
)
SELECT 0 AS kind, NULL::uuid AS lesson_id, sees_illness::int AS number, work_types_version::bigint AS version,
    NULL::uuid AS mark_id
FROM viewer CROSS JOIN schools WHERE school_id = $1
UNION ALL
SELECT 1, l.lesson_id, l.revision, m.course_version, NULL
FROM viewer
CROSS JOIN course_members m
JOIN lessons l ON l.school_id = $1 AND l.course_id = m.course_id AND l.lesson_date BETWEEN $6 AND $7
    AND l.lesson_date >= m.from_date AND (m.to_date IS NULL OR l.lesson_date <= m.to_date)
WHERE m.school_id = $1 AND m.student_id = $2
UNION ALL
SELECT 2, mark.lesson_id, mark.value, mark.revision, mark.mark_id
FROM viewer CROSS JOIN (
    SELECT DISTINCT ON (lesson_date, mark_id) mark_id, revision, lesson_id, value FROM mark_revisions
    WHERE school_id = $1 AND student_id = $2 AND lesson_date BETWEEN $6 AND $7
    ORDER BY lesson_date, mark_id, revision DESC
) AS mark
WHERE mark.value IS NOT NULL
UNION ALL
SELECT 3, a.lesson_id, a.code, NULL, NULL
FROM viewer CROSS JOIN attendance a
WHERE a.school_id = $1 AND a.student_id = $2 AND a.lesson_date BETWEEN $6 AND $7 AND a.code > 0
"""


async def find_zone(connection: Connection, school_id: UUID) -> str | None:
    """The school's zone."""
    zone: str | None = await connection.fetchval("SELECT time_zone FROM schools WHERE school_id = $1", school_id)
    return zone


async def find_week(
    connection: Connection, school_id: UUID, student_id: UUID, who: Caller, now: datetime, monday: date
) -> Week | None:
    """The week, or None when the caller may not see the student or there is none."""
    sunday = monday + timedelta(days=6)
    rows = await connection.fetch(_FIND_WEEK, school_id, student_id, who.account_id, who.session_id, now, monday, sunday)
    if not rows:
        return None
    return _build_week(rows)


def _build_week(rows: Sequence[Any]) -> Week:
    viewer = next(row for row in rows if row["kind"] == _VIEWER)
    work_types_version = viewer["version"]
    week = Week(bool(viewer["number"]))
    for kind, lesson_id, number, version, mark_id in rows:
        if kind == _LESSON:
            week.lessons.append(LessonKey(lesson_id, number, version, work_types_version))
        elif kind == _MARK:
            week.marks.setdefault(lesson_id, []).append(WeekMark(mark_id, number, version))
        elif kind == _ABSENCE:
            week.absences[lesson_id] = number
    return week


async def list_contents(connection: Connection, school_id: UUID, lesson_ids: Sequence[UUID]) -> list[LessonContent]:
    """What lessons are: read once for all students of a class, on a miss of the cards."""
    rows = await connection.fetch(
        """
        SELECT l.lesson_id, l.revision, c.version, s.work_types_version, l.lesson_date, l.lesson_number, l.state,
            c.subject_name, c.teacher_names, l.topic, l.homework, coalesce(w.name, '') AS work_type_name, l.course_id
        FROM lessons l
        JOIN courses c ON c.school_id = $1 AND c.course_id = l.course_id
        JOIN schools s ON s.school_id = $1
        LEFT JOIN work_types w ON w.school_id = $1 AND w.work_type_id = l.work_type_id
        WHERE l.school_id = $1 AND l.lesson_id = ANY($2)
        """,
        school_id,
        lesson_ids,
    )
    return [LessonContent(LessonKey(*row[:4]), *row[4:]) for row in rows]
