"""A lesson recorded by mistake: what stands of it, and its withdrawal as a link of its course's chain."""

# ruff: noqa: S608 - the statements are composed of constants of the rooms

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.db import Connection, Question, asking
from services.journal.curriculum.store import period_is_open, period_of
from services.journal.lessons.rules.lessons import Lesson, RecordedLesson
from services.journal.lessons.store.lessons import LESSON_COLUMNS, read_lesson
from services.journal.lessons.store.writes import (
    ANSWERED,
    TEACHES,
    TOLD,
    Answered,
    Call,
    Fact,
    read_answered,
    read_arguments,
    save,
)
from services.journal.marks.rules.history import Batch

_ask_retraction = asking(f"""
SELECT h.seq, q.rpc, q.digest, q.answer, c.class_id, coalesce(p.is_closed, true) AS is_closed, {LESSON_COLUMNS},
    EXISTS (
        SELECT FROM timetable_slots t
        WHERE t.school_id = door.school_id AND t.course_id = $2 AND t.weekday = extract(isodow FROM l.lesson_date)
          AND t.lesson_number = l.lesson_number AND l.lesson_date BETWEEN t.start_date AND t.end_date
    ) AS is_in_timetable,
    EXISTS (
        SELECT FROM (
            SELECT DISTINCT ON (r.mark_id) r.value FROM mark_revisions r
            WHERE r.school_id = door.school_id AND r.course_id = $2 AND r.lesson_date = l.lesson_date AND r.lesson_id = $7
            ORDER BY r.mark_id, r.revision DESC
        ) AS m
        WHERE m.value IS NOT NULL
    ) AS has_marks,
    EXISTS (SELECT FROM attendance a WHERE a.school_id = door.school_id AND a.lesson_id = $7 AND a.code > 0) AS has_absences
FROM courses c
JOIN course_chains h ON h.school_id = door.school_id AND h.course_id = $2
LEFT JOIN lessons l ON l.school_id = door.school_id AND l.course_id = $2 AND l.lesson_id = $7
LEFT JOIN {period_of("c", "l.lesson_date")}
{ANSWERED}
WHERE c.school_id = door.school_id AND c.course_id = $2 AND {TEACHES}
""")

# The chain is locked at the seq that was read, so that no mark has come since; the lesson's revisions prove record and
# attendance. The withdrawal is a link of the chain without rows: marks being written at this moment find another seq.
_SAVE_RETRACTION = f"""
WITH locked AS (
    SELECT FROM course_chains WHERE school_id = $1 AND course_id = $12 AND seq = $13 - 1 FOR UPDATE
), saved AS (
    UPDATE lessons SET state = 1, topic = '', homework = '', work_type_id = NULL, attendance_revision = 0, revision = $15,
        is_retracted = NOT $17::boolean
    FROM locked
    WHERE school_id = $1 AND lesson_id = $14 AND revision = $15 - 1 AND attendance_revision = $16
      AND {period_is_open("$12", "lesson_date")}
    RETURNING old.topic, old.homework, old.work_type_id
), linked AS (
    UPDATE course_chains SET head = sha256(head || $11), seq = seq + 1 FROM saved
    WHERE school_id = $1 AND course_id = $12
    RETURNING head
), batch AS (
    INSERT INTO mark_batches (school_id, course_id, batch_number, account_id, create_time, row_digests, head, format)
    SELECT $1, $12, $13, $5, $10, '', head, $19 FROM linked
), kept AS (
    INSERT INTO lesson_retractions (school_id, lesson_id, revision, course_id, batch_number, topic, homework, work_type_id,
                                    account_id, create_time, reason)
    SELECT $1, $14, $15, $12, $13, topic, homework, work_type_id, $5, $10, $18 FROM saved
), {TOLD}
"""


@dataclass(frozen=True, slots=True)
class FoundRetraction:
    """The lesson a caller may withdraw, and what this very call was answered before."""

    recorded: RecordedLesson
    answered: Answered | None


def ask_retraction(call: Call, course_id: UUID, lesson_id: UUID) -> Question:
    """The question for what stands of a lesson; `read_retraction` reads its answer."""
    return _ask_retraction(*read_arguments(call, course_id), lesson_id)


def read_retraction(rows: Sequence[Any]) -> FoundRetraction | None:
    """The lesson with its traces, or None when the caller does not teach the course."""
    if not rows:
        return None
    row = rows[0]
    recorded = RecordedLesson(
        lesson=read_lesson(row),
        class_id=row["class_id"],
        is_closed=row["is_closed"],
        is_in_timetable=row["is_in_timetable"],
        has_marks=row["has_marks"],
        has_absences=row["has_absences"],
        batch_count=row["seq"],
    )
    return FoundRetraction(recorded, read_answered(row))


async def save_retraction(
    connection: Connection, recorded: RecordedLesson, lesson: Lesson, batch: Batch, reason: str, fact: Fact
) -> bool:
    """Withdraws a lesson; False when another hand was faster, and nothing was saved."""
    return await save(
        connection,
        _SAVE_RETRACTION,
        fact,
        batch.digest,
        lesson.course_id,
        batch.header.batch_number,
        lesson.lesson_id,
        lesson.revision,
        recorded.lesson.attendance_revision if recorded.lesson else 0,
        recorded.is_in_timetable,
        reason,
        batch.header.format,
    )
