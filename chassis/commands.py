"""What an operator runs beside a running service: dead events handed to their handler again, and errors said in one line."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import grpc
from nats.aio.client import Client as Nats

from chassis.auth import ServiceToken
from chassis.clock import Clock, SystemClock
from chassis.db import Database
from chassis.errors import Unavailable
from chassis.events import Event, Handler
from chassis.run import Frame, Service
from chassis.settings import ServiceSettings

_SHUT = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError, asyncpg.CannotConnectNowError)


def run(work: Coroutine[Any, Any, bool | None]) -> None:
    """Runs a command to its end. The exit is 1 where the work answers False."""
    with told_in_a_line():
        is_done = asyncio.run(work)
    if is_done is False:
        sys.exit(1)


@contextmanager
def told_in_a_line() -> Iterator[None]:
    """What is away, or lets nobody in, is said in one line; the exit is then 1."""
    try:
        yield
    except Unavailable as error:
        sys.exit(error.message)
    except (OSError, *_SHUT) as error:
        file = getattr(error, "filename", None)
        sys.exit(
            f"{file}: {error.strerror}" if isinstance(error, OSError) and file else f"the database does not let us in: {error}"
        )
    except grpc.aio.AioRpcError as error:
        sys.exit(f"a neighbour answered {error.code().name}: {' '.join((error.details() or '').split())[:300]}")


def add_redrive(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command `redrive`."""
    parser = parsers.add_parser(
        "redrive",
        help="hand dead events to their handlers again; neighbours must serve",
        description="Hands the rows of dead_events to the handlers of this service again, the oldest first. What is handled "
        "leaves the table; what fails again stays, and the exit is 1. Safe beside a running service, as often as you like.",
    )
    parser.add_argument("--subject", help="only events of this subject, such as diary.access.v1.RosterChanged")
    parser.add_argument("--event", type=UUID, metavar="ID", help="only this event")


async def redrive(
    name: str,
    settings: ServiceSettings,
    build: Callable[[Frame], Service],
    arguments: argparse.Namespace,
    clock: Clock | None = None,
) -> bool:
    """Feeds dead events through the service's own handlers; prints what becomes of each, and returns whether none is left."""
    clock = clock or SystemClock()
    left = 0
    async with opened(name, settings.database_url.get_secret_value()) as database:
        frame = Frame(clock, database, Nats().jetstream(), ServiceToken(settings.keys_dir, name, clock))
        handlers = build(frame).handlers
        ids = await _list_dead(database, arguments.subject, arguments.event)
        for number, event_id in enumerate(ids, 1):
            outcome = await _redrive_one(database, handlers, event_id)
            left += outcome != "handled"
            print(f"redrive: {number}/{len(ids)} {event_id}: {outcome}", flush=True)
    print(f"redrive: {len(ids) - left} handled, {left} left")
    return left == 0


@asynccontextmanager
async def opened(name: str, dsn: str) -> AsyncIterator[Database]:
    """The service's database, closed in the end."""
    database = await Database.connect(dsn, name, size=2)
    try:
        yield database
    finally:
        await database.close()


async def _list_dead(database: Database, subject: str | None, event_id: UUID | None) -> list[UUID]:
    async with database.region() as connection:
        rows = await connection.fetch(
            """
            SELECT event_id FROM dead_events
            WHERE ($1::text IS NULL OR subject = $1) AND ($2::uuid IS NULL OR event_id = $2)
            ORDER BY coalesce(fact_time, dead_time), event_id
            """,
            subject,
            event_id,
        )
    return [row["event_id"] for row in rows]


async def _redrive_one(database: Database, handlers: Mapping[str, Handler], event_id: UUID) -> str:
    """What became of it, in a word or two: never what the event holds."""
    async with database.region() as connection:
        row = await connection.fetchrow(
            """
            SELECT school_id, subject, payload, coalesce(fact_time, dead_time) AS fact_time FROM dead_events WHERE event_id = $1
            """,
            event_id,
        )
    if row is None:
        return "handled"
    subject: str = row["subject"]
    handler = handlers.get(subject)
    if handler is None:
        return f"{subject} has no handler here any more"
    fact_time: datetime = row["fact_time"]
    try:
        await handler(Event(event_id, subject, row["school_id"], fact_time, row["payload"]))
    except Exception as error:
        return f"{subject} failed again: {_name(error)}"
    async with database.region() as connection:
        await connection.execute("DELETE FROM dead_events WHERE event_id = $1", event_id)
    return "handled"


def _name(error: Exception) -> str:
    if isinstance(error, grpc.aio.AioRpcError):
        return f"a neighbour answered {error.code().name}"
    return type(error).__name__
