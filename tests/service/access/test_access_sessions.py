"""Signing in, refreshing, ending; and who the caller is."""

import asyncio
import hashlib
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

import asyncpg
import grpc
import jwt
import pytest
from argon2 import PasswordHasher
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from prometheus_client import REGISTRY

from chassis.clock import SetClock
from diary.access.v1 import session_pb2, session_service_pb2_grpc
from diary.access.v1 import session_service_pb2 as pb
from diary.options.v1 import options_pb2
from services.access.people.rules.roles import Role
from services.access.rights.actions import passwords, sign_in
from tests.support.services import refused
from tests.worlds.access import GRANTED, PASSWORD, SchoolWorld, make_empty_school
from tests.worlds.access_service import Backends, Serve

FAILED = (grpc.StatusCode.UNAUTHENTICATED, "SIGN_IN_FAILED")
BLOCKED = (grpc.StatusCode.RESOURCE_EXHAUSTED, "SIGN_IN_BLOCKED")
ENDED = (grpc.StatusCode.UNAUTHENTICATED, "SESSION_ENDED")


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return session_service_pb2_grpc.SessionServiceStub(channel)


async def _sign_in(stub: Any, login: str, password: str = PASSWORD) -> session_pb2.SessionTokens:
    answer = await stub.CreateSession(pb.CreateSessionRequest(login=login, password=password))
    tokens: session_pb2.SessionTokens = answer.tokens
    return tokens


def _metadata(tokens: session_pb2.SessionTokens) -> list[tuple[str, str]]:
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


def _from(address: str) -> dict[str, Any]:
    return {"metadata": [("x-diary-client-address", address)]}


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time enough for many checks of a password on a busy machine."""
    for module in (sign_in, passwords):
        monkeypatch.setattr(module, "_WAIT_SECONDS", 120)


@pytest.mark.usefixtures("patience")
async def test_guesses_made_at_once_are_all_counted(stub: Any, school: SchoolWorld) -> None:
    login = school.people["mother"].login
    answers = await asyncio.gather(*(refused(_sign_in(stub, login, f"guess {n}")) for n in range(12)))
    assert answers.count(FAILED) == 5
    assert answers.count(BLOCKED) == 7


@pytest.mark.usefixtures("patience")
async def test_many_sign_ins_at_once_with_the_right_password_all_succeed(stub: Any, school: SchoolWorld) -> None:
    login = school.people["mother"].login
    tokens = await asyncio.gather(*(_sign_in(stub, login) for _ in range(7)))
    assert len({pair.session_id for pair in tokens}) == 7


async def test_a_stranger_blocks_a_login_at_the_strangers_address_alone(stub: Any, school: SchoolWorld) -> None:
    login = school.people["mother"].login
    wrong, right = (pb.CreateSessionRequest(login=login, password=password) for password in ("wrong", PASSWORD))
    for _ in range(5):
        assert await refused(stub.CreateSession(wrong, **_from("192.0.2.1"))) == FAILED
    assert await refused(stub.CreateSession(right, **_from("192.0.2.1"))) == BLOCKED
    await stub.CreateSession(right, **_from("192.0.2.2"))


async def test_a_class_behind_one_address_blocks_nobody(stub: Any, school: SchoolWorld) -> None:
    for key in ("mother", "father", "class_teacher"):
        for _ in range(4):
            wrong = pb.CreateSessionRequest(login=school.people[key].login, password="wrong")
            assert await refused(stub.CreateSession(wrong, **_from("192.0.2.9"))) == FAILED
    right = pb.CreateSessionRequest(login=school.people["admin"].login, password=PASSWORD)
    await stub.CreateSession(right, **_from("192.0.2.9"))


async def test_guesses_from_everywhere_block_a_login_but_where_it_was_signed_in_before(
    stub: Any, admin: Any, school: SchoolWorld
) -> None:
    login = school.people["mother"].login
    right = pb.CreateSessionRequest(login=login, password=PASSWORD)
    await stub.CreateSession(right, **_from("198.51.100.1"))
    key = hashlib.sha256(login.encode()).digest()
    await admin.execute(
        """
        INSERT INTO sign_in_failures (login_digest, fail_times, update_time) VALUES ($1, array_fill(now(), array[49]), now())
        ON CONFLICT (login_digest) DO UPDATE SET fail_times = excluded.fail_times
        """,
        key,
    )
    wrong = pb.CreateSessionRequest(login=login, password="wrong")
    assert await refused(stub.CreateSession(wrong, **_from("203.0.113.1"))) == FAILED
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await stub.CreateSession(right, **_from("203.0.113.2"))
    # Who may know that it is open elsewhere is told so.
    assert _metadata_of(failure.value)["counted"] == "everywhere"
    await stub.CreateSession(right, **_from("198.51.100.1"))
    assert await refused(stub.CreateSession(right, **_from("203.0.113.2"))) == BLOCKED


async def test_who_is_signed_in_is_not_blocked_by_what_strangers_do_to_the_login(stub: Any, school: SchoolWorld) -> None:
    login = school.people["class_teacher"].login
    tokens = await _sign_in(stub, login)
    for _ in range(5):
        assert await refused(_sign_in(stub, login, "wrong")) == FAILED
    enrol = pb.EnrolTotpRequest(request_id=str(uuid4()), password=PASSWORD)
    assert (await stub.EnrolTotp(enrol, metadata=_metadata(tokens))).secret
    wrong = pb.EnrolTotpRequest(request_id=str(uuid4()), password="wrong")
    answers = [await refused(stub.EnrolTotp(wrong, metadata=_metadata(tokens))) for _ in range(6)]
    assert answers == [FAILED] * 5 + [BLOCKED]


async def test_a_password_is_one_however_the_keyboard_spells_it(stub: Any, admin: Any, school: SchoolWorld) -> None:
    composed = unicodedata.normalize("NFC", "мойпарольёй12")
    apart = unicodedata.normalize("NFD", composed)
    account_id, login = school.people["mother"].account_id, school.people["mother"].login
    for kept in (PasswordHasher().hash(apart), PasswordHasher().hash(composed)):
        await admin.execute("UPDATE accounts SET password_hash = $2 WHERE account_id = $1", account_id, kept)
        await _sign_in(stub, login, apart)
        await _sign_in(stub, login, composed)
        now_kept = await admin.fetchval("SELECT password_hash FROM accounts WHERE account_id = $1", account_id)
        assert PasswordHasher().verify(now_kept, composed)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each run of argon2 over something typed."""
    counted = list[str]()

    class Counted(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            counted.append(str(password))
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "_hasher", Counted())
    return counted


@pytest.mark.parametrize(
    ("typed", "most"),
    [("wrong-12345", 1), ("неверныи", 1), ("мойпароль", 2), (unicodedata.normalize("NFD", "мойпароль"), 2), ("йи\u0306", 3)],
)
async def test_a_failed_sign_in_takes_as_many_runs_whoever_is_asked_for(
    stub: Any, admin: Any, school: SchoolWorld, runs: list[str], typed: str, most: int
) -> None:
    """Known, unknown, with a one-time password, with none: by what was typed alone."""
    with_none, with_one_time = school.people["father"], school.people["admin"]
    for person in (with_none, with_one_time):
        await admin.execute("UPDATE accounts SET password_hash = NULL WHERE account_id = $1", person.account_id)
    await admin.execute(
        "INSERT INTO one_time_passwords VALUES ($1, 1, $2, now(), now() + interval '1 day')",
        with_one_time.account_id,
        PasswordHasher().hash("k7mpx2da94rt"),
    )
    for login in (school.people["mother"].login, with_none.login, with_one_time.login, f"nobody-{uuid4().hex}"):
        runs.clear()
        assert await refused(_sign_in(stub, login, typed)) == FAILED
        assert len(runs) == most, login


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


async def _refresh(stub: Any, refresh_token: str) -> session_pb2.SessionTokens:
    answer = await stub.RefreshSession(pb.RefreshSessionRequest(refresh_token=refresh_token))
    tokens: session_pb2.SessionTokens = answer.tokens
    return tokens


async def test_requests_at_once_with_one_refresh_token_all_stay_in_the_session(stub: Any, school: SchoolWorld) -> None:
    first = await _sign_in(stub, school.people["mother"].login)
    pairs = await asyncio.gather(*(_refresh(stub, first.refresh_token) for _ in range(8)))
    assert {pair.session_id for pair in pairs} == {first.session_id}
    assert len({pair.refresh_token for pair in pairs}) == 8
    last = await _refresh(stub, pairs[3].refresh_token)
    await stub.GetCaller(pb.GetCallerRequest(), metadata=_metadata(last))


async def test_a_refresh_token_used_again_after_half_a_minute_ends_the_session(serve: Serve, school: SchoolWorld) -> None:
    clock = SetClock(datetime.now(UTC))  # noqa: TID251
    async with serve(clock) as channel:
        stub = session_service_pb2_grpc.SessionServiceStub(channel)
        first = await _sign_in(stub, school.people["mother"].login)
        second = await _refresh(stub, first.refresh_token)
        clock.advance(timedelta(seconds=31))
        assert await refused(_refresh(stub, first.refresh_token)) == ENDED
        assert await refused(_refresh(stub, second.refresh_token)) == ENDED
        assert await refused(stub.GetCaller(pb.GetCallerRequest(), metadata=_metadata(second))) == ENDED


async def test_a_thief_who_refreshes_on_is_cut_off_when_the_owner_comes_back(stub: Any, school: SchoolWorld) -> None:
    stolen = (await _sign_in(stub, school.people["mother"].login)).refresh_token
    thief = await _refresh(stub, (await _refresh(stub, stolen)).refresh_token)
    assert await refused(_refresh(stub, stolen)) == ENDED
    assert await refused(_refresh(stub, thief.refresh_token)) == ENDED


async def test_of_two_branches_of_a_session_one_ends_both(serve: Serve, school: SchoolWorld) -> None:
    clock = SetClock(datetime.now(UTC))  # noqa: TID251
    async with serve(clock) as channel:
        stub = session_service_pb2_grpc.SessionServiceStub(channel)
        first = await _sign_in(stub, school.people["mother"].login)
        owner, thief = await _refresh(stub, first.refresh_token), await _refresh(stub, first.refresh_token)
        clock.advance(timedelta(minutes=5))
        thief = await _refresh(stub, thief.refresh_token)
        clock.advance(timedelta(minutes=5))
        assert await refused(_refresh(stub, owner.refresh_token)) == ENDED
        assert await refused(_refresh(stub, thief.refresh_token)) == ENDED


async def test_a_session_of_the_release_before_goes_on(stub: Any, admin: Any, school: SchoolWorld) -> None:
    tokens, used = [f"{word}-{uuid4().hex}" for word in ("live", "used")], "previous_refresh_digest"
    await admin.execute(
        f"""
        INSERT INTO sessions (account_id, refresh_digest, {used}, create_time, expire_time)
        VALUES ($1, sha256($2), sha256($3), now(), now() + interval '30 days')
        """,
        school.people["mother"].account_id,
        *(token.encode() for token in tokens),
    )
    pair = await _refresh(stub, tokens[0])
    assert (await _refresh(stub, tokens[0])).session_id == pair.session_id
    await _refresh(stub, pair.refresh_token)
    assert await refused(_refresh(stub, tokens[1])) == ENDED


async def test_a_session_is_over_ninety_days_after_sign_in_however_often_it_is_used(serve: Serve, school: SchoolWorld) -> None:
    clock = SetClock(GRANTED)
    async with serve(clock) as channel:
        stub = session_service_pb2_grpc.SessionServiceStub(channel)
        tokens = await _sign_in(stub, school.people["mother"].login)
        for _ in range(3):
            clock.advance(timedelta(days=29))
            tokens = await _refresh(stub, tokens.refresh_token)
        clock.advance(timedelta(days=3))
        assert await refused(_refresh(stub, tokens.refresh_token)) == ENDED


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
