"""Runs a service: logging, metrics, database, NATS, server and jobs, until a signal; then everything in reverse order."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import asyncpg
import nats.errors
import uvloop
from nats.aio.client import Client as Nats
from nats.js import JetStreamContext

from chassis import events, log, metrics, outbox
from chassis.auth import ServiceToken, Verifier
from chassis.clock import Clock, SystemClock
from chassis.consumer import WAIT_SECONDS, Consumer, by_lane
from chassis.db import Database
from chassis.interceptors import HasEnded
from chassis.jobs import Job, keep, register
from chassis.loops import end
from chassis.server import Part, Server
from chassis.settings import ServiceSettings


@dataclass(frozen=True)
class Frame:
    """What a service is given to build itself of."""

    clock: Clock
    database: Database
    jetstream: JetStreamContext
    token: ServiceToken


@dataclass(frozen=True)
class Service:
    """What a service is: its servicers, how it knows ended sessions, the handlers of other services' events by subject, its own
    jobs.
    """

    parts: Sequence[Part]
    has_ended: HasEnded
    handlers: dict[str, events.Handler] = field(default_factory=dict)
    jobs: Sequence[Job] = ()


def serve(name: str, settings: ServiceSettings, build: Callable[[Frame], Service]) -> None:
    """Runs a service until SIGTERM or SIGINT."""
    log.configure(name, settings.log_level)
    uvloop.run(_serve(name, settings, build))


async def _serve(name: str, settings: ServiceSettings, build: Callable[[Frame], Service]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    starting = asyncio.create_task(_wait_for_database(settings))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        starting.cancel()
        return
    if settings.metrics_port:
        metrics.serve(settings.metrics_port, settings.listen_host)
    async with running(name, settings, build, SystemClock()) as port:
        log.logger().info("serving", port=port)
        await stop.wait()
        log.logger().info("draining")
    log.logger().info("stopped")


@asynccontextmanager
async def running(name: str, settings: ServiceSettings, build: Callable[[Frame], Service], clock: Clock) -> AsyncIterator[int]:
    """A service from its first call to its last: yields its port, and ends everything in reverse order."""
    database = await Database.connect(settings.database_url.get_secret_value(), name, size=settings.pool_size)
    broker = Nats()
    frame = Frame(clock, database, broker.jetstream(), ServiceToken(settings.keys_dir, name, clock))
    service = build(frame)
    verifier = Verifier(settings.keys_dir / "jwks.json", clock)
    address = f"{settings.listen_host}:{settings.port}"
    server = Server(name, service.parts, verifier, address, service.has_ended, shows_methods=settings.reflection)
    await server.start()
    connecting = asyncio.create_task(_connect(name, settings, broker))
    own, carriers = [*service.jobs, *outbox.jobs_of(database, clock)], _carriers(name, settings, frame, service)
    for job in (*own, *carriers):
        register(job)
    tasks = [asyncio.create_task(keep(job)) for job in own]
    tasks += [asyncio.create_task(_after(connecting, job)) for job in carriers]
    tasks.append(connecting)
    try:
        yield server.port
    finally:
        await server.drain()
        await end(tasks)
        for job in own:
            if job.end is not None:
                await job.end()
        await broker.close()
        await database.close()


async def _wait_for_database(settings: ServiceSettings) -> None:
    """Returns as soon as the database answers."""
    while True:
        try:
            await (await asyncpg.connect(settings.database_url.get_secret_value(), timeout=5)).close()
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError):
            log.logger().warning("database_not_there_yet")
            await asyncio.sleep(0.2)
        else:
            return


async def _connect(name: str, settings: ServiceSettings, broker: Nats) -> None:
    """Returns as soon as NATS is there. Calls are answered without it."""

    async def note(error: Exception) -> None:
        log.logger().warning("nats_error", error=type(error).__name__)

    url = settings.nats_url.get_secret_value()
    login = urlsplit(url)
    while not broker.is_connected:
        try:
            await broker.connect(
                url,
                # For the nodes of a cluster that the first one tells of: their addresses come without a login.
                user=login.username,
                password=login.password,
                name=f"diary-{name}",
                max_reconnect_attempts=-1,
                reconnect_time_wait=1,
                error_cb=note,
                connect_timeout=2,
                # Answers to one service are no other's to read.
                inbox_prefix=f"_INBOX.{name}",
            )
        except (OSError, nats.errors.Error):
            log.logger().warning("nats_not_there_yet")
            await asyncio.sleep(0.2)


def _carriers(name: str, settings: ServiceSettings, frame: Frame, service: Service) -> list[Job]:
    """What carries events: the relay of our own, and a consumer for each publisher and lane."""
    relay = outbox.Relay(frame.database, frame.jetstream, name, frame.clock, settings.nats_stream_copies)
    consumers = [
        Consumer(frame.database, frame.jetstream, frame.clock, service=name, publisher=publisher, lane=lane, handlers=handlers)
        for publisher, lane, handlers in by_lane(service.handlers)
    ]
    return [
        Job(outbox.RELAY, outbox.POLL_SECONDS, relay.run),
        *(Job(each.job_name, WAIT_SECONDS, each.run) for each in consumers),
    ]


async def _after(connecting: "asyncio.Task[None]", job: Job) -> None:
    """A job, from the moment the broker is there; a task of its own, so that its end is waited for."""
    await asyncio.shield(connecting)
    await keep(job)
