"""Letters of the release before: moved by the migration, and written and read beside ours while an upgrade rolls (0156)."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

import chassis.migrate
from chassis.db import Database
from chassis.migrate import migrate
from diary.journal.v1 import events_pb2
from diary.notify.v1 import delivery_pb2, delivery_service_pb2, delivery_service_pb2_grpc
from services.notify.letters.rules import State
from tests.support.backends import Clone, PostgresServer
from tests.support.services import sign_in
from tests.worlds.mailbox import text
from tests.worlds.notify import Family, Refused, World

SENT, CANCELLED, WAITING = (int(s) for s in (State.SENT, State.CANCELLED, State.WAITING))
CREDENTIALS, MARKS, DECISION, WARNING = range(1, 5)
_LAST_OF_BEFORE = "0093"

# As a release with 0093 writes them; the release before leaves `fact_key` null.
_INSERT = """
INSERT INTO deliveries (school_id, kind, account_id, student_id, applicant_id, grant_id, document_id, mark_ids, fact_key,
                        event_id, state, attempt_count, send_time, fact_time, next_attempt_time, create_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, '{}'::uuid[]), $9, coalesce($10, gen_random_uuid()), $11::smallint,
        $12, CASE WHEN $11::smallint = 2 THEN now() END, now(), now(), now())
ON CONFLICT ON CONSTRAINT deliveries_once_an_event DO NOTHING
"""
_COLUMNS = ("account_id", "student_id", "applicant_id", "grant_id", "document_id", "mark_ids", "fact_key", "event_id")


async def _insert(world: World, of: Family | Refused, kind: int, state: int = WAITING, attempts: int = 0, **ids: Any) -> str:
    async with world.admin.acquire() as connection:
        values = [ids.get(column) for column in _COLUMNS]
        return str(await connection.execute(_INSERT, of.school_id, kind, *values, state, attempts))


async def _insert_marks(world: World, family: Family, recorded: events_pb2.MarksRecorded, state: int = WAITING) -> None:
    told = ",".join(f"{mark.mark_id} {mark.revision}" for mark in sorted(recorded.marks, key=lambda mark: mark.mark_id))
    [row] = await world.rows("SELECT md5($1)::uuid AS fact_key", told)
    ids: dict[str, Any] = {"mark_ids": [UUID(mark.mark_id) for mark in recorded.marks], "fact_key": row["fact_key"]}
    await _insert(world, family, MARKS, state, account_id=family.account_id, student_id=family.student_id, **ids)


@pytest.fixture(autouse=True)
def _empty(world: World) -> None:
    world.mailbox.reset()


@pytest_asyncio.fixture
async def before(
    world: World, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """The world with a database as the release before has left it."""
    home = tmp_path / "notify" / "migrations"
    home.mkdir(parents=True)
    for path in (Path(__file__).parents[3] / "services/notify/migrations").glob("*.py*"):
        if path.stem[:4] <= _LAST_OF_BEFORE or not path.stem[:1].isdigit():
            shutil.copy(path, home)
    admin_dsn, like = (await postgres.clone()).admin_dsn, world.clone.app_dsns["notify"]
    app_dsn = urlunsplit(urlsplit(like)._replace(path=urlsplit(admin_dsn).path))
    with monkeypatch.context() as patch:
        patch.setattr(chassis.migrate, "_SERVICES", tmp_path)
        await migrate(admin_dsn, app_dsn, "notify")
    pool = await asyncpg.create_pool(admin_dsn, min_size=1, max_size=5, server_settings={"search_path": "notify"})
    database = await Database.connect(app_dsn, "notify", size=1)
    yield replace(world, clone=Clone(admin_dsn, {"notify": app_dsn}), admin=pool, database=database)
    await database.close()
    await pool.close()


async def _upgrade(world: World) -> None:
    await migrate(world.clone.admin_dsn, world.clone.app_dsns["notify"], "notify")


async def test_letters_that_wait_at_an_upgrade_leave_once_and_those_that_left_are_listed(before: World) -> None:
    family, refused, mother = await before.family(), Refused(), "mother@mail.example"
    other, third = await before.family("other@mail.example"), await before.family("third@mail.example")
    waiting = before.recorded(family, [before.mark(family), before.mark(family)])
    left = before.recorded(other, [before.mark(other)])
    await _insert_marks(before, family, waiting)
    await _insert_marks(before, other, left, SENT)
    grant_id = uuid4()
    before.wanted[str(grant_id)] = mother
    await _insert(before, family, CREDENTIALS, account_id=family.account_id, grant_id=grant_id)
    warning: dict[str, Any] = {"account_id": family.account_id, "student_id": family.student_id, "grant_id": uuid4()}
    await _insert(before, family, WARNING, CANCELLED, 1, **warning)
    await _insert(before, refused, DECISION, applicant_id=refused.applicant_id, document_id=refused.document_id)

    event_id = uuid4()
    keyless: dict[str, Any] = {"account_id": third.account_id, "student_id": third.student_id, "mark_ids": [uuid4()]}
    await _insert(before, third, MARKS, SENT, event_id=event_id, **keyless)

    await _upgrade(before)
    [row] = await before.rows("SELECT has_files FROM deliveries WHERE school_id = $1", refused.school_id)
    assert row["has_files"]
    [row] = await before.rows("SELECT fact_key FROM news WHERE school_id = $1", third.school_id)
    assert row["fact_key"] == event_id
    signed = await before.sign_decision(refused)
    async with before.serving() as channel:
        await before.until_handled(signed)
        await before.until(refused, (SENT, 1))
        # Told again by other events: the facts are news already.
        for recorded, to in ((waiting, family), (left, other)):
            await before.until_handled(await before.tell(recorded, to.school_id))
        await before.until(family, (SENT, 1), (SENT, 1), (CANCELLED, 1))
        stub = delivery_service_pb2_grpc.DeliveryServiceStub(channel)
        request = delivery_service_pb2.ListDeliveriesRequest(school_id=str(family.school_id))
        metadata = sign_in(before.keys_dir, family.account_id, uuid4(), "guardian")
        listed = (await stub.ListDeliveries(request, metadata=metadata)).deliveries
    assert [one.kind for one in listed] == [WARNING, CREDENTIALS, MARKS]
    assert await before.states(other) == [(SENT, 0)]
    assert sorted(letter["Subject"] for letter in before.mailbox.letters) == [
        "Доступ к электронному дневнику открыт, заявление № 15-ЭД/2026",
        "Мария: новые отметки",
        "Решение по заявлению № 15-ЭД/2026",
    ]


async def test_a_migration_that_broke_moves_the_rest_when_it_is_run_again(before: World) -> None:
    families = [await before.family() for _ in range(3)]
    for family in families:
        await _insert_marks(before, family, before.recorded(family, [before.mark(family)]))
    await _upgrade(before)
    await before.rows("DELETE FROM delivery_news WHERE school_id = $1", families[1].school_id)
    await before.rows("DELETE FROM news WHERE school_id = $1", families[1].school_id)
    await before.rows("UPDATE alembic_version SET version_num = '0100'")
    await _upgrade(before)
    rows = await before.rows(
        "SELECT d.school_id, n.kind, n.object_ids = d.mark_ids AS is_same FROM deliveries d "
        "JOIN delivery_news USING (school_id, delivery_id) JOIN news n USING (school_id, news_id)"
    )
    assert {row["school_id"] for row in rows} == {family.school_id for family in families}
    assert [(row["kind"], row["is_same"]) for row in rows] == [(MARKS, True)] * 3


async def test_a_letter_that_the_release_before_writes_beside_us_leaves_once(world: World) -> None:
    family, refused = await world.family(), Refused()
    recorded = world.recorded(family, [world.mark(family), world.mark(family)])
    await _insert_marks(world, family, recorded)
    decision: dict[str, Any] = {"applicant_id": refused.applicant_id, "document_id": refused.document_id}
    async with world.serving():
        await world.until(family, (SENT, 1))
        await world.until_handled(await world.tell(recorded, family.school_id))
        await world.sign_decision(refused)
        await world.until(refused, (SENT, 1))
        assert await _insert(world, refused, DECISION, **decision) == "INSERT 0 0"
    assert await world.states(family) == [(SENT, 1)]
    assert [text(letter).count("Алгебра: 5") for letter in world.mailbox.letters] == [2, 0]


async def test_decisions_of_the_release_before_go_one_at_a_time_too(world: World) -> None:
    refused = Refused()
    await _insert(world, refused, DECISION, applicant_id=refused.applicant_id, document_id=refused.document_id)
    [row] = await world.rows("SELECT has_files, channel FROM deliveries WHERE school_id = $1", refused.school_id)
    assert tuple(row) == (True, 1)


async def test_our_letters_have_what_the_release_before_reads_and_sends_them_by(world: World) -> None:
    async with world.serving():
        family, refused = await world.family(), Refused()
        await world.record_marks(family, count=2)
        await world.until(family, (SENT, 1))
        grant_id = await world.credentials_ready(family)
        await world.until(family, (SENT, 1), (SENT, 1))
        warned, _ = await world.warn(family)
        await world.until(family, (SENT, 1), (SENT, 1), (SENT, 1))
        await world.sign_decision(refused)
        await world.until(refused, (SENT, 1))
    marks, credentials, warning, decision = await world.rows(
        "SELECT kind, grant_id, document_id, applicant_id, cardinality(mark_ids) AS marks, fact_time IS NOT NULL AS has_time "
        "FROM deliveries WHERE school_id = ANY ($1::uuid[]) ORDER BY delivery_id",
        [family.school_id, refused.school_id],
    )
    assert tuple(marks) == (MARKS, None, None, None, 2, True)
    assert tuple(credentials) == (CREDENTIALS, UUID(grant_id), None, None, 0, True)
    assert tuple(warning) == (WARNING, UUID(warned.grant_id), None, None, 0, True)
    assert tuple(decision) == (DECISION, None, refused.document_id, refused.applicant_id, 0, True)


def test_the_numbers_of_kinds_are_those_of_the_proto() -> None:
    assert (CREDENTIALS, MARKS, DECISION, WARNING) == (
        delivery_pb2.NOTICE_KIND_CREDENTIALS,
        delivery_pb2.NOTICE_KIND_MARKS,
        delivery_pb2.NOTICE_KIND_DECISION,
        delivery_pb2.NOTICE_KIND_ACCESS_ENDS,
    )
