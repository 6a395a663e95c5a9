"""Runs a service: logging, metrics, database, NATS, server and loops, until a signal; then everything in reverse order."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

import asyncpg
import nats.errors
import uvloop
from nats.aio.client import Client as Nats
from nats.js import JetStreamContext

from chassis import events, log, metrics, outbox
from chassis.auth import ServiceToken, Verifier
from chassis.clock import Clock, SystemClock
from chassis.db import Database
from chassis.interceptors import HasEnded
from chassis.loops import Loop, end
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
    """What a service is: its servicers, how it knows ended sessions, the handlers of other services' events by publisher, its
    own loops.
    """

    parts: Sequence[Part]
    has_ended: HasEnded
    handlers: dict[str, dict[str, events.Handler]] = field(default_factory=dict)
    loops: Sequence[Loop] = ()


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
    own: list[Loop] = [*service.loops, partial(outbox.watch_lag, database, clock)]
    loops = [asyncio.create_task(keep(loop)) for loop in own]
    loops += [asyncio.create_task(_after(connecting, loop)) for loop in _carriers(name, settings, frame, service)]
    loops.append(connecting)
    try:
        yield server.port
    finally:
        await server.drain()
        await end(loops)
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


def _carriers(name: str, settings: ServiceSettings, frame: Frame, service: Service) -> list[Loop]:
    """What carries events: the relay of our own, a consumer for each publisher, and the broom."""
    relay = outbox.Relay(frame.database, frame.jetstream, name, frame.clock, settings.nats_stream_copies)
    consumers = [
        events.Consumer(frame.database, frame.jetstream, frame.clock, service=name, publisher=publisher, handlers=handlers)
        for publisher, handlers in service.handlers.items()
    ]
    return [relay.run, _forget(frame), *(consumer.run for consumer in consumers)]


async def _after(connecting: "asyncio.Task[None]", loop: Loop) -> None:
    """A loop, from the moment the broker is there; a task of its own, so that its end is waited for."""
    await asyncio.shield(connecting)
    await keep(loop)


def _forget(frame: Frame) -> Loop:
    async def hourly() -> None:
        while True:
            await outbox.forget_old(frame.database, frame.clock)
            await asyncio.sleep(3600)

    return hourly


async def keep(loop: Loop) -> None:
    """Runs a loop again when it breaks, after a pause that grows to five seconds."""
    pause = 0.1
    while True:
        started = asyncio.get_running_loop().time()
        try:
            await loop()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.logger().warning("loop_broke", loop=getattr(loop, "__qualname__", "loop"), error=repr(error))
        pause = 0.1 if asyncio.get_running_loop().time() - started > 30 else min(pause * 2, 5.0)
        await asyncio.sleep(pause)
