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

from benchmarks.cpu import cpu_seconds

DRIVERS = 2
READS_PER_WRITE = 50
WARM_UP_SECONDS = 0.7
SECONDS = 3.0
PATIENCE_SECONDS = 30.0
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
    """What is sent; pickled into each driver."""

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        """The work of one loop, to be called again and again; loops are numbered 0 to `of` - 1 over all drivers."""
        ...


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
        if self._stream is None:
            host, port = self._address.rsplit(":", 1)
            self._stream = await asyncio.open_connection(host, int(port))
        reader, writer = self._stream
        writer.write(self._request(call))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r")[0])
        body = await reader.readexactly(length)
        if b"\r\nconnection: close" in head:
            self.close()
        if not head.startswith(b"http/1.1 2"):
            status = head.partition(b"\r")[0].decode()
            raise RuntimeError(f"{call.path} answered {status}: {body[:500].decode()}")
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
    """What one round gave."""

    rps: float
    cpu_us: float  # of the servers, a unit
    driver_us: float  # of the driver, a unit
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Target:
    """Where load goes: the address, how to connect, what to send, whose CPU counts, units in flight in all."""

    address: str
    connect: Connect
    source: Source
    pids: tuple[int, ...]
    in_flight: int


def measure(target: Target, seed: int) -> Measure:
    """Loads the target for one round and measures the middle of it."""
    pipes = [_spawn.Pipe() for _ in range(DRIVERS)]
    drivers = [_spawn.Process(target=_drive, args=(target, seed, i, pipe[1])) for i, pipe in enumerate(pipes)]
    for driver, (_, theirs) in zip(drivers, pipes, strict=True):
        driver.start()
        theirs.close()  # so that a driver's death is seen at once
    try:
        for mine, _ in pipes:
            _receive(mine)  # connected
        start = time.monotonic() + WARM_UP_SECONDS
        for mine, _ in pipes:
            mine.send(start)
        driver_pids = [driver.pid for driver in drivers if driver.pid]
        time.sleep(max(0.0, start - time.monotonic()))
        before, driver_before = cpu_seconds(target.pids), cpu_seconds(driver_pids)
        time.sleep(max(0.0, start + SECONDS - time.monotonic()))
        after, driver_after = cpu_seconds(target.pids), cpu_seconds(driver_pids)
        latencies = sorted(latency for mine, _ in pipes for latency in _receive(mine))
    finally:
        for driver in drivers:
            driver.join(PATIENCE_SECONDS)
            driver.kill()
    done = max(1, len(latencies))
    return Measure(
        rps=len(latencies) / SECONDS,
        cpu_us=(after - before) / done * 1e6,
        driver_us=(driver_after - driver_before) / done * 1e6,
        p50_ms=latencies[len(latencies) // 2] * 1e3,
        p99_ms=latencies[len(latencies) * 99 // 100] * 1e3,
    )


def _receive(pipe: "Connection[float, list[float] | str | None]") -> list[float]:
    if not pipe.poll(PATIENCE_SECONDS):
        raise TimeoutError("a load driver does not answer")
    try:
        answer = pipe.recv()
    except EOFError:
        raise SystemExit("benchmark: a load driver was ended from outside") from None
    if isinstance(answer, str):
        raise SystemExit(f"benchmark: a call failed, so there is nothing to measure: {answer}")
    return answer or []


def _drive(target: Target, seed: int, driver: int, pipe: "Connection[list[float] | str | None, float]") -> None:
    try:
        pipe.send(uvloop.run(_load(target, seed, driver, pipe)))
    except Exception as error:  # whatever it is, the parent shows it and stops
        pipe.send(f"{type(error).__name__}: {error}")


async def _load(target: Target, seed: int, driver: int, pipe: "Connection[list[float] | str | None, float]") -> list[float]:
    """Latencies in seconds of the units that ended inside the window."""
    async with AsyncExitStack() as stack:
        numbers = range(driver, target.in_flight, DRIVERS)
        # A connection for each loop, so that SO_REUSEPORT spreads them over the server's processes.
        clients = [await stack.enter_async_context(target.connect(target.address)) for _ in numbers]
        units = [target.source.unit(random.Random(f"{seed}/{n}"), n, target.in_flight) for n in numbers]
        pipe.send(None)
        start = await asyncio.to_thread(pipe.recv)
        latencies: list[float] = []

        async def loop(client: Client, unit: Unit) -> None:
            while (begun := time.monotonic()) < start + SECONDS:
                await unit(client)
                ended = time.monotonic()
                if start <= ended < start + SECONDS:
                    latencies.append(ended - begun)

        await asyncio.gather(*map(loop, clients, units))
        return latencies
