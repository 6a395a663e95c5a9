"""The projection of access's relations that journal, notify and documents keep.

A relation says that an account may see or work with an object of a school for a time. Only a higher version is written, and
ended rows stay, so that neither a late event nor a rebuild brings an ended access back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.db import Connection
from chassis.errors import FieldViolation, InvalidArgument
from diary.access.v1 import relation_pb2


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


async def forget_sessions(connection: Connection, before: datetime) -> None:
    """Drops sessions that were ended before an instant. In `db.region`."""
    await connection.execute("DELETE FROM ended_sessions WHERE ended_time < $1", before)


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


async def has_ended(connection: Connection, session_id: UUID) -> bool:
    """Whether a session was told to have ended. In `db.region`."""
    statement = "SELECT EXISTS (SELECT FROM ended_sessions WHERE session_id = $1)"
    return bool(await connection.fetchval(statement, session_id))


def _instant(message: Timestamp) -> datetime:
    return message.ToDatetime(tzinfo=UTC)
