"""Marks: their newest revisions, and the statement that adds revisions to the chain."""

# ruff: noqa: S608 - the statements are composed of constants of this room

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.db import Connection, Question, asking
from services.journal.curriculum.store import period_is_open, period_of
from services.journal.lessons.store.writes import (
    ANSWERED,
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
from services.journal.marks.rules.history import Batch
from services.journal.marks.rules.journal_page import MarkForLetter
from services.journal.marks.rules.marks import Cell, CurrentMark, MarkedCourse, MarkedLesson, MarkKind, MarkValue
from services.journal.roster.rules import Member
from services.journal.roster.store import read_parts

# In reads of what tells five-point marks alone: the number of a revision's mark, null where it is taken back or of another
# kind, whose number says something else.
FIVE_POINT = f"CASE WHEN kind = {MarkKind.FIVE_POINT} THEN value END AS value"

# In reads: the newest revisions of the marks that a call names.
NEWEST_MARKS = """ARRAY(
        SELECT ROW(newest.mark_id, newest.lesson_id, newest.student_id, newest.kind, newest.value, newest.revision,
                   b.account_id, f.create_time)
        FROM (
            SELECT DISTINCT ON (mark_id) mark_id, lesson_id, student_id, course_id, kind, value, revision, batch_number
            FROM mark_revisions WHERE school_id = door.school_id AND mark_id = ANY({mark_ids}) ORDER BY mark_id, revision DESC
        ) AS newest
        JOIN mark_batches b ON b.school_id = door.school_id AND b.course_id = newest.course_id
            AND b.batch_number = newest.batch_number
        JOIN mark_revisions r ON r.school_id = door.school_id AND r.mark_id = newest.mark_id AND r.revision = 1
        JOIN mark_batches f ON f.school_id = door.school_id AND f.course_id = r.course_id AND f.batch_number = r.batch_number
    )"""

_ask_course = asking(f"""
SELECT c.is_marked, s.mark_min, q.rpc, q.digest, q.answer, s.time_zone, h.seq,
    ARRAY(
        SELECT ROW(l.lesson_id, l.lesson_date, l.state = 2, coalesce(p.is_closed, true)) FROM lessons l
        LEFT JOIN {period_of("c", "l.lesson_date")}
        WHERE l.school_id = door.school_id AND l.lesson_id = ANY($7) AND l.course_id = $2
    ) AS lessons,
    ARRAY(
        SELECT ROW(m.student_id, m.from_date, m.to_date) FROM course_members m
        WHERE m.school_id = door.school_id AND m.course_id = $2
    ) AS members,
    {NEWEST_MARKS.format(mark_ids="$8")} AS marks
FROM courses c
JOIN schools s ON s.school_id = door.school_id
JOIN course_chains h ON h.school_id = door.school_id AND h.course_id = $2
{ANSWERED}
WHERE c.school_id = door.school_id AND c.course_id = $2 AND {TEACHES}
""")

# The course of a mark: what its correction is decided in.
_FIND_PLACE = """
SELECT course_id, lesson_id, student_id FROM mark_revisions WHERE school_id = $1 AND mark_id = $2 AND revision = 1
"""

# The chain's row is the lock: two calls on one course queue here, and the second finds another seq and saves nothing. (Without
# the seq the primary key of `mark_batches` would refuse the second: the seq makes it a lost race instead of an error.)
# What others change while Python decides is asked again, once of each lesson and of each student's day: `fallen` are those that
# no longer stand. A correction may be of a student who has left.
_INSERT_BATCH = f"""
WITH fallen AS (
    SELECT FROM unnest($24::uuid[]) AS r (lesson_id)
    WHERE NOT EXISTS (SELECT FROM lessons l
                      WHERE l.school_id = $1 AND l.lesson_id = r.lesson_id AND l.course_id = $12 AND l.state = 2
                        AND {period_is_open("$12", "l.lesson_date")})
    UNION ALL
    SELECT FROM unnest($25::uuid[], $26::date[]) AS r (student_id, day)
    WHERE NOT {MEMBER.format(course="$12", student="r.student_id", day="r.day")}
), saved AS (
    UPDATE course_chains SET head = sha256(head || $11), seq = seq + 1
    WHERE school_id = $1 AND course_id = $12 AND seq = $13 - 1 AND NOT EXISTS (SELECT FROM fallen)
    RETURNING head
), batch AS (
    INSERT INTO mark_batches (school_id, course_id, batch_number, account_id, create_time, row_digests, head, format)
    SELECT $1, $12, $13, $5, $10, $14, head, $23 FROM saved
), revisions AS (
    INSERT INTO mark_revisions (school_id, course_id, batch_number, mark_id, revision, lesson_id, student_id, lesson_date,
                                kind, value, salt, reason)
    SELECT $1, $12, $13, r.* FROM saved, unnest($15::uuid[], $16::int[], $17::uuid[], $18::uuid[], $19::date[], $27::smallint[],
                                                $20::smallint[], $21::bytea[], $22::text[]) AS r
), {TOLD}
"""


@dataclass(frozen=True, slots=True)
class FoundCourse:
    """A course whose marks a caller may write, and what this very call was answered before."""

    course: MarkedCourse
    answered: Answered | None


def ask_course(call: Call, course_id: UUID, cells: Sequence[Cell]) -> Question:
    """The question for a course with all that the cells name; `read_course` reads its answer."""
    return _ask_course(
        *read_arguments(call, course_id),
        list({cell.lesson_id for cell in cells}),
        [cell.mark_id for cell in cells],
    )


def read_course(rows: Sequence[Any], course_id: UUID) -> FoundCourse | None:
    """The course, or None when the caller does not teach it."""
    return FoundCourse(_build_course(course_id, rows[0]), read_answered(rows[0])) if rows else None


def _build_course(course_id: UUID, row: Any) -> MarkedCourse:
    return MarkedCourse(
        course_id=course_id,
        is_marked=row["is_marked"],
        mark_min=row["mark_min"],
        time_zone=row["time_zone"],
        batch_count=row["seq"],
        lessons={lesson_id: MarkedLesson(*rest) for lesson_id, *rest in row["lessons"]},
        members=[Member(*member) for member in row["members"]],
        marks=read_marks(row),
    )


def read_marks(row: Any) -> dict[UUID, CurrentMark]:
    """The marks of a row with NEWEST_MARKS as `marks`, by their ids."""
    return {
        mark_id: CurrentMark(mark_id, lesson_id, student_id, read_value(kind, number), *rest)
        for mark_id, lesson_id, student_id, kind, number, *rest in row["marks"]
    }


def read_value(kind: int, number: int | None) -> MarkValue | None:
    """The value of a row."""
    return None if number is None else MarkValue(kind, number)


def write_kind(value: MarkValue | None) -> int:
    """The kind of a value's row; a mark is taken back as a five-point one."""
    return MarkKind.FIVE_POINT if value is None else value.kind


def write_number(value: MarkValue | None) -> int | None:
    """The number of a value's row."""
    return None if value is None else value.number


async def find_place(connection: Connection, school_id: UUID, mark_id: UUID) -> tuple[UUID, UUID, UUID] | None:
    """Course, lesson and student of a mark."""
    row = await connection.fetchrow(_FIND_PLACE, school_id, mark_id)
    return None if row is None else tuple(row)


async def insert_batch(connection: Connection, batch: Batch, fact: Fact) -> bool:
    """Adds a batch to its course's chain; False when what it was decided on no longer stands, and nothing was saved."""
    revisions = [row.revision for row in batch.rows]
    days = {(r.student_id, r.lesson_date) for r in revisions if r.reason is None}
    return await save(
        connection,
        _INSERT_BATCH,
        fact,
        batch.digest,
        batch.header.course_id,
        batch.header.batch_number,
        batch.row_digests,
        [r.mark_id for r in revisions],
        [r.revision for r in revisions],
        [r.lesson_id for r in revisions],
        [r.student_id for r in revisions],
        [r.lesson_date for r in revisions],
        [write_number(r.value) for r in revisions],
        [row.salt for row in batch.rows],
        [r.reason or "" for r in revisions],
        batch.header.format,
        list({r.lesson_id for r in revisions}),
        [student_id for student_id, _ in days],
        [day for _, day in days],
        [write_kind(r.value) for r in revisions],
    )


async def list_for_letters(connection: Connection, school_id: UUID, mark_ids: Sequence[UUID]) -> list[MarkForLetter]:
    """Marks as they now stand, without those taken back."""
    rows = await connection.fetch(
        f"""
        SELECT m.mark_id, m.student_id, s.display_name, c.subject_name, m.lesson_date, l.topic,
            CASE WHEN l.work_type_id IS NULL THEN ''
                ELSE (SELECT w.name FROM work_types w WHERE w.school_id = $1 AND w.work_type_id = l.work_type_id) END,
            m.value, m.revision, s.family_name, s.given_name, s.patronymic,
            coalesce((SELECT {FIVE_POINT} FROM mark_revisions p
                WHERE p.school_id = $1 AND p.mark_id = m.mark_id AND p.revision = m.revision - 1), 0),
            coalesce(m.reason, '')
        FROM (
            SELECT DISTINCT ON (mark_id) mark_id, lesson_id, student_id, course_id, lesson_date, {FIVE_POINT}, revision, reason
            FROM mark_revisions WHERE school_id = $1 AND mark_id = ANY($2) ORDER BY mark_id, revision DESC
        ) AS m
        JOIN students s ON s.school_id = $1 AND s.student_id = m.student_id
        JOIN courses c ON c.school_id = $1 AND c.course_id = m.course_id
        JOIN lessons l ON l.school_id = $1 AND l.lesson_id = m.lesson_id
        WHERE m.value IS NOT NULL
        """,
        school_id,
        mark_ids,
    )
    return [MarkForLetter(*(*row[:9], read_parts(*row[9:12]), *row[12:])) for row in rows]
