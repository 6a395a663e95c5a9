"""Laws of the chain: what was built fits, and whatever is changed is found."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.journal.marks.rules.history import (
    SALT_BYTES,
    BatchHeader,
    SaltedRevision,
    WrittenBatch,
    build_batch,
    digest_batch,
    digest_row,
    find_misfit,
    link,
)
from services.journal.marks.rules.marks import NUMBERS, MarkKind, MarkValue, Revision, five_point
from services.journal.roster.rules import EMPTY_HEAD

COURSE = UUID(int=5)
ALL_VALUES = [MarkValue(kind, number) for kind in MarkKind for number in range(-1, 111) if number in NUMBERS[kind]]
revisions = st.builds(
    Revision,
    st.uuids(),
    st.integers(1, 100),
    st.uuids(),
    st.uuids(),
    st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    st.none() | st.integers(1, 5).map(five_point),
    st.none() | st.text(min_size=1, max_size=20),
)


@st.composite
def chains(draw: st.DrawFn) -> tuple[list[WrittenBatch], bytes]:
    """A course's history of one to four batches, with its head."""
    head, written = EMPTY_HEAD, []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        time = datetime.fromtimestamp(draw(st.integers(1_500_000_000, 2_500_000_000)), UTC)
        header = BatchHeader(UUID(int=1), COURSE, number, draw(st.uuids()), time, draw(st.sampled_from([1, 2, 3])))
        rows = draw(st.lists(revisions, min_size=1, max_size=4, unique_by=lambda row: row.mark_id))
        batch = build_batch(header, rows, draw(st.binary(min_size=SALT_BYTES * 4, max_size=SALT_BYTES * 4)))
        head = link(head, batch.digest)
        written.append(WrittenBatch(header, batch.row_digests, head, batch.rows))
    return written, head


@given(chains())
def test_a_chain_as_built_fits(chain: tuple[list[WrittenBatch], bytes]) -> None:
    batches, head = chain
    assert find_misfit(COURSE, batches, head, len(batches)) is None


@given(chains(), st.data())
def test_a_changed_row_is_named(chain: tuple[list[WrittenBatch], bytes], data: st.DataObject) -> None:
    batches, head = chain
    number = data.draw(st.integers(0, len(batches) - 1))
    place = data.draw(st.integers(0, len(batches[number].rows) - 1))
    row = batches[number].rows[place]
    changes: dict[str, Any] = {
        "value": None if row.revision.value is not None else five_point(5),
        "student_id": UUID(int=row.revision.student_id.int ^ 1),
        "lesson_date": date(2041, 1, 1),
        "revision": row.revision.revision + 1,
        "reason": f"{row.revision.reason or ''}!",
    }
    field = data.draw(st.sampled_from(sorted(changes)))
    rows = list(batches[number].rows)
    rows[place] = SaltedRevision(replace(row.revision, **{field: changes[field]}), row.salt)
    batches[number] = replace(batches[number], rows=rows)
    misfit = find_misfit(COURSE, batches, head, len(batches))
    assert misfit is not None
    assert (misfit.batch_number, misfit.mark_id) == (number + 1, row.revision.mark_id)


@given(chains(), st.data())
def test_a_row_or_batch_taken_out_is_missed_where_it_was(chain: tuple[list[WrittenBatch], bytes], data: st.DataObject) -> None:
    batches, head = chain
    number = data.draw(st.integers(0, len(batches) - 1))
    if data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(batches[number].rows) - 1))
        rows = [row for other, row in enumerate(batches[number].rows) if other != place]
        damaged = [*batches[:number], replace(batches[number], rows=rows), *batches[number + 1 :]]
        what = f"row {place + 1} of the batch is missing"
    else:
        damaged = batches[:number] + batches[number + 1 :]
        what = "the batch is missing"
    misfit = find_misfit(COURSE, damaged, head, len(batches))
    assert misfit is not None
    assert (misfit.batch_number, misfit.what) == (number + 1, what)


def test_digests_of_before_there_were_formats_still_verify() -> None:
    """Written by the release before: these digests stand in schools' databases."""
    header = BatchHeader(UUID(int=1), COURSE, 1, UUID(int=2), datetime(2026, 9, 1, tzinfo=UTC), 1)
    revision = Revision(UUID(int=3), 1, UUID(int=4), UUID(int=5), date(2026, 9, 1), five_point(5))
    batch = build_batch(header, [revision], bytes(SALT_BYTES))
    assert batch.row_digests.hex() == "a46f1424297df3fe15aabf8da0b594a521e22da45292dc4c5e14b9fbd0ed2c3f"
    assert batch.digest.hex() == "54c745fbb66600ec6e449e0da96ced0a46640177519d5d5e063da956c25837df"


# Heads of the chain below as each format was first released: such heads stand in schools' databases and in sealed copies.
HEADS = {
    1: "5d365845e5067b1870c25261fa7faedf70cbeb3460c08d0a4fa3f60b3ad70540",
    2: "4e2726bd22aa584f574baafc45d336ecd88e7cc13b6fd51a814f2870607d602e",
    3: "3d6469e04fc44f55d6a1c831065349c27e7c7c7e949c3deea9c2c554bd0bba3e",
}


def write_chain(of_format: int) -> tuple[list[WrittenBatch], bytes]:
    """Two marks given, one corrected, another taken back."""
    head, written = EMPTY_HEAD, []
    calls: list[list[tuple[int, int | None, str | None]]] = [
        [(1, 5, None), (1, 2, None)],
        [(2, 4, "пересдача")],
        [(3, None, "ошибка")],
    ]
    for number, rows in enumerate(calls, 1):
        header = BatchHeader(UUID(int=1), COURSE, number, UUID(int=2), datetime(2026, 9, number, tzinfo=UTC), of_format)
        made = [
            Revision(UUID(int=10 + n), r, UUID(int=4), UUID(int=20 + n), date(2026, 9, 1), five_point(value), reason)
            for n, (r, value, reason) in enumerate(rows)
        ]
        batch = build_batch(header, made, bytes(range(SALT_BYTES)) * len(made))
        head = link(head, batch.digest)
        written.append(WrittenBatch(header, batch.row_digests, head, batch.rows))
    return written, head


@pytest.mark.parametrize("of_format", HEADS)
def test_a_chain_of_each_format_has_the_head_it_was_released_with(of_format: int) -> None:
    batches, head = write_chain(of_format)
    assert head.hex() == HEADS[of_format]
    assert find_misfit(COURSE, batches, head, len(batches)) is None


@pytest.mark.parametrize("of_format", HEADS)
def test_a_row_that_says_another_kind_is_named_also_where_formats_knew_none(of_format: int) -> None:
    batches, head = write_chain(of_format)
    row = batches[0].rows[1]
    for kind in (*range(2, 9), -1, 0x4142):
        changed = replace(row.revision, value=MarkValue(kind, 2))
        rows = [batches[0].rows[0], SaltedRevision(changed, row.salt)]
        misfit = find_misfit(COURSE, [replace(batches[0], rows=rows), *batches[1:]], head, len(batches))
        assert misfit is not None
        assert (misfit.batch_number, misfit.mark_id) == (1, row.revision.mark_id)


@given(revisions)
def test_values_of_all_kinds_have_digests_of_their_own(revision: Revision) -> None:
    header = BatchHeader(UUID(int=1), COURSE, 1, UUID(int=2), datetime(2026, 9, 1, tzinfo=UTC))
    digests = {digest_row(header, replace(revision, value=value), bytes(SALT_BYTES)) for value in [None, *ALL_VALUES]}
    assert len(digests) == len(ALL_VALUES) + 1


@given(chains(), st.data())
def test_a_format_that_was_changed_or_is_unknown_is_named(chain: tuple[list[WrittenBatch], bytes], data: st.DataObject) -> None:
    batches, head = chain
    number = data.draw(st.integers(0, len(batches) - 1))
    other = data.draw(st.sampled_from([one for one in range(5) if one != batches[number].header.format]))
    batches[number] = replace(batches[number], header=replace(batches[number].header, format=other))
    misfit = find_misfit(COURSE, batches, head, len(batches))
    assert misfit is not None
    assert misfit.batch_number == number + 1


@given(chains())
def test_an_erased_row_leaves_a_batch_whose_digest_still_follows_from_what_is_kept(
    chain: tuple[list[WrittenBatch], bytes],
) -> None:
    head = EMPTY_HEAD
    for batch in chain[0]:
        head = link(head, digest_batch(batch.header, batch.row_digests))
    assert head == chain[1]


@given(revisions, st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_equal_marks_with_other_salts_have_other_digests(revision: Revision, one: bytes, other: bytes) -> None:
    header = BatchHeader(UUID(int=1), COURSE, 1, UUID(int=2), datetime(2026, 9, 1, tzinfo=UTC))
    digests = [build_batch(header, [revision], salt).row_digests for salt in (one, other)]
    assert (digests[0] == digests[1]) == (one == other)
