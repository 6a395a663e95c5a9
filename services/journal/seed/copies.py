"""A large region in minutes, for benchmarks of growth: generated schools again under new ids, as owner.

Rows go in as a year would bring them, day by day in all schools at once, so that tables and indexes grow as they do live.
Copies stand in the journal alone, access knows nothing of them; their chains are those of the originals, so that
`verify-history` fails.
"""

# ruff: noqa: S608 - the statements are composed of names in the database's catalogue

from datetime import date, timedelta
from uuid import UUID

from chassis.db import Connection, owner
from services.journal.seed import tables

_FRAME = "schools classes students placements courses course_members periods work_types timetable_slots relations course_chains"
# Whose rows come day by day, by the column that says when; marks of a lesson lie side by side.
_DATED = {
    "lessons": "lesson_date, k, course_id",
    "attendance": "lesson_date, k, lesson_id",
    "mark_batches": "create_time, k",
    "mark_revisions": "lesson_date, k, lesson_id",
}
# A random part of an id gives way to the copy's number: ids stay in their order of time.
_MOVED = "encode(overlay(uuid_send({column}) PLACING int4send(k) FROM 13), 'hex')::uuid"
_TIMEOUT = 3600


async def copy_schools(admin_dsn: str, copies: int) -> None:
    """Copies each generated school until it stands there so many times beside itself."""
    async with owner(admin_dsn, "journal") as connection:
        await connection.execute("SELECT set_config('work_mem', '256MB', false)")
        schools = await _list_originals(connection)
        known = await connection.fetchval("SELECT count(*) FROM schools")
        numbers = (known // len(schools), copies)
        if numbers[0] > numbers[1]:
            return
        for table in _FRAME.split():
            await _copy(connection, table, schools, numbers)
        first, last = await _get_days(connection)
        while first <= last:
            print(f"seed: copies {numbers[0]} to {numbers[1]}: the week from {first}", flush=True)
            for table in _DATED:
                await _copy(connection, table, schools, numbers, (first, first + timedelta(days=7)))
            first += timedelta(days=7)
        await tables.settle(connection)


async def _get_days(connection: Connection) -> tuple[date, date]:
    row = await connection.fetchrow("SELECT min(lesson_date), max(lesson_date) FROM lessons")
    assert row is not None
    return row[0], row[1]


async def _list_originals(connection: Connection) -> list[UUID]:
    rows = await connection.fetch("SELECT school_id FROM schools WHERE name NOT LIKE '% (копия %)'")
    return [row["school_id"] for row in rows]


async def _copy(
    connection: Connection,
    table: str,
    schools: list[UUID],
    numbers: tuple[int, int],
    week: tuple[date, date] | None = None,
) -> None:
    columns = await connection.fetch(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'journal' AND table_name = $1",
        table,
    )
    taken = {name: _MOVED.format(column=name) if kind == "uuid" else name for name, kind in map(tuple, columns)}
    if table == "schools":
        taken["name"] = "name || ' (копия ' || k || ')'"
    order = _DATED.get(table, "k")
    when = f"AND {order.split(',')[0]} >= $4::date AND {order.split(',')[0]} < $5::date" if week else ""
    await connection.execute(
        f"INSERT INTO {table} ({', '.join(taken)}) SELECT {', '.join(taken.values())} "
        f"FROM {table}, generate_series($2::int, $3::int) AS k WHERE school_id = ANY($1) {when} ORDER BY {order}",
        schools,
        *numbers,
        *(week or ()),
        timeout=_TIMEOUT,
    )
