"""The fact and its event in one transaction; a relay carries events to JetStream.

What a process has committed by one statement it publishes from memory, and notes that a few moments later, many at once. All
else is read from the table: at once what transactions of several statements wrote, and each second what waits longer than the
fresh ones may (of other replicas, of a crash, of an outage). A copy is dropped by the stream, by its id, and by inboxes.

JetStream is a transport, not a store: a published row stays 30 days, and when a stream turns out to be another than the one
noted (its store was lost), all that lies above the lowest acknowledged floor is published again. Inboxes drop repeats.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import nats.errors
from google.protobuf.message import Message
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo, PubAck, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from chassis import calls, jobs, log, metrics
from chassis.clock import Clock
from chassis.db import Committed, Connection, Database, announce
from chassis.events import STREAM_KEEPS
from chassis.jobs import Job
from chassis.loops import run_together

RELAY = "publish_events"
_BATCH = 100
POLL_SECONDS = 1.0
# Kept in memory while the broker is away: the table has them too.
_FRESH_AT_MOST = 1_000
_NOTE_SECONDS = 0.1
# Fresh ones are published and noted by then.
_FRESH_FOR = timedelta(seconds=1.5)
_LAG_SECONDS = 5.0
_FORGET_SECONDS = 3600.0
# A service that stood still for days drops a month of a region without holding rows for long.
_FORGOTTEN_AT_ONCE = 5_000
OUTBOX_KEEPS = timedelta(days=30)
INBOX_KEEPS = timedelta(days=31)
_PAST_THEIR_TERM = (
    (
        "DELETE FROM outbox WHERE event_number IN (SELECT event_number FROM outbox WHERE published_time < $1 LIMIT $2)",
        OUTBOX_KEEPS,
    ),
    ("DELETE FROM inbox WHERE event_id IN (SELECT event_id FROM inbox WHERE handle_time < $1 LIMIT $2)", INBOX_KEEPS),
    (
        "DELETE FROM event_attempts WHERE event_id IN (SELECT event_id FROM event_attempts WHERE attempt_time < $1 LIMIT $2)",
        INBOX_KEEPS,
    ),
    (
        """
        DELETE FROM requests WHERE (account_id, request_id) IN (
            SELECT account_id, request_id FROM requests WHERE create_time < $1 LIMIT $2
        )
        """,
        OUTBOX_KEEPS,
    ),
)


async def add(connection: Connection, clock: Clock, message: Message, school_id: UUID | None) -> None:
    """Writes an event in the caller's transaction."""
    await add_all(connection, clock, [message], school_id)


async def add_all(connection: Connection, clock: Clock, messages: Sequence[Message], school_id: UUID | None) -> None:
    """Writes events in the caller's transaction, in their order."""
    await connection.execute(
        """
        INSERT INTO outbox (event_id, school_id, subject, payload, traceparent, create_time)
        SELECT event_id, $1, subject, payload, $2, $3
        FROM unnest($4::uuid[], $5::text[], $6::bytea[]) WITH ORDINALITY AS e (event_id, subject, payload, place) ORDER BY place
        """,
        school_id,
        calls.traceparent(),
        clock.now(),
        [uuid4() for _ in messages],
        [message.DESCRIPTOR.full_name for message in messages],
        [message.SerializeToString() for message in messages],
    )
    announce(connection)


class Relay:
    """Publishes a service's outbox to its stream. Safe in every replica: rows are claimed by lock."""

    def __init__(
        self, database: Database, jetstream: JetStreamContext, service: str, clock: Clock, stream_copies: int = 1
    ) -> None:
        self._database = database
        self._jetstream = jetstream
        self._stream = f"diary-{service}"
        self._subjects = f"diary.{service}.v1.>"
        self._clock = clock
        self._stream_copies = stream_copies
        self._unread = asyncio.Event()
        self._fresh: deque[Committed] = deque(maxlen=_FRESH_AT_MOST)
        self._fresh_news = asyncio.Event()
        self._sent: list[tuple[int, int]] = []
        database.on_news = self._take

    def _take(self, news: Sequence[Committed | None]) -> None:
        for committed in news:
            if committed is None:
                self._unread.set()
            else:
                self._fresh.append(committed)
                self._fresh_news.set()

    async def run(self) -> None:
        """Publishes what waits, for ever, and watches over the stream beside it, so that watching delays no event."""
        await self.watch_stream()
        await run_together(self._publish_fresh, self._note_sent, self._publish_read, self._watch)

    async def _publish_fresh(self) -> None:
        """What this process has just committed, as it stands in memory."""
        while True:
            await self._fresh_news.wait()
            self._fresh_news.clear()
            while self._fresh:
                batch = [self._fresh.popleft() for _ in range(min(_BATCH, len(self._fresh)))]
                acks = await self._publish(batch)
                sent = [(event.event_number, ack.seq) for event, ack in zip(batch, acks, strict=True) if ack is not None]
                self._sent += sent
                metrics.outbox_published.inc(len(sent))

    async def _note_sent(self) -> None:
        """Until it is noted a crash costs a second copy."""
        while True:
            await asyncio.sleep(_NOTE_SECONDS)
            sent, self._sent = self._sent, []
            if sent:
                async with self._database.region() as connection:
                    await self._note_published(connection, sent)

    async def _publish_read(self) -> None:
        """Woken by the process's own transactions; each second what nobody has published from memory."""
        is_woken = True
        while True:
            self._unread.clear()
            published = await self._publish_batch(timedelta(0) if is_woken else _FRESH_FOR)
            jobs.succeeded(RELAY)
            if published < _BATCH:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._unread.wait()
            is_woken = self._unread.is_set()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await self.watch_stream()

    async def _publish_batch(self, least_age: timedelta) -> int:
        async with self._database.region() as connection, connection.transaction():
            rows = await connection.fetch(
                """
                SELECT event_number, event_id, school_id, subject, payload, traceparent, create_time
                FROM outbox WHERE published_time IS NULL AND create_time <= $2
                ORDER BY event_number LIMIT $1 FOR UPDATE SKIP LOCKED
                """,
                _BATCH,
                self._clock.now() - least_age,
            )
            if not rows:
                return 0
            events = [Committed(**row) for row in rows]
            acks = await self._publish(events)
            published = [(event.event_number, ack.seq) for event, ack in zip(events, acks, strict=True) if ack is not None]
            await self._note_published(connection, published)
            metrics.outbox_published.inc(len(published))
        if len(published) < len(rows):
            raise nats.errors.NoRespondersError
        return len(published)

    async def _note_published(self, connection: Connection, published: Sequence[tuple[int, int]]) -> None:
        await connection.execute(
            """
            UPDATE outbox SET published_time = $1, stream_seq = sent.seq
            FROM unnest($2::bigint[], $3::bigint[]) AS sent (number, seq) WHERE event_number = sent.number
            """,
            self._clock.now(),
            [number for number, _ in published],
            [seq for _, seq in published],
        )

    async def _publish(self, events: Sequence[Committed]) -> list[PubAck | None]:
        """Sends all at once and awaits the acknowledgements; None where none came."""
        futures = []
        for event in events:
            headers = {
                "Nats-Msg-Id": str(event.event_id),
                "Diary-School": str(event.school_id or ""),
                "Diary-Time": event.create_time.isoformat(),
                "Diary-Subject": event.subject,
                "traceparent": event.traceparent,
            }
            futures.append(
                await self._jetstream.publish_async(
                    event.subject, event.payload, wait_stall=5, stream=self._stream, headers=headers
                )
            )
        await asyncio.wait(futures, timeout=5)
        return [future.result() if future.done() and not future.exception() else None for future in futures]

    async def watch_stream(self) -> None:
        """Makes the stream when it is gone, and plans a second publishing when it is not the one noted."""
        try:
            info = await self._jetstream.stream_info(self._stream)
        except NotFoundError:
            info = await self._jetstream.add_stream(
                StreamConfig(
                    name=self._stream,
                    subjects=[self._subjects],
                    retention=RetentionPolicy.LIMITS,
                    storage=StorageType.FILE,
                    num_replicas=self._stream_copies,
                    max_age=STREAM_KEEPS.total_seconds(),
                    # Long enough that a relay killed between publishing and its commit sends no second copy.
                    duplicate_window=120,
                )
            )
        floor = min((_floor(c, info.state.last_seq) for c in await self._jetstream.consumers_info(self._stream)), default=0)
        async with self._database.region() as connection, connection.transaction():
            noted = await connection.fetchrow(
                "SELECT stream_create_time, lowest_floor FROM outbox_streams WHERE stream = $1 FOR UPDATE", self._stream
            )
            if noted is not None and noted["stream_create_time"] != info.created:
                await self._republish(connection, noted["lowest_floor"])
                floor = 0
            await connection.execute(
                """
                INSERT INTO outbox_streams (stream, stream_create_time, lowest_floor, update_time) VALUES ($1, $2, $3, $4)
                ON CONFLICT (stream) DO UPDATE
                SET stream_create_time = $2, lowest_floor = $3, update_time = $4
                """,
                self._stream,
                info.created,
                floor,
                self._clock.now(),
            )

    async def _republish(self, connection: Connection, floor: int) -> None:
        status = await connection.execute(
            "UPDATE outbox SET published_time = NULL, stream_seq = NULL WHERE stream_seq > $1", floor
        )
        count = int(status.split()[-1])
        metrics.outbox_republished.inc(count)
        log.logger().warning("stream_was_lost", stream=self._stream, events_to_republish=count)
        self._unread.set()


def _floor(consumer: ConsumerInfo, last_seq: int) -> int:
    """Up to where a consumer has handled what it hears; `last_seq` is the stream's of a moment before. A consumer that is sent
    few of the stream's subjects is not behind because of the others.
    """
    if consumer.num_pending == consumer.num_ack_pending == 0:
        return last_seq
    return consumer.ack_floor.stream_seq if consumer.ack_floor else 0


def jobs_of(database: Database, clock: Clock) -> list[Job]:
    """What every service does by time for its own events, whether NATS is there or not."""
    return [
        Job("watch_outbox_lag", _LAG_SECONDS, partial(watch_lag, database, clock)),
        Job("forget_old_events", _FORGET_SECONDS, partial(forget_old, database, clock)),
    ]


async def watch_lag(database: Database, clock: Clock) -> None:
    """Shows how long the oldest event has waited. Apart from the relay, which stands still while NATS is away."""
    async with database.region() as connection:
        oldest = await connection.fetchval(
            "SELECT create_time FROM outbox WHERE published_time IS NULL ORDER BY event_number LIMIT 1"
        )
    metrics.outbox_lag_seconds.set((clock.now() - oldest).total_seconds() if oldest else 0)


async def forget_old(database: Database, clock: Clock) -> bool:
    """Drops some events, inbox notes and answers past their terms; returns whether there may be more."""
    now = clock.now()
    async with database.region() as connection:
        dropped = [
            await connection.execute(statement, now - keeps, _FORGOTTEN_AT_ONCE) for statement, keeps in _PAST_THEIR_TERM
        ]
    return any(int(status.split()[-1]) == _FORGOTTEN_AT_ONCE for status in dropped)
