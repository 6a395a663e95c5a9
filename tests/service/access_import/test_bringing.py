"""A bundle on the one way of imports: read in quarantine, shown line by line, written when confirmed, by operator or job."""

from __future__ import annotations

import argparse
import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from chassis.clock import SetClock
from chassis.db import Database, owner
from chassis.imports import LEASE, Import, State, acts, store
from chassis.imports.jobs import carry_imports
from chassis.run import Frame
from services.access import commands
from services.access.roster.actions.imports import ONEROSTER
from services.access.roster.convert.bundles import write_wish
from services.access.roster.rules.rosters import Order, Wish
from services.access.roster.store import imported_ids
from tests.service.access_import.conftest import read_files
from tests.support.backends import Clone
from tests.support.eventually import eventually

_CASES = Path(__file__).parents[2] / "cases/roster"
_BEFORE, _MOVED = "02-move-to-another-class-before", "02-move-to-another-class-from-5-December"
_NOVEMBER = datetime(2026, 11, 30, 9, tzinfo=UTC)


async def _bring(clone: Clone, bundle: Path, code: str, *options: str) -> str:
    """The operator's command; with what it was refused, if it was."""
    parser = argparse.ArgumentParser()
    commands.add_parsers(parser.add_subparsers())
    arguments = parser.parse_args(["import-roster", str(bundle), "--school", code, *options])

    def run() -> str:
        try:
            arguments.run(arguments, clone.admin_dsn)
        except SystemExit as refused:
            return str(refused.code)
        return ""

    return await asyncio.to_thread(run)


async def test_a_plan_is_shown_line_by_line_and_changes_nothing(
    clone: Clone, keeper: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = _CASES / "08-any-good.zip"
    assert not await _bring(clone, bundle, "N08", "--plan", "--enrolled-from", "2026-09-01")
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("1. школа: новое, ")
    assert any(line.endswith(": зачисление: новое, с 01.09.2026, без приказа") for line in told), told
    assert await keeper.fetchval("SELECT count(*) FROM schools") == 0
    assert await keeper.fetchval("SELECT count(*) FROM outbox") == 0
    assert not await _bring(clone, bundle, "N08", "--enrolled-from", "2026-09-01")
    assert "ученики: новых 3, изменено 0, без изменений 0" in capsys.readouterr().out
    assert not await _bring(clone, bundle, "N08", "--plan", "--enrolled-from", "2026-09-01")
    assert capsys.readouterr().out == "изменений нет\n"


async def test_the_plan_of_a_known_school_shows_what_was_and_what_comes(
    clone: Clone, keeper: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = _CASES / "02-move-to-another-class-before.zip"
    assert not await _bring(clone, bundle, "N02", "--enrolled-from", "2026-09-01")
    capsys.readouterr()
    moved = _CASES / "02-move-to-another-class-from-5-December.zip"
    assert not await _bring(clone, moved, "N02", "--plan", "--enrolled-from", "2026-09-01")
    told = capsys.readouterr().out
    assert "Ромашкин Глеб Олегович: класс 8-А: с 01.09.2026 по 31.05.2027 → с 01.09.2026 по 04.12.2026" in told
    assert "Ромашкин Глеб Олегович: класс 8-Б: новое, с 05.12.2026 по 31.05.2027" in told
    assert await keeper.fetchval("SELECT count(*) FROM placements WHERE upper(validity) = '2026-12-05'") == 0


async def test_a_bomb_is_refused_by_the_command_and_nothing_is_left_but_why(clone: Clone, keeper: Any, tmp_path: Path) -> None:
    """Security L6: the reader is a process of its own."""
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, text in read_files(_CASES / "08-any-good.zip").items():
            archive.writestr(name, text + "\U0001f600" + "x,y\n" * 2**21 if name == "enrollments.csv" else text)
    refused = await _bring(clone, bomb, "N08")
    assert refused.startswith("список не загружен, ничего не изменено:\nenrollments.csv, строка ")
    assert await keeper.fetchval("SELECT count(*) FROM schools") == 0
    assert await keeper.fetchval("SELECT array_agg(state) FROM imports") == [State.REFUSED]


async def test_a_file_that_is_too_large_is_not_even_taken(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "huge.zip").write_bytes(b"\0" * (ONEROSTER.most_bytes + 1))
    assert "huge.zip: больше 16 МиБ" in await _bring(clone, tmp_path / "huge.zip", "N08")


class _Service:
    """access, as far as it carries imports: by the rights of the service."""

    def __init__(self, database: Database, school_id: UUID) -> None:
        self.clock = SetClock(_NOVEMBER)
        self.database = database
        self.enter = partial(database.school, school_id)
        self.school_id = school_id

    async def upload(self, case: str, code: str, *, is_held: bool = False) -> Import:
        return await self._create((_CASES / f"{case}.zip").read_bytes(), Wish(code), is_held)

    async def upload_files(self, files: dict[str, str], wish: Wish) -> Import:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as bundle:
            for name, text in files.items():
                bundle.writestr(name, text)
        return await self._create(archive.getvalue(), wish, False)

    async def _create(self, body: bytes, wish: Wish, is_held: bool) -> Import:
        async with self.enter() as connection, connection.transaction():
            return await acts.create(
                connection, self.clock, ONEROSTER, self.school_id, "list.zip", body, write_wish(wish), is_held=is_held
            )

    async def carry(self, made: Import) -> Import:
        frame = Frame(self.clock, self.database, cast(Any, None), cast(Any, None))
        await carry_imports(frame, [ONEROSTER]).work()
        async with self.enter() as connection:
            return await store.get_import(connection, self.school_id, made.import_id)

    async def write(self, case: str, code: str = "N02") -> None:
        """All of it."""
        planned = await self.carry(await self.upload(case, code))
        await self.confirm(planned)
        assert (await self.carry(planned)).state is State.DONE, await self.problems(planned)

    async def confirm(self, planned: Import, *without: str) -> list[str]:
        async with self.enter() as connection, connection.transaction():
            lines = await store.list_changes(connection, self.school_id, planned.import_id, 0, 500)
            chosen = [(number, change) for number, _, change in lines if not any(word in str(change) for word in without)]
            await acts.confirm(connection, self.clock, planned, [number for number, _ in chosen])
        return [str(change) for _, change in chosen]

    async def problems(self, made: Import) -> str:
        async with self.enter() as connection:
            return "\n".join(map(str, await store.list_problems(connection, self.school_id, made.import_id)))


@pytest_asyncio.fixture
async def database(clone: Clone) -> AsyncIterator[Database]:
    """As the service logs in."""
    database = await Database.connect(clone.app_dsns["access"], "access", size=4)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def service(clone: Clone, keeper: Any, database: Database) -> _Service:
    """Of a school that the operator has made, without lists but its code."""
    school_id = uuid4()
    await keeper.execute(
        "INSERT INTO schools (school_id, code, name, full_name, time_zone) VALUES ($1, 'n02', 'Ш', 'Ш', 'Europe/Moscow')",
        school_id,
    )
    return _Service(database, school_id)


async def test_the_service_writes_a_list_by_its_own_rights_and_tells_of_it(service: _Service, keeper: Any) -> None:
    planned = await service.carry(await service.upload("02-move-to-another-class-before", "N02"))
    assert planned.state is State.PLANNED
    assert await keeper.fetchval("SELECT count(*) FROM people") == 0
    await service.confirm(planned)
    done = await service.carry(planned)
    assert (done.state, done.summary[3]) == (State.DONE, "ученики: новых 3, изменено 0, без изменений 0")
    assert await keeper.fetchval("SELECT count(*) FROM outbox WHERE subject = 'diary.access.v1.RosterChanged'") > 0
    assert await keeper.fetchval("SELECT current_year_id IS NOT NULL FROM schools")


async def test_chosen_lines_come_in_without_the_others(service: _Service, keeper: Any) -> None:
    planned = await service.carry(await service.upload("02-move-to-another-class-before", "N02"))
    chosen = await service.confirm(planned, "Ромашкин")
    done = await service.carry(planned)
    assert done.state is State.DONE, await service.problems(planned)
    assert chosen
    assert await keeper.fetchval("SELECT count(*) FROM students") == 2
    again = await service.carry(await service.upload("02-move-to-another-class-before", "N02"))
    async with service.enter() as connection:
        left = await store.list_changes(connection, service.school_id, again.import_id, 0, 500)
    assert left
    assert all("Ромашкин" in str(change) for _, _, change in left)


async def test_a_line_without_that_on_which_it_stands_is_refused_whole(service: _Service, keeper: Any) -> None:
    planned = await service.carry(await service.upload("02-move-to-another-class-before", "N02"))
    await service.confirm(planned, "дата рождения")
    assert (await service.carry(planned)).state is State.REFUSED
    assert "а от него зависят выбранные строки" in await service.problems(planned)
    assert await keeper.fetchval("SELECT count(*) FROM classes") == 0


async def test_a_plan_of_yesterday_is_written_as_it_was_shown(service: _Service, keeper: Any) -> None:
    """Clause R10: enrolled from the day that was shown."""
    planned = await service.carry(await service.upload(_BEFORE, "N02"))
    service.clock.advance(timedelta(days=1))
    await service.confirm(planned)
    assert (await service.carry(planned)).state is State.DONE, await service.problems(planned)
    assert await keeper.fetchval("SELECT array_agg(DISTINCT lower(validity)) FROM enrolments") == [date(2026, 11, 30)]


_RENAMED = "Ромашков Глеб Олегович, "


@pytest.mark.parametrize(
    ("file", "before", "after", "left_out"),
    [("classes.csv", "8-А,8,", "8-А,9,", "параллель 9"), ("courses.csv", "Алгебра", "Геометрия", "Геометрия")],
    ids=["class", "group"],
)
async def test_a_changed_class_or_group_is_left_out_without_what_stands_on_it(
    service: _Service, keeper: Any, file: str, before: str, after: str, left_out: str
) -> None:
    await service.write(_BEFORE)
    files = read_files(_CASES / f"{_BEFORE}.zip")
    files["users.csv"] = files["users.csv"].replace("Ромашкин", "Ромашков")
    files[file] = files[file].replace(before, after)
    planned = await service.carry(await service.upload_files(files, Wish("N02")))
    chosen = await service.confirm(planned, left_out)
    assert [_RENAMED in line for line in chosen] == [True]
    assert (await service.carry(planned)).state is State.DONE, await service.problems(planned)
    assert await keeper.fetchval("SELECT count(*) FROM people WHERE family_name = 'Ромашков'") == 1
    assert await keeper.fetchval("SELECT count(*) FROM classes WHERE grades <> '{8}'") == 0
    assert await keeper.fetchval("SELECT count(*) FROM study_groups WHERE subject_name <> 'Алгебра'") == 0


async def test_a_class_that_is_new_is_not_left_out_without_its_students(service: _Service) -> None:
    planned = await service.carry(await service.upload(_BEFORE, "N02"))
    await service.confirm(planned, "параллель 8")
    assert (await service.carry(planned)).state is State.REFUSED
    assert "а от него зависят выбранные строки" in await service.problems(planned)


async def test_next_years_class_of_a_known_id_is_not_left_out_without_its_students(service: _Service, keeper: Any) -> None:
    """Clause R13: that of this year is another class."""
    await keeper.execute("UPDATE schools SET code = 'n11'")
    await service.write("11-this-year", "N11")
    planned = await service.carry(await service.upload("11-next-year-with-the-same-class-ids", "N11"))
    await service.confirm(planned, "параллель 9")
    assert (await service.carry(planned)).state is State.REFUSED
    assert "«H8A» не выбрано, а от него зависят выбранные строки" in await service.problems(planned)


async def test_who_moves_and_whose_order_was_left_out_moves_and_is_told_of(service: _Service, keeper: Any) -> None:
    """Clauses R10, R13."""
    await service.write(_BEFORE)
    versions = (
        "SELECT sum(students.version)::int FROM students JOIN people ON student_id = person_id WHERE family_name = 'Ромашкин'"
    )
    before = await keeper.fetchval(versions)
    files = read_files(_CASES / f"{_MOVED}.zip")
    wish = Wish("N02", order=Order("12-у", date(2026, 8, 31)))
    planned = await service.carry(await service.upload_files(files, wish))
    chosen = await service.confirm(planned, "приказ № 12-у")
    assert any("класс 8-Б" in line for line in chosen), chosen
    assert (await service.carry(planned)).state is State.DONE, await service.problems(planned)
    assert await keeper.fetchval("SELECT count(*) FROM enrolments WHERE order_number IS NOT NULL") == 0
    assert await keeper.fetchval(versions) == before + 1


async def test_a_contradiction_of_chosen_lines_is_told_of_whose_own_line_was_left_out(service: _Service) -> None:
    await service.write(_BEFORE)
    files = read_files(_CASES / f"{_MOVED}.zip")
    files["users.csv"] = files["users.csv"].replace("Ромашкин", "Ромашков")
    planned = await service.carry(await service.upload_files(files, Wish("N02")))
    await service.confirm(planned, _RENAMED, "класс 8-А")
    assert (await service.carry(planned)).state is State.REFUSED
    assert "enrollments.csv: ученик: в дневнике на эти же дни — класс «8-А»" in await service.problems(planned)


async def test_what_another_writes_meanwhile_is_not_shown_as_the_lists_own(service: _Service, keeper: Any, admin: Any) -> None:
    made = await service.upload(_BEFORE, "N02")
    async with keeper.transaction():
        await imported_ids.lock_school(keeper, "n02")
        await _insert_person(keeper, service.school_id)
        carried = asyncio.create_task(service.carry(made))
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        await eventually(lambda: admin.fetchval(waits), 60, "the trial waits for the school")
    planned = await carried
    assert planned.state is State.PLANNED, await service.problems(planned)
    assert not any("Меньшиков" in line for line in await service.confirm(planned))


async def test_who_comes_to_a_school_is_registered_while_its_list_is_tried(service: _Service, keeper: Any) -> None:
    """What refers to the school does not wait for the trial."""
    async with keeper.transaction():
        await imported_ids.lock_school(keeper, "n02")
        async with service.enter() as connection, connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = '3s'")
            await _insert_person(connection, service.school_id)


async def _insert_person(connection: Any, school_id: UUID) -> None:
    await connection.execute(
        "INSERT INTO people (school_id, family_name, given_name, sort_key) VALUES ($1, 'Меньшиков', 'Лев', 'меньшиков')",
        school_id,
    )


async def test_what_a_killed_command_left_confirmed_the_service_brings_to_its_end(service: _Service, keeper: Any) -> None:
    made = await service.upload("02-move-to-another-class-before", "N02", is_held=True)
    assert (await service.carry(made)).state is State.UPLOADED
    service.clock.advance(LEASE)
    await service.confirm(await service.carry(made))
    assert (await service.carry(made)).state is State.DONE


async def test_a_new_school_is_the_operators_to_make(service: _Service, keeper: Any) -> None:
    await keeper.execute("DELETE FROM schools")
    made = await service.carry(await service.upload("02-move-to-another-class-before", "N02"))
    assert made.state is State.REFUSED
    assert await service.problems(made) == "выгрузка: школы с кодом N02 ещё нет; повторите import-roster"


async def test_a_command_whose_plan_gave_way_to_another_says_so(
    clone: Clone, keeper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = _CASES / "08-any-good.zip"
    confirm = acts.confirm

    async def bring_again_and_confirm(connection: Any, clock: Any, planned: Import, *said: Any, **held: Any) -> Any:
        async with owner(clone.admin_dsn, "access") as other, other.transaction():
            await acts.create(other, clock, ONEROSTER, planned.school_id, "again.zip", bundle.read_bytes(), planned.wish)
        return await confirm(connection, clock, planned, *said, **held)

    monkeypatch.setattr(acts, "confirm", bring_again_and_confirm)
    assert "08-any-good.zip: тот же файл загружен ещё раз" in await _bring(clone, bundle, "N08")
    assert await keeper.fetchval("SELECT count(*) FROM schools") == 0


async def test_two_commands_of_one_bundle_write_it_once(clone: Clone, keeper: Any) -> None:
    bundle = _CASES / "08-any-good.zip"
    assert not await _bring(clone, bundle, "N08", "--enrolled-from", "2026-09-01")
    order = ("--enrolment-order-number", "12-у", "--enrolment-order-date", "2026-08-31")
    refusals = await asyncio.gather(*(_bring(clone, bundle, "N08", *order) for _ in range(2)))
    assert "" in refusals
    told = ("эту выгрузку уже загружает другой", "тот же файл загружен ещё раз")
    assert all(any(what in refused for what in told) for refused in refusals if refused)
    assert await keeper.fetchval("SELECT count(*) FROM enrolments WHERE order_number = '12-у'") == 3
    async with owner(clone.admin_dsn, "access") as connection:
        assert await connection.fetchval("SELECT array_agg(DISTINCT state) FROM imports") == [State.DONE]
