"""Sending what is due: claimed by lease, checked and taken in one statement, a bounded number at once.

The lease is short and renewed while a letter is on its way, so that what a dead process left is soon found again. A letter
whose lease is lost is cut off; what became of it is then unknown, and the next copy carries the same Message-ID.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import grpc

from chassis import log, outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import Unavailable
from chassis.jobs import Job
from diary.notify.v1 import events_pb2
from services.notify.convert.letters import build_message, write_address
from services.notify.jobs import measures, smtp
from services.notify.jobs.content import Contents
from services.notify.rules import ATTEMPTS, Attempt, Claim, Kind, Next, Outcome, State, Taken, plan_next
from services.notify.store import queue

_AT_ONCE = 16
# Beside them: a letter with files of 8 MiB takes up to 150 in memory, and a pod has 320.
_DECISIONS_AT_ONCE = 1
_LEASE = timedelta(seconds=10)
_RENEW_SECONDS = 2.0
# A letter is cut off this long before its lease ends.
_MARGIN_SECONDS = 2.0
_POLL_SECONDS = 1.0
_COUNT_SECONDS = 10.0
# How long letters on their way may still take when the process is told to stop.
_DRAIN_SECONDS = 10.0


@dataclass
class _Sending:
    """A delivery in the hands of this process: its claim as last renewed, its task, and the time its attempt may take."""

    claim: Claim
    task: asyncio.Task[None]
    limit: asyncio.Timeout | None = None


class Deliveries:
    """Sends due deliveries. `news` wakes it when one was written by this process."""

    def __init__(
        self, database: Database, clock: Clock, contents: Contents, server: smtp.MailServer, news: asyncio.Event
    ) -> None:
        self._database = database
        self._clock = clock
        self._contents = contents
        self._server = server
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
        """Letters on their way may still end."""
        if tasks := [sending.task for sending in self._sending.values()]:
            _, late = await asyncio.wait(tasks, timeout=_DRAIN_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

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
        free, free_decisions = self._free(is_decision=False), self._free(is_decision=True)
        if free == free_decisions == 0:
            return
        now = self._clock.now()
        async with self._database.jobs() as connection:
            claims = await queue.claim_deliveries(connection, now, now + _LEASE, free, free_decisions, list(self._sending))
        for claim in claims:
            task = asyncio.create_task(self._send(claim))
            self._sending[claim.delivery_id] = _Sending(claim, task)
            task.add_done_callback(partial(self._release, claim))

    def _free(self, *, is_decision: bool) -> int:
        """How many more may be on their way."""
        taken = sum(sending.claim.is_decision is is_decision for sending in self._sending.values())
        return (_DECISIONS_AT_ONCE if is_decision else _AT_ONCE) - taken

    def _release(self, claim: Claim, _: asyncio.Task[None]) -> None:
        was_full = self._free(is_decision=claim.is_decision) == 0
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
        content = await self._contents.fetch(taken)
        if content is None:
            return Attempt(Outcome.NOT_WANTED)
        try:
            receiver = write_address(content.receiver)
        except ValueError:
            return Attempt(Outcome.REFUSED, "no letter can be sent to an address of this form")
        build = partial(build_message, content.words, self._server.sender, receiver, taken.delivery_id, self._clock.now())
        # Files of 8 MiB take a quarter of a second, in which leases are to be renewed.
        letter = await asyncio.to_thread(build) if content.words.files else build()
        if taken.is_copy_possible:
            measures.possible_second_copies.inc()
        return await smtp.send(self._server, receiver, letter, content.secrets)

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
        kind = taken.kind.name.lower()
        measures.deliveries.labels(kind, attempt.outcome.name.lower()).inc()
        if attempt.outcome is Outcome.ACCEPTED:
            measures.lag_seconds.labels(kind).observe((now - taken.fact_time).total_seconds())
        log.logger().info(
            "letter_tried",
            delivery_id=str(taken.delivery_id),
            attempt=taken.attempt_count,
            outcome=attempt.outcome.name,
            state=following.state.name,
        )

    async def _write(self, taken: Taken, attempt: Attempt, following: Next) -> None:
        async with self._database.school(taken.school_id) as connection, connection.transaction():
            is_ours = await queue.end_attempt(connection, taken, attempt, following, self._clock.now())
            names = {
                "school_id": str(taken.school_id),
                "delivery_id": str(taken.delivery_id),
                "grant_id": str(taken.grant_id) if taken.kind is Kind.CREDENTIALS else "",
                "document_id": str(taken.document_id or ""),
            }
            if is_ours and following.state is State.SENT:
                await outbox.add(connection, self._clock, events_pb2.DeliverySucceeded(**names), taken.school_id)
            elif is_ours and following.state is State.FAILED:
                await outbox.add(connection, self._clock, events_pb2.DeliveryFailed(**names), taken.school_id)
