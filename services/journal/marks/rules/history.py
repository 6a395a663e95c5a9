"""The chain that shows when a mark was changed in silence.

Each revision has a salted digest, the revisions of one call are a batch, and a batch is a link: the course's head becomes
SHA-256 of the head before and the batch's digest. Since rows enter by digest, a row can be erased and the chain still fits.

A batch has a format, and its digests begin with it: what a row is changes, and old chains must go on to verify. Format 1 is of
before there were formats, its digests begin with nothing; to format 2 every mark is a five-point one; 3 knows kinds.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct
from uuid import UUID

from services.journal.marks.rules.marks import MarkKind, Revision
from services.journal.roster.rules import EMPTY_HEAD

FORMAT = 3
_PREFIXES = {1: b"", 2: b"\x02", 3: b"\x03"}
# The newest format in which every mark is a five-point one, so that rows do not name their kind.
_WITHOUT_KINDS = 2
SALT_BYTES = 16
DIGEST_BYTES = 32
_ROW = Struct(">16sI16s16s16sIh")
# Begins with no byte of a text, so that it is no part of the reason behind it.
_KIND = Struct(">i")
_BATCH = Struct(">16s16sQ16sq")
TAKEN_BACK = -1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """Who wrote a batch, when, and its place in the course's chain; the first is number 1."""

    school_id: UUID
    course_id: UUID
    batch_number: int
    account_id: UUID
    create_time: datetime
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class SaltedRevision:
    """A revision with the salt it was written with."""

    revision: Revision
    salt: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Revisions to be written as one link. `rows` in order of mark_id, `row_digests` theirs, `digest` the batch's own."""

    header: BatchHeader
    rows: Sequence[SaltedRevision]
    row_digests: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class WrittenBatch:
    """A batch as it stands in the tables. `rows` in order of mark_id."""

    header: BatchHeader
    row_digests: bytes
    head: bytes
    rows: Sequence[SaltedRevision]


@dataclass(frozen=True, slots=True)
class Misfit:
    """The first thing in a course's history that does not fit. `mark_id` and `revision` where a row is to blame."""

    course_id: UUID
    batch_number: int
    what: str
    mark_id: UUID | None = None
    revision: int | None = None


def build_batch(header: BatchHeader, revisions: Iterable[Revision], salts: bytes) -> Batch:
    """The batch of a call's revisions. `salts`: SALT_BYTES of randomness for each."""
    ordered = sorted(revisions, key=lambda revision: revision.mark_id)
    rows = [SaltedRevision(row, salts[i * SALT_BYTES : (i + 1) * SALT_BYTES]) for i, row in enumerate(ordered)]
    row_digests = b"".join([digest_row(header, row.revision, row.salt) for row in rows])
    return Batch(header, rows, row_digests, digest_batch(header, row_digests))


def digest_row(header: BatchHeader, row: Revision, salt: bytes) -> bytes:
    """The salted digest of a revision in its batch's course and format."""
    kind, number = (MarkKind.FIVE_POINT, TAKEN_BACK) if row.value is None else (row.value.kind, row.value.number)
    # Where formats know no kinds, a row of another kind than theirs was changed: so it gets another digest.
    named = b"" if header.format <= _WITHOUT_KINDS and kind == MarkKind.FIVE_POINT else _KIND.pack(kind)
    packed = _ROW.pack(
        row.mark_id.bytes,
        row.revision,
        row.lesson_id.bytes,
        header.course_id.bytes,
        row.student_id.bytes,
        row.lesson_date.toordinal(),
        number,
    )
    return hashlib.sha256(_PREFIXES[header.format] + salt + packed + named + (row.reason or "").encode()).digest()


def digest_batch(header: BatchHeader, row_digests: bytes) -> bytes:
    """The digest of a batch: who, when, where in the chain, and its rows' digests."""
    packed = _BATCH.pack(
        header.school_id.bytes,
        header.course_id.bytes,
        header.batch_number,
        header.account_id.bytes,
        (header.create_time - _EPOCH) // timedelta(microseconds=1),
    )
    return hashlib.sha256(_PREFIXES[header.format] + packed + row_digests).digest()


def link(head: bytes, digest: bytes) -> bytes:
    """The head after a batch; the database does the same in the statement that saves."""
    return hashlib.sha256(head + digest).digest()


def find_misfit(course_id: UUID, batches: Iterable[WrittenBatch], head: bytes, batch_count: int) -> Misfit | None:
    """The first row or batch that does not fit the chain whose newest link is `head`; None when all fits."""
    number, expected = 0, EMPTY_HEAD
    for batch in batches:
        number += 1
        if batch.header.batch_number != number:
            return Misfit(course_id, number, "the batch is missing")
        if batch.header.format not in _PREFIXES:
            return Misfit(course_id, number, "the batch is of a format that this release does not know")
        if misfit := _find_row_misfit(course_id, batch):
            return misfit
        expected = link(expected, digest_batch(batch.header, batch.row_digests))
        if expected != batch.head:
            return Misfit(course_id, number, "the batch was changed: account, time, format or digests of its rows")
    if number < batch_count:
        return Misfit(course_id, number + 1, "the batch is missing")
    if number > batch_count:
        return Misfit(course_id, batch_count + 1, "the batch is past the chain's end")
    return None if expected == head else Misfit(course_id, number, "the chain's head was changed")


def _find_row_misfit(course_id: UUID, batch: WrittenBatch) -> Misfit | None:
    number = batch.header.batch_number
    kept = [batch.row_digests[start : start + DIGEST_BYTES] for start in range(0, len(batch.row_digests), DIGEST_BYTES)]
    for place, row in enumerate(batch.rows):
        digest = digest_row(batch.header, row.revision, row.salt)
        if place < len(kept) and digest == kept[place]:
            continue
        if digest in kept:
            return Misfit(course_id, number, f"row {place + 1} of the batch is missing")
        return Misfit(course_id, number, "the row was changed or put in", row.revision.mark_id, row.revision.revision)
    if len(batch.rows) < len(kept):
        return Misfit(course_id, number, f"row {len(batch.rows) + 1} of the batch is missing")
    return None
