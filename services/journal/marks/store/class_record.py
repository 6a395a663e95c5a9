"""A class's lesson in one piece: one statement that reads all of it, and one that saves all of it or nothing."""

# ruff: noqa: S608 - the statements are composed of constants of this room

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.db import Connection, Question, asking
from services.journal.curriculum.store import period_is_open, period_of
from services.journal.lessons.rules.attendance import AbsenceCode, LessonAttendance
from services.journal.lessons.store.lessons import LESSON_COLUMNS, SEES_ILLNESS, build_place, read_codes
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
from services.journal.marks.rules.class_record import ClassPlace, ClassRecord, RecordedClass
from services.journal.marks.rules.history import Batch
from services.journal.marks.rules.marks import MarkedCourse
from services.journal.marks.store.marks import NEWEST_MARKS, read_marks, write_kind, write_number
from services.journal.roster.rules import Member

_ask_place = asking(f"""
SELECT uuidv7() AS new_id, s.time_zone, s.mark_min, q.rpc, q.digest, q.answer, p.is_closed, c.class_id, c.is_marked, h.seq,
    $9::uuid IS NULL OR w.work_type_id IS NOT NULL AS has_work_type, {LESSON_COLUMNS},
    ARRAY(
        SELECT ROW(m.student_id, m.from_date, m.to_date) FROM course_members m
        WHERE m.school_id = door.school_id AND m.course_id = $2 AND m.from_date <= $7 AND (m.to_date IS NULL OR $7 <= m.to_date)
    ) AS members,
    ARRAY(
        SELECT ROW(a.student_id, a.code) FROM attendance a WHERE a.school_id = door.school_id AND a.lesson_id = l.lesson_id
    ) AS codes,
    {NEWEST_MARKS.format(mark_ids="$10")} AS marks,
    {SEES_ILLNESS} AS sees_illness
FROM courses c
JOIN schools s ON s.school_id = door.school_id
JOIN course_chains h ON h.school_id = door.school_id AND h.course_id = $2
LEFT JOIN {period_of("c", "$7")}
LEFT JOIN work_types w ON w.school_id = door.school_id AND w.work_type_id = $9
LEFT JOIN lessons l ON l.school_id = door.school_id AND l.course_id = $2 AND l.lesson_date = $7 AND l.lesson_number = $8
{ANSWERED}
WHERE c.school_id = door.school_id AND c.course_id = $2 AND {TEACHES}
""")

# The chain is locked first, at the seq that was read, as a retraction locks it: from then on no mark is written and no lesson
# withdrawn. Then the lesson's row is written at its two revisions, or stands where neither record nor attendance changes. Only
# then the marks: whatever fell leaves `saved` empty, and nothing is written.
_SAVE_CLASS = f"""
WITH locked AS (
    SELECT FROM course_chains WHERE school_id = $1 AND course_id = $12 AND seq = $13 - 1 FOR UPDATE
), standing AS (
    SELECT FROM locked WHERE {period_is_open("$12", "$16")}
      AND NOT EXISTS (SELECT FROM unnest($33::uuid[]) AS r (student_id)
                      WHERE NOT {MEMBER.format(course="$12", student="r.student_id", day="$16")})
), written AS (
    INSERT INTO lessons AS kept (school_id, lesson_id, course_id, class_id, lesson_date, lesson_number, state, topic, homework,
                                 work_type_id, revision, attendance_revision)
    SELECT $1, $15, $12, c.class_id, $16, $17, 2, $18, $19, $20, $21::int, $22::int FROM standing, courses c
    WHERE c.school_id = $1 AND c.course_id = $12 AND ($23::int < $21 OR $24::int < $22)
    ON CONFLICT ON CONSTRAINT lessons_one_a_number DO UPDATE
    SET state = 2, topic = $18, homework = $19, work_type_id = $20, revision = $21, attendance_revision = $22,
        is_retracted = false
    WHERE kept.lesson_id = $15 AND kept.revision = $23 AND kept.attendance_revision = $24
    RETURNING lesson_id
), saved AS (
    SELECT FROM written
    UNION ALL
    SELECT FROM standing, lessons l
    WHERE $23 = $21 AND $24 = $22 AND l.school_id = $1 AND l.lesson_id = $15 AND l.state = 2
), linked AS (
    UPDATE course_chains SET head = sha256(head || $11), seq = seq + 1 FROM saved
    WHERE school_id = $1 AND course_id = $12 AND cardinality($26::uuid[]) > 0
    RETURNING head
), batch AS (
    INSERT INTO mark_batches (school_id, course_id, batch_number, account_id, create_time, row_digests, head, format)
    SELECT $1, $12, $13, $5, $10, $14, head, $25 FROM linked
), revisions AS (
    INSERT INTO mark_revisions (school_id, course_id, batch_number, lesson_id, lesson_date, reason, mark_id, revision,
                                student_id, kind, value, salt)
    SELECT $1, $12, $13, $15, $16, '', r.*
    FROM linked, unnest($26::uuid[], $27::int[], $28::uuid[], $34::smallint[], $29::smallint[], $30::bytea[]) AS r
), absences AS (
    INSERT INTO attendance (school_id, lesson_id, course_id, lesson_date, account_id, update_time, student_id, code)
    SELECT $1, $15, $12, $16, $5, $10, a.* FROM saved, unnest($31::uuid[], $32::smallint[]) AS a
    ON CONFLICT (school_id, lesson_id, student_id) DO UPDATE
    SET code = excluded.code, account_id = excluded.account_id, update_time = excluded.update_time
), {TOLD}
"""


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """Where a caller may record a class's lesson, and what this very call was answered before."""

    place: ClassPlace
    answered: Answered | None


def ask_place(call: Call, course_id: UUID, record: ClassRecord) -> Question:
    """The question for all that stands of what a record names; `read_place` reads its answer."""
    lesson = record.lesson
    place = lesson.lesson_date, lesson.lesson_number, lesson.work_type_id
    return _ask_place(*read_arguments(call, course_id), *place, [cell.mark_id for cell in record.cells])


def read_place(rows: Sequence[Any], course_id: UUID) -> FoundPlace | None:
    """The place, or None when the caller does not teach the course."""
    if not rows:
        return None
    row, lesson = rows[0], build_place(rows[0])
    course = MarkedCourse(
        course_id=course_id,
        is_marked=row["is_marked"],
        mark_min=row["mark_min"],
        time_zone=row["time_zone"],
        batch_count=row["seq"],
        lessons={},
        members=[Member(*member) for member in row["members"]],
        marks=read_marks(row),
    )
    attendance = LessonAttendance(
        lesson=lesson.lesson,
        is_closed=lesson.is_closed is not False,
        member_ids={member.student_id for member in course.members},
        codes=read_codes(row),
        sees_illness=row["sees_illness"],
    )
    return FoundPlace(ClassPlace(lesson, course, attendance), read_answered(row))


async def save_class(connection: Connection, recorded: RecordedClass, batch: Batch, fact: Fact) -> bool:
    """Writes what changed; False when what it was decided on no longer stands, and nothing was saved."""
    lesson, changes = recorded.lesson, recorded.changes or ()
    revisions = [row.revision for row in batch.rows]
    absent = {change.student_id for change in changes if change.code != AbsenceCode.PRESENT}
    return await save(
        connection,
        _SAVE_CLASS,
        fact,
        batch.digest,
        lesson.course_id,
        batch.header.batch_number,
        batch.row_digests,
        lesson.lesson_id,
        lesson.lesson_date,
        lesson.lesson_number,
        lesson.topic,
        lesson.homework,
        lesson.work_type_id,
        lesson.revision,
        lesson.attendance_revision,
        lesson.revision - recorded.is_lesson_changed,
        lesson.attendance_revision - (recorded.changes is not None),
        batch.header.format,
        [r.mark_id for r in revisions],
        [r.revision for r in revisions],
        [r.student_id for r in revisions],
        [write_number(r.value) for r in revisions],
        [row.salt for row in batch.rows],
        [change.student_id for change in changes],
        [change.code for change in changes],
        list(absent.union(r.student_id for r in revisions)),
        [write_kind(r.value) for r in revisions],
    )
