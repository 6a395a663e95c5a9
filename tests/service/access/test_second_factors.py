"""Wrong codes are counted whatever asks for them, codes are read as people write them, secrets are sealed."""

import asyncio
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pyotp
import pytest

from chassis.clock import SetClock
from chassis.db import Database
from deploy.keys import rotate_factor_key
from diary.access.v1 import application_service_pb2 as cases_pb
from diary.access.v1 import application_service_pb2_grpc, session_service_pb2_grpc
from diary.access.v1 import session_service_pb2 as pb
from services.access.rights.actions.factor_keys import FactorKeys, seal_all
from tests.support.eventually import eventually
from tests.support.services import refused, refused_or_answered
from tests.worlds.access import PASSWORD, SchoolWorld
from tests.worlds.access_service import Backends, Serve
from tests.worlds.applications import add_vera

WRONG = (grpc.StatusCode.UNAUTHENTICATED, "CODE_WRONG")
BY_CODES = (grpc.StatusCode.UNAUTHENTICATED, "SESSION_ENDED_BY_CODES")
ENDED = (grpc.StatusCode.UNAUTHENTICATED, "SESSION_ENDED")
BLOCKED = (grpc.StatusCode.RESOURCE_EXHAUSTED, "CODE_BLOCKED")
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


class Staff:
    """Someone with a secret for codes, at a clock of the test's."""

    def __init__(self, channel: grpc.aio.Channel, clock: SetClock, login: str, metadata: Any) -> None:
        self.sessions = session_service_pb2_grpc.SessionServiceStub(channel)
        self.cases = application_service_pb2_grpc.ApplicationServiceStub(channel)
        self.clock = clock
        self.login = login
        self.metadata = metadata
        self.secret = ""

    async def enrol(self) -> None:
        request = pb.EnrolTotpRequest(request_id=str(uuid4()), password=PASSWORD)
        self.secret = (await self.sessions.EnrolTotp(request, metadata=self.metadata)).secret

    def code(self, *, is_right: bool = True) -> str:
        away = timedelta() if is_right else timedelta(minutes=10)
        return pyotp.TOTP(self.secret).at(self.clock.now() + away)

    async def confirm(self, code: str) -> None:
        request = pb.ConfirmTotpRequest(request_id=str(uuid4()), one_time_code=code)
        await self.sessions.ConfirmTotp(request, metadata=self.metadata)
        self.clock.advance(timedelta(seconds=30))

    async def sign_in(self, code: str, address: str = "192.0.2.77") -> None:
        request = pb.CreateSessionRequest(login=self.login, password=PASSWORD, one_time_code=code)
        await self.sessions.CreateSession(request, metadata=[("x-diary-client-address", address)])
        self.clock.advance(timedelta(seconds=30))

    async def sign(self, school: SchoolWorld, code: str) -> None:
        request = cases_pb.SignRefusalsRequest(
            school_id=str(school.school_id), request_id=str(uuid4()), application_ids=[str(uuid4())], one_time_code=code
        )
        await self.cases.SignRefusals(request, metadata=self.metadata)


@pytest.fixture
async def head(serve: Serve, backends: Backends, school: SchoolWorld) -> Any:
    await add_vera(school)
    clock = SetClock(datetime.now(UTC).replace(microsecond=0))  # noqa: TID251
    person = school.people["head"]
    async with serve(clock=clock) as channel:
        yield Staff(channel, clock, person.login, backends.sign_in(person, "head"))


async def _is_live(admin: Any, school: SchoolWorld) -> bool:
    session_id = school.people["head"].session_id
    return bool(await admin.fetchval("SELECT end_time IS NULL FROM sessions WHERE session_id = $1", session_id))


async def test_a_stolen_session_ends_with_its_fifth_wrong_code_and_keeps_the_head_out_of_nothing(
    head: Staff, admin: Any, school: SchoolWorld
) -> None:
    await head.enrol()
    await head.confirm(head.code())
    for _ in range(4):
        assert await refused(head.sign(school, head.code(is_right=False))) == WRONG
    assert await _is_live(admin, school)
    told = "SELECT count(*) FROM outbox WHERE subject = 'diary.access.v1.SessionsEnded'"
    before = await admin.fetchval(told)
    assert await refused(head.sign(school, head.code(is_right=False))) == BY_CODES
    assert not await _is_live(admin, school)
    assert await refused(head.sign(school, head.code())) == ENDED
    # The other services are told.
    assert await admin.fetchval(told) == before + 1
    # The head's own sign-in, from a new address too.
    await head.sign_in(head.code())


async def test_a_code_that_is_sent_again_is_refused_and_is_no_guess(head: Staff, admin: Any, school: SchoolWorld) -> None:
    """A client that repeats a call, or a double click, keeps nobody out."""
    await head.enrol()
    await head.confirm(head.code())
    code = head.code()
    await head.sign_in(code)
    for _ in range(7):
        assert await refused(head.sign_in(code)) == WRONG
        assert await refused(head.sign(school, code)) == WRONG
    assert await _is_live(admin, school)
    await head.sign_in(head.code())


async def test_codes_at_once_in_one_session_are_no_more_guesses_than_in_turn(head: Staff, school: SchoolWorld) -> None:
    await head.enrol()
    await head.confirm(head.code())
    wrong = head.code(is_right=False)
    answers = await asyncio.gather(*(refused(head.sign(school, wrong)) for _ in range(12)))
    assert sorted(reason for _, reason in answers) == sorted(
        ["CODE_WRONG"] * 4 + ["SESSION_ENDED_BY_CODES"] + ["SESSION_ENDED"] * 7
    )


async def test_a_right_code_of_a_session_forgives_the_wrong_ones_before_it(head: Staff, school: SchoolWorld) -> None:
    await head.enrol()
    await head.confirm(head.code())
    for _ in range(3):
        for _ in range(4):
            assert await refused(head.sign(school, head.code(is_right=False))) == WRONG
        assert (await refused(head.sign(school, head.code())))[1] not in ("CODE_WRONG", "SESSION_ENDED")
        head.clock.advance(timedelta(seconds=30))


async def test_codes_that_would_confirm_a_secret_are_counted_and_another_secret_does_not_begin_anew(head: Staff) -> None:
    await head.enrol()
    for _ in range(4):
        assert await refused(head.confirm(head.code(is_right=False))) == WRONG
    await head.enrol()
    assert await refused(head.confirm(head.code(is_right=False))) == BY_CODES
    assert await refused(head.confirm(head.code())) == ENDED


async def test_who_knows_the_password_blocks_codes_at_the_own_address_alone(head: Staff) -> None:
    await head.enrol()
    await head.confirm(head.code())
    for _ in range(5):
        assert await refused(head.sign_in(head.code(is_right=False), "192.0.2.1")) == WRONG
    assert await refused(head.sign_in(head.code(), "192.0.2.1")) == BLOCKED
    await head.sign_in(head.code(), "192.0.2.2")


async def test_codes_from_everywhere_block_new_addresses_and_none_that_was_signed_in_from(head: Staff) -> None:
    await head.enrol()
    await head.confirm(head.code())
    await head.sign_in(head.code(), "198.51.100.1")
    for number in range(10):
        assert await refused(head.sign_in(head.code(is_right=False), f"203.0.113.{number}")) == WRONG
    assert await refused(head.sign_in(head.code(), "203.0.113.77")) == BLOCKED
    await head.sign_in(head.code(), "198.51.100.1")
    # The holder's own sign-in gives a guesser no other round.
    assert await refused(head.sign_in(head.code(), "203.0.113.77")) == BLOCKED
    head.clock.advance(timedelta(minutes=15))
    await head.sign_in(head.code(), "203.0.113.77")


async def test_the_caller_is_told_of_a_confirmed_factor_and_of_no_other(head: Staff) -> None:
    async def told() -> bool:
        answer = await head.sessions.GetCaller(pb.GetCallerRequest(), metadata=head.metadata)
        return bool(answer.has_second_factor)

    shown = [await told()]
    await head.enrol()
    shown.append(await told())
    await head.confirm(head.code())
    assert [*shown, await told()] == [False, False, True]


async def test_a_right_code_forgives_the_wrong_ones_before_it(head: Staff) -> None:
    await head.enrol()
    await head.confirm(head.code())
    for _ in range(3):
        for _ in range(4):
            assert await refused(head.sign_in(head.code(is_right=False))) == WRONG
        await head.sign_in(head.code())


@pytest.mark.parametrize("write", ["{0}{1}", "{0} {1}", " {0}\u00a0{1} ", "{0}-{1}"])
async def test_a_code_is_taken_however_it_is_written(head: Staff, write: str) -> None:
    await head.enrol()
    code = head.code()
    await head.confirm(write.format(code[:3], code[3:]))
    code = head.code()
    await head.sign_in(write.format(code[:3], code[3:]))


async def test_a_password_alone_costs_no_attempt_where_a_code_is_asked_for(head: Staff) -> None:
    await head.enrol()
    await head.confirm(head.code())
    missing = (grpc.StatusCode.UNAUTHENTICATED, "CODE_MISSING")
    for _ in range(7):
        assert await refused(head.sign_in("")) == missing


async def test_the_secret_stands_sealed_in_the_database(head: Staff, admin: Any, school: SchoolWorld) -> None:
    await head.enrol()
    account_id = school.people["head"].account_id
    kept = await admin.fetchval("SELECT secret FROM second_factors WHERE account_id = $1", account_id)
    assert kept.startswith("factor-1.")
    assert head.secret not in kept


async def test_secrets_of_the_release_before_and_of_earlier_keys_are_sealed_by_the_present_key(
    head: Staff, backends: Backends, admin: Any, school: SchoolWorld, tmp_path: Path
) -> None:
    await head.enrol()
    plain, account_id = pyotp.random_base32(), school.people["mother"].account_id
    await admin.execute("INSERT INTO second_factors (account_id, secret, enrol_time) VALUES ($1, $2, now())", account_id, plain)
    shutil.copy(backends.keys_dir / "factor-keys.json", tmp_path)
    rotate_factor_key(tmp_path)
    keys = FactorKeys(tmp_path / "factor-keys.json")
    database = await Database.connect(backends.clone.app_dsns["access"], "access", size=1)
    assert await seal_all(database, keys) >= 2
    assert await seal_all(database, keys) == 0
    await database.close()
    of = "SELECT secret FROM second_factors WHERE account_id = $1"
    kept = {key: await admin.fetchval(of, school.people[key].account_id) for key in ("mother", "head")}
    assert all(text.startswith("factor-2.") for text in kept.values())
    assert keys.open(kept["mother"], account_id) == plain
    assert keys.open(kept["head"], school.people["head"].account_id) == head.secret
    # Back to the key of the module's access, which does not know the next one.
    first = FactorKeys(backends.keys_dir / "factor-keys.json")
    await admin.execute(
        "UPDATE second_factors SET secret = $2 WHERE account_id = $1", account_id, first.seal(plain, account_id)
    )


def test_a_key_made_meanwhile_is_read_when_it_is_met(backends: Backends, tmp_path: Path) -> None:
    path, account_id = tmp_path / "factor-keys.json", uuid4()
    shutil.copy(backends.keys_dir / path.name, path)
    older = FactorKeys(path)
    rotate_factor_key(tmp_path)
    assert older.open(FactorKeys(path).seal("ABC", account_id), account_id) == "ABC"
    assert len(json.loads(path.read_text())["keys"]) == 2


async def test_the_same_code_twice_at_once_counts_once(head: Staff, admin: Any) -> None:
    """Both calls read while a third holds the row: the second must see what the first one left."""
    await head.enrol()
    code, row = head.code(), "SELECT secret FROM second_factors WHERE secret IS NOT NULL AND confirm_time IS NULL FOR UPDATE"
    async with admin.transaction():
        await admin.fetch(row)
        calls = [asyncio.create_task(refused_or_answered(head.confirm(code))) for _ in range(2)]

        async def both_wait() -> bool:
            return bool(await admin.fetchval("SELECT count(*) >= 2 FROM pg_locks WHERE NOT granted"))

        await eventually(both_wait, why="two calls at the row")
    outcomes = sorted((status.name, reason) for status, reason in await asyncio.gather(*calls))
    assert outcomes == [("FAILED_PRECONDITION", "TOTP_ENROLLED"), ("OK", "")]
