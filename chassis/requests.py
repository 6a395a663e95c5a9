"""Idempotency: a write's request_id, its digest and its answer, kept in the transaction of the write for 30 days."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from chassis.auth import caller
from chassis.clock import Clock
from chassis.db import Connection
from chassis.errors import InvalidArgument, Unavailable

M = TypeVar("M", bound=Message)


class Write(Protocol):
    """A request that carries a request_id."""

    request_id: str

    def SerializeToString(self, *, deterministic: bool = ...) -> bytes:  # noqa: N802 - protobuf's name
        """Serializes the request."""
        ...


@dataclass(slots=True)
class Answering(Generic[M]):
    """A write that is done once: `is_new` when it was not done before, else `answer` is what was answered then."""

    is_new: bool
    answer: M


@asynccontextmanager
async def once(connection: Connection, clock: Clock, request: Write, answer: type[M]) -> AsyncIterator[Answering[M]]:
    """Does a caller's write once, in its transaction and after its permission was checked.

        async with requests.once(connection, self._clock, request, pb.ProposeRefusalResponse) as write:
            if write.is_new:
                write.answer = ...
        return write.answer

    What is answered is kept at the end. Raises what find_answer and keep_answer raise.
    """
    account_id = caller().account_id
    known = await find_answer(connection, account_id, request, answer)
    write = Answering(known is None, answer() if known is None else known)
    yield write
    if write.is_new:
        await keep_answer(connection, account_id, request, write.answer, clock.now())


def name_rpc(request: Write) -> str:
    """The method of a request."""
    return type(request).__name__.removesuffix("Request")


def digest(request: Write) -> bytes:
    """What tells one request from another under the same request_id."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


async def find_answer(connection: Connection, account_id: UUID, request: Write, answer: type[M]) -> M | None:
    """The answer given before to this very request, or None. Raises InvalidArgument REQUEST_ID_REUSED."""
    row = await connection.fetchrow(
        "SELECT rpc, digest, answer FROM requests WHERE account_id = $1 AND request_id = $2",
        account_id,
        UUID(request.request_id),
    )
    if row is None:
        return None
    check_digest(row["rpc"], row["digest"], request)
    return answer.FromString(row["answer"])


def check_digest(rpc: str, kept: bytes, request: Write) -> None:
    """Raises InvalidArgument REQUEST_ID_REUSED when the kept request was another."""
    # Two methods may have requests of the same bytes.
    if (rpc, kept) != (name_rpc(request), digest(request)):
        raise InvalidArgument("REQUEST_ID_REUSED", "this request_id was used with another request; make a new one")


async def keep_answer(connection: Connection, account_id: UUID, request: Write, answer: Message, now: datetime) -> None:
    """Keeps the answer. Two at once: the second waits for the first, then raises Unavailable REQUEST_IN_PROGRESS; repeated,
    it finds the first one's answer.
    """
    status = await connection.execute(
        """
        INSERT INTO requests (account_id, request_id, rpc, digest, answer, create_time) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING
        """,
        account_id,
        UUID(request.request_id),
        name_rpc(request),
        digest(request),
        answer.SerializeToString(),
        now,
    )
    if status != "INSERT 0 1":
        raise Unavailable("REQUEST_IN_PROGRESS", "the same request ran at this moment; repeat it and get its answer")
