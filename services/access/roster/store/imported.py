"""What was written of an imported roster, and people's times. As the owner, in the importer's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from chassis.db import Connection


@dataclass(frozen=True, slots=True)
class Saved:
    """Ids of what was written; the rest of what was given stood so already."""

    created: list[UUID]
    changed: list[UUID]

    @property
    def written(self) -> list[UUID]:
        """Both."""
        return self.created + self.changed


@dataclass(frozen=True, slots=True)
class Time:
    """A person's time in something; `end_day` is the day after the last."""

    of_id: UUID
    person_id: UUID
    first_day: date
    end_day: date


# A time that overlaps a kept one of the same two is that one, moved; what is not there yet is new.
_MOVE_TIMES = """
    UPDATE {table} AS kept SET validity = given.validity
    FROM (SELECT of_id, who, daterange(first_day, end_day) AS validity
          FROM unnest($2::uuid[], $3::uuid[], $4::date[], $5::date[]) AS t (of_id, who, first_day, end_day)) AS given
    WHERE kept.school_id = $1 AND kept.{of} = given.of_id AND kept.{who} = given.who
      AND kept.validity && given.validity AND kept.validity <> given.validity
    RETURNING kept.{answer} AS id, false AS is_new
"""


_ADD_TIMES = """
    INSERT INTO {table} (school_id, {of}, {who}, validity)
    SELECT $1, of_id, who, daterange(first_day, end_day)
    FROM unnest($2::uuid[], $3::uuid[], $4::date[], $5::date[]) AS given (of_id, who, first_day, end_day)
    WHERE NOT EXISTS (
        SELECT FROM {table} AS kept
        WHERE kept.school_id = $1 AND kept.{of} = of_id AND kept.{who} = who
          AND kept.validity && daterange(first_day, end_day))
    RETURNING {answer} AS id, true AS is_new
"""


async def save_times(
    connection: Connection, school_id: UUID, times: Sequence[Time], table: str, of: str, who: str, answer: str = ""
) -> Saved:
    rows: list[asyncpg.Record] = []
    for statement in (_MOVE_TIMES, _ADD_TIMES):
        rows += await connection.fetch(
            statement.format(table=table, of=of, who=who, answer=answer or of),
            school_id,
            [time.of_id for time in times],
            [time.person_id for time in times],
            [time.first_day for time in times],
            [time.end_day for time in times],
        )
    return list_saved(rows)


def list_saved(rows: Sequence[asyncpg.Record]) -> Saved:
    return Saved([row["id"] for row in rows if row["is_new"]], [row["id"] for row in rows if not row["is_new"]])
