"""Events as their handlers see them.

A service's handlers are methods marked by `on` with the type of the event they hear. Such a method is given the message, asks
the neighbours what it needs, and returns the `Effect`, which then happens once: in the transaction of the event's inbox row.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from chassis.clock import Clock
from chassis.db import Connection, Database, Walk

STREAM_KEEPS = timedelta(days=7)


class Later(Exception):  # noqa: N818 - an instruction, not a fault
    """Raised by a handler: not now, but after at least so many seconds; what the event stands on is not there yet."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Event:
    """A fact told by another service. `payload` is the protobuf message named by `subject`."""

    event_id: UUID
    subject: str
    school_id: UUID | None
    fact_time: datetime
    payload: bytes
    traceparent: str = ""


@dataclass(frozen=True)
class Lane:
    """Events that wait for each other, and for no other lane's: each has a durable of its own on every stream it is heard from.

    `room` is how many a replica holds: those behind a slow one are better with another replica.
    """

    name: str
    room: int

    def durable(self, service: str) -> str:
        """The lane's durable. The first lane has the name that there was before there were lanes, and so its place."""
        return service if self is PROJECTIONS else f"{service}-{self.name}"


PROJECTIONS = Lane("projections", room=32)
WORK = Lane("work", room=1)
LANES = (PROJECTIONS, WORK)


@dataclass(frozen=True)
class Effect:
    """What an event does here. `then` is called when that is committed."""

    work: Callable[[Connection], Awaitable[object]]
    then: Callable[[], None] | None = None


_Told = TypeVar("_Told", bound=Message)
_Method = Callable[[Any, _Told, Event], Awaitable[Effect | None]]
_ManyMethod = Callable[[Any, Mapping[Event, _Told]], Awaitable[None]]


class Handler:
    """Handles the events of a subject, one at a time."""

    def __init__(self, handle: Callable[[Event], Awaitable[None]], lane: Lane = PROJECTIONS) -> None:
        self._handle = handle
        self.lane = lane

    async def __call__(self, event: Event) -> None:
        """Handles one."""
        await self._handle(event)


class Together(Handler):
    """Handles many events of one subject, each of a school, in one transaction: when it raises, none has an effect and each
    is handled alone.
    """

    def __init__(self, handle_many: Callable[[Sequence[Event]], Awaitable[None]], lane: Lane = PROJECTIONS) -> None:
        super().__init__(self._handle_alone, lane)
        self.handle_many = handle_many

    async def _handle_alone(self, event: Event) -> None:
        await self.handle_many([event])


class Handlers:
    """Handlers of a service, or of a wing of it: its methods that are marked by `on` and `on_many`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    def handlers(self) -> dict[str, Handler]:
        """The handlers by subject."""
        marked = [found for found in vars(type(self)).values() if isinstance(found, _On | _OnMany)]
        return {one.subject: one.__get__(self) for one in marked}


class _On(Generic[_Told]):
    """A marked method. Of an instance it is a Handler."""

    def __init__(self, told: type[_Told], lane: Lane, method: _Method[_Told]) -> None:
        self.subject = told.DESCRIPTOR.full_name
        self._told = told
        self._lane = lane
        self._method = method

    def __get__(self, owner: Handlers, _: type | None = None) -> Handler:
        return Handler(partial(self._handle, owner), self._lane)

    async def _handle(self, owner: Handlers, event: Event) -> None:
        effect = await self._method(owner, self._told.FromString(event.payload), event)
        if effect is None:
            return
        async with once(owner.database, owner.clock, event) as connection:
            if connection is None:
                return
            await effect.work(connection)
        if effect.then is not None:
            effect.then()


class _OnMany(Generic[_Told]):
    """A marked method for many events at once. Of an instance it is a Together."""

    def __init__(self, told: type[_Told], lane: Lane, method: _ManyMethod[_Told]) -> None:
        self.subject = told.DESCRIPTOR.full_name
        self._told = told
        self._lane = lane
        self._method = method

    def __get__(self, owner: Handlers, _: type | None = None) -> Together:
        return Together(partial(self._handle, owner), self._lane)

    async def _handle(self, owner: Handlers, events: Sequence[Event]) -> None:
        await self._method(owner, {event: self._told.FromString(event.payload) for event in events})


def on(told: type[_Told], lane: Lane = PROJECTIONS) -> Callable[[_Method[_Told]], _On[_Told]]:
    """Marks a method that hears such an event: given the message, it returns what happens, or None where nothing does."""
    return partial(_On, told, lane)


def on_many(told: type[_Told], lane: Lane = PROJECTIONS) -> Callable[[_ManyMethod[_Told]], _OnMany[_Told]]:
    """Marks a method that is given what waits of such events, and makes the one transaction itself, by `once_each`."""
    return partial(_OnMany, told, lane)


@asynccontextmanager
async def once_each(
    database: Database, clock: Clock, events: Sequence[Event]
) -> AsyncIterator[tuple[Walk, dict[UUID, list[Event]]]]:
    """The one transaction of many events' effects, and those not handled before, by school. Each school is entered first."""
    by_school: dict[UUID, list[Event]] = {}
    async with database.walk() as walk:
        connection = await walk.enter(_school_of(events[0]))
        # In one order, so that two replicas with the same events wait and do not lock each other out.
        rows = await connection.fetch(
            """
            INSERT INTO inbox (event_id, handle_time)
            SELECT DISTINCT id, $2::timestamptz FROM unnest($1::uuid[]) AS id ORDER BY id
            ON CONFLICT DO NOTHING RETURNING event_id
            """,
            [event.event_id for event in events],
            clock.now(),
        )
        known = {event.event_id: event for event in events}
        for event in (known[row["event_id"]] for row in rows):
            by_school.setdefault(_school_of(event), []).append(event)
        yield walk, by_school


def _school_of(event: Event) -> UUID:
    if event.school_id is None:
        raise ValueError(f"an event without a school: {event.subject}")
    return event.school_id


@asynccontextmanager
async def once(database: Database, clock: Clock, event: Event) -> AsyncIterator[Connection | None]:
    """The transaction of an event's effect; None when the event was handled before. The inbox row is its first write."""
    door = database.school(event.school_id) if event.school_id else database.region()
    async with door as connection, connection.transaction():
        status = await connection.execute(
            "INSERT INTO inbox (event_id, handle_time) VALUES ($1, $2) ON CONFLICT DO NOTHING", event.event_id, clock.now()
        )
        yield connection if status.endswith(" 1") else None


async def was_handled(database: Database, event: Event) -> bool:
    """Whether the event's effect is there already: asked before work that is dear to do in vain. `once` still decides."""
    async with database.region() as connection:
        return bool(await connection.fetchval("SELECT true FROM inbox WHERE event_id = $1", event.event_id))
