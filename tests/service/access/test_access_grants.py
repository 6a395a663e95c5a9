"""Who sees which grants, and that ending one ends it everywhere."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
import pytest
from prometheus_client import REGISTRY

from deploy.local.ports import Ports
from diary.access.v1 import events_pb2, grant_service_pb2_grpc, session_service_pb2, session_service_pb2_grpc
from diary.access.v1 import grant_service_pb2 as pb
from services.access.people.rules.roles import Role
from tests.support.eventually import eventually
from tests.support.services import refused
from tests.worlds.access import PASSWORD, SchoolWorld, add_session, make_school
from tests.worlds.access_service import Backends, Serve

NO_GRANT = (grpc.StatusCode.NOT_FOUND, "GRANT_NOT_FOUND")
NO_SCHOOL = (grpc.StatusCode.NOT_FOUND, "SCHOOL_NOT_FOUND")
WRONG_ROLE = (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")
ENDED = (grpc.StatusCode.UNAUTHENTICATED, "SESSION_ENDED")
PENDING = (grpc.StatusCode.UNAVAILABLE, "ENDING_PENDING")


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return grant_service_pb2_grpc.GrantServiceStub(channel)


def _list(school: SchoolWorld, **other: Any) -> pb.ListGrantsRequest:
    return pb.ListGrantsRequest(school_id=str(school.school_id), **other)


def _revoke(school: SchoolWorld, grant: UUID, request_id: UUID | None = None) -> pb.RevokeGrantRequest:
    return pb.RevokeGrantRequest(school_id=str(school.school_id), grant_id=str(grant), request_id=str(request_id or uuid4()))


async def _holders(stub: Any, request: pb.ListGrantsRequest, metadata: Any) -> list[str]:
    return sorted(grant.holder_name for grant in (await stub.ListGrants(request, metadata=metadata)).grants)


ANNAS = ["Ёлкин Пётр Ильич", "Ёлкина Анна", "Ёлкина Мария Ивановна"]


@pytest.mark.parametrize(
    ("key", "role", "expected"),
    [
        ("admin", "admin", ["Жукова Вера Павловна", *ANNAS]),
        ("class_teacher", "class_teacher", ANNAS),
        ("other_class_teacher", "class_teacher", ["Жукова Вера Павловна"]),
        ("mother", "guardian", ANNAS),
        ("anna", "student", ANNAS),
        ("other_mother", "guardian", ["Жукова Вера Павловна"]),
    ],
)
async def test_each_sees_the_grants_of_its_own(
    stub: Any, backends: Backends, school: SchoolWorld, key: str, role: str, expected: list[str]
) -> None:
    metadata = backends.sign_in(school.people[key], role)
    assert await _holders(stub, _list(school), metadata) == sorted(expected)


async def test_a_list_about_another_ones_child_is_as_empty_as_about_nobody(
    stub: Any, backends: Backends, school: SchoolWorld
) -> None:
    metadata = backends.sign_in(school.people["mother"], "guardian")
    for student_id in (school.people["boris"].person_id, uuid4()):
        assert await _holders(stub, _list(school, student_id=str(student_id)), metadata) == []
    assert await _holders(stub, _list(school, student_id=str(school.people["anna"].person_id)), metadata) == sorted(ANNAS)


async def test_grants_are_paged_by_id(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    metadata = backends.sign_in(school.people["admin"], "admin")
    seen: list[str] = []
    token = ""
    while True:
        page = await stub.ListGrants(_list(school, page_size=3, page_token=token), metadata=metadata)
        seen += [grant.grant_id for grant in page.grants]
        token = page.next_page_token
        if not token:
            break
    assert seen == sorted(str(grant) for grant in school.grants.values())
    other = _list(school, page_token=token or "bad")
    assert await refused(stub.ListGrants(other, metadata=metadata)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "PAGE_TOKEN_INVALID",
    )


async def test_another_school_answers_as_an_absent_one(stub: Any, backends: Backends, admin: Any, school: SchoolWorld) -> None:
    other = await make_school(admin)
    metadata = backends.sign_in(school.people["admin"], "admin")
    assert await refused(stub.ListGrants(_list(other), metadata=metadata)) == NO_SCHOOL
    assert await refused(stub.ListGrants(pb.ListGrantsRequest(school_id=str(uuid4())), metadata=metadata)) == NO_SCHOOL


async def test_a_role_in_the_token_is_no_ground(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    metadata = backends.sign_in(school.people["teacher"], "admin", "class_teacher", "guardian")
    assert await refused(stub.ListGrants(_list(school), metadata=metadata)) == NO_SCHOOL
    assert await refused(stub.RevokeGrant(_revoke(school, school.grants["mother"]), metadata=metadata)) == NO_GRANT


@pytest.mark.parametrize("role", ["teacher", "deputy", "head", "operator", "secretary", "specialist"])
async def test_other_kinds_of_role_are_denied(stub: Any, backends: Backends, school: SchoolWorld, role: str) -> None:
    metadata = backends.sign_in(school.people["teacher"], role)
    assert await refused(stub.ListGrants(_list(school), metadata=metadata)) == WRONG_ROLE
    assert await refused(stub.RevokeGrant(_revoke(school, school.grants["mother"]), metadata=metadata)) == WRONG_ROLE


@pytest.mark.parametrize("role", ["guardian", "student"])
async def test_a_family_ends_no_grant(stub: Any, backends: Backends, school: SchoolWorld, role: str) -> None:
    metadata = backends.sign_in(school.people["mother"], role)
    assert await refused(stub.RevokeGrant(_revoke(school, school.grants["father"]), metadata=metadata)) == WRONG_ROLE


async def _relations_everywhere(backends: Backends, admin: Any, account_id: UUID) -> set[tuple[int, bool]]:
    """(version, has ended) of an account's relations in the three projections."""
    journal = await asyncpg.connect(backends.journal.admin_dsn)
    found = []
    for connection, schema in ((admin, "notify"), (admin, "documents"), (journal, "documents")):
        statement = f"SELECT version, valid_to_time IS NOT NULL AS has_ended FROM {schema}.relations WHERE account_id = $1"
        rows = await connection.fetch(statement, account_id)
        assert len(rows) == 1, (schema, rows)
        found.append((rows[0]["version"], rows[0]["has_ended"]))
    await journal.close()
    return set(found)


@pytest.mark.parametrize(("key", "role"), [("admin", "admin"), ("class_teacher", "class_teacher")])
async def test_a_revoked_grant_has_ended_in_every_service_and_the_fathers_has_not(
    stub: Any, channel: grpc.aio.Channel, backends: Backends, admin: Any, school: SchoolWorld, key: str, role: str
) -> None:
    """Clause R9; architecture: ending access is immediate."""
    metadata = backends.sign_in(school.people[key], role)
    answer = await stub.RevokeGrant(_revoke(school, school.grants["mother"]), metadata=metadata)
    assert answer.grant.HasField("end_time")
    assert answer.grant.holder_name == "Ёлкина Мария Ивановна"
    assert await _relations_everywhere(backends, admin, school.people["mother"].account_id) == {(2, True)}
    sessions = session_service_pb2_grpc.SessionServiceStub(channel)
    metadata = backends.sign_in(school.people["father"], "guardian")
    [place] = (await sessions.GetCaller(session_service_pb2.GetCallerRequest(), metadata=metadata)).schools
    assert [student.display_name for student in place.students] == ["Ёлкина Анна"]
    # Nothing is left to her: her session has ended too, and a new one opens nothing.
    metadata = backends.sign_in(school.people["mother"], "guardian")
    assert await refused(stub.ListGrants(_list(school), metadata=metadata)) == ENDED
    mother = school.people["mother"]
    metadata = backends.sign_in(replace(mother, session_id=await add_session(admin, mother.account_id)), "guardian")
    assert await refused(stub.ListGrants(_list(school), metadata=metadata)) == NO_SCHOOL


async def test_who_has_another_diary_or_a_post_left_stays_signed_in(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Clause R33: sessions end when no relation is left, in whatever school."""
    other = await make_school(admin)
    await school.grant("mother", "boris")
    await other.add_person("his_post", "Ёлкин", "Пётр", account_id=school.people["father"].account_id)
    await other.appoint("his_post", Role.SECRETARY)
    await school.derive("mother")
    await other.derive("his_post")
    metadata = backends.sign_in(school.people["admin"], "admin")
    for key in ("mother", "father"):
        await stub.RevokeGrant(_revoke(school, school.grants[key]), metadata=metadata)
        live = "SELECT count(*) FROM sessions WHERE session_id = $1 AND end_time IS NULL"
        assert await admin.fetchval(live, school.people[key].session_id) == 1


async def test_an_ending_is_told_by_events(stub: Any, backends: Backends, admin: Any, school: SchoolWorld) -> None:
    metadata = backends.sign_in(school.people["admin"], "admin")
    await stub.RevokeGrant(_revoke(school, school.grants["mother"]), metadata=metadata)
    rows = await admin.fetch("SELECT subject, payload FROM outbox WHERE school_id = $1 ORDER BY event_number", school.school_id)
    assert [row["subject"].rpartition(".")[2] for row in rows] == ["RosterChanged", "RosterChanged", "GrantEnded"]
    ended = events_pb2.GrantEnded.FromString(rows[2]["payload"])
    assert ended.account_id == str(school.people["mother"].account_id)
    assert ended.student_id == str(school.people["anna"].person_id)
    assert len(events_pb2.RosterChanged.FromString(rows[1]["payload"]).ids) == 1
    names = "Ёлк".encode()
    assert not any(names in row["payload"] for row in rows)


async def test_a_repeat_changes_nothing_and_answers_the_same(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    metadata = backends.sign_in(school.people["admin"], "admin")
    request = _revoke(school, school.grants["mother"])
    first = await stub.RevokeGrant(request, metadata=metadata)
    assert await stub.RevokeGrant(request, metadata=metadata) == first
    assert await stub.RevokeGrant(_revoke(school, school.grants["mother"]), metadata=metadata) == first
    account = school.people["mother"].account_id
    assert await admin.fetchval("SELECT version FROM relations WHERE account_id = $1", account) == 2
    assert await admin.fetchval("SELECT answer FROM requests WHERE request_id = $1", request.request_id)


async def test_the_same_request_at_once_ends_the_grant_once(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    metadata = backends.sign_in(school.people["admin"], "admin")
    request = _revoke(school, school.grants["mother"])
    answers = await asyncio.gather(*(stub.RevokeGrant(request, metadata=metadata) for _ in range(6)))
    assert all(answer == answers[0] for answer in answers)
    ended = "SELECT count(*) FROM outbox WHERE school_id = $1 AND subject LIKE '%GrantEnded'"
    assert await admin.fetchval(ended, school.school_id) == 1


async def test_a_request_id_is_of_one_request(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    metadata = backends.sign_in(school.people["admin"], "admin")
    request = _revoke(school, school.grants["mother"])
    await stub.RevokeGrant(request, metadata=metadata)
    request.grant_id = str(school.grants["father"])
    assert await refused(stub.RevokeGrant(request, metadata=metadata)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "REQUEST_ID_REUSED",
    )


async def test_another_classs_another_schools_and_a_guessed_grant_are_absent_alike(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Clause R9: the class teacher for the own class only."""
    other = await make_school(admin)
    metadata = backends.sign_in(school.people["other_class_teacher"], "class_teacher")
    answers = []
    for request in (
        _revoke(school, school.grants["mother"]),
        _revoke(school, other.grants["mother"]),
        _revoke(other, other.grants["mother"]),
        _revoke(school, uuid4()),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await stub.RevokeGrant(request, metadata=metadata)
        answers.append((failure.value.code(), failure.value.details(), failure.value.trailing_metadata()))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == grpc.StatusCode.NOT_FOUND
    assert await admin.fetchval("SELECT count(*) FROM grants WHERE school_id = $1 AND end_time IS NULL", school.school_id) == 4


async def test_an_ended_session_ends_nothing(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    metadata = backends.sign_in(school.people["admin"], "admin")
    await school.end_sessions_of("admin")
    assert await refused(stub.ListGrants(_list(school), metadata=metadata)) == ENDED
    assert await refused(stub.RevokeGrant(_revoke(school, school.grants["mother"]), metadata=metadata)) == ENDED


async def test_grants_of_two_children_of_one_mother_end_at_once(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    await school.grant("mother", "boris")
    await school.derive("mother")
    metadata = backends.sign_in(school.people["admin"], "admin")
    for _ in range(5):
        both = [_revoke(school, school.grants[key]) for key in ("mother", "mother:boris")]
        await asyncio.gather(*(stub.RevokeGrant(request, metadata=metadata) for request in both))


async def test_an_ending_that_a_service_has_not_confirmed_is_pending_and_stands(
    serve: Serve, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """The job carries it when the service is back, and a repeat then answers OK with the same grant."""
    ports = Ports()
    port = ports.reserve(0)
    ports.close()
    metadata = backends.sign_in(school.people["admin"], "admin")
    request = _revoke(school, school.grants["mother"])
    async with serve(journal_address=f"127.0.0.1:{port}") as channel:
        stub = grant_service_pb2_grpc.GrantServiceStub(channel)
        assert await refused(stub.RevokeGrant(request, metadata=metadata)) == PENDING
        ended = await admin.fetchval("SELECT end_time FROM grants WHERE grant_id = $1", school.grants["mother"])
        assert ended is not None
        assert await admin.fetch("SELECT DISTINCT target FROM ending_pushes") == [("journal",)]
        await eventually(lambda: REGISTRY.get_sample_value("diary_access_ending_pushes") == 2, why="the gauge")
        async with backends.journal_on(port):

            async def is_carried() -> bool:
                return bool(await admin.fetchval("SELECT count(*) FROM ending_pushes") == 0)

            await eventually(is_carried, why="the job's push")
            answer = await stub.RevokeGrant(request, metadata=metadata)
    assert answer.grant.end_time.ToDatetime() == ended.replace(tzinfo=None)
    assert await _relations_everywhere(backends, admin, school.people["mother"].account_id) == {(2, True)}


async def test_a_session_whose_end_a_service_has_not_confirmed_is_pending_and_over(
    serve: Serve, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    ports = Ports()
    port = ports.reserve(0)
    ports.close()
    async with serve(journal_address=f"127.0.0.1:{port}") as channel:
        stub = session_service_pb2_grpc.SessionServiceStub(channel)
        signed = session_service_pb2.CreateSessionRequest(login=school.people["mother"].login, password=PASSWORD)
        tokens = (await stub.CreateSession(signed)).tokens
        end = session_service_pb2.EndSessionRequest(refresh_token=tokens.refresh_token)
        assert await refused(stub.EndSession(end)) == PENDING
        metadata = [("authorization", f"Bearer {tokens.access_token}")]
        assert await refused(stub.GetCaller(session_service_pb2.GetCallerRequest(), metadata=metadata)) == ENDED
        async with backends.journal_on(port):
            await stub.EndSession(end)
    assert await admin.fetchval("SELECT count(*) FROM ending_pushes") == 0
