"""Slips, activation and redeeming: who may, what is void when, what a failure leaves behind (Clauses R25, R26)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio

from chassis.clock import SetClock, SystemClock
from diary.access.v1 import (
    application_pb2,
    application_service_pb2_grpc,
    credential_service_pb2_grpc,
    session_service_pb2,
    session_service_pb2_grpc,
)
from diary.access.v1 import credential_service_pb2 as credential_pb
from diary.documents.v1 import form_pb2
from tests.support.services import refused, sign_in, sign_service
from tests.worlds.access import PASSWORD, Person, SchoolWorld, make_school
from tests.worlds.access_service import Backends, Serve
from tests.worlds.applications import add_vera, by_email, filing, granting, handing_over, mother, reading, slip_of
from tests.worlds.printing import PDF, Papers, printing

OWN = "Полярная-лиса-57"
INVALID = (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_INVALID")
NO_GRANT = (grpc.StatusCode.NOT_FOUND, "GRANT_NOT_FOUND")
WEAK = (grpc.StatusCode.INVALID_ARGUMENT, "PASSWORD_TOO_WEAK")
NOT_WANTED = (grpc.StatusCode.FAILED_PRECONDITION, "DELIVERY_NOT_WANTED")


class Office:
    """access with its papers, and the calls of one school's office on a set clock."""

    def __init__(self, channel: grpc.aio.Channel, papers: Papers, clock: SetClock, backends: Backends) -> None:
        self.papers = papers
        self.clock = clock
        self.applications: Any = application_service_pb2_grpc.ApplicationServiceStub(channel)
        self.credentials: Any = credential_service_pb2_grpc.CredentialServiceStub(channel)
        self.sessions: Any = session_service_pb2_grpc.SessionServiceStub(channel)
        self._backends = backends

    def sign(self, person: Person, role: str) -> Any:
        return sign_in(self._backends.keys_dir, person.account_id, person.session_id, role, clock=self.clock)

    async def granted(self, school: SchoolWorld, *applicants: application_pb2.FiledApplicant) -> application_pb2.Application:
        """A case of Vera's, granted by her class teacher."""
        teacher = self.sign(school.people["class_teacher"], "class_teacher")
        request = filing(school, school.people["vera"], *applicants)
        case = (await self.applications.RegisterApplication(request, metadata=teacher)).application
        grant = granting(school, case.application_id)
        application: application_pb2.Application = (
            await self.applications.GrantApplication(grant, metadata=teacher)
        ).application
        return application

    async def slip(self, school: SchoolWorld, case: application_pb2.Application) -> form_pb2.Slip:
        """The slip of the first applicant, printed by the class teacher."""
        teacher = self.sign(school.people["class_teacher"], "class_teacher")
        answer = await self.credentials.IssueSlip(slip_of(school, case.applicants[0].grant_id), metadata=teacher)
        assert (answer.content_type, answer.data) == ("application/pdf", PDF)
        slip: form_pb2.Slip = self.papers.printed[-1]
        return slip

    async def token(self, school: SchoolWorld, case: application_pb2.Application) -> str:
        """An activation token, as notify redeems it."""
        token: str = (await self.redeem(school, case)).activation_token
        return token

    async def redeem(self, school: SchoolWorld, case: application_pb2.Application, service: str = "notify") -> Any:
        request = credential_pb.RedeemDeliveryRequest(school_id=str(school.school_id), grant_id=case.applicants[0].grant_id)
        signed = sign_service(self._backends.keys_dir, service, clock=self.clock)
        return await self.credentials.RedeemDelivery(request, metadata=signed)

    def activate(self, **words: str) -> Awaitable[Any]:
        call: Awaitable[Any] = self.credentials.ActivateAccount(
            credential_pb.ActivateAccountRequest(**{"new_password": OWN, **words})
        )
        return call

    def sign_in_with(self, login: str, password: str) -> Awaitable[Any]:
        call: Awaitable[Any] = self.sessions.CreateSession(
            session_service_pb2.CreateSessionRequest(login=login, password=password)
        )
        return call


@pytest_asyncio.fixture(scope="module")
async def office(backends: Backends, serve: Serve) -> AsyncIterator[Office]:
    papers = Papers()
    clock = SetClock(SystemClock().now())
    async with printing(backends, papers) as address, serve(clock, documents_address=address) as channel:
        yield Office(channel, papers, clock, backends)


@pytest_asyncio.fixture
async def vera(school: SchoolWorld) -> Person:
    return await add_vera(school)


@pytest.fixture
def teacher(office: Office, school: SchoolWorld) -> Any:
    return office.sign(school.people["class_teacher"], "class_teacher")


async def test_a_slip_bears_what_the_mother_needs(office: Office, school: SchoolWorld, vera: Person) -> None:
    """Clause R25: link, login, one-time password; whom to ask."""
    case = await office.granted(school)
    slip = await office.slip(school, case)
    assert (slip.holder_name, slip.student_name, slip.class_name) == ("Иванова Мария Петровна", "Иванова Вера", "8-А")
    assert (slip.login, slip.application_number) == (case.applicants[0].login, case.number)
    assert (slip.link, slip.issue_number) == ("http://127.0.0.1:8080/activate", 1)
    assert (slip.class_teacher_name, slip.handed_by) == ("Петрова Нина Ивановна", "Петрова Н. И.")
    assert slip.password_expire_time.ToDatetime(UTC) == office.clock.now() + timedelta(days=14)
    groups = slip.one_time_password.split("-")
    assert [len(group) for group in groups] == [4, 4, 4]
    assert not set("".join(groups)) & set("01loi")


async def test_the_next_slip_voids_the_one_before(office: Office, school: SchoolWorld, vera: Person) -> None:
    case = await office.granted(school)
    first, second = await office.slip(school, case), await office.slip(school, case)
    assert (first.login, second.issue_number) == (second.login, 2)
    assert await refused(office.activate(login=first.login, one_time_password=first.one_time_password)) == INVALID
    assert (await office.activate(login=second.login, one_time_password=second.one_time_password)).login == second.login


async def test_a_slip_is_not_printed_twice_for_one_request(
    office: Office, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """Clause R25: never twice with the same secret; the printed one stays valid."""
    case = await office.granted(school)
    request = slip_of(school, case.applicants[0].grant_id)
    await office.credentials.IssueSlip(request, metadata=teacher)
    printed = office.papers.printed[-1]
    refusal = await refused(office.credentials.IssueSlip(request, metadata=teacher))
    assert refusal == (grpc.StatusCode.ALREADY_EXISTS, "SLIP_ALREADY_ISSUED")
    assert office.papers.printed[-1] == printed
    assert (await office.activate(login=printed.login, one_time_password=printed.one_time_password)).login


async def test_papers_out_of_order_leave_the_old_password_valid(
    office: Office, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """And the request that failed may be repeated as it is."""
    case = await office.granted(school)
    old, request = await office.slip(school, case), slip_of(school, case.applicants[0].grant_id)
    office.papers.fail("diary.documents")
    refusal = await refused(office.credentials.IssueSlip(request, metadata=teacher))
    office.papers.mend()
    assert refusal == (grpc.StatusCode.UNAVAILABLE, "DOCUMENTS_UNAVAILABLE")
    refusal = await refused(office.sign_in_with(old.login, old.one_time_password))
    assert refusal == (grpc.StatusCode.FAILED_PRECONDITION, "PASSWORD_NOT_SET")
    await office.credentials.IssueSlip(request, metadata=teacher)
    assert office.papers.printed[-1].issue_number == 2
    assert await refused(office.activate(login=old.login, one_time_password=old.one_time_password)) == INVALID


async def test_two_slips_at_once_leave_one_valid(office: Office, school: SchoolWorld, vera: Person, teacher: Any) -> None:
    case = await office.granted(school)
    before = len(office.papers.printed)
    calls = [office.credentials.IssueSlip(slip_of(school, case.applicants[0].grant_id), metadata=teacher) for _ in range(4)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    lost = {answer.code() for answer in answers if isinstance(answer, grpc.aio.AioRpcError)}
    assert lost <= {grpc.StatusCode.ABORTED}
    login = case.applicants[0].login
    opened = 0
    for slip in office.papers.printed[before:]:
        office.clock.advance(timedelta(hours=1))
        outcome = await asyncio.gather(
            office.activate(login=login, one_time_password=slip.one_time_password), return_exceptions=True
        )
        opened += not isinstance(outcome[0], BaseException)
    assert opened == 1


@pytest.mark.parametrize(
    ("key", "role", "expected"),
    [
        ("other_class_teacher", "class_teacher", NO_GRANT),
        ("secretary", "admin", NO_GRANT),
        ("mother", "class_teacher", NO_GRANT),
        ("secretary", "secretary", (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")),
    ],
)
async def test_others_print_no_slip(
    office: Office, school: SchoolWorld, vera: Person, key: str, role: str, expected: Any
) -> None:
    """Clause R9."""
    case = await office.granted(school)
    metadata = office.sign(school.people[key], role)
    call = office.credentials.IssueSlip(slip_of(school, case.applicants[0].grant_id), metadata=metadata)
    assert await refused(call) == expected


async def test_another_schools_grant_is_as_absent_as_none(
    office: Office, school: SchoolWorld, vera: Person, admin: Any
) -> None:
    case = await office.granted(school)
    other = await make_school(admin)
    metadata = office.sign(other.people["admin"], "admin")
    for where, grant_id in ((school, case.applicants[0].grant_id), (other, case.applicants[0].grant_id), (other, str(uuid4()))):
        assert await refused(office.credentials.IssueSlip(slip_of(where, grant_id), metadata=metadata)) == NO_GRANT


async def test_an_activated_account_gets_no_slip_and_no_letter(
    office: Office, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    case = await office.granted(school, by_email())
    await office.activate(activation_token=await office.token(school, case))
    call = office.credentials.IssueSlip(slip_of(school, case.applicants[0].grant_id), metadata=teacher)
    assert await refused(call) == NOT_WANTED
    assert await refused(office.redeem(school, case)) == NOT_WANTED


@pytest.mark.parametrize("typed", [str.upper, lambda text: text.replace("-", " "), lambda text: f" {text.replace('-', '')} "])
async def test_activation_signs_in_however_the_password_was_typed(
    office: Office, school: SchoolWorld, vera: Person, typed: Callable[[str], str]
) -> None:
    slip = await office.slip(school, await office.granted(school))
    answer = await office.activate(login=f" {slip.login.upper()}", one_time_password=typed(slip.one_time_password))
    metadata = [("authorization", f"Bearer {answer.tokens.access_token}")]
    me = await office.sessions.GetCaller(session_service_pb2.GetCallerRequest(), metadata=metadata)
    assert (me.login, [student.display_name for student in me.schools[0].students]) == (slip.login, ["Иванова Вера"])
    assert (await office.sign_in_with(slip.login, OWN)).tokens.refresh_token


async def test_activation_voids_all_first_credentials(office: Office, school: SchoolWorld, vera: Person) -> None:
    case = await office.granted(school, by_email())
    tokens = [await office.token(school, case) for _ in range(2)]
    slip = await office.slip(school, case)
    assert (await office.activate(activation_token=tokens[0])).login == slip.login
    assert await refused(office.activate(activation_token=tokens[0])) == INVALID
    assert await refused(office.activate(activation_token=tokens[1])) == INVALID
    assert await refused(office.activate(login=slip.login, one_time_password=slip.one_time_password)) == INVALID
    refusal = await refused(office.sign_in_with(slip.login, slip.one_time_password))
    assert refusal == (grpc.StatusCode.UNAUTHENTICATED, "SIGN_IN_FAILED")
    left = await school.connection.fetchrow(
        """
        SELECT (SELECT count(*) FROM access.activation_tokens t WHERE t.account_id = a.account_id) AS tokens,
               (SELECT count(*) FROM access.one_time_passwords o
                WHERE o.account_id = a.account_id AND o.password_hash IS NOT NULL) AS hashes
        FROM access.accounts a WHERE a.login = $1
        """,
        slip.login,
    )
    assert tuple(left.values()) == (0, 0)


async def test_the_one_time_password_opens_nothing_but_activation(office: Office, school: SchoolWorld, vera: Person) -> None:
    slip = await office.slip(school, await office.granted(school))
    for shown, expected in (
        (slip.one_time_password, (grpc.StatusCode.FAILED_PRECONDITION, "PASSWORD_NOT_SET")),
        ("k7mp-x2da-94rt", (grpc.StatusCode.UNAUTHENTICATED, "SIGN_IN_FAILED")),
        (PASSWORD, (grpc.StatusCode.UNAUTHENTICATED, "SIGN_IN_FAILED")),
    ):
        assert await refused(office.sign_in_with(slip.login, shown)) == expected


async def test_first_credentials_run_out_after_fourteen_days(office: Office, school: SchoolWorld, vera: Person) -> None:
    case = await office.granted(school, by_email())
    slip, token = await office.slip(school, case), await office.token(school, case)
    office.clock.advance(timedelta(days=14))
    assert await refused(office.activate(activation_token=token)) == INVALID
    assert await refused(office.activate(login=slip.login, one_time_password=slip.one_time_password)) == INVALID
    refusal = await refused(office.sign_in_with(slip.login, slip.one_time_password))
    assert refusal == (grpc.StatusCode.UNAUTHENTICATED, "SIGN_IN_FAILED")


async def test_guessing_a_one_time_password_blocks_the_login(office: Office, school: SchoolWorld, vera: Person) -> None:
    """The same count as of sign-in, so that two doors give no more guesses than one."""
    slip = await office.slip(school, await office.granted(school))
    for _ in range(3):
        assert await refused(office.activate(login=slip.login, one_time_password="k7mp-x2da-94rt")) == INVALID
    for _ in range(2):
        await refused(office.sign_in_with(slip.login, "k7mp-x2da-94rt"))
    call = office.activate(login=slip.login, one_time_password=slip.one_time_password)
    assert await refused(call) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "SIGN_IN_BLOCKED")
    office.clock.advance(timedelta(minutes=15))
    assert (await office.activate(login=slip.login, one_time_password=slip.one_time_password)).login == slip.login


async def test_a_weak_own_password_is_refused_and_may_be_chosen_again(
    office: Office, school: SchoolWorld, vera: Person
) -> None:
    """However often: it is no guess at another's account."""
    slip = await office.slip(school, await office.granted(school))
    shown = {"login": slip.login, "one_time_password": slip.one_time_password}
    common = ("короткий", slip.one_time_password, slip.one_time_password.replace("-", ""), "QwertyUiop", "йцукенгшщз")
    for password in (*common, "password123", "1234567890", "фывапролдж"):
        assert await refused(office.activate(**shown, new_password=password)) == WEAK
    assert (await office.activate(**shown)).login == slip.login


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"login": "ivanova.mp"},
        {"one_time_password": "k7mp-x2da-94rt"},
        {"activation_token": "t" * 43, "login": "ivanova.mp", "one_time_password": "k7mp-x2da-94rt"},
    ],
)
async def test_activation_asks_for_one_proof(office: Office, shown: dict[str, str]) -> None:
    assert await refused(office.activate(**shown)) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")


@pytest.mark.parametrize(
    "shown",
    [
        {"activation_token": "t" * 43},
        {"login": "nobody.at.all", "one_time_password": "k7mp-x2da-94rt"},
    ],
)
async def test_an_unknown_proof_activates_nothing(office: Office, shown: dict[str, str]) -> None:
    assert await refused(office.activate(**shown)) == INVALID


async def test_one_of_two_activations_at_once_wins(office: Office, school: SchoolWorld, vera: Person) -> None:
    case = await office.granted(school, by_email())
    token = await office.token(school, case)
    calls = [office.activate(activation_token=token, new_password=f"{OWN}-{number}") for number in range(4)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1


async def test_at_most_five_tokens_live(office: Office, school: SchoolWorld, vera: Person) -> None:
    """The oldest goes: the letter that was sent last always opens."""
    case = await office.granted(school, by_email())
    tokens = []
    for _ in range(6):
        office.clock.advance(timedelta(seconds=1))
        tokens.append(await office.token(school, case))
    assert (
        await school.connection.fetchval(
            "SELECT count(*) FROM access.activation_tokens t JOIN access.grants g USING "
            "(account_id) WHERE g.grant_id::text = $1",
            case.applicants[0].grant_id,
        )
        == 5
    )
    assert await refused(office.activate(activation_token=tokens[0])) == INVALID
    assert (await office.activate(activation_token=tokens[1])).login == case.applicants[0].login


async def test_notify_redeems_where_to_send(office: Office, school: SchoolWorld, vera: Person) -> None:
    """Clause R26."""
    case = await office.granted(school, by_email())
    answer = await office.redeem(school, case)
    assert (answer.application_number, answer.student_called_name) == (case.number, "Вера")
    assert (answer.email, answer.school_name, answer.time_zone) == ("ivanova@example.org", "Школа", "Europe/Simferopol")
    assert answer.expire_time.ToDatetime(UTC) == office.clock.now() + timedelta(days=14)


async def test_another_service_redeems_nothing(office: Office, school: SchoolWorld, vera: Person) -> None:
    case = await office.granted(school, by_email())
    for service in ("journal", "documents", "access"):
        assert await refused(office.redeem(school, case, service)) == (grpc.StatusCode.PERMISSION_DENIED, "SERVICE_NOT_ALLOWED")


async def test_what_was_not_wanted_by_email_or_has_ended_is_not_sent(office: Office, school: SchoolWorld, vera: Person) -> None:
    in_person = await office.granted(school, mother(email="ivanova@example.org"))
    assert await refused(office.redeem(school, in_person)) == NOT_WANTED
    case = await office.granted(school, by_email(given_name="Майя"))
    await school.connection.execute(
        "UPDATE access.grants SET end_time = $2, end_ground = 'revoked' WHERE grant_id::text = $1",
        case.applicants[0].grant_id,
        office.clock.now() + timedelta(seconds=1),
    )
    assert await refused(office.redeem(school, case)) == NOT_WANTED


async def test_a_hand_over_is_noted_once_a_slip(office: Office, school: SchoolWorld, vera: Person, teacher: Any) -> None:
    """Clause R25: the receipt, by whom and when; a new slip may be handed over again."""
    case = await office.granted(school)
    secretary = office.sign(school.people["secretary"], "secretary")
    await office.slip(school, case)
    office.clock.advance(timedelta(minutes=1))
    request = handing_over(school, case)
    noted = (await office.applications.RecordHandOver(request, metadata=secretary)).application
    assert noted.applicants[0].hand_over_time.ToDatetime(UTC) == office.clock.now()
    assert [(entry.actor_name, entry.ground) for entry in noted.log[-2:]] == [
        ("Петрова Н. И.", "напечатана памятка доступа, выдача № 1"),
        ("Письмова И. О.", "памятка доступа выдана, расписка получена: Иванова Мария Петровна (мать)"),
    ]
    assert (await office.applications.RecordHandOver(request, metadata=secretary)).application == noted
    refusal = await refused(office.applications.RecordHandOver(handing_over(school, case), metadata=secretary))
    assert refusal == (grpc.StatusCode.FAILED_PRECONDITION, "NOT_HANDED_OVER_YET")
    office.clock.advance(timedelta(minutes=1))
    await office.slip(school, case)
    again = (await office.applications.RecordHandOver(handing_over(school, case), metadata=teacher)).application
    assert again.applicants[0].hand_over_time.ToDatetime(UTC) == office.clock.now()


async def test_others_note_no_hand_over(office: Office, school: SchoolWorld, vera: Person) -> None:
    case = await office.granted(school)
    await office.slip(school, case)
    metadata = office.sign(school.people["other_class_teacher"], "class_teacher")
    refusal = await refused(office.applications.RecordHandOver(handing_over(school, case), metadata=metadata))
    assert refusal == (grpc.StatusCode.NOT_FOUND, "APPLICATION_NOT_FOUND")
    stranger = handing_over(school, case)
    stranger.applicant_id = str(uuid4())
    teacher = office.sign(school.people["class_teacher"], "class_teacher")
    refusal = await refused(office.applications.RecordHandOver(stranger, metadata=teacher))
    assert refusal == (grpc.StatusCode.NOT_FOUND, "APPLICATION_NOT_FOUND")
    read = (await office.applications.GetApplication(reading(school, case.application_id), metadata=teacher)).application
    assert not read.applicants[0].HasField("hand_over_time")
