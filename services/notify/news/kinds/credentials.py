"""First credentials, the document that the service was given (R26): to the account, at the address of its application.

The secret is minted when it is sent; until then access says whether it is wanted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import events
from diary.access.v1 import credential_service_pb2, events_pb2
from diary.notify.v1 import delivery_pb2
from services.notify.news.convert import Words, read_instant, render
from services.notify.news.notice import Content, Notice, Sources, ask, hears
from services.notify.news.rules import Fact, Taken, one_line, write_date, write_moment
from services.notify.preferences import store as preferences


@dataclass(frozen=True, slots=True)
class FirstSignIn:
    """What opens an access, and the application on which it was given (Clause R26). The token is a secret."""

    school_name: str
    application_number: str
    application_date: date
    student_called_name: str
    login: str
    token: str = field(repr=False)
    expire_time: datetime
    time_zone: ZoneInfo


def read_ready(ready: events_pb2.CredentialsReady) -> Iterable[Fact]:
    """The account whose credentials are ready."""
    yield Fact(UUID(ready.grant_id), account_id=UUID(ready.account_id))


async def fetch(taken: Taken, sources: Sources) -> Content | None:
    """Mints the token, which lives in memory and in the letter only, and keeps the address for later letters."""
    assert taken.account_id is not None
    answer = await ask(
        sources.credentials.RedeemDelivery(
            credential_service_pb2.RedeemDeliveryRequest(school_id=str(taken.school_id), grant_id=str(taken.object_id))
        )
    )
    if answer is None:
        return None
    async with sources.database.region() as connection:
        await preferences.put_address(connection, taken.account_id, answer.email, sources.clock.now())
    return Content(answer.email, write(_read(answer), sources.portal_url), (answer.activation_token,))


def _read(answer: credential_service_pb2.RedeemDeliveryResponse) -> FirstSignIn:
    return FirstSignIn(
        answer.school_name,
        answer.application_number,
        date.fromisoformat(answer.application_date),
        answer.student_called_name,
        answer.login,
        answer.activation_token,
        read_instant(answer.expire_time),
        ZoneInfo(answer.time_zone),
    )


def write(first: FirstSignIn, portal_url: str) -> Words:
    """Number and date, child, login, link.

    Token and login stand behind `#`: browsers send no fragment, so they are in no log of a server. The child is called by the
    given name, as in every letter: it may lie abroad (docs/decisions/0081-letters.md).
    """
    page = f"{portal_url}/activate"
    values = {
        "school_name": one_line(first.school_name),
        "number": one_line(first.application_number),
        "day": write_date(first.application_date),
        "child": one_line(first.student_called_name),
        "login": one_line(first.login),
        "link": f"{page}#{first.token}/{quote(first.login)}",
        "page": page,
        "diary": portal_url,
        "token": first.token,
        "valid_until": write_moment(first.expire_time, first.time_zone),
    }
    return render("credentials", values)


NOTICE = Notice(
    delivery_pb2.NOTICE_KIND_CREDENTIALS,
    "credentials",
    [hears(events_pb2.CredentialsReady, read_ready, events.WORK)],
    fetch,
    names_object="grant_id",
)
