"""The two working days of an application, as its RPCs count them on a set clock (Clause R15)."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import grpc
import pytest
import pytest_asyncio

from chassis import metrics, run
from chassis.clock import SetClock
from chassis.db import Database
from diary.access.v1 import application_pb2, application_service_pb2_grpc
from services.access.oversight import jobs
from tests.support.services import refused, sign_in
from tests.worlds.access import ZONE, Person, SchoolWorld
from tests.worlds.access_service import Backends, Serve
from tests.worlds.applications import add_vera, filing, granting, mother, reading

_CRIMEA = """date,kind,basis,source
2025-03-18,off,День воссоединения,
2026-03-18,off,День воссоединения,
2026-03-20,off,Ораза-байрам,
2026-04-13,off,Пасха,
"""
# Within every session, grant and appointment of the tests' school.
_CLOCK = SetClock(datetime(2026, 3, 17, 7, tzinfo=UTC))


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))


@pytest_asyncio.fixture(scope="module")
async def clocked(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[grpc.aio.Channel]:
    """access with the region's days and a clock that stands."""
    days = tmp_path_factory.mktemp("calendar") / "crimea.csv"
    days.write_text(_CRIMEA)
    async with serve(_CLOCK, region_calendar=days) as channel:
        yield channel


@pytest.fixture
def stub(clocked: grpc.aio.Channel) -> Any:
    return application_service_pb2_grpc.ApplicationServiceStub(clocked)


@pytest_asyncio.fixture
async def vera(school: SchoolWorld) -> Person:
    return await add_vera(school)


@pytest.fixture
def admin_of(backends: Backends, school: SchoolWorld) -> Any:
    """Metadata of the school's admin by a token that holds at any set time."""

    def sign() -> Any:
        person = school.people["admin"]
        return sign_in(backends.keys_dir, person.account_id, person.session_id, "admin", clock=_CLOCK)

    return sign


def _set(moment: datetime) -> None:
    _CLOCK.advance(moment - _CLOCK.now())


async def _due(stub: Any, school: SchoolWorld, vera: Person, metadata: Any, received: datetime) -> datetime:
    case = (await stub.RegisterApplication(filing(school, vera, received=received), metadata=metadata)).application
    due: datetime = case.applicants[0].due_time.ToDatetime(UTC)
    return due.astimezone(ZoneInfo(ZONE))


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-03-17T10:00", "2026-03-24T00:00"),
        ("2026-03-17T23:59", "2026-03-24T00:00"),
        ("2026-03-18T00:00", "2026-03-25T00:00"),
        ("2025-03-17T08:00", "2025-03-21T00:00"),
        ("2025-10-31T12:00", "2025-11-06T00:00"),
        ("2025-12-29T15:00", "2026-01-13T00:00"),
        ("2025-04-30T09:30", "2025-05-07T00:00"),
        ("2025-05-07T09:30", "2025-05-14T00:00"),
        ("2026-03-06T09:30", "2026-03-12T00:00"),
        ("2026-04-10T09:30", "2026-04-16T00:00"),
        ("2026-05-08T09:30", "2026-05-14T00:00"),
        ("2026-11-03T09:30", "2026-11-07T00:00"),
    ],
)
async def test_an_application_is_due_after_two_working_days(
    stub: Any, school: SchoolWorld, vera: Person, admin_of: Any, received: str, due: str
) -> None:
    """Days off of the federation and of Crimea, a working Saturday, moved days, the turn of the year, midnight."""
    _set(_local("2026-11-20T12:00"))
    assert await _due(stub, school, vera, admin_of(), _local(received)) == _local(due)


async def test_an_enrolment_that_starts_later_starts_the_clock(
    stub: Any, school: SchoolWorld, vera: Person, admin_of: Any
) -> None:
    """The clock starts at the later of receipt and enrolment; until then nothing is granted (Clause R10)."""
    _set(_local("2026-03-17T10:00"))
    await _enrol_from(school, vera, date(2026, 4, 6))
    case = (await stub.RegisterApplication(filing(school, vera), metadata=admin_of())).application
    assert case.state == application_pb2.APPLICATION_STATE_WAITS_FOR_ENROLMENT
    assert not case.applicants[0].HasField("due_time")
    refusal = await refused(stub.GrantApplication(granting(school, case.application_id), metadata=admin_of()))
    assert refusal == (grpc.StatusCode.FAILED_PRECONDITION, "CHECKLIST_INCOMPLETE")
    _set(_local("2026-04-06T00:00"))
    begun = (await stub.GetApplication(reading(school, case.application_id), metadata=admin_of())).application
    assert begun.state == application_pb2.APPLICATION_STATE_REGISTERED
    assert begun.applicants[0].due_time.ToDatetime(UTC) == _local("2026-04-09T00:00")
    granted = (await stub.GrantApplication(granting(school, case.application_id), metadata=admin_of())).application
    assert granted.state == application_pb2.APPLICATION_STATE_GRANTED


async def test_a_student_without_any_enrolment_waits_without_a_term(
    stub: Any, school: SchoolWorld, vera: Person, admin_of: Any
) -> None:
    _set(_local("2026-03-17T10:00"))
    await _enrol_from(school, vera, None)
    case = (await stub.RegisterApplication(filing(school, vera), metadata=admin_of())).application
    assert case.state == application_pb2.APPLICATION_STATE_WAITS_FOR_ENROLMENT
    assert not case.applicants[0].HasField("due_time")
    assert [item.clause for item in case.checklist if not item.is_met] == ["R10", "R11"]


async def test_missing_data_do_not_postpone_the_term(stub: Any, school: SchoolWorld, vera: Person, admin_of: Any) -> None:
    """Clause R11 is a condition of the grant, not of the clock."""
    _set(_local("2026-04-01T12:00"))
    request = filing(school, vera, mother(authority_document=""), received=_local("2026-03-17T10:00"))
    case = (await stub.RegisterApplication(request, metadata=admin_of())).application
    assert case.applicants[0].due_time.ToDatetime(UTC) == _local("2026-03-24T00:00")


async def test_open_and_overdue_terms_are_counted(
    stub: Any, clocked: grpc.aio.Channel, school: SchoolWorld, vera: Person, admin_of: Any
) -> None:
    """The gauges show what is not met; a grant in time and one too late are told apart."""
    in_time, late = (metrics.deadlines_met.labels("R15", word) for word in ("true", "false"))
    before = in_time._value.get(), late._value.get()
    _set(_local("2026-04-01T12:00"))
    for name, received in (("Анна", "2026-04-01T10:00"), ("Вера", "2026-03-17T10:00")):
        request = filing(school, vera, mother(given_name=name), received=_local(received))
        case = (await stub.RegisterApplication(request, metadata=admin_of())).application
        await stub.GrantApplication(granting(school, case.application_id), metadata=admin_of())
    assert (in_time._value.get(), late._value.get()) == (before[0] + 1, before[1] + 1)


async def test_the_gauges_show_what_is_open_and_overdue(
    stub: Any, backends: Backends, school: SchoolWorld, vera: Person, admin_of: Any
) -> None:
    """Counted over all schools by the jobs role, which sees clause and times and nothing else of a case."""
    _set(_local("2026-04-01T12:00"))
    await stub.RegisterApplication(filing(school, vera, received=_local("2026-03-17T10:00")), metadata=admin_of())
    database = await Database.connect(backends.clone.app_dsns["access"], "access", size=1)
    nothing: Any = None
    metrics.deadlines_overdue.clear()
    await jobs.count_deadlines(run.Frame(_CLOCK, database, nothing, nothing)).work()
    assert metrics.deadlines_overdue.labels("R15")._value.get() >= 1
    assert metrics.deadlines_open.labels("R15")._value.get() >= metrics.deadlines_overdue.labels("R15")._value.get()
    async with database.jobs() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT subject_id FROM deadlines")
    await database.close()


async def _enrol_from(school: SchoolWorld, student: Person, day: date | None) -> None:
    """Moves a student's enrolment and place to a later day; None takes both away."""
    async with school.connection.transaction():
        for table in ("placements", "enrolments"):
            await school.connection.execute(
                f"DELETE FROM access.{table} WHERE school_id = $1 AND student_id = $2", school.school_id, student.person_id
            )
        if day is None:
            return
        await school.connection.execute(
            """
            INSERT INTO access.enrolments (school_id, student_id, order_number, order_date, validity)
            VALUES ($1, $2, '18-у', '2026-03-16', daterange($3, NULL))
            """,
            school.school_id,
            student.person_id,
            day,
        )
        await school.connection.execute(
            """
            INSERT INTO access.placements (school_id, student_id, class_id, validity)
            VALUES ($1, $2, $3, daterange($4, NULL))
            """,
            school.school_id,
            student.person_id,
            school.classes["8-А"],
            day,
        )
