"""Consuming events: a durable pull consumer on another service's stream, one transaction an event, ten attempts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from chassis import log, metrics
from chassis.clock import Clock
from chassis.db import Connection, Database

_ATTEMPTS = 10
_BATCH = 100
_WAIT_SECONDS = 5


@dataclass(frozen=True)
class Event:
    """A fact told by another service. `payload` is the protobuf message named by `subject`."""

    event_id: UUID
    subject: str
    school_id: UUID | None
    fact_time: datetime
    payload: bytes


Handler = Callable[[Event], Awaitable[None]]


@asynccontextmanager
async def once(database: Database, clock: Clock, event: Event) -> AsyncIterator[Connection | None]:
    """The transaction of an event's effect; None when the event was handled before. The inbox row is its first write."""
    door = database.school(event.school_id) if event.school_id else database.region()
    async with door as connection, connection.transaction():
        status = await connection.execute(
            "INSERT INTO inbox (event_id, handle_time) VALUES ($1, $2) ON CONFLICT DO NOTHING", event.event_id, clock.now()
        )
        yield connection if status.endswith(" 1") else None


class Consumer:
    """Feeds the events of one stream to handlers by subject. Safe in every replica: they share the durable."""

    def __init__(
        self,
        database: Database,
        jetstream: JetStreamContext,
        clock: Clock,
        *,
        service: str,
        publisher: str,
        handlers: Mapping[str, Handler],
        first_pause_seconds: float = 0.1,
    ) -> None:
        self._database = database
        self._jetstream = jetstream
        self._clock = clock
        self._durable = service
        self._stream = f"diary-{publisher}"
        self._handlers = handlers
        self._first_pause = first_pause_seconds
        # Shown from the start, so that the first failure is seen as one more.
        metrics.consumer_backlog.labels(self._stream)
        for subject in handlers:
            metrics.dead_events.labels(subject)
            metrics.event_lag_seconds.labels(subject)
            for outcome in ("handled", "failed"):
                metrics.events_handled.labels(subject, outcome)

    async def run(self) -> None:
        """Consumes for ever. Raises when the stream or the durable is gone; the caller starts it again."""
        await self._jetstream.add_consumer(
            self._stream,
            ConsumerConfig(
                durable_name=self._durable,
                ack_policy=AckPolicy.EXPLICIT,
                deliver_policy=DeliverPolicy.ALL,
                ack_wait=30,
                max_deliver=-1,
                max_ack_pending=1000,
            ),
        )
        subscription = await self._jetstream.pull_subscribe_bind(self._durable, self._stream)
        try:
            while True:
                for message in await self._fetch(subscription):
                    await self._handle(message)
        finally:
            await subscription.unsubscribe()

    async def _fetch(self, subscription: JetStreamContext.PullSubscription) -> list[Msg]:
        """One message as soon as it comes, and those already waiting behind it."""
        try:
            first = await subscription.fetch(1, timeout=_WAIT_SECONDS)
        except nats.errors.TimeoutError:
            metrics.consumer_backlog.labels(self._stream).set(0)
            # A fetch on a lost durable only times out: ask, so that the loss is seen.
            await subscription.consumer_info()
            return []
        waiting = first[0].metadata.num_pending
        metrics.consumer_backlog.labels(self._stream).set(waiting)
        if not waiting:
            return first
        try:
            return first + await subscription.fetch(min(waiting, _BATCH), timeout=0.5)
        except nats.errors.TimeoutError:
            return first

    async def _handle(self, message: Msg) -> None:
        event = _read(message)
        handler = self._handlers.get(event.subject)
        if handler is None:
            metrics.events_handled.labels(event.subject, "unknown").inc()
            await message.ack()
            return
        metrics.event_lag_seconds.labels(event.subject).observe((self._clock.now() - event.fact_time).total_seconds())
        try:
            await handler(event)
        except Exception as error:
            await self._fail(message, event, error)
            return
        metrics.events_handled.labels(event.subject, "handled").inc()
        await message.ack()

    async def _fail(self, message: Msg, event: Event, error: Exception) -> None:
        attempt = message.metadata.num_delivered
        metrics.events_handled.labels(event.subject, "failed").inc()
        log.logger().warning(
            "event_failed", subject=event.subject, event_id=str(event.event_id), attempt=attempt, error=type(error).__name__
        )
        if attempt < _ATTEMPTS:
            await message.nak(delay=min(2 ** (attempt - 1) * self._first_pause, 30))
            return
        async with self._database.region() as connection:
            await connection.execute(
                """
                INSERT INTO dead_events (event_id, school_id, subject, payload, error, dead_time)
                VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
                """,
                event.event_id,
                event.school_id,
                event.subject,
                event.payload,
                type(error).__name__,
                self._clock.now(),
            )
        metrics.dead_events.labels(event.subject).inc()
        log.logger().error("event_is_dead", subject=event.subject, event_id=str(event.event_id), exc_info=error)
        await message.ack()


def _read(message: Msg) -> Event:
    headers = message.headers or {}
    school = headers.get("Diary-School", "")
    return Event(
        event_id=UUID(headers["Nats-Msg-Id"]),
        subject=message.subject,
        school_id=UUID(school) if school else None,
        fact_time=datetime.fromisoformat(headers["Diary-Time"]),
        payload=message.data,
    )
