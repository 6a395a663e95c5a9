"""The warning 30 days before an access ends (R6, R13): to the account that is named, while it may still read.

Whether it is still true is asked when it is sent; it cannot be switched off.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import events
from diary.access.v1 import events_pb2, grant_service_pb2
from diary.notify.v1 import delivery_pb2
from services.notify.news.convert import Words, read_instant, render, render_part
from services.notify.news.notice import Content, Notice, Sources, ask, hears
from services.notify.news.rules import Fact, Taken, find_last_day, one_line, write_date


class EndingCause(IntEnum):
    """Why an access ends by itself; numbers of diary.access.v1.GrantEndingCause."""

    OF_AGE = 1
    AUTHORITY = 2
    LEAVING = 3


@dataclass(frozen=True, slots=True)
class Ending:
    """An access that ends by itself, as a letter tells it: to its holder, or to the student whose guardian holds it (R6, R13).

    `last_day` is the last one on which it holds, until 24:00; `student_name` the given name.
    """

    cause: EndingCause
    last_day: date
    student_name: str
    school_name: str
    holder_name: str
    is_to_holder: bool
    is_of_student: bool


def read_ends_soon(ending: events_pb2.AccessEndsSoon) -> Iterable[Fact]:
    """The account that shall know."""
    yield Fact(UUID(ending.grant_id), account_id=UUID(ending.account_id), student_id=UUID(ending.student_id))


async def fetch(taken: Taken, sources: Sources) -> Content | None:
    """What access says of the ending now."""
    assert taken.account_id is not None
    receiver = await sources.find_address(taken.account_id)
    if receiver is None:
        return None
    wanted = grant_service_pb2.GetGrantEndingRequest(school_id=str(taken.school_id), grant_id=str(taken.object_id))
    answer = await ask(sources.grants.GetGrantEnding(wanted))
    return None if answer is None else Content(receiver, write(_read(answer, taken.account_id), sources.portal_url))


def _read(answer: grant_service_pb2.GetGrantEndingResponse, account_id: UUID) -> Ending:
    return Ending(
        EndingCause(answer.cause),
        find_last_day(read_instant(answer.end_time), ZoneInfo(answer.time_zone)),
        one_line(answer.student_given_name),
        one_line(answer.school_name),
        one_line(answer.holder_name),
        UUID(answer.holder_account_id) == account_id,
        answer.is_student,
    )


def write(ending: Ending, portal_url: str) -> Words:
    """In words for its receiver and the cause."""
    values = {
        "cause": ending.cause.name,
        "day": write_date(ending.last_day),
        "student_name": ending.student_name,
        "school_name": ending.school_name,
        "holder_name": ending.holder_name,
        "is_to_holder": ending.is_to_holder,
        "is_of_student": ending.is_of_student,
        "page": portal_url,
    }
    # Written once for both parts of the letter; HTML escapes them as it escapes any value.
    paragraphs = render_part("access_ends/words.txt", values).strip().split("\n\n")
    return render("access_ends", values | {"paragraphs": paragraphs})


NOTICE = Notice(
    delivery_pb2.NOTICE_KIND_ACCESS_ENDS,
    "access_ends",
    [hears(events_pb2.AccessEndsSoon, read_ends_soon, events.WORK)],
    fetch,
    needs_sight=True,
)
