"""Lessons and their attendance."""

# ruff: noqa: S608 - the statements are composed of constants of this room

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from chassis import sight
from chassis.db import Connection, Question, asking
from diary.options.v1.options_pb2 import ROLE_DEPUTY
from services.journal.curriculum.store import period_is_open, period_of
from services.journal.lessons.rules.attendance import Absence, AbsenceCode, LessonAttendance
from services.journal.lessons.rules.lessons import Lesson, LessonPlace, LessonRecord, LessonState
from services.journal.lessons.store.writes import (
    ANSWERED,
    CALLER,
    MEMBER,
    TEACHES,
    TOLD,
    Answered,
    Call,
    Fact,
    read_answered,
    read_arguments,
    save,
)

_LESSON_NAMES = [field.name for field in fields(Lesson)]
# Lessons that were withdrawn and are in no timetable are shown to nobody.
SHOWN = "NOT (l.state = 1 AND l.is_retracted)"
LESSON_COLUMNS = ", ".join(f"l.{name}" for name in _LESSON_NAMES)

_ask_place = asking(f"""
SELECT uuidv7() AS new_id, s.time_zone, q.rpc, q.digest, q.answer, p.is_closed, c.class_id,
    $9::uuid IS NULL OR w.work_type_id IS NOT NULL AS has_work_type, {LESSON_COLUMNS}
FROM courses c
JOIN schools s ON s.school_id = door.school_id
LEFT JOIN {period_of("c", "$7")}
LEFT JOIN work_types w ON w.school_id = door.school_id AND w.work_type_id = $9
LEFT JOIN lessons l ON l.school_id = door.school_id AND l.course_id = $2 AND l.lesson_date = $7 AND l.lesson_number = $8
{ANSWERED}
WHERE c.school_id = door.school_id AND c.course_id = $2 AND {TEACHES}
""")

# Holds for a new lesson, or for that very one whose revision is the one before; and while the day's period is open.
_SAVE_LESSON = f"""
WITH saved AS (
    INSERT INTO lessons AS kept (school_id, lesson_id, course_id, class_id, lesson_date, lesson_number, state, topic, homework,
                                 work_type_id, revision)
    SELECT $1, $11, $12, c.class_id, $13, $14, $15, $16, $17, $18, $19 FROM courses c
    WHERE c.school_id = $1 AND c.course_id = $12 AND {period_is_open("$12", "$13")}
    ON CONFLICT ON CONSTRAINT lessons_one_a_number DO UPDATE
    SET state = $15, topic = $16, homework = $17, work_type_id = $18, revision = $19, is_retracted = false
    WHERE kept.lesson_id = $11 AND kept.revision = $19 - 1
    RETURNING lesson_id
), {TOLD}
"""

# In reads of a course as `c`: whether the caller is told of Б (decision 11).
SEES_ILLNESS = f"""EXISTS (
        SELECT FROM relations r
        WHERE {CALLER.holds(sight.works_with_class("c.class_id"), sight.works_for_school("door.school_id", ROLE_DEPUTY))}
    )"""

_ask_attendance = asking(f"""
SELECT coalesce(p.is_closed, true) AS is_closed, q.rpc, q.digest, q.answer, {LESSON_COLUMNS},
    ARRAY(
        SELECT m.student_id FROM course_members m
        WHERE m.school_id = door.school_id AND m.course_id = $2 AND m.from_date <= l.lesson_date
          AND (m.to_date IS NULL OR l.lesson_date <= m.to_date)
    ) AS member_ids,
    ARRAY(SELECT ROW(a.student_id, a.code) FROM attendance a WHERE a.school_id = door.school_id AND a.lesson_id = $7) AS codes,
    {SEES_ILLNESS} AS sees_illness
FROM courses c
LEFT JOIN lessons l ON l.school_id = door.school_id AND l.course_id = $2 AND l.lesson_id = $7
LEFT JOIN {period_of("c", "l.lesson_date")}
{ANSWERED}
WHERE c.school_id = door.school_id AND c.course_id = $2 AND {TEACHES}
""")

# Holds for a held lesson of that revision in an open period, whose absent ones are in the course still; who is present after
# all may have left.
_SAVE_ATTENDANCE = f"""
WITH saved AS (
    UPDATE lessons l SET attendance_revision = attendance_revision + 1
    WHERE school_id = $1 AND lesson_id = $11 AND attendance_revision = $12 - 1 AND state = 2
      AND {period_is_open("l.course_id", "l.lesson_date")}
      AND NOT EXISTS (SELECT FROM unnest($13::uuid[], $14::smallint[]) AS a (student_id, code)
                      WHERE a.code <> 0
                        AND NOT {MEMBER.format(course="l.course_id", student="a.student_id", day="l.lesson_date")})
    RETURNING course_id, lesson_date
), absences AS (
    INSERT INTO attendance (school_id, lesson_id, course_id, lesson_date, account_id, update_time, student_id, code)
    SELECT $1, $11, saved.course_id, saved.lesson_date, $5, $10, a.* FROM saved, unnest($13::uuid[], $14::smallint[]) AS a
    ON CONFLICT (school_id, lesson_id, student_id) DO UPDATE
    SET code = excluded.code, account_id = excluded.account_id, update_time = excluded.update_time
), {TOLD}
"""


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """Where a caller may record a lesson, and what this very call was answered before."""

    place: LessonPlace
    answered: Answered | None


@dataclass(frozen=True, slots=True)
class FoundAttendance:
    """The attendance a caller may record, and what this very call was answered before."""

    attendance: LessonAttendance
    answered: Answered | None


def ask_place(call: Call, course_id: UUID, record: LessonRecord) -> Question:
    """The question for what stands at a record's day and number; `read_place` reads its answer."""
    place = record.lesson_date, record.lesson_number, record.work_type_id
    return _ask_place(*read_arguments(call, course_id), *place)


def read_place(rows: Sequence[Any]) -> FoundPlace | None:
    """The place, or None when the caller does not teach the course."""
    if not rows:
        return None
    return FoundPlace(build_place(rows[0]), read_answered(rows[0]))


def build_place(row: Any) -> LessonPlace:
    """The place of a row that asks for one."""
    is_closed, lesson = row["is_closed"], read_lesson(row)
    return LessonPlace(row["new_id"], row["time_zone"], is_closed, row["has_work_type"], lesson, row["class_id"])


async def save_lesson(connection: Connection, lesson: Lesson, fact: Fact) -> bool:
    """Writes a lesson; False when what it was decided on no longer stands, and nothing was saved."""
    return await save(
        connection,
        _SAVE_LESSON,
        fact,
        lesson.lesson_id,
        lesson.course_id,
        lesson.lesson_date,
        lesson.lesson_number,
        lesson.state,
        lesson.topic,
        lesson.homework,
        lesson.work_type_id,
        lesson.revision,
    )


def ask_attendance(call: Call, course_id: UUID, lesson_id: UUID) -> Question:
    """The question for a lesson's attendance; `read_attendance` reads its answer."""
    return _ask_attendance(*read_arguments(call, course_id), lesson_id)


def read_attendance(rows: Sequence[Any]) -> FoundAttendance | None:
    """The attendance, or None when the caller does not teach the course."""
    if not rows:
        return None
    row = rows[0]
    attendance = LessonAttendance(
        read_lesson(row), row["is_closed"], set(row["member_ids"]), read_codes(row), row["sees_illness"]
    )
    return FoundAttendance(attendance, read_answered(row))


def read_codes(row: Any) -> dict[UUID, AbsenceCode]:
    """The codes of a row, by student; also of those present after all."""
    return {student_id: AbsenceCode(code) for student_id, code in row["codes"]}


async def save_attendance(connection: Connection, lesson: Lesson, changes: Sequence[Absence], fact: Fact) -> bool:
    """Writes what changed of a lesson's attendance; False when what it was decided on no longer stands; nothing was saved."""
    return await save(
        connection,
        _SAVE_ATTENDANCE,
        fact,
        lesson.lesson_id,
        lesson.attendance_revision,
        [change.student_id for change in changes],
        [change.code for change in changes],
    )


def read_lesson(row: Any) -> Lesson | None:
    """The lesson of a row with LESSON_COLUMNS; None when there is none."""
    if row["lesson_id"] is None:
        return None
    return build_lesson(row[name] for name in _LESSON_NAMES)


def build_lesson(values: Iterable[Any]) -> Lesson:
    """The lesson of the values of LESSON_COLUMNS."""
    lesson_id, course_id, lesson_date, lesson_number, state, *rest = values
    return Lesson(lesson_id, course_id, lesson_date, lesson_number, LessonState(state), *rest)
