"""An import of whatever kind, shown on an invented one: planned, confirmed, written whole and once, whoever is killed."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from chassis.clock import SetClock
from chassis.db import Database
from chassis.imports import (
    KEPT,
    LEASE,
    MOST_ATTEMPTS,
    PLAN_TERM,
    Change,
    Import,
    ImportRefusedError,
    LostError,
    State,
    acts,
    store,
)
from chassis.imports.kinds import Work
from chassis.quarantine import Quarantine
from tests.support.backends import PostgresServer
from tests.support.imports import ARTICLES, SHOP, Shop, write
from tests.support.plans import explain

_START = datetime(2026, 11, 30, 9, tzinfo=UTC)
_MOMENT = timedelta(seconds=1)


@pytest_asyncio.fixture(scope="module")
async def database(postgres: PostgresServer) -> AsyncIterator[Database]:
    """Imports, and articles beside them."""
    clone = await postgres.clone(["access"])
    admin = await asyncpg.connect(clone.admin_dsn, server_settings={"search_path": "access"})
    await admin.execute(ARTICLES)
    await admin.close()
    database = await Database.connect(clone.app_dsns["access"], "access", size=4)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    """A school of its own; nothing waits after its test."""
    shop = Shop(database, SetClock(_START), uuid4())
    yield shop
    shop.kind = SHOP
    shop.clock.advance(3 * PLAN_TERM)
    while await shop.carry():
        pass


async def test_a_plan_shows_every_line_and_writes_nothing_until_its_word(shop: Shop) -> None:
    made = await shop.upload("чай=20\nсок=35")
    await shop.carry()
    assert (await shop.look(made)).state is State.PLANNED
    assert await shop.changes(made) == ["товар сок: новое, 35 руб.", "товар чай: новое, 20 руб."]
    assert await shop.prices() == {}
    await shop.confirm(made)
    await shop.carry()
    done = await shop.look(made)
    assert (done.state, list(done.summary)) == (State.DONE, ["товаров: 2"])
    assert await shop.prices() == {"чай": 20, "сок": 35}


async def test_chosen_lines_are_written_and_no_others(shop: Shop) -> None:
    made = await shop.upload("чай=20\nсок=35\nвода=10")
    await shop.carry()
    await shop.confirm(made, [1, 3])
    await shop.carry()
    assert await shop.prices() == {"вода": 10, "чай": 20}


async def test_the_same_file_is_the_same_import_while_it_is_on_its_way(shop: Shop) -> None:
    made = await shop.upload("чай=20")
    assert (await shop.upload("чай=20")).import_id == made.import_id
    assert (await shop.upload("чай=20", wish="1")).import_id != made.import_id


async def test_the_same_file_makes_a_new_plan_in_place_of_one_that_waits(shop: Shop) -> None:
    """What a plan shows may be seven days old."""
    planned = await shop.upload("чай=20")
    await shop.carry()
    async with shop.enter() as connection:
        await connection.execute("INSERT INTO articles VALUES ($1, 'чай', 18)", shop.school_id)
    again = await shop.upload("чай=20")
    assert again.import_id != planned.import_id
    assert (await shop.look(planned)).state is State.REFUSED
    assert await shop.problems(planned) == ["shop.txt: тот же файл загружен ещё раз; смотрите изменения новой загрузки"]
    await shop.carry()
    assert await shop.changes(again) == ["товар чай: 18 руб. → 20 руб."]


async def test_a_plan_that_is_confirmed_while_its_file_comes_again_is_that_import(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = await shop.upload("чай=20")
    await shop.carry()
    find = store.find_same

    async def find_and_lose(*arguments: Any) -> Import | None:
        found = await find(*arguments)
        if found is not None and found.state is State.PLANNED:
            await shop.confirm(planned)
        return found

    monkeypatch.setattr(store, "find_same", find_and_lose)
    assert (await shop.upload("чай=20")).import_id == planned.import_id
    assert (await shop.look(planned)).state is State.CONFIRMED


async def test_a_file_whose_import_ends_as_it_comes_again_is_a_new_import(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await shop.upload("refused")
    find = store.find_same

    async def end_and_find(*arguments: Any) -> Import | None:
        await shop.carry()
        return await find(*arguments)

    monkeypatch.setattr(store, "find_same", end_and_find)
    assert (await shop.upload("refused")).import_id != made.import_id
    assert (await shop.look(made)).state is State.REFUSED


async def test_the_same_file_once_more_changes_nothing(shop: Shop) -> None:
    for expected in (["товар чай: новое, 20 руб."], []):
        made = await shop.upload("чай=20")
        await shop.carry()
        assert await shop.changes(made) == expected
        await shop.confirm(made)
        await shop.carry()
        assert (await shop.look(made)).state is State.DONE


async def test_what_a_reader_refuses_is_told_by_place_and_mend(shop: Shop) -> None:
    made = await shop.upload("refused")
    await shop.carry()
    assert (await shop.look(made)).state is State.REFUSED
    assert await shop.problems(made) == ["shop.txt, лист «Буфет», строка 2, столбец цена: не число; запишите цену числом"]


async def test_a_file_that_takes_more_than_it_may_is_refused_and_the_next_is_read(shop: Shop) -> None:
    made = await shop.upload("huge")
    await shop.carry()
    assert [text.partition(";")[0] for text in await shop.problems(made)] == [
        "shop.txt: файл не читается в отведённых памяти и времени"
    ]
    fine = await shop.upload("чай=20")
    await shop.carry()
    assert (await shop.look(fine)).state is State.PLANNED


async def test_a_body_past_the_kinds_size_is_never_kept(shop: Shop) -> None:
    with pytest.raises(ImportRefusedError, match="больше 1 МиБ"):
        await shop.upload("x" * (SHOP.most_bytes + 1))


async def test_what_is_written_is_what_was_shown(shop: Shop) -> None:
    """Between the plan and its word another has changed the shop."""
    made = await shop.upload("чай=20\nсок=35")
    await shop.carry()
    async with shop.enter() as connection:
        await connection.execute("INSERT INTO articles VALUES ($1, 'чай', 18)", shop.school_id)
    await shop.confirm(made)
    await shop.carry()
    assert (await shop.look(made)).state is State.REFUSED
    assert "сведения изменились" in (await shop.problems(made))[0]
    assert await shop.prices() == {"чай": 18}


class _KilledError(Exception):
    pass


async def _write_and_die(work: Work[int], prices: dict[str, int], left_out: Collection[str]) -> Sequence[str]:
    await write(work, prices, left_out)
    raise _KilledError


async def test_who_is_killed_while_writing_leaves_nothing_and_another_does_it_once(shop: Shop) -> None:
    made = await shop.upload("чай=20")
    await shop.carry()
    await shop.confirm(made)
    shop.kind = replace(SHOP, write=_write_and_die)
    with pytest.raises(_KilledError):
        await shop.carry()
    assert await shop.prices() == {}
    shop.kind = SHOP
    assert not await shop.carry(), "held by who was killed"
    shop.clock.advance(LEASE + _MOMENT)
    assert await shop.carry()
    assert (await shop.look(made)).state is State.DONE
    assert await shop.prices() == {"чай": 20}
    assert not await shop.carry()


async def test_who_lost_an_import_writes_nothing_more_of_it(shop: Shop) -> None:
    made = await shop.upload("чай=20")
    async with shop.database.jobs() as connection:
        slow = await store.claim_import(connection, [SHOP.name], shop.clock.now())
    assert slow is not None
    shop.clock.advance(LEASE + _MOMENT)
    await shop.carry()
    await shop.confirm(made)
    await acts.carry_on(shop.enter, shop.clock, Quarantine(SHOP.bounds), SHOP, slow)
    assert (await shop.look(made)).state is State.CONFIRMED
    assert len(await shop.changes(made)) == 1
    await shop.carry()
    with pytest.raises(LostError):
        await shop.confirm(made)


async def test_what_breaks_each_time_is_refused_in_the_end(shop: Shop) -> None:
    made = await shop.upload("чай=20")
    shop.kind = replace(SHOP, write=_write_and_die)
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(_KilledError):
            await shop.carry()
        shop.clock.advance(LEASE + _MOMENT)
    await shop.carry()
    assert await shop.problems(made) == ["shop.txt: загрузка несколько раз прервалась; загрузите файл ещё раз"]


async def test_steps_are_seen_while_they_are_done_and_hold_the_import(shop: Shop) -> None:
    made = await shop.upload("чай=20\nсок=35")
    seen: list[tuple[int, int]] = []

    async def look_on(work: Work[int], prices: dict[str, int], left_out: Collection[str]) -> Sequence[str]:
        async def note(done: int, total: int) -> None:
            shop.clock.advance(LEASE - _MOMENT)
            await work.progress(done, total)
            kept = await shop.look(made)
            seen.append((kept.steps_done, kept.steps_total))
            assert not await shop.carry(), "held by who tells steps"

        return await write(replace(work, progress=note), prices, left_out)

    shop.kind = replace(SHOP, write=look_on)
    await shop.carry()
    assert seen == [(1, 2), (2, 2)]


async def test_a_plan_that_nobody_confirms_ends(shop: Shop) -> None:
    made = await shop.upload("чай=20")
    await shop.carry()
    shop.clock.advance(PLAN_TERM + _MOMENT)
    await shop.carry()
    assert await shop.problems(made) == ["shop.txt: изменения не подтверждены за 7 дней; загрузите файл ещё раз"]


async def test_a_file_goes_when_its_import_is_over_and_all_of_it_after_its_term(shop: Shop) -> None:
    ended, waiting = await shop.upload("refused"), await shop.upload("чай=20")
    await shop.carry()
    await shop.forget()
    assert await _count(shop, "import_bodies", ended.import_id) == 0
    assert await _count(shop, "import_bodies", waiting.import_id) == 1
    assert await _count(shop, "import_problems", ended.import_id) == 1
    shop.clock.advance(KEPT + _MOMENT)
    await shop.forget()
    for table in ("imports", "import_problems"):
        assert await _count(shop, table, ended.import_id) == 0
    assert await _count(shop, "imports", waiting.import_id) == 1


async def test_a_page_of_lines_touches_its_page_among_thousands(shop: Shop) -> None:
    made = await shop.upload("чай=20")
    async with shop.enter() as connection:
        lines = [Change(f"s{number}", "товар", "", "1 руб.") for number in range(5000)]
        await store.insert_changes(connection, made.claim, lines)

        async def ask(asked: Any) -> object:
            return await store.list_changes(asked, shop.school_id, made.import_id, 4000, 51)

        touched = await explain(connection, ask)
        await store.move(connection, made.claim, State.REFUSED, shop.clock.now())
    assert touched.rows <= 51, touched
    assert touched.buffers <= 51, touched


async def _count(shop: Shop, table: str, import_id: Any) -> int:
    async with shop.enter() as connection:
        count: int = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE import_id = $1", import_id)
    return count
