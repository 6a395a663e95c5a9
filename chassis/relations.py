"""The projection of access's relations that journal, notify and documents keep.

A relation says that an account may see or work with an object of a school for a time. Only a higher version is written, and
ended rows stay, so that neither a late event nor a rebuild brings an ended access back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import events
from chassis.auth import ACCESS_TOKEN_TIME
from chassis.clock import Clock
from chassis.db import Connection, Database
from chassis.errors import FieldViolation, InvalidArgument
from chassis.jobs import Job
from diary.access.v1 import events_pb2, relation_pb2, roster_service_pb2, roster_service_pb2_grpc

# An ended session is of interest while a token signed before its end may still be shown.
_ENDED_SESSION_KEEPS = ACCESS_TOKEN_TIME + timedelta(minutes=5)
_FORGET_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation as it now is. `kind` and `role` are numbers of diary.options.v1."""

    relation_id: UUID
    kind: int
    object_id: UUID
    account_id: UUID
    role: int
    version: int
    valid_from_time: datetime
    valid_to_time: datetime | None


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that was ended before its token ran out."""

    session_id: UUID
    ended_time: datetime


async def apply(connection: Connection, school_id: UUID, relations: Sequence[Relation]) -> None:
    """Writes the relations whose version is higher than the kept one. In `db.school`."""
    await connection.execute(
        """
        INSERT INTO relations AS kept (school_id, relation_id, kind, object_id, account_id, role, version,
                                       valid_from_time, valid_to_time)
        SELECT $1, * FROM unnest($2::uuid[], $3::smallint[], $4::uuid[], $5::uuid[], $6::smallint[], $7::bigint[],
                                 $8::timestamptz[], $9::timestamptz[])
        ON CONFLICT (school_id, relation_id) DO UPDATE
        SET kind = excluded.kind, object_id = excluded.object_id, account_id = excluded.account_id, role = excluded.role,
            version = excluded.version, valid_from_time = excluded.valid_from_time, valid_to_time = excluded.valid_to_time
        WHERE kept.version < excluded.version
        """,
        school_id,
        [r.relation_id for r in relations],
        [r.kind for r in relations],
        [r.object_id for r in relations],
        [r.account_id for r in relations],
        [r.role for r in relations],
        [r.version for r in relations],
        [r.valid_from_time for r in relations],
        [r.valid_to_time for r in relations],
    )


async def end_sessions(connection: Connection, sessions: Sequence[EndedSession]) -> None:
    """Notes ended sessions. In `db.region`."""
    await connection.execute(
        """
        INSERT INTO ended_sessions (session_id, ended_time) SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
        ON CONFLICT DO NOTHING
        """,
        [s.session_id for s in sessions],
        [s.ended_time for s in sessions],
    )


def read_relation(message: relation_pb2.Relation) -> Relation:
    """A relation from its message."""
    return Relation(
        relation_id=UUID(message.relation_id),
        kind=message.kind,
        object_id=UUID(message.object_id),
        account_id=UUID(message.account_id),
        role=message.role,
        version=message.version,
        valid_from_time=_instant(message.valid_from_time),
        valid_to_time=_instant(message.valid_to_time) if message.HasField("valid_to_time") else None,
    )


def read_school(school_id: str) -> UUID:
    """The school of relations, which may be left out where there are none. Raises InvalidArgument REQUEST_INVALID."""
    if not school_id:
        violation = FieldViolation("school_id", "must be set where there are relations")
        raise InvalidArgument("REQUEST_INVALID", f"school_id: {violation.description}", violations=(violation,))
    return UUID(school_id)


def write_relation(relation: Relation) -> relation_pb2.Relation:
    """The message of a relation."""
    message = relation_pb2.Relation(
        relation_id=str(relation.relation_id),
        kind=relation.kind,  # type: ignore[arg-type]  # a number of the enum
        object_id=str(relation.object_id),
        account_id=str(relation.account_id),
        role=relation.role,  # type: ignore[arg-type]
        version=relation.version,
    )
    message.valid_from_time.FromDatetime(relation.valid_from_time)
    if relation.valid_to_time is not None:
        message.valid_to_time.FromDatetime(relation.valid_to_time)
    return message


def read_ended_session(message: relation_pb2.EndedSession) -> EndedSession:
    """An ended session from its message."""
    return EndedSession(UUID(message.session_id), _instant(message.ended_time))


def write_ended_session(session: EndedSession) -> relation_pb2.EndedSession:
    """The message of an ended session."""
    message = relation_pb2.EndedSession(session_id=str(session.session_id))
    message.ended_time.FromDatetime(session.ended_time)
    return message


async def apply_all(
    database: Database, school_id: str, relations: Sequence[Relation], sessions: Sequence[EndedSession]
) -> None:
    """What RelationService.ApplyRelations does in every service: returns when all is committed."""
    if relations:
        school = read_school(school_id)
        async with database.school(school) as connection, connection.transaction():
            await apply(connection, school, relations)
    if sessions:
        async with database.region() as connection, connection.transaction():
            await end_sessions(connection, sessions)


class Projection:
    """What a service does to keep its relations current: by pushes, by events, and by time."""

    def __init__(self, database: Database, clock: Clock, roster: roster_service_pb2_grpc.RosterServiceAsyncStub) -> None:
        self._database = database
        self._clock = clock
        self._roster = roster

    async def on_roster_changed(self, changed: events_pb2.RosterChanged) -> events.Effect | None:
        """Fetches the relations that changed, to write them; other kinds of entries are not its concern."""
        if changed.kind != roster_service_pb2.ROSTER_KIND_RELATION:
            return None
        answer = await self._roster.BatchGetRoster(
            roster_service_pb2.BatchGetRosterRequest(school_id=changed.school_id, kind=changed.kind, ids=changed.ids)
        )
        found = [read_relation(entry.relation) for entry in answer.entries]
        return events.Effect(lambda connection: apply(connection, UUID(changed.school_id), found))

    def jobs(self) -> list[Job]:
        """What is done by time."""
        return [Job("forget_ended_sessions", _FORGET_SECONDS, self._forget_ended_sessions)]

    async def _forget_ended_sessions(self) -> None:
        """Drops ended sessions whose tokens have all run out: those of a minute."""
        async with self._database.region() as connection:
            await connection.execute(
                "DELETE FROM ended_sessions WHERE ended_time < $1", self._clock.now() - _ENDED_SESSION_KEEPS
            )


def _instant(message: Timestamp) -> datetime:
    return message.ToDatetime(tzinfo=UTC)
