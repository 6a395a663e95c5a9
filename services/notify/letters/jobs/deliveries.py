"""Sending what is due: claimed by lease, checked and taken in one statement, a bounded number at once.

The lease is short and renewed while a letter is on its way, so that what a dead process left is soon found again. A letter
whose lease is lost is cut off; what became of it is then unknown, and the next copy carries the same Message-ID.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol
from uuid import UUID

import grpc

from chassis import log
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import Unavailable
from chassis.jobs import Job
from services.notify.letters.convert import write_end
from services.notify.letters.jobs import measures
from services.notify.letters.rules import ATTEMPTS, Attempt, Claim, Next, Outcome, plan_next
from services.notify.letters.store import queue
from services.notify.news.kinds import NOTICES
from services.notify.news.notice import Content, Sources
from services.notify.news.rules import Taken

_AT_ONCE = 16
# Beside them: a letter with files of 8 MiB takes up to 150 in memory, and a pod has 320.
_WITH_FILES_AT_ONCE = 1
_LEASE = timedelta(seconds=10)
_RENEW_SECONDS = 2.0
# A letter is cut off this long before its lease ends.
_MARGIN_SECONDS = 2.0
_POLL_SECONDS = 1.0
_COUNT_SECONDS = 10.0
# How long letters on their way may still take when the process is told to stop.
_DRAIN_SECONDS = 10.0


class Sender(Protocol):
    """What sends over a channel."""

    async def send(self, message: Content, delivery_id: UUID, now: datetime) -> Attempt:
        """Hands a message over; its secrets are kept out of the answer. Raises nothing that the other side can cause."""
        ...


@dataclass
class _Sending:
    """A delivery in the hands of this process: its claim as last renewed, its task, and the time its attempt may take."""

    claim: Claim
    task: asyncio.Task[None]
    limit: asyncio.Timeout | None = None


class Deliveries:
    """Sends due deliveries, each over its channel. `news` wakes it when one was written by this process."""

    def __init__(
        self, database: Database, clock: Clock, sources: Sources, senders: Mapping[int, Sender], news: asyncio.Event
    ) -> None:
        self._database = database
        self._clock = clock
        self._sources = sources
        self._senders = senders
        self._news = news
        self._sending: dict[UUID, _Sending] = {}

    def jobs(self) -> list[Job]:
        """What is done by time."""
        return [
            Job("send_due_deliveries", _POLL_SECONDS, self._claim, woken_by=self._news, end=self._let_end),
            Job("renew_leases", _RENEW_SECONDS, self._renew_leases),
            Job("count_waiting_deliveries", _COUNT_SECONDS, self._count_waiting),
        ]

    async def _let_end(self) -> None:
        """Letters on their way may still end; their leases are renewed until then, since no job does it any more."""
        until = asyncio.get_running_loop().time() + _DRAIN_SECONDS
        while (tasks := self._tasks()) and asyncio.get_running_loop().time() < until:
            with contextlib.suppress(Unavailable):
                await self._renew_leases()
            await asyncio.wait(tasks, timeout=_RENEW_SECONDS)
        late = self._tasks()
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [sending.task for sending in self._sending.values()]

    async def _renew_leases(self) -> None:
        """Keeps the leases of letters on their way, and moves the moment they would be cut off."""
        limited = [sending for sending in self._sending.values() if sending.limit is not None]
        if not limited:
            return
        now = self._clock.now()
        async with self._database.jobs() as connection:
            kept = await queue.renew_leases(connection, [s.claim for s in limited], now, now + _LEASE)
        for sending in limited:
            if sending.claim.delivery_id in kept:
                sending.claim = replace(sending.claim, lease_end_time=now + _LEASE)
                self._move_limit(sending)

    async def _count_waiting(self) -> None:
        async with self._database.jobs() as connection:
            measures.waiting.set(await queue.count_waiting(connection))

    async def _claim(self) -> None:
        """Claims and sends as many as may be on their way; what others wrote is seen each second."""
        free, free_with_files = self._free(has_files=False), self._free(has_files=True)
        if free == free_with_files == 0:
            return
        now = self._clock.now()
        async with self._database.jobs() as connection:
            claims = await queue.claim_deliveries(
                connection, now, now + _LEASE, free, free_with_files, list(self._sending), list(self._senders)
            )
        for claim in claims:
            task = asyncio.create_task(self._send(claim))
            self._sending[claim.delivery_id] = _Sending(claim, task)
            task.add_done_callback(partial(self._release, claim))

    def _free(self, *, has_files: bool) -> int:
        """How many more may be on their way."""
        taken = sum(sending.claim.has_files is has_files for sending in self._sending.values())
        return (_WITH_FILES_AT_ONCE if has_files else _AT_ONCE) - taken

    def _release(self, claim: Claim, _: asyncio.Task[None]) -> None:
        was_full = self._free(has_files=claim.has_files) == 0
        del self._sending[claim.delivery_id]
        if was_full:
            self._news.set()

    async def _send(self, claim: Claim) -> None:
        try:
            async with self._database.school(claim.school_id) as connection:
                taken = await queue.take_delivery(connection, claim, self._clock.now())
            if taken is not None:
                await self._note(taken, await self._attempt(taken))
        except Exception as error:
            # Nothing is lost: the lease runs out and the delivery is claimed again.
            log.logger().warning("delivery_broke", delivery_id=str(claim.delivery_id), error=type(error).__name__)

    async def _attempt(self, taken: Taken) -> Attempt:
        """One attempt within the lease. Fetching and sending are the only steps that may be cut off."""
        if taken.attempt_count > ATTEMPTS:
            return Attempt(Outcome.UNKNOWN, "the sender died at every attempt")
        sending = self._sending[taken.delivery_id]
        try:
            async with asyncio.timeout(None) as sending.limit:
                self._move_limit(sending)
                return await self._fetch_and_send(taken)
        except TimeoutError:
            return Attempt(Outcome.UNKNOWN, "no answer in time")
        except grpc.aio.AioRpcError as error:
            return Attempt(Outcome.DEFERRED, f"content could not be fetched: {error.code().name}")
        except Unavailable:
            return Attempt(Outcome.DEFERRED, "the database did not answer")
        except Exception as error:
            log.logger().error("letter_broke", delivery_id=str(taken.delivery_id), error=type(error).__name__)
            return Attempt(Outcome.DEFERRED, f"the letter could not be made: {type(error).__name__}")
        finally:
            sending.limit = None

    async def _fetch_and_send(self, taken: Taken) -> Attempt:
        content = await NOTICES[taken.kind].fetch(taken, self._sources)
        if content is None:
            return Attempt(Outcome.NOT_WANTED)
        if taken.is_copy_possible:
            measures.possible_second_copies.inc()
        return await self._senders[taken.channel].send(content, taken.delivery_id, self._clock.now())

    def _move_limit(self, sending: _Sending) -> None:
        """The attempt ends before its lease does."""
        if sending.limit is not None and not sending.limit.expired():
            left = (sending.claim.lease_end_time - self._clock.now()).total_seconds() - _MARGIN_SECONDS
            sending.limit.reschedule(asyncio.get_running_loop().time() + left)

    async def _note(self, taken: Taken, attempt: Attempt) -> None:
        """Writes down how an attempt ended, as often as it takes: the mail server's yes must not be forgotten."""
        now = self._clock.now()
        following = plan_next(attempt.outcome, taken.attempt_count, now)
        while True:
            try:
                await self._write(taken, attempt, following)
                break
            except Unavailable:
                await asyncio.sleep(0.2)
        kind = NOTICES[taken.kind].name
        measures.deliveries.labels(kind, attempt.outcome.name.lower()).inc()
        if attempt.outcome is Outcome.ACCEPTED:
            for fact_time in taken.fact_times:
                measures.lag_seconds.labels(kind).observe((now - fact_time).total_seconds())
        log.logger().info(
            "letter_tried",
            delivery_id=str(taken.delivery_id),
            attempt=taken.attempt_count,
            outcome=attempt.outcome.name,
            state=following.state.name,
        )

    async def _write(self, taken: Taken, attempt: Attempt, following: Next) -> None:
        told = write_end(taken, following, NOTICES[taken.kind].names_object)
        async with self._database.school(taken.school_id) as connection:
            await queue.end_attempt(connection, taken, attempt, following, told, self._clock.now())
