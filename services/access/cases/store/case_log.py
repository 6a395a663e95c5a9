"""The log of cases, append-only (Clause R2). In `db.school`."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from chassis.db import Connection
from services.access.cases.rules.applications import LogEntry, State
from services.access.people.store.people import read_name


async def list_log(connection: Connection, school_id: UUID, application_id: UUID) -> list[LogEntry]:
    """The log of a case, oldest first."""
    rows = await connection.fetch(
        """
        SELECT g.time, g.state, g.ground, p.family_name, p.given_name, p.patronymic
        FROM case_log g
        LEFT JOIN account_people h ON h.school_id = g.school_id AND h.account_id = g.actor_account_id
        LEFT JOIN people p ON p.school_id = h.school_id AND p.person_id = h.person_id
        WHERE g.school_id = $1 AND g.application_id = $2 ORDER BY g.entry_id
        """,
        school_id,
        application_id,
    )
    return [
        LogEntry(row["time"], read_name(row) if row["family_name"] else None, State(row["state"]), row["ground"])
        for row in rows
    ]


async def insert_log_entry(
    connection: Connection,
    school_id: UUID,
    application_id: UUID,
    account_id: UUID | None,
    state: State,
    ground: str,
    now: datetime,
) -> None:
    """Appends to the log of a case (Clause R2); without an account what no person caused."""
    await insert_log_entries(connection, school_id, {application_id: ground}, account_id, state, now)


async def insert_log_entries(
    connection: Connection,
    school_id: UUID,
    grounds: Mapping[UUID, str],
    account_id: UUID | None,
    state: State,
    now: datetime,
) -> None:
    """Appends the same act to the logs of cases, each with its ground (Clause R2)."""
    await connection.execute(
        """
        INSERT INTO case_log (school_id, application_id, time, actor_account_id, state, ground)
        SELECT $1, application_id, $2, $3, $4, ground FROM unnest($5::uuid[], $6::text[]) AS e (application_id, ground)
        """,
        school_id,
        now,
        account_id,
        state,
        list(grounds),
        list(grounds.values()),
    )
