"""Accesses that end by themselves are told 30 days before, once to each who shall know (Clauses R6, R13)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import grpc
import pytest
import pytest_asyncio

from chassis.clock import SetClock, SystemClock
from chassis.db import Database
from chassis.run import Frame
from diary.access.v1 import events_pb2, grant_pb2, grant_service_pb2, grant_service_pb2_grpc
from services.access.rights.actions.warnings import warn_school
from services.access.rights.jobs import warn_of_endings
from tests.support.services import refused, sign_service
from tests.worlds.access import SchoolWorld, make_empty_school
from tests.worlds.access_service import Backends
from tests.worlds.applications import set_birth_date


@pytest_asyncio.fixture
async def database(backends: Backends) -> AsyncIterator[Database]:
    """What the job works with; several replicas at once."""
    database = await Database.connect(backends.clone.app_dsns["access"], "access", size=4)
    yield database
    await database.close()


async def _told(admin: Any, school: SchoolWorld) -> list[events_pb2.AccessEndsSoon]:
    rows = await admin.fetch(
        "SELECT payload FROM outbox WHERE school_id = $1 AND subject = $2 ORDER BY event_number",
        school.school_id,
        events_pb2.AccessEndsSoon.DESCRIPTOR.full_name,
    )
    return [events_pb2.AccessEndsSoon.FromString(row["payload"]) for row in rows]


def _names(school: SchoolWorld, told: list[events_pb2.AccessEndsSoon]) -> list[tuple[str, str]]:
    """Whose access ends, and who is told of it."""
    grants = {str(grant_id): key for key, grant_id in school.grants.items()}
    accounts = {str(person.account_id): key for key, person in school.people.items()}
    return sorted((grants[one.grant_id], accounts[one.account_id]) for one in told)


async def _come_of_age_soon(school: SchoolWorld) -> None:
    birthday = datetime.now(UTC).date() + timedelta(days=20)  # noqa: TID251
    await set_birth_date(school, school.people["anna"], birthday.replace(year=birthday.year - 18, day=min(birthday.day, 28)))
    await school.derive("anna", "mother", "father")


async def test_both_are_warned_once_30_days_before_the_coming_of_age(
    channel: grpc.aio.Channel, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Clause R6: the holder and the student; not again, not earlier, and the letter says why."""
    anna, hers = school.people["anna"], school.people["mother"]
    today = datetime.now(UTC).date()  # noqa: TID251
    birthday = today + timedelta(days=20)
    await set_birth_date(school, anna, birthday.replace(year=birthday.year - 18, day=min(birthday.day, 28)))
    await school.derive("mother", "father")
    database = await Database.connect(backends.clone.app_dsns["access"], "access", size=1)
    early = SetClock(datetime.now(UTC) - timedelta(days=30))  # noqa: TID251
    for clock in (early, SystemClock(), SystemClock()):
        await warn_school(database, clock, school.school_id)
    await database.close()
    rows = await admin.fetch(
        "SELECT payload FROM outbox WHERE school_id = $1 AND subject = $2",
        school.school_id,
        events_pb2.AccessEndsSoon.DESCRIPTOR.full_name,
    )
    told = [events_pb2.AccessEndsSoon.FromString(row["payload"]) for row in rows]
    mothers = [one for one in told if one.account_id == str(hers.account_id)]
    assert len(mothers) == 1
    same = [one.account_id for one in told if one.grant_id == mothers[0].grant_id]
    assert sorted(same) == sorted([str(hers.account_id), str(anna.account_id)])
    stub: Any = grant_service_pb2_grpc.GrantServiceStub(channel)
    wanted = grant_service_pb2.GetGrantEndingRequest(school_id=str(school.school_id), grant_id=mothers[0].grant_id)
    answer = await stub.GetGrantEnding(wanted, metadata=sign_service(backends.keys_dir, "notify", SystemClock()))
    assert answer.cause == grant_pb2.GRANT_ENDING_CAUSE_OF_AGE
    assert answer.end_time == mothers[0].end_time
    assert answer.holder_account_id == str(hers.account_id)
    assert answer.student_given_name == "Анна"
    await admin.execute("UPDATE people SET given_name = '', patronymic = '' WHERE person_id = $1", anna.person_id)
    only = await stub.GetGrantEnding(wanted, metadata=sign_service(backends.keys_dir, "notify", SystemClock()))
    assert only.student_given_name == "Ёлкина", "a child of one name is called by it"
    foreign = sign_service(backends.keys_dir, "journal", SystemClock())
    assert await refused(stub.GetGrantEnding(wanted, metadata=foreign)) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "SERVICE_NOT_ALLOWED",
    )


async def test_several_replicas_tell_once_and_the_student_without_an_own_access_too(
    admin: Any, school: SchoolWorld, database: Database
) -> None:
    """Clause R6: to the account that the student has, whatever became of the own access."""
    await admin.execute("UPDATE grants SET end_time = now(), end_ground = 'revoked' WHERE grant_id = $1", school.grants["anna"])
    await _come_of_age_soon(school)
    for _ in range(2):
        await asyncio.gather(*(warn_school(database, SystemClock(), school.school_id) for _ in range(4)))
    assert _names(school, await _told(admin, school)) == [
        ("father", "anna"),
        ("father", "father"),
        ("mother", "anna"),
        ("mother", "mother"),
    ]


async def test_of_leaving_each_is_told_by_the_own_access_and_again_when_the_day_moves(
    admin: Any, school: SchoolWorld, database: Database
) -> None:
    """Clause R13."""
    for days in (10, 10, 15):
        last_day = datetime.now(UTC).date() + timedelta(days=days)  # noqa: TID251
        await admin.execute("DELETE FROM placements WHERE student_id = $1", school.people["anna"].person_id)
        await admin.execute(
            "UPDATE enrolments SET validity = daterange(lower(validity), $2) WHERE student_id = $1",
            school.people["anna"].person_id,
            last_day,
        )
        await school.derive("anna", "mother", "father")
        await warn_school(database, SystemClock(), school.school_id)
    once = [("anna", "anna"), ("father", "father"), ("mother", "mother")]
    assert _names(school, await _told(admin, school)) == sorted(once * 2)


async def test_what_breaks_in_one_school_does_not_silence_those_after_it(
    admin: Any, school: SchoolWorld, database: Database
) -> None:
    await _come_of_age_soon(school)
    broken = await make_empty_school(admin)
    await admin.execute("UPDATE schools SET code = '0', time_zone = 'Nowhere/None' WHERE school_id = $1", broken.school_id)
    frame = Frame(SystemClock(), database, cast("Any", None), cast("Any", None))
    with pytest.raises(ExceptionGroup, match="of schools"):
        await warn_of_endings(frame).work()
    await admin.execute("UPDATE schools SET time_zone = 'Europe/Moscow' WHERE school_id = $1", broken.school_id)
    assert await _told(admin, school)
