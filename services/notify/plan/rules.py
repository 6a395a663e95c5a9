"""Into which delivery a piece of news goes, and when."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from services.notify.news.rules import News


class Channel(IntEnum):
    """The ways by which messages leave."""

    EMAIL = 1


# Of an account and a student: whether it wants to hear.
Preferences = Mapping[tuple[UUID | None, UUID | None], bool]
# Of an account: over which channels it can be told.
Contacts = Mapping[UUID | None, Collection[Channel]]


@dataclass(frozen=True, slots=True)
class Planned:
    """A delivery to be: one message to one viewer about one student or none, of news of one kind, not before `time`."""

    channel: Channel
    time: datetime
    news: Sequence[News]


def plan_deliveries(news: Sequence[News], preferences: Preferences, contacts: Contacts | None, now: datetime) -> list[Planned]:
    """Each piece of news goes into a letter of its own, at once or when it is held no more.

    None goes to who does not want it, or has no address (Clause R26); without `contacts` whoever owns the content
    says where it goes, when it is fetched.
    """
    return [
        Planned(Channel.EMAIL, max(now, one.hold_until or now), (one,))
        for one in news
        if preferences.get((one.account_id, one.student_id), True)
        and (contacts is None or Channel.EMAIL in contacts.get(one.account_id, ()))
    ]
