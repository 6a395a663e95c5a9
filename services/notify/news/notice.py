"""What a kind of news is: its events, who is told, and what is fetched and said when it is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import grpc
from google.protobuf.message import Message

from chassis import events
from chassis.clock import Clock
from chassis.db import Database
from diary.access.v1 import credential_service_pb2_grpc, decision_service_pb2_grpc, grant_service_pb2_grpc
from diary.documents.v1 import document_service_pb2_grpc
from diary.journal.v1 import diary_service_pb2_grpc
from services.notify.news.convert import Words
from services.notify.news.rules import Fact, Taken
from services.notify.preferences import store as preferences

# The owner of the content says that there is nothing to send.
_NOT_WANTED = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND)
_Answer = TypeVar("_Answer")
_Told = TypeVar("_Told", bound=Message)


@dataclass(frozen=True, slots=True)
class Content:
    """A letter's receiver and words, and the secrets among them, which may be written nowhere."""

    receiver: str
    words: Words
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    """Whom notices ask for their contents at the moment of sending, and where their links lead."""

    database: Database
    clock: Clock
    credentials: credential_service_pb2_grpc.CredentialServiceAsyncStub
    decisions: decision_service_pb2_grpc.DecisionServiceAsyncStub
    grants: grant_service_pb2_grpc.GrantServiceAsyncStub
    documents: document_service_pb2_grpc.DocumentServiceAsyncStub
    diary: diary_service_pb2_grpc.DiaryServiceAsyncStub
    portal_url: str

    async def find_address(self, account_id: UUID | None) -> str | None:
        """The address of the account that is told."""
        assert account_id is not None
        async with self.database.region() as connection:
            return await preferences.find_address(connection, account_id)


@dataclass(frozen=True, slots=True)
class Heard:
    """An event, the facts that it tells, and the lane in which it waits."""

    message: type[Message]
    read: Callable[[Any], Iterable[Fact]]
    lane: events.Lane


def hears(message: type[_Told], read: Callable[[_Told], Iterable[Fact]], lane: events.Lane = events.PROJECTIONS) -> Heard:
    """An event that makes news."""
    return Heard(message, read, lane)


@dataclass(frozen=True, slots=True)
class Notice:
    """A kind of news, by its number in NoticeKind; `name` is its folder of templates and its label in metrics.

    Who is told: whom the fact names, or, `is_for_families`, the student and guardians who may read of the student since
    before the fact, want to hear of it and have an address; the facts of an event about a student are then one letter.
    When it is sent: `needs_sight` to whom may still read of the student alone, `may_be_off` to whom has not switched it off;
    `has_files`: one such letter at a time. `names_object`: how the event of its success or failure calls what it tells of.

    `fetch` gives the content, or None when there is nothing to send or nobody to send it to. Raises AioRpcError.
    """

    kind: int
    name: str
    hears: Sequence[Heard]
    fetch: Callable[[Taken, Sources], Awaitable[Content | None]]
    is_for_families: bool = False
    needs_sight: bool = False
    may_be_off: bool = False
    has_files: bool = False
    names_object: str = ""


async def ask(call: Awaitable[_Answer]) -> _Answer | None:
    """The owner's answer; None when it says that there is nothing to send."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        if error.code() in _NOT_WANTED:
            return None
        raise
