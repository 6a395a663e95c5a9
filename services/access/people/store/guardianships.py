"""Guardianships in force and new ones. In `db.school`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from asyncpg import Range

from chassis.db import Connection
from services.access.people.rules.guardianships import Authority, GuardianKind, Period


@dataclass(frozen=True, slots=True)
class Guardianship:
    """A guardianship in force."""

    guardianship_id: UUID
    kind: GuardianKind
    authority: Authority


async def find_guardianship(
    connection: Connection, school_id: UUID, person_id: UUID, student_id: UUID, day: date
) -> Guardianship | None:
    """The guardianship of a person over a student that is in force on a day."""
    row = await connection.fetchrow(
        """
        SELECT guardianship_id, kind, document, upper(validity) AS to_date FROM standing_guardianships
        WHERE school_id = $1 AND student_id = $3 AND guardian_person_id = $2 AND validity @> $4::date
        """,
        school_id,
        person_id,
        student_id,
        day,
    )
    if row is None:
        return None
    kind = GuardianKind(row["kind"])
    # Of the other kinds the end is the law's.
    last_date = row["to_date"] - timedelta(days=1) if kind is GuardianKind.REPRESENTATIVE and row["to_date"] else None
    return Guardianship(row["guardianship_id"], kind, Authority(row["document"], last_date=last_date))


async def insert_guardianship(
    connection: Connection, school_id: UUID, person_id: UUID, student_id: UUID, document: str, periods: Sequence[Period]
) -> UUID:
    """A guardianship by a document, over periods that follow each other; returns the id of the first."""
    rows = await connection.fetch(
        """
        INSERT INTO guardianships (school_id, guardian_person_id, student_id, kind, document, validity)
        SELECT $1, $2, $3, kind, $4, validity FROM unnest($5::text[], $6::daterange[]) AS period (kind, validity)
        RETURNING guardianship_id
        """,
        school_id,
        person_id,
        student_id,
        document,
        [period.kind for period in periods],
        [Range(period.from_date, period.to_date) for period in periods],
    )
    first: UUID = rows[0]["guardianship_id"]
    return first
