"""People. In `db.school`."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from chassis.db import Connection
from services.access.people.rules.names import PersonName, build_sort_key


async def lock_people(connection: Connection, school_id: UUID, person_ids: Sequence[UUID]) -> None:
    """Holds people until the transaction ends: what each may have one of is then written by one hand at a time."""
    await connection.execute(
        """
        SELECT FROM people WHERE school_id = $1 AND person_id = ANY ($2::uuid[]) ORDER BY person_id FOR NO KEY UPDATE
        """,
        school_id,
        person_ids,
    )


async def insert_person(connection: Connection, school_id: UUID, name: PersonName) -> UUID:
    """A new person of a school."""
    person_id: UUID = await connection.fetchval(
        """
        INSERT INTO people (school_id, family_name, given_name, patronymic, sort_key) VALUES ($1, $2, $3, $4, $5)
        RETURNING person_id
        """,
        school_id,
        name.family_name,
        name.given_name,
        name.patronymic,
        build_sort_key(name.family_name, name.given_name, name.patronymic),
    )
    return person_id


async def get_person_name(connection: Connection, school_id: UUID, person_id: UUID) -> PersonName:
    """The name of a person."""
    [row] = await connection.fetch(
        "SELECT family_name, given_name, patronymic FROM people WHERE school_id = $1 AND person_id = $2", school_id, person_id
    )
    return PersonName(**row)


def read_name(row: asyncpg.Record, whose: str = "") -> PersonName:
    """The name of a row that has its three parts, `whose` before each."""
    return PersonName(row[f"{whose}family_name"], row[f"{whose}given_name"], row[f"{whose}patronymic"])
