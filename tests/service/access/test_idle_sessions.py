"""Who has nothing left to see in any school is signed out everywhere before the ending's OK (Clause R33)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import pytest

from deploy.local.ports import Ports
from diary.access.v1 import (
    application_pb2,
    application_service_pb2_grpc,
    grant_service_pb2,
    grant_service_pb2_grpc,
    roster_service_pb2,
    roster_service_pb2_grpc,
)
from services.access.people.rules.roles import Role
from tests.support.services import refused
from tests.worlds.access import Person, SchoolWorld, make_school
from tests.worlds.access_service import Backends, Serve
from tests.worlds.applications import filing

PENDING = (grpc.StatusCode.UNAVAILABLE, "ENDING_PENDING")
TODAY = datetime.now(UTC).date()  # noqa: TID251


def _revoking(channel: Any, school: SchoolWorld) -> tuple[Any, Any]:
    return grant_service_pb2_grpc.GrantServiceStub(channel).RevokeGrant, grant_service_pb2.RevokeGrantRequest(
        school_id=str(school.school_id), grant_id=str(school.grants["father"]), request_id=str(uuid4())
    )


async def _ending_guardianship(channel: Any, school: SchoolWorld) -> tuple[Any, Any]:
    guardianship_id = await school.connection.fetchval(
        "SELECT guardianship_id FROM access.guardianships WHERE school_id = $1 AND guardian_person_id = $2",
        school.school_id,
        school.people["father"].person_id,
    )
    return roster_service_pb2_grpc.RosterServiceStub(channel).EndGuardianship, roster_service_pb2.EndGuardianshipRequest(
        school_id=str(school.school_id),
        guardianship_id=str(guardianship_id),
        request_id=str(uuid4()),
        ground="решение суда от 01.09.2026 № 2-15",
    )


def _leaving(channel: Any, school: SchoolWorld, days: int = -1) -> tuple[Any, Any]:
    return roster_service_pb2_grpc.RosterServiceStub(channel).EndEnrolment, roster_service_pb2.EndEnrolmentRequest(
        school_id=str(school.school_id),
        student_id=str(school.people["anna"].person_id),
        request_id=str(uuid4()),
        last_date=(TODAY + timedelta(days=days)).isoformat(),
        order_number="12-у",
        order_date=TODAY.isoformat(),
    )


def _signing(server: Any, school: SchoolWorld, **other: Any) -> tuple[Any, Any]:
    person_id = str(school.people["father"].person_id)
    in_person = application_pb2.CREDENTIALS_WAY_IN_PERSON
    signer = application_pb2.FiledApplicant(person_id=person_id, credentials_way=in_person)
    request = filing(school, school.people["anna"], signer, kind=application_pb2.APPLICATION_KIND_APPENDIX_3, **other)
    return application_service_pb2_grpc.ApplicationServiceStub(server).RegisterApplication, request


async def _prepare(kind: str, channel: Any, school: SchoolWorld) -> tuple[Any, Any]:
    if kind == "guardianship":
        return await _ending_guardianship(channel, school)
    if kind == "left":
        return _leaving(channel, school)
    return _signing(channel, school) if kind == "statement" else _revoking(channel, school)


async def _is_signed_out(backends: Backends, admin: Any, person: Person) -> set[bool]:
    """Whether the person's session has ended: here, and in every other service."""
    found = {await admin.fetchval("SELECT end_time IS NOT NULL FROM sessions WHERE session_id = $1", person.session_id)}
    journal = await asyncpg.connect(backends.journal.admin_dsn)
    for connection, schema in ((admin, "notify"), (admin, "documents"), (journal, "documents")):
        statement = f"SELECT EXISTS (SELECT FROM {schema}.ended_sessions WHERE session_id = $1)"
        found.add(await connection.fetchval(statement, person.session_id))
    await journal.close()
    return found


ENDINGS = ["revoked", "guardianship", "left", "statement"]


@pytest.mark.parametrize("kind", ENDINGS)
async def test_who_has_nothing_left_is_signed_out_in_every_service_at_ok(
    channel: grpc.aio.Channel, backends: Backends, admin: Any, school: SchoolWorld, kind: str
) -> None:
    """By whatever the last access ended; a repeat ends nothing more, and the office stays signed in."""
    office = backends.sign_in(school.people["admin"], "admin")
    call, request = await _prepare(kind, channel, school)
    for _ in range(2):
        await call(request, metadata=office)
        assert await _is_signed_out(backends, admin, school.people["father"]) == {True}
    told = "SELECT count(*) FROM outbox WHERE subject LIKE '%.SessionsEnded' AND position($1::text::bytea in payload) > 0"
    assert await admin.fetchval(told, str(school.people["father"].account_id)) == 1
    assert await _is_signed_out(backends, admin, school.people["admin"]) == {False}
    assert await _is_signed_out(backends, admin, school.people["other_mother"]) == {False}


@pytest.mark.parametrize("kind", ENDINGS)
@pytest.mark.parametrize("left", ["another child", "another school", "the staff", "the region"])
async def test_who_has_anything_left_stays_signed_in(
    channel: grpc.aio.Channel, backends: Backends, admin: Any, school: SchoolWorld, kind: str, left: str
) -> None:
    father = school.people["father"]
    call, request = await _prepare(kind, channel, school)
    if left == "another child":
        await school.grant("father", "boris", "father")
    elif left == "another school":
        other = await make_school(admin)
        await other.add_person("guest", "Ёлкин", "Пётр", "Ильич", account_id=father.account_id)
        await other.grant("guest", "anna", "father")
        await other.derive("guest")
    elif left == "the staff":
        await school.appoint("father", Role.TEACHER)
    else:
        await admin.execute("UPDATE accounts SET is_operator = true WHERE account_id = $1", father.account_id)
    await school.derive("father")
    await call(request, metadata=backends.sign_in(school.people["admin"], "admin"))
    assert await _is_signed_out(backends, admin, father) == {False}


async def test_an_end_that_lies_ahead_signs_nobody_out(
    channel: grpc.aio.Channel, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    call, request = _leaving(channel, school, days=20)
    await call(request, metadata=backends.sign_in(school.people["admin"], "admin"))
    for key in ("father", "mother", "anna"):
        assert await _is_signed_out(backends, admin, school.people[key]) == {False}


async def test_a_fathers_own_pending_statement_finds_its_answer_by_the_session_that_it_ended(
    serve: Serve, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Clauses R32, R33: access and session have ended, so the kept answer is found before either is asked for."""
    ports = Ports()
    port = ports.reserve(0)
    ports.close()
    father = school.people["father"]
    metadata = backends.sign_in(father, "guardian")
    diary = application_pb2.APPLICATION_CHANNEL_DIARY
    async with serve(journal_address=f"127.0.0.1:{port}") as channel:
        call, request = _signing(channel, school, channel=diary)
        assert await refused(call(request, metadata=metadata)) == PENDING
        async with backends.journal_on(port):
            case = (await call(request, metadata=metadata)).application
            assert case.applicants[0].person_id == str(father.person_id)
            assert await _is_signed_out(backends, admin, father) == {True}
    assert await admin.fetchval("SELECT count(*) FROM applications WHERE school_id = $1", school.school_id) == 1
