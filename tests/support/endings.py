"""Races of reads against the ending of an access: what is begun after the ending's OK must not succeed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID, uuid4

import asyncpg
import grpc
import httpx

from deploy.local.launcher import Launcher
from diary.journal.v1 import diary_service_pb2, diary_service_pb2_grpc
from tests.support.eventually import eventually
from tests.support.region import Api, Refused, new_id
from tests.support.services import sign_in

_READERS = 3
_AT_ONCE = 8
# Reads that each reader begins after OK, at the least.
_LATE_READS = 3
# Who is told of an ending, and for how long one of them is down: an ending waits four seconds for it.
_TOLD = ("notify", "documents", "journal")
_DOWN_SECONDS = 6.0, 8.0
_CUT_SECONDS = 0.5, 2.0


@dataclass(frozen=True)
class OpenGrant:
    """An access that a race ends."""

    grant_id: UUID
    student_id: UUID
    account_id: UUID


@dataclass
class Totals:
    """What came of races. Times in seconds from the first request to OK; quiet ones while every server was up. Of a service
    that was down: until ENDING_PENDING, and from its return to OK.
    """

    races: int = 0
    early_reads: int = 0
    late_refusals: int = 0
    late_successes: int = 0
    failed_reads: int = 0
    pending: int = 0
    disturbances: int = 0
    quiet_times: list[float] = field(default_factory=list)
    disturbed_times: list[float] = field(default_factory=list)
    pending_times: list[float] = field(default_factory=list)
    return_times: list[float] = field(default_factory=list)


async def list_grants(region: Launcher, school_id: str, but_logins: Sequence[str], limit: int) -> list[OpenGrant]:
    """Open accesses of guardians of a school, but those of the logins that other tests use."""
    connection = await asyncpg.connect(region.region.admin_dsn)
    try:
        rows = await connection.fetch(
            """
            SELECT g.grant_id, g.student_id, g.account_id FROM access.grants g JOIN access.accounts a USING (account_id)
            WHERE g.school_id = $1 AND g.end_time IS NULL AND g.role = 4 AND a.login <> ALL ($2::text[])
            ORDER BY g.grant_id LIMIT $3
            """,
            UUID(school_id),
            but_logins,
            limit,
        )
    finally:
        await connection.close()
    return [OpenGrant(**row) for row in rows]


class Races:
    """Ends accesses by the gateway while journal is read with them."""

    def __init__(self, region: Launcher, admin: Api, school_id: str, chance: random.Random) -> None:
        self._region = region
        self._admin = admin
        self._school_id = school_id
        self._chance = chance
        self.totals = Totals()
        # Even while nothing is disturbed.
        self._troubles = 0
        self._answered = 0
        self._returned = 0.0

    async def run(self, grants: Sequence[OpenGrant]) -> None:
        """A race for each grant, several at once."""
        address = self._region.region.address("journal")
        # A channel that has lost its server shall look for it again at once.
        options = [("grpc.max_reconnect_backoff_ms", 200), ("grpc.initial_reconnect_backoff_ms", 50)]
        lanes = asyncio.Semaphore(_AT_ONCE)
        async with grpc.aio.insecure_channel(address, options=options) as channel, asyncio.TaskGroup() as group:
            stub = diary_service_pb2_grpc.DiaryServiceStub(channel)
            for grant in grants:
                await lanes.acquire()
                group.create_task(self._race(stub, grant)).add_done_callback(lambda _: lanes.release())

    @asynccontextmanager
    async def disturbed(self) -> AsyncIterator[None]:
        """NATS is cut, journal restarts, and one service after the other is down for some seconds, while the block runs."""
        task = asyncio.create_task(self._disturb())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._troubles += self._troubles % 2
            for name in ("nats", *_TOLD):
                os.kill(self._region.children[name].pid, signal.SIGCONT)

    async def _disturb(self) -> None:
        """Pauses here are the trouble itself, not waiting for something."""
        for number in count():
            await asyncio.sleep(self._chance.uniform(0.1, 0.5))
            self._troubles += 1
            self.totals.disturbances += 1
            match number % 4:
                case 0:
                    await self._restart_journal()
                case 2:
                    await self._hold(_TOLD[number // 4 % len(_TOLD)], *_DOWN_SECONDS)
                case _:
                    await self._hold("nats", *_CUT_SECONDS)
            self._troubles += 1

    async def _restart_journal(self) -> None:
        """By SIGKILL or SIGTERM; the launcher starts it again. Returns when it answers."""
        os.kill(self._region.children["journal"].pid, self._chance.choice([signal.SIGKILL, signal.SIGTERM]))
        answered = self._answered
        await eventually(lambda: self._answered > answered, seconds=60, why="journal is back")
        self._returned = asyncio.get_running_loop().time()

    async def _hold(self, name: str, least: float, most: float) -> None:
        """Cut off: it is there and answers nobody."""
        os.kill(self._region.children[name].pid, signal.SIGSTOP)
        await asyncio.sleep(self._chance.uniform(least, most))
        os.kill(self._region.children[name].pid, signal.SIGCONT)
        self._returned = asyncio.get_running_loop().time()

    async def _race(self, stub: diary_service_pb2_grpc.DiaryServiceAsyncStub, grant: OpenGrant) -> None:
        is_read, is_ended = asyncio.Event(), asyncio.Event()
        readers = [asyncio.create_task(self._read(stub, grant, is_read, is_ended)) for _ in range(_READERS)]
        await is_read.wait()
        await self._end(grant)
        is_ended.set()
        await asyncio.gather(*readers)
        self.totals.races += 1

    async def _read(
        self,
        stub: diary_service_pb2_grpc.DiaryServiceAsyncStub,
        grant: OpenGrant,
        is_read: asyncio.Event,
        is_ended: asyncio.Event,
    ) -> None:
        """Reads without a pause until enough reads begun after the ending's OK were refused."""
        metadata = sign_in(self._region.region.state.keys, grant.account_id, uuid4(), "guardian")
        request = diary_service_pb2.GetDiaryWeekRequest(school_id=self._school_id, student_id=str(grant.student_id))
        late = 0
        while late < _LATE_READS:
            is_late = is_ended.is_set()
            try:
                await stub.GetDiaryWeek(request, metadata=metadata, timeout=10)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND:
                    self.totals.failed_reads += 1
                    await asyncio.sleep(0.05)  # its server restarts
                    continue
                late += is_late
                self.totals.late_refusals += is_late
            else:
                late += is_late
                self.totals.late_successes += is_late
                self.totals.early_reads += not is_late
                is_read.set()
            self._answered += 1

    async def _end(self, grant: OpenGrant) -> None:
        """Returns at OK; repeats the same request at ENDING_PENDING."""
        path = f"/v1/schools/{self._school_id}/grants/{grant.grant_id}:revoke"
        loop, request_id, troubles = asyncio.get_running_loop(), new_id(), self._troubles
        began, was_pending = loop.time(), False
        while True:
            asked = loop.time()
            try:
                await self._admin.post(path, requestId=request_id)
            except httpx.TransportError:
                continue
            except Refused as refusal:
                if refusal.reason != "ENDING_PENDING":
                    raise
                was_pending = True
                self.totals.pending += 1
                self.totals.pending_times.append(loop.time() - asked)
            else:
                is_quiet = troubles == self._troubles and troubles % 2 == 0
                (self.totals.quiet_times if is_quiet else self.totals.disturbed_times).append(loop.time() - began)
                if was_pending and self._returned > began:
                    self.totals.return_times.append(loop.time() - self._returned)
                return
