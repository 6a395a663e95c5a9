"""On an imported school the operator opens accesses by earlier paper applications, and their holders sign in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from pydantic import SecretStr

from chassis.clock import SystemClock
from diary.access.v1 import (
    credential_service_pb2,
    credential_service_pb2_grpc,
    events_pb2,
    session_service_pb2,
    session_service_pb2_grpc,
)
from diary.options.v1 import options_pb2
from services.access import __main__ as access
from services.access.config import Settings
from services.access.people.rules.roles import Role
from services.access.roster.actions.open_access import Opened, OpeningWish, open_access
from services.access.roster.rules.opening import Document, OpeningRefusedError
from services.access.roster.rules.rosters import Order, Wish
from tests.service.access_import.conftest import MakeZip, read_files, write_files
from tests.support.backends import Clone
from tests.support.services import refused, served

TEACHER, OTHER_TEACHER, STUDENT = "207270", "207268", "604863"
PAPER = Document("15", date(2026, 9, 1))
OWN = "Свой-пароль-учителя-5"
ORDER = Document("7", date(2026, 8, 20))
ENROLMENT = Order("12-у", date(2026, 8, 31))


async def _open(keeper: Any, person: str, role: Role | None = None, **documents: Document | None) -> Opened:
    given = {"application": None, "order": None, **documents}
    wish = OpeningWish("gb", person, role, given["application"], given["order"])
    return await open_access(keeper, SystemClock(), wish)


@pytest_asyncio.fixture
async def school(keeper: Any, make_zip: MakeZip) -> None:
    """The imported school, in the school year of today."""
    today = SystemClock().now().date()
    year = today.year if today.month >= 8 else today.year - 1
    await write_files(keeper, SystemClock(), read_files(make_zip()), Wish("gb", year, order=ENROLMENT))


@pytest_asyncio.fixture
async def channel(clone: Clone, nats_url: str, keys_dir: Path) -> AsyncIterator[grpc.aio.Channel]:
    """access, serving."""
    settings = Settings(
        port=0,
        metrics_port=0,
        database_url=SecretStr(clone.app_dsns["access"]),
        nats_url=SecretStr(nats_url),
        keys_dir=keys_dir,
    )
    async with served("access", settings, lambda frame: access.build(settings, frame)) as channel:
        yield channel


async def _sign_in(channel: grpc.aio.Channel, opened: Opened) -> session_service_pb2.GetCallerResponse:
    """By the one-time password, which opens nothing but the change to an own one."""
    sessions = session_service_pb2_grpc.SessionServiceStub(channel)
    request = session_service_pb2.CreateSessionRequest(login=opened.login, password=opened.one_time_password or "")
    assert await refused(sessions.CreateSession(request)) == (grpc.StatusCode.FAILED_PRECONDITION, "PASSWORD_NOT_SET")
    own = credential_service_pb2.ActivateAccountRequest(
        login=opened.login, one_time_password=opened.one_time_password or "", new_password=OWN
    )
    tokens = (await credential_service_pb2_grpc.CredentialServiceStub(channel).ActivateAccount(own)).tokens
    request = session_service_pb2.CreateSessionRequest(login=opened.login, password=OWN)
    assert (await sessions.CreateSession(request)).tokens.access_token
    metadata = (("authorization", f"Bearer {tokens.access_token}"),)
    return await sessions.GetCaller(session_service_pb2.GetCallerRequest(), metadata=metadata)


@pytest.mark.usefixtures("school")
async def test_a_teacher_of_the_imported_school_signs_in(keeper: Any, channel: grpc.aio.Channel) -> None:
    caller = await _sign_in(channel, await _open(keeper, TEACHER))
    assert [place.display_name for place in caller.schools] == ["Christian Kelley Heidi"]
    assert list(caller.schools[0].roles) == [options_pb2.ROLE_TEACHER]


@pytest.mark.usefixtures("school")
async def test_a_student_of_the_imported_school_signs_in_and_may_open_the_own_diary(
    keeper: Any, admin: Any, channel: grpc.aio.Channel
) -> None:
    await _open(keeper, OTHER_TEACHER, Role.ADMIN, order=ORDER)
    opened = await _open(keeper, STUDENT, application=PAPER)
    caller = await _sign_in(channel, opened)
    assert [student.display_name for student in caller.schools[0].students] == ["Archer Mary"]
    grant = await admin.fetchrow("SELECT application_number, application_date, granted_by_role FROM grants")
    assert tuple(grant) == ("15", date(2026, 9, 1), Role.ADMIN)
    issued = await admin.fetchval("SELECT payload FROM outbox WHERE subject = 'diary.access.v1.GrantIssued'")
    assert events_pb2.GrantIssued.FromString(issued).student_id == str(opened.granted[0])


@pytest.mark.usefixtures("school")
async def test_the_password_is_in_no_table_and_not_in_the_answers_text(keeper: Any, admin: Any) -> None:
    opened = await _open(keeper, TEACHER)
    assert opened.one_time_password
    assert opened.one_time_password not in repr(opened)
    kept = [*await admin.fetch("SELECT * FROM accounts"), *await admin.fetch("SELECT * FROM one_time_passwords")]
    assert opened.one_time_password not in str([dict(row) for row in kept])


@pytest.mark.usefixtures("school")
async def test_a_one_time_password_that_ran_out_is_replaced_and_an_own_one_is_not(
    keeper: Any, admin: Any, channel: grpc.aio.Channel
) -> None:
    """Clause R25: staff have no slips, so the operator issues again."""
    first = await _open(keeper, TEACHER)
    assert (await _open(keeper, TEACHER)).one_time_password is None
    await admin.execute(
        "UPDATE one_time_passwords SET create_time = now() - interval '15 days', expire_time = now() WHERE void_time IS NULL"
    )
    second = await _open(keeper, TEACHER)
    assert second.one_time_password not in (None, first.one_time_password)
    await _sign_in(channel, second)
    third = await _open(keeper, TEACHER)
    assert (third.one_time_password, third.is_activated) == (None, True)


@pytest.mark.usefixtures("school")
async def test_a_second_opening_keeps_account_password_and_grant(keeper: Any, admin: Any, channel: grpc.aio.Channel) -> None:
    await _open(keeper, OTHER_TEACHER, Role.ADMIN, order=ORDER)
    first = await _open(keeper, STUDENT, application=PAPER)
    second = await _open(keeper, STUDENT, application=PAPER)
    assert (second.login, second.one_time_password, second.granted) == (first.login, None, [])
    assert await admin.fetchval("SELECT count(*) FROM grants") == 1
    await _sign_in(channel, first)


@pytest.mark.usefixtures("school")
async def test_a_family_needs_an_application(keeper: Any, admin: Any) -> None:
    with pytest.raises(OpeningRefusedError, match="R12"):
        await _open(keeper, STUDENT)
    assert await admin.fetchval("SELECT count(*) FROM accounts") == 0


@pytest.mark.usefixtures("school")
async def test_nobody_but_admin_or_class_teacher_grants(keeper: Any, admin: Any) -> None:
    with pytest.raises(OpeningRefusedError, match="R9"):
        await _open(keeper, STUDENT, application=PAPER)
    assert await admin.fetchval("SELECT count(*) FROM accounts") == 0


@pytest.mark.usefixtures("school")
async def test_a_student_whose_enrolment_has_ended_gets_no_access(keeper: Any, admin: Any) -> None:
    await _open(keeper, OTHER_TEACHER, Role.ADMIN, order=ORDER)
    await admin.execute("UPDATE enrolments SET validity = daterange(lower(validity), lower(validity) + 1)")
    with pytest.raises(OpeningRefusedError, match="R10"):
        await _open(keeper, STUDENT, application=PAPER)


@pytest.mark.usefixtures("school")
async def test_a_student_without_a_birth_date_gets_no_access(keeper: Any, admin: Any) -> None:
    await _open(keeper, OTHER_TEACHER, Role.ADMIN, order=ORDER)
    await admin.execute("UPDATE people SET birth_date = NULL")
    with pytest.raises(OpeningRefusedError, match="R11"):
        await _open(keeper, STUDENT, application=PAPER)


@pytest.mark.usefixtures("school")
async def test_a_role_that_the_person_has_not_is_refused(keeper: Any) -> None:
    with pytest.raises(OpeningRefusedError, match="not head"):
        await _open(keeper, TEACHER, Role.HEAD)


@pytest.mark.usefixtures("school")
async def test_a_person_whom_the_school_does_not_know_is_refused(keeper: Any) -> None:
    with pytest.raises(OpeningRefusedError, match="knows no person 999"):
        await _open(keeper, "999")


@pytest.mark.usefixtures("school")
async def test_a_wrong_password_is_refused_after_an_opening(keeper: Any, channel: grpc.aio.Channel) -> None:
    opened = await _open(keeper, TEACHER)
    request = session_service_pb2.CreateSessionRequest(login=opened.login, password="another")
    sessions = session_service_pb2_grpc.SessionServiceStub(channel)
    assert await refused(sessions.CreateSession(request)) == (grpc.StatusCode.UNAUTHENTICATED, "SIGN_IN_FAILED")
