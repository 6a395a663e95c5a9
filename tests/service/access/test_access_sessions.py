"""Signing in, refreshing, ending; and who the caller is."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import jwt
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from prometheus_client import REGISTRY

from chassis.clock import SetClock
from diary.access.v1 import session_service_pb2 as pb
from diary.access.v1 import session_service_pb2_grpc
from diary.options.v1 import options_pb2
from services.access.rules.roles import Role
from tests.support.access_region import GRANTED, PASSWORD, SchoolWorld, make_empty_school
from tests.support.access_service import Backends, Serve
from tests.support.services import refused

FAILED = (grpc.StatusCode.UNAUTHENTICATED, "SIGN_IN_FAILED")
BLOCKED = (grpc.StatusCode.RESOURCE_EXHAUSTED, "SIGN_IN_BLOCKED")
ENDED = (grpc.StatusCode.UNAUTHENTICATED, "SESSION_ENDED")


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return session_service_pb2_grpc.SessionServiceStub(channel)


async def _sign_in(stub: Any, login: str, password: str = PASSWORD) -> pb.SessionTokens:
    answer = await stub.CreateSession(pb.CreateSessionRequest(login=login, password=password))
    tokens: pb.SessionTokens = answer.tokens
    return tokens


def _metadata(tokens: pb.SessionTokens) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {tokens.access_token}")]


async def test_a_token_says_who_signed_in_and_in_which_roles(stub: Any, school: SchoolWorld) -> None:
    tokens = await _sign_in(stub, school.people["class_teacher"].login)
    claims = jwt.decode(tokens.access_token, options={"verify_signature": False})
    assert claims["sub"] == str(school.people["class_teacher"].account_id)
    assert claims["sid"] == tokens.session_id
    assert claims["roles"] == ["class_teacher"]
    assert claims["exp"] - claims["iat"] == 300
    assert tokens.refresh_expire_time.ToDatetime(UTC) - datetime.now(UTC) > timedelta(days=29)  # noqa: TID251


async def test_case_and_spaces_around_a_login_do_not_matter(stub: Any, school: SchoolWorld) -> None:
    tokens = await _sign_in(stub, f" {school.people['mother'].login.upper()} ")
    answer = await stub.GetCaller(pb.GetCallerRequest(), metadata=_metadata(tokens))
    assert answer.login == school.people["mother"].login


async def test_an_operator_has_the_role_of_the_region(stub: Any, admin: Any, school: SchoolWorld) -> None:
    login = school.people["admin"].login
    await admin.execute("UPDATE accounts SET is_operator = true WHERE login = $1", login)
    claims = jwt.decode((await _sign_in(stub, login)).access_token, options={"verify_signature": False})
    assert claims["roles"] == ["admin", "operator"]


async def test_an_unknown_login_and_a_wrong_password_are_answered_alike(stub: Any, school: SchoolWorld) -> None:
    answers = []
    for login in (school.people["mother"].login, f"nobody-{uuid4().hex}"):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await _sign_in(stub, login, "wrong")
        answers.append((failure.value.code(), failure.value.details(), failure.value.trailing_metadata()))
    assert answers[0] == answers[1]
    assert await refused(_sign_in(stub, f"nobody-{uuid4().hex}", "the password of nobody")) == FAILED


@pytest.mark.parametrize("is_known", [True, False])
async def test_five_failures_block_a_login_known_or_not_until_retry_time(
    serve: Serve, school: SchoolWorld, is_known: bool
) -> None:
    login = school.people["mother"].login if is_known else f"nobody-{uuid4().hex}"
    clock = SetClock(GRANTED)
    async with serve(clock) as channel:
        stub = session_service_pb2_grpc.SessionServiceStub(channel)
        for _ in range(5):
            assert await refused(_sign_in(stub, login, "wrong")) == FAILED
            clock.advance(timedelta(minutes=1))
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await _sign_in(stub, login)
        assert _metadata_of(failure.value) == {"retry_time": (GRANTED + timedelta(minutes=15)).isoformat()}
        clock.advance(timedelta(minutes=10))
        if is_known:
            await _sign_in(stub, login)
        else:
            assert await refused(_sign_in(stub, login)) == FAILED


def _metadata_of(error: grpc.aio.AioRpcError) -> dict[str, str]:
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return dict(info.metadata)


async def test_guesses_made_at_once_are_all_counted(stub: Any, school: SchoolWorld) -> None:
    login = school.people["mother"].login
    answers = await asyncio.gather(*(refused(_sign_in(stub, login, f"guess {n}")) for n in range(12)))
    assert answers.count(FAILED) == 5
    assert answers.count(BLOCKED) == 7


async def test_a_right_password_forgets_the_failures_before_it(stub: Any, school: SchoolWorld) -> None:
    login = school.people["mother"].login
    for _ in range(3):
        for _ in range(3):
            assert await refused(_sign_in(stub, login, "wrong")) == FAILED
        await _sign_in(stub, login)


async def test_sign_ins_are_counted_by_outcome(stub: Any, school: SchoolWorld) -> None:
    def counts() -> list[float]:
        name = "diary_access_sign_ins_total"
        return [REGISTRY.get_sample_value(name, {"outcome": o}) or 0 for o in ("succeeded", "failed", "blocked")]

    before = counts()
    login = school.people["mother"].login
    await _sign_in(stub, login)
    for _ in range(6):
        await refused(_sign_in(stub, login, "wrong"))
    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1, 5, 1]


async def test_the_secrets_of_a_session_are_in_no_table(stub: Any, admin: Any, school: SchoolWorld) -> None:
    tokens = await _sign_in(stub, school.people["mother"].login)
    rows = [
        str(dict(row)) for table in ("sessions", "accounts", "outbox") for row in await admin.fetch(f"SELECT * FROM {table}")
    ]
    text = "\n".join(rows)
    assert tokens.refresh_token not in text
    assert tokens.refresh_token.encode().hex() not in text
    assert PASSWORD not in text


async def test_a_refresh_token_is_exchanged_for_the_next_pair(stub: Any, school: SchoolWorld) -> None:
    first = await _sign_in(stub, school.people["mother"].login)
    second = (await stub.RefreshSession(pb.RefreshSessionRequest(refresh_token=first.refresh_token))).tokens
    assert second.session_id == first.session_id
    assert second.refresh_token != first.refresh_token
    third = (await stub.RefreshSession(pb.RefreshSessionRequest(refresh_token=second.refresh_token))).tokens
    await stub.GetCaller(pb.GetCallerRequest(), metadata=_metadata(third))


async def test_a_refresh_token_used_twice_ends_the_session(stub: Any, school: SchoolWorld) -> None:
    first = await _sign_in(stub, school.people["mother"].login)
    second = (await stub.RefreshSession(pb.RefreshSessionRequest(refresh_token=first.refresh_token))).tokens
    assert await refused(stub.RefreshSession(pb.RefreshSessionRequest(refresh_token=first.refresh_token))) == ENDED
    assert await refused(stub.RefreshSession(pb.RefreshSessionRequest(refresh_token=second.refresh_token))) == ENDED
    assert await refused(stub.GetCaller(pb.GetCallerRequest(), metadata=_metadata(second))) == ENDED


async def test_an_unknown_refresh_token_is_of_no_session(stub: Any) -> None:
    assert await refused(stub.RefreshSession(pb.RefreshSessionRequest(refresh_token="guess"))) == ENDED
    assert await refused(stub.EndSession(pb.EndSessionRequest(refresh_token="guess"))) == ENDED


async def test_a_session_idle_for_thirty_days_is_over(serve: Serve, school: SchoolWorld) -> None:
    clock = SetClock(GRANTED)
    async with serve(clock) as channel:
        stub = session_service_pb2_grpc.SessionServiceStub(channel)
        tokens = await _sign_in(stub, school.people["mother"].login)
        clock.advance(timedelta(days=29))
        tokens = (await stub.RefreshSession(pb.RefreshSessionRequest(refresh_token=tokens.refresh_token))).tokens
        clock.advance(timedelta(days=30))
        assert await refused(stub.RefreshSession(pb.RefreshSessionRequest(refresh_token=tokens.refresh_token))) == ENDED


async def test_an_ended_session_is_refused_here_and_told_to_every_service(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    tokens = await _sign_in(stub, school.people["mother"].login)
    await stub.EndSession(pb.EndSessionRequest(refresh_token=tokens.refresh_token))
    assert await refused(stub.GetCaller(pb.GetCallerRequest(), metadata=_metadata(tokens))) == ENDED
    journal = await asyncpg.connect(backends.journal.admin_dsn)
    for connection, table in ((admin, "notify"), (admin, "documents"), (journal, "documents")):
        ended = f"SELECT count(*) FROM {table}.ended_sessions WHERE session_id = $1"
        assert await connection.fetchval(ended, tokens.session_id) == 1
    await journal.close()
    events = await admin.fetch("SELECT subject, school_id FROM outbox WHERE subject = 'diary.access.v1.SessionsEnded'")
    assert events[-1]["school_id"] is None
    await stub.EndSession(pb.EndSessionRequest(refresh_token=tokens.refresh_token))


async def test_a_mother_with_children_in_two_schools_sees_both(stub: Any, admin: Any, school: SchoolWorld) -> None:
    second = await make_empty_school(admin)
    await second.add_class("1-А", [1])
    await second.add_person("admin", "Другова", "Яна")
    await second.add_student("ilya", "1-А", "Ёлкин", "Илья")
    await second.add_person("mother", "Ёлкина", "Мария", "Ивановна", account_id=school.people["mother"].account_id)
    await second.grant("mother", "ilya")
    await second.derive()
    tokens = await _sign_in(stub, school.people["mother"].login)
    answer = await stub.GetCaller(pb.GetCallerRequest(), metadata=_metadata(tokens))
    assert {place.school_id for place in answer.schools} == {str(school.school_id), str(second.school_id)}
    children = {s.display_name: (s.class_name, s.role) for place in answer.schools for s in place.students}
    assert children == {
        "Ёлкина Анна": ("8-А", options_pb2.ROLE_GUARDIAN),
        "Ёлкин Илья": ("1-А", options_pb2.ROLE_GUARDIAN),
    }
    assert {tuple(place.roles) for place in answer.schools} == {(options_pb2.ROLE_GUARDIAN,)}
    assert {place.display_name for place in answer.schools} == {"Ёлкина Мария Ивановна"}


async def test_a_teacher_who_is_a_mother_has_both_roles_in_her_school(stub: Any, school: SchoolWorld) -> None:
    await school.appoint("mother", Role.TEACHER)
    await school.derive("mother")
    tokens = await _sign_in(stub, school.people["mother"].login)
    [place] = (await stub.GetCaller(pb.GetCallerRequest(), metadata=_metadata(tokens))).schools
    assert list(place.roles) == [options_pb2.ROLE_GUARDIAN, options_pb2.ROLE_TEACHER]
    assert [student.display_name for student in place.students] == ["Ёлкина Анна"]


async def test_a_token_of_a_session_that_never_was_is_refused(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    stranger = school.people["mother"]
    stranger.session_id = uuid4()
    assert await refused(stub.GetCaller(pb.GetCallerRequest(), metadata=backends.sign_in(stranger, "guardian"))) == ENDED
