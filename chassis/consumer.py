"""Consuming events: a durable pull consumer for each lane of another service's stream, one transaction an event.

Failures are of two kinds. **Not now** (a neighbour or the database is away, or the event came too early: `Later`) comes again,
at most five minutes apart, as often as it takes. Anything else has ten attempts, counted here and not by redeliveries, and is
then set aside in `dead_events`, from where `python -m services.<x> redrive` feeds it to the same handler.

A handler may be `Together`: it then gets what waits of its subject in one transaction, and one by one where that fails.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import takewhile
from uuid import NAMESPACE_URL, UUID, uuid5

import grpc
import nats.errors
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from chassis import calls, jobs, log, metrics
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import Unavailable
from chassis.events import STREAM_KEEPS, Event, Handler, Lane, Later, Together, was_handled

_ATTEMPTS = 10
_FAILED_PAUSE_SECONDS = 30.0
_LATER_PAUSE_SECONDS = 300.0
WAIT_SECONDS = 5
# Postponed events wait within the durable, and must not stop the new ones.
_WAITING_AT_MOST = 20_000
# An event that cannot be handled in this time is set aside, before the stream forgets it.
_POSTPONED_AT_MOST = STREAM_KEEPS - timedelta(days=1)
_CLOCKS_DIFFER = timedelta(minutes=5)
_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class Unreadable(Exception):  # noqa: N818 - as it stands in dead_events
    """The headers are not ours."""


class FarFromNow(Exception):  # noqa: N818
    """A fact of the future, or older than any stream keeps: nobody of ours tells such a thing."""


def by_lane(handlers: Mapping[str, Handler]) -> Iterator[tuple[str, Lane, dict[str, Handler]]]:
    """Publisher, lane and handlers by subject of each consumer that these handlers need."""
    found: dict[tuple[str, Lane], dict[str, Handler]] = {}
    for subject, handler in handlers.items():
        # diary.<service>.v1.<Event>
        found.setdefault((subject.split(".")[1], handler.lane), {})[subject] = handler
    for (publisher, lane), chosen in found.items():
        yield publisher, lane, chosen


def is_not_now(error: BaseException) -> bool:
    """Whether the failure says nothing against the event: what it needs is away or not there yet."""
    return isinstance(error, Later | Unavailable) or (isinstance(error, grpc.aio.AioRpcError) and error.code() in _AWAY)


class Consumer:
    """Feeds a lane's events of one stream to handlers by subject. Safe in every replica: they share the durable."""

    def __init__(
        self,
        database: Database,
        jetstream: JetStreamContext,
        clock: Clock,
        *,
        service: str,
        publisher: str,
        lane: Lane,
        handlers: Mapping[str, Handler],
        first_pause_seconds: float = 0.1,
        ack_seconds: float = 30.0,
    ) -> None:
        self._database = database
        self._jetstream = jetstream
        self._clock = clock
        self.job_name = f"hear_{publisher}_{lane.name}"
        self._durable = lane.durable(service)
        self._stream = f"diary-{publisher}"
        self._lane = lane
        self._handlers = handlers
        self._first_pause = first_pause_seconds
        self._ack_seconds = ack_seconds
        self._held: list[Msg] = []
        # Shown from the start, so that the first failure is seen as one more.
        self._backlog = metrics.consumer_backlog.labels(self._stream, lane.name)
        for subject in handlers:
            metrics.dead_events.labels(subject)
            metrics.event_lag_seconds.labels(subject)
            for outcome in ("handled", "failed", "postponed"):
                metrics.events_handled.labels(subject, outcome)

    async def run(self) -> None:
        """Consumes for ever. Raises when the stream or the durable is gone; the caller starts it again."""
        await self._jetstream.add_consumer(
            self._stream,
            ConsumerConfig(
                durable_name=self._durable,
                ack_policy=AckPolicy.EXPLICIT,
                deliver_policy=DeliverPolicy.ALL,
                ack_wait=self._ack_seconds,
                max_deliver=-1,
                max_ack_pending=_WAITING_AT_MOST,
                # What nobody here handles never leaves the broker.
                filter_subjects=sorted(self._handlers),
            ),
        )
        subscription = await self._jetstream.pull_subscribe_bind(self._durable, self._stream)
        holding = asyncio.create_task(self._hold())
        try:
            while True:
                self._held = await self._fetch(subscription)
                jobs.succeeded(self.job_name)
                while self._held:
                    first = list(takewhile(lambda message: message.subject == self._held[0].subject, self._held))
                    if len(first) == 1 or not await self._handle_together(first):
                        for message in first:
                            await self._handle(message)
                            self._held.remove(message)
                    else:
                        del self._held[: len(first)]
        finally:
            self._held = []
            holding.cancel()
            await subscription.unsubscribe()

    async def _hold(self) -> None:
        """Says of what is held that it is in work, so that no other replica gets it while a handler takes its time."""
        while True:
            await asyncio.sleep(self._ack_seconds / 3)
            for message in list(self._held):
                # A broker that is away is told by the fetch.
                with suppress(nats.errors.Error):
                    await message.in_progress()

    async def _fetch(self, subscription: JetStreamContext.PullSubscription) -> list[Msg]:
        """One message as soon as it comes, and those already waiting behind it for which there is room."""
        try:
            first = await subscription.fetch(1, timeout=WAIT_SECONDS)
        except nats.errors.TimeoutError:
            self._backlog.set(0)
            # A fetch on a lost durable only times out: ask, so that the loss is seen.
            await subscription.consumer_info()
            return []
        waiting = first[0].metadata.num_pending
        self._backlog.set(waiting)
        room = min(waiting, self._lane.room - 1)
        if not room:
            return first
        try:
            return first + await subscription.fetch(room, timeout=0.5)
        except nats.errors.TimeoutError:
            return first

    async def _handle_together(self, messages: Sequence[Msg]) -> bool:
        """Whether these, of one subject, were handled in one transaction; where one of them cannot be, none was."""
        handler = self._handlers.get(messages[0].subject)
        if not isinstance(handler, Together):
            return False
        calls.bind({}, None)
        try:
            events = [_read(message) for message in messages]
            if not all(self._is_of_now(event) for event in events):
                return False
            await handler.handle_many(events)
        except Exception as error:
            log.logger().warning("events_go_alone", subject=messages[0].subject, error=type(error).__name__)
            return False
        for message, event in zip(messages, events, strict=True):
            self._observe_lag(event)
            metrics.events_handled.labels(event.subject, "handled").inc()
            await message.ack()
        return True

    async def _handle(self, message: Msg) -> None:
        handler = self._handlers.get(message.subject)
        if handler is None:
            metrics.events_handled.labels(message.subject, "unknown").inc()
            await message.ack()
            return
        try:
            event = _read(message)
        except (KeyError, ValueError):
            await self._set_aside(message, _unread(message, self._clock.now()), Unreadable())
            return
        calls.bind({"traceparent": event.traceparent}, None)
        self._observe_lag(event)
        try:
            if await self._is_news(event):
                await handler(event)
        except Exception as error:
            await self._fail(message, event, error)
            return
        metrics.events_handled.labels(event.subject, "handled").inc()
        await message.ack()

    def _observe_lag(self, event: Event) -> None:
        metrics.event_lag_seconds.labels(event.subject).observe((self._clock.now() - event.fact_time).total_seconds())

    def _is_of_now(self, event: Event) -> bool:
        return -_CLOCKS_DIFFER <= self._clock.now() - event.fact_time <= STREAM_KEEPS

    async def _is_news(self, event: Event) -> bool:
        """False of an old one that was handled before: a stream that was lost is told again. Raises FarFromNow."""
        if self._is_of_now(event):
            return True
        if await was_handled(self._database, event):
            return False
        raise FarFromNow

    async def _fail(self, message: Msg, event: Event, error: Exception) -> None:
        outcome = "postponed" if is_not_now(error) else "failed"
        metrics.events_handled.labels(event.subject, outcome).inc()
        if outcome == "postponed":
            await self._postpone(message, event, error)
            return
        attempt = _ATTEMPTS if isinstance(error, DecodeError | FarFromNow) else await self._count_attempt(event)
        log.logger().warning("event_failed", attempt=attempt, **_named(event, error))
        if attempt < _ATTEMPTS:
            await message.nak(delay=self._pause(attempt, _FAILED_PAUSE_SECONDS))
        else:
            await self._set_aside(message, event, error)

    async def _postpone(self, message: Msg, event: Event, error: Exception) -> None:
        delivered = message.metadata.num_delivered
        log.logger().warning("event_postponed", delivered=delivered, **_named(event, error))
        if self._clock.now() - max(event.fact_time, message.metadata.timestamp) > _POSTPONED_AT_MOST:
            await self._set_aside(message, event, error)
            return
        least = error.seconds if isinstance(error, Later) else 0.0
        await message.nak(delay=max(least, self._pause(delivered, _LATER_PAUSE_SECONDS)))

    def _pause(self, attempt: int, longest: float) -> float:
        return float(min(2.0 ** min(attempt - 1, 30) * self._first_pause, longest))

    async def _count_attempt(self, event: Event) -> int:
        async with self._database.region() as connection:
            attempts: int = await connection.fetchval(
                """
                INSERT INTO event_attempts AS kept (event_id, attempts, attempt_time) VALUES ($1, 1, $2)
                ON CONFLICT (event_id) DO UPDATE SET attempts = kept.attempts + 1, attempt_time = $2
                RETURNING attempts
                """,
                event.event_id,
                self._clock.now(),
            )
        return attempts

    async def _set_aside(self, message: Msg, event: Event, error: Exception) -> None:
        async with self._database.region() as connection:
            await connection.execute(
                """
                INSERT INTO dead_events (event_id, school_id, subject, payload, error, dead_time, fact_time)
                VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
                """,
                event.event_id,
                event.school_id,
                event.subject,
                event.payload,
                type(error).__name__,
                self._clock.now(),
                event.fact_time,
            )
        metrics.dead_events.labels(event.subject).inc()
        log.logger().error("event_is_dead", exc_info=error, **_named(event, error))
        await message.ack()


def _named(event: Event, error: Exception) -> dict[str, str]:
    """What a log line says of an event and its failure: never its content."""
    return {
        "subject": event.subject,
        "event_id": str(event.event_id),
        "traceparent": event.traceparent,
        "error": type(error).__name__,
    }


def _read(message: Msg) -> Event:
    """Raises KeyError or ValueError where the headers are not ours."""
    headers = message.headers or {}
    school = headers.get("Diary-School", "")
    fact_time = datetime.fromisoformat(headers["Diary-Time"])
    if fact_time.tzinfo is None:
        raise ValueError("a time without an offset")
    # The bus hands an answer on under whatever subject its asker names: an event of one kind is none of another. The release
    # before does not say the subject.
    if headers.get("Diary-Subject", message.subject) != message.subject:
        raise ValueError("an event of another subject")
    return Event(
        event_id=UUID(headers["Nats-Msg-Id"]),
        subject=message.subject,
        school_id=UUID(school) if school else None,
        fact_time=fact_time,
        payload=message.data,
        traceparent=headers.get("traceparent", ""),
    )


def _unread(message: Msg, now: datetime) -> Event:
    """What can be kept of a message without our headers: the same id each time it comes."""
    sequence = message.metadata.sequence.stream
    return Event(uuid5(NAMESPACE_URL, f"{message.metadata.stream}/{sequence}"), message.subject, None, now, message.data)
