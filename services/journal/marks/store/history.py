"""Reading the chains of marks, as owner, school by school and course by course."""

from collections import defaultdict
from collections.abc import AsyncIterator
from uuid import UUID

from chassis.db import Connection
from services.journal.marks.rules.history import TAKEN_BACK, BatchHeader, SaltedRevision, WrittenBatch
from services.journal.marks.rules.marks import MarkKind, MarkValue, Revision

Chain = tuple[UUID, bytes, int, list[WrittenBatch]]


async def list_schools(connection: Connection) -> list[UUID]:
    """All schools."""
    return [row["school_id"] for row in await connection.fetch("SELECT school_id FROM schools ORDER BY school_id")]


async def list_chains(connection: Connection, school_id: UUID) -> AsyncIterator[Chain]:
    """Course, head, number of batches, and the batches in order; one course in memory at a time."""
    heads = await connection.fetch(
        "SELECT course_id, head, seq FROM course_chains WHERE school_id = $1 ORDER BY course_id", school_id
    )
    for row in heads:
        yield row["course_id"], row["head"], row["seq"], await _list_batches(connection, school_id, row["course_id"])


async def _list_batches(connection: Connection, school_id: UUID, course_id: UUID) -> list[WrittenBatch]:
    batches = await connection.fetch(
        """
        SELECT batch_number, account_id, create_time, format, row_digests, head FROM mark_batches
        WHERE school_id = $1 AND course_id = $2 ORDER BY batch_number
        """,
        school_id,
        course_id,
    )
    rows = await connection.fetch(
        """
        SELECT batch_number, mark_id, revision, lesson_id, student_id, lesson_date, kind, value, reason, salt
        FROM mark_revisions
        WHERE school_id = $1 AND course_id = $2 ORDER BY batch_number, mark_id, revision
        """,
        school_id,
        course_id,
    )
    by_batch: dict[int, list[SaltedRevision]] = defaultdict(list)
    for number, mark_id, revision, lesson_id, student_id, lesson_date, kind, value, reason, salt in rows:
        written = _read_written(kind, value)
        row = Revision(mark_id, revision, lesson_id, student_id, lesson_date, written, reason)
        by_batch[number].append(SaltedRevision(row, salt))
    return [
        WrittenBatch(BatchHeader(school_id, course_id, number, *who), digests, head, by_batch[number])
        for number, *who, digests, head in batches
    ]


def _read_written(kind: int, number: int | None) -> MarkValue | None:
    """The value as its row has it, also where nobody wrote it so: a mark is taken back as a five-point one."""
    if number is None:
        return None if kind == MarkKind.FIVE_POINT else MarkValue(kind, TAKEN_BACK)
    return MarkValue(kind, number)
