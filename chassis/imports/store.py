"""The tables of imports (`tables.IMPORTS_V1`)."""

# ruff: noqa: S608 - the statements are composed of constants of this room

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from chassis.db import Connection
from chassis.imports import KEPT, LEASE, PLAN_TERM, Change, Claim, Import, LostError, Problem, State, is_over, may_become

_CHUNK = 1 << 20
_FORGOTTEN_AT_ONCE = 100
_COLUMNS = "school_id, import_id, kind, file_name, wish, state, attempt, steps_done, steps_total, summary, planned_time"


async def insert_import(
    connection: Connection,
    claim: Claim,
    file_name: str,
    wish: str,
    body: bytes,
    now: datetime,
    next_time: datetime,
) -> Import | None:
    """A new import with its body; None where the same file, with the same wish, is on its way already. In a transaction."""
    row = await connection.fetchrow(
        f"""
        INSERT INTO imports (school_id, import_id, kind, file_name, digest, wish, state, attempt, create_time,
                             next_attempt_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (school_id, kind, digest) WHERE finish_time IS NULL DO NOTHING
        RETURNING {_COLUMNS}
        """,
        claim.school_id,
        claim.import_id,
        claim.kind,
        file_name,
        _digest(wish, body),
        wish,
        claim.state,
        claim.attempt,
        now,
        next_time,
    )
    if row is None:
        return None
    for number, start in enumerate(range(0, len(body), _CHUNK)):
        await connection.execute(
            "INSERT INTO import_bodies (school_id, import_id, number, chunk) VALUES ($1, $2, $3, $4)",
            claim.school_id,
            claim.import_id,
            number,
            body[start : start + _CHUNK],
        )
    return _import(row)


async def find_same(connection: Connection, school_id: UUID, kind: str, wish: str, body: bytes) -> Import | None:
    """The import on its way of the same file with the same wish."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM imports WHERE school_id = $1 AND kind = $2 AND digest = $3 AND finish_time IS NULL",
        school_id,
        kind,
        _digest(wish, body),
    )
    return None if row is None else _import(row)


def _digest(wish: str, body: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(wish.encode()).digest() + body).digest()


async def get_import(connection: Connection, school_id: UUID, import_id: UUID) -> Import:
    """An import. Raises LostError."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM imports WHERE school_id = $1 AND import_id = $2", school_id, import_id
    )
    if row is None:
        raise LostError
    return _import(row)


def _import(row: asyncpg.Record) -> Import:
    return Import(**{**row, "state": State(row["state"])})


async def get_body(connection: Connection, claim: Claim) -> bytes:
    """The file."""
    body = bytearray()
    number = 0
    while (chunk := await _find_chunk(connection, claim, number)) is not None:
        body += chunk
        number += 1
    return bytes(body)


async def _find_chunk(connection: Connection, claim: Claim, number: int) -> bytes | None:
    chunk: bytes | None = await connection.fetchval(
        "SELECT chunk FROM import_bodies WHERE school_id = $1 AND import_id = $2 AND number = $3",
        claim.school_id,
        claim.import_id,
        number,
    )
    return chunk


async def claim_import(connection: Connection, kinds: Collection[str], now: datetime) -> Claim | None:
    """The import that has waited longest, held for a lease: to be carried on, or because nobody confirmed it. In `db.jobs`."""
    row = await connection.fetchrow(
        """
        UPDATE imports SET attempt = attempt + 1, next_attempt_time = $2
        WHERE (school_id, import_id) = (
            SELECT school_id, import_id FROM imports
            WHERE next_attempt_time <= $1 AND kind = ANY ($3::text[])
            ORDER BY next_attempt_time LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING school_id, import_id, kind, state, attempt
        """,
        now,
        now + LEASE,
        list(kinds),
    )
    return None if row is None else Claim(**{**row, "state": State(row["state"])})


async def note_progress(connection: Connection, claim: Claim, done: int, total: int, now: datetime) -> None:
    """Notes steps done, and holds the import for another lease. Raises LostError."""
    status = await connection.execute(
        """
        UPDATE imports SET steps_done = $5, steps_total = $6, next_attempt_time = $7
        WHERE school_id = $1 AND import_id = $2 AND state = $3 AND attempt = $4
        """,
        *_held(claim),
        done,
        total,
        now + LEASE,
    )
    _demand_held(status)


async def move(connection: Connection, claim: Claim, after: State, now: datetime, summary: Sequence[str] = ()) -> Claim:
    """Takes an import on to its next state, as who holds it; a plan is of `now`. Raises LostError."""
    if not may_become(claim.state, after):
        raise ValueError(after)
    next_time = None if is_over(after) else now + (PLAN_TERM if after is State.PLANNED else LEASE)
    status = await connection.execute(
        """
        UPDATE imports
        SET state = $5, next_attempt_time = $6, finish_time = $7, summary = $8, planned_time = coalesce($9, planned_time)
        WHERE school_id = $1 AND import_id = $2 AND state = $3 AND attempt = $4
        """,
        *_held(claim),
        after,
        next_time,
        now if is_over(after) else None,
        list(summary),
        now if after is State.PLANNED else None,
    )
    _demand_held(status)
    return Claim(claim.school_id, claim.import_id, claim.kind, after, claim.attempt)


async def confirm(
    connection: Connection, claim: Claim, numbers: Collection[int] | None, attempt: int, next_time: datetime
) -> None:
    """Confirms a plan, whole or the lines of these numbers, which it has; `attempt` is 1 where the confirmer carries it on.
    Raises LostError. In a transaction.
    """
    status = await connection.execute(
        """
        UPDATE imports SET state = $5, attempt = $6, next_attempt_time = $7, steps_done = 0, steps_total = 0
        WHERE school_id = $1 AND import_id = $2 AND state = $3 AND attempt = $4
        """,
        *_held(claim),
        State.CONFIRMED,
        attempt,
        next_time,
    )
    _demand_held(status)
    status = await connection.execute(
        """
        UPDATE import_changes SET is_chosen = true
        WHERE school_id = $1 AND import_id = $2 AND ($3::integer[] IS NULL OR number = ANY ($3))
        """,
        claim.school_id,
        claim.import_id,
        None if numbers is None else list(numbers),
    )
    if numbers is not None and status != f"UPDATE {len(numbers)}":
        raise LostError


def _held(claim: Claim) -> tuple[UUID, UUID, State, int]:
    return claim.school_id, claim.import_id, claim.state, claim.attempt


def _demand_held(status: str) -> None:
    if status != "UPDATE 1":
        raise LostError


async def insert_changes(connection: Connection, claim: Claim, changes: Sequence[Change]) -> None:
    """The lines of a plan, numbered from 1."""
    await connection.execute(
        """
        INSERT INTO import_changes (school_id, import_id, number, subject, what, before, after)
        SELECT $1, $2, number, subject, what, before, after
        FROM unnest($3::text[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY
             AS given (subject, what, before, after, number)
        """,
        claim.school_id,
        claim.import_id,
        [change.subject for change in changes],
        [change.what for change in changes],
        [change.before for change in changes],
        [change.after for change in changes],
    )


async def list_changes(
    connection: Connection, school_id: UUID, import_id: UUID, after: int, limit: int
) -> list[tuple[int, bool, Change]]:
    """A page of the lines of a plan, after a number: the number, whether it was chosen, the line."""
    rows = await connection.fetch(
        """
        SELECT number, is_chosen, subject, what, before, after FROM import_changes
        WHERE school_id = $1 AND import_id = $2 AND number > $3 ORDER BY number LIMIT $4
        """,
        school_id,
        import_id,
        after,
        limit,
    )
    return [(number, is_chosen, Change(*change)) for number, is_chosen, *change in rows]


async def count_changes(connection: Connection, school_id: UUID, import_id: UUID) -> int:
    """How many lines a plan has."""
    count: int = await connection.fetchval(
        "SELECT count(*) FROM import_changes WHERE school_id = $1 AND import_id = $2", school_id, import_id
    )
    return count


async def insert_problems(connection: Connection, claim: Claim, problems: Sequence[Problem]) -> None:
    """Why an import was refused, numbered from 1."""
    await connection.execute(
        """
        INSERT INTO import_problems (school_id, import_id, number, file, sheet, row_number, column_name, what, mend)
        SELECT $1, $2, number, file, sheet, row_number, column_name, what, mend
        FROM unnest($3::text[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[]) WITH ORDINALITY
             AS given (file, sheet, row_number, column_name, what, mend, number)
        """,
        claim.school_id,
        claim.import_id,
        [problem.file for problem in problems],
        [problem.sheet for problem in problems],
        [problem.row for problem in problems],
        [problem.column for problem in problems],
        [problem.what for problem in problems],
        [problem.mend for problem in problems],
    )


async def list_problems(connection: Connection, school_id: UUID, import_id: UUID) -> list[Problem]:
    """Why an import was refused."""
    rows = await connection.fetch(
        """
        SELECT file, row_number, column_name, what, mend, sheet FROM import_problems
        WHERE school_id = $1 AND import_id = $2 ORDER BY number
        """,
        school_id,
        import_id,
    )
    return [Problem(*row) for row in rows]


async def forget(connection: Connection, now: datetime) -> bool:
    """Drops bodies of imports that are over, and whole imports past their term; whether more wait. In `db.jobs`."""
    bodies = await connection.execute(
        """
        DELETE FROM import_bodies WHERE (school_id, import_id, number) IN (
            SELECT b.school_id, b.import_id, b.number FROM import_bodies b JOIN imports i USING (school_id, import_id)
            WHERE i.finish_time IS NOT NULL LIMIT $1)
        """,
        _FORGOTTEN_AT_ONCE,
    )
    whole = await connection.execute(
        """
        DELETE FROM imports WHERE (school_id, import_id) IN (
            SELECT school_id, import_id FROM imports WHERE finish_time < $1 ORDER BY finish_time LIMIT $2)
        """,
        now - KEPT,
        _FORGOTTEN_AT_ONCE,
    )
    return f"DELETE {_FORGOTTEN_AT_ONCE}" in (bodies, whole)
