"""The load driver: closed loops at a fixed concurrency in processes of their own, the same for ours and for its rivals.

Requests are bytes made by the source, responses are bytes nobody parses, so that the driver costs as little as Python lets
it; its own CPU is measured and shown beside the server's.
"""

import asyncio
import multiprocessing
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Protocol

import grpc.aio
import uvloop

from benchmarks.cpu import Part, cpu_seconds, idle_share

DRIVERS = 2
READS_PER_WRITE = 50
WARM_UP = 15  # units of each loop, by which every connection of a server has met every statement
PRESENT_WEEK = 0.8  # of the weeks that families open
PATIENCE_SECONDS = 120.0
IDLE_SECONDS = 3.0
_spawn = multiprocessing.get_context("spawn")  # grpc does not survive a fork


@dataclass(frozen=True)
class Call:
    """One request: the gRPC method or HTTP target, its headers, its body (HTTP: none means GET)."""

    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Client(Protocol):
    """One connection."""

    async def send(self, call: Call) -> bytes:
        """Returns the body of a successful answer; anything else raises."""
        ...


Connect = Callable[[str], AbstractAsyncContextManager[Client]]
Unit = Callable[[Client], Awaitable[None]]  # one unit of work, which may be several calls


class Source(Protocol):
    """What is sent; pickled into each driver. Each loop does `warm_up` units before those that are counted."""

    @property
    def warm_up(self) -> int: ...

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        """The work of one loop, to be called again and again; loops are numbered 0 to `of` - 1 over all drivers."""
        ...


def draw_week(weeks: int, rng: random.Random) -> int:
    """Which of so many weeks a family opens, 0 the present one: mostly that."""
    return 0 if rng.random() < PRESENT_WEEK else rng.randrange(weeks)


class GrpcClient:
    """Unary calls of raw bytes over one HTTP/2 connection."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._methods: dict[str, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {}

    async def send(self, call: Call) -> bytes:
        method = self._methods.get(call.path)
        if method is None:
            method = self._methods[call.path] = self._channel.unary_unary(call.path)
        return await method(call.body, metadata=call.headers)


@asynccontextmanager
async def grpc_client(address: str) -> AsyncIterator[Client]:
    """A connection of its own: grpc would otherwise share one between channels to the same address."""
    async with grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        await asyncio.wait_for(channel.channel_ready(), PATIENCE_SECONDS)
        yield GrpcClient(channel)


class HttpClient:
    """HTTP/1.1, kept alive where the server allows it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, call: Call) -> bytes:
        is_new = self._stream is None
        try:
            return await self._send(call)
        except (asyncio.IncompleteReadError, ConnectionError):
            # Silent for a while, which servers end a connection for.
            self.close()
            if is_new:
                raise
            return await self._send(call)

    async def _send(self, call: Call) -> bytes:
        if self._stream is None:
            host, port = self._address.rsplit(":", 1)
            # From an address of its own, as families come: the gateway's limits are by address.
            own = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
            self._stream = await asyncio.open_connection(host, int(port), local_addr=(own, 0))
        reader, writer = self._stream
        writer.write(self._request(call))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        body = await self._read_body(reader, head)
        if b"\r\nconnection: close" in head:
            self.close()
        if not head.startswith(b"http/1.1 2"):
            status = head.partition(b"\r")[0].decode()
            raise RuntimeError(f"{call.path} answered {status}: {body[:500].decode()}")
        return body

    async def _read_body(self, reader: asyncio.StreamReader, head: bytes) -> bytes:
        if b"\r\ntransfer-encoding: chunked" not in head:
            return await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r")[0]))
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return body

    def _request(self, call: Call) -> bytes:
        lines = [f"{'POST' if call.body else 'GET'} {call.path} HTTP/1.1", f"host: {self._address}"]
        lines += [f"{name}: {value}" for name, value in call.headers]
        if call.body:
            lines += ["content-type: application/json", f"content-length: {len(call.body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + call.body

    def close(self) -> None:
        if self._stream is not None:
            self._stream[1].close()
            self._stream = None


@asynccontextmanager
async def http_client(address: str) -> AsyncIterator[Client]:
    """A keep-alive connection."""
    client = HttpClient(address)
    try:
        yield client
    finally:
        client.close()


@dataclass(frozen=True)
class Measure:
    """What one round gave; CPU in microseconds a unit."""

    rps: float
    cpu_us: float  # of the service and Postgres
    after_us: float  # of what follows a write: bus and consumers
    driver_us: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Target:
    """Where load goes: the address, how to connect, what to send, whose CPU counts, units in flight and in all.

    `after` is what works on when a write has been answered; `settle` waits until it has nothing left to do. `has_idle`: what
    these do when nothing is asked is taken off.
    """

    address: str
    connect: Connect
    source: Source
    part: Part
    in_flight: int
    units: int
    after: Part | None = None
    settle: Callable[[], None] = lambda: None
    has_idle: bool = False


def measure(target: Target, seed: int) -> Measure:
    """Does a fixed number of units after a warm-up and measures them."""
    pipes = [_spawn.Pipe() for _ in range(DRIVERS)]
    given = (target.address, target.connect, target.source, target.in_flight, target.units)
    drivers = [_spawn.Process(target=_drive, args=(given, seed, i, pipe[1])) for i, pipe in enumerate(pipes)]
    for driver, (_, theirs) in zip(drivers, pipes, strict=True):
        driver.start()
        theirs.close()  # so that a driver's death is seen at once
    pids = [driver.pid for driver in drivers if driver.pid]
    try:
        for mine, _ in pipes:
            _receive(mine)  # connected and warm
        target.settle()
        parts = (target.part, target.after or Part(()))
        idle = idle_share(parts, IDLE_SECONDS) if target.has_idle else (0.0, 0.0)
        before, driver_before, began = [part.seconds() for part in parts], cpu_seconds(pids), time.monotonic()
        for mine, _ in pipes:
            mine.send(None)
        latencies = sorted(latency for mine, _ in pipes for latency in _receive(mine))
        seconds, driver_after = time.monotonic() - began, cpu_seconds(pids)
        target.settle()
        counted = time.monotonic() - began
        spent = [part.seconds() - one - counted * rest for part, one, rest in zip(parts, before, idle, strict=True)]
    finally:
        for driver, (mine, _) in zip(drivers, pipes, strict=True):
            mine.close()
            driver.join(PATIENCE_SECONDS)
            driver.kill()
    done = len(latencies)
    return Measure(
        rps=done / seconds,
        cpu_us=spent[0] / done * 1e6,
        after_us=spent[1] / done * 1e6,
        driver_us=(driver_after - driver_before) / done * 1e6,
        p50_ms=latencies[done // 2] * 1e3,
        p99_ms=latencies[done * 99 // 100] * 1e3,
    )


def _receive(pipe: "Connection[None, list[float] | str]") -> list[float]:
    if not pipe.poll(PATIENCE_SECONDS):
        raise TimeoutError("a load driver does not answer")
    try:
        answer = pipe.recv()
    except EOFError:
        raise SystemExit("benchmark: a load driver was ended from outside") from None
    if isinstance(answer, str):
        raise SystemExit(f"benchmark: a call failed, so there is nothing to measure: {answer}")
    return answer


_Given = tuple[str, Connect, Source, int, int]


def _drive(given: _Given, seed: int, driver: int, pipe: "Connection[list[float] | str, None]") -> None:
    try:
        pipe.send(uvloop.run(_load(given, seed, driver, pipe)))
        pipe.poll(None)  # until its CPU is read
    except Exception as error:  # whatever it is, the parent shows it and stops
        pipe.send(f"{type(error).__name__}: {error}")


async def _load(given: _Given, seed: int, driver: int, pipe: "Connection[list[float] | str, None]") -> list[float]:
    """Latencies in seconds of the units after the warm-up."""
    address, connect, source, in_flight, units = given
    each = -(-units // in_flight)
    async with AsyncExitStack() as stack:
        numbers = range(driver, in_flight, DRIVERS)
        # A connection for each loop, so that SO_REUSEPORT spreads them over the server's processes.
        clients = [await stack.enter_async_context(connect(address)) for _ in numbers]
        loops = [source.unit(random.Random(f"{seed}/{n}"), n, in_flight) for n in numbers]
        latencies: list[float] = []

        async def loop(client: Client, unit: Unit, count: int) -> None:
            for _ in range(count):
                begun = time.monotonic()
                await unit(client)
                latencies.append(time.monotonic() - begun)

        await asyncio.gather(*(loop(client, unit, source.warm_up) for client, unit in zip(clients, loops, strict=True)))
        latencies.clear()
        pipe.send([])
        await asyncio.to_thread(pipe.recv)
        await asyncio.gather(*(loop(client, unit, each) for client, unit in zip(clients, loops, strict=True)))
        return latencies
