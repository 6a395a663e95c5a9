"""access's part of a generated region: schools made one by one and loaded by COPY as the owner of the tables.

The constraints of the tables hold as on the live path, relations come of the same rules, and events name every entry, so that
the other services can fill from them. The same seed in the same school year gives the same rows, ids included.
"""

import argparse
import asyncio
import csv
import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from chassis.clock import Clock, SystemClock, today
from chassis.commands import told_in_a_line
from chassis.db import Connection, owner
from services.access.rights.actions.passwords import hash_password
from services.access.seed.region.accounts import ZONE
from services.access.seed.region.names import read_names
from services.access.seed.region.plan import read_plan
from services.access.seed.region.roster import Ids, Roster
from services.access.seed.region.schools import SchoolMaker, SchoolSpec, plan_demo, plan_region
from services.access.seed.region.shown import Shown, list_shown_of_town, list_shown_of_village
from services.access.seed.tables import build_tables

_DATA = Path(__file__).parent / "data"
_OUTPUT = Path("-")
_NEW_YEAR_MONTH = 8
_USUAL_SCHOOL = 600  # students


class SeedError(Exception):
    """What stands in the way of a seed, and the mend."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What region is wanted; without `schools` and `students` the demo: a town and a village school.

    Of the logins, `logins` holds the password only when it is made here.
    """

    schools: int | None = None
    students: int | None = None
    seed: int = 1
    password: str | None = None
    logins: Path | None = None


def add_parser(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command; it sets `run`, which takes the arguments and the DSN of the server's admin."""
    parser = parsers.add_parser("seed", help="make a generated region in an empty database")
    parser.add_argument("--schools", type=int, help="how many schools (without it and --students: the demo of two)")
    parser.add_argument("--students", type=int, help="how many students in all schools together")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same region (1)")
    parser.add_argument(
        "--password-file", type=Path, metavar="FILE", help="with the password of all accounts; random without it"
    )
    parser.add_argument("--logins", type=Path, metavar="FILE", help="write the logins to show, as JSON; - for the output")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace, admin_dsn: str) -> None:
    password = arguments.password_file.read_text(encoding="utf-8").strip() if arguments.password_file else None
    wish = Wish(arguments.schools, arguments.students, arguments.seed, password, arguments.logins)
    try:
        with told_in_a_line():
            asyncio.run(seed(admin_dsn, wish, SystemClock(), lambda line: print(line, flush=True)))
    except SeedError as error:
        sys.exit(str(error))


async def seed(admin_dsn: str, wish: Wish, clock: Clock, tell: Callable[[str], None]) -> None:
    """Makes the region in an empty database, telling the progress; writes the logins to `wish.logins`.

    One school is in memory at a time and is one transaction. Raises SeedError.
    """
    specs = _plan(wish)
    names, plan = read_names(_read("names.csv")), read_plan(_read("plan.csv"))
    year = _school_year(today(clock, ZONE))
    password = wish.password or "-".join(secrets.token_hex(2) for _ in range(3))
    password_hash = hash_password(password)
    ids = Ids(Random(f"{wish.seed}/region"), datetime(year, 8, 1, tzinfo=UTC))
    operator_id, shared_account_id = ids.next(), ids.next()
    shown: list[Shown] = []
    began, rows = time.monotonic(), 0
    async with owner(admin_dsn, "access") as connection:
        await _demand_empty(connection)
        for spec in specs:
            maker = SchoolMaker(spec, Random(f"{wish.seed}/{spec.number}"), names, plan, year)
            roster = maker.make(shared_account_id)
            rows += await _load(connection, wish.seed, spec.number, roster, password_hash, clock.now())
            shown += _choose_shown(spec, roster, shared_account_id)
            speed = rows / (time.monotonic() - began)
            tell(f"school {spec.number} of {len(specs)}: {spec.student_count} students; {rows} rows, {speed:.0f} rows/s")
        await _insert_operator(connection, operator_id, password_hash, clock.now())
        await _settle(connection)
    if wish.logins is not None:
        _write_logins(wish.logins, shown, operator_id, {} if wish.password else {"password": password})


def _plan(wish: Wish) -> list[SchoolSpec]:
    if wish.schools is None and wish.students is None:
        return plan_demo()
    schools = wish.schools or -(-(wish.students or 0) // _USUAL_SCHOOL)
    try:
        return plan_region(schools, wish.students or schools * _USUAL_SCHOOL)
    except ValueError as error:
        raise SeedError(str(error)) from error


def _read(name: str) -> Iterator[dict[str, str]]:
    with (_DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _school_year(day: date) -> int:
    """The year in which the school year of a day began."""
    return day.year if day.month >= _NEW_YEAR_MONTH else day.year - 1


def _choose_shown(spec: SchoolSpec, roster: Roster, shared_account_id: UUID) -> Sequence[Shown]:
    if spec.number == 1:
        return list(list_shown_of_town(roster, shared_account_id))
    return list(list_shown_of_village(roster)) if spec.number == 2 else ()


async def _demand_empty(connection: Connection) -> None:
    if await connection.fetchval("SELECT EXISTS (SELECT FROM accounts)"):
        raise SeedError("the database holds a region already: seed an empty one, or use it as it is")


async def _load(connection: Connection, seed: int, number: int, roster: Roster, password_hash: str, now: datetime) -> int:
    """Writes a school; returns how many rows."""
    rows = 0
    ids = Ids(Random(f"{seed}/{number}/tables"), datetime.combine(roster.year.first_day, datetime.min.time(), UTC))
    async with connection.transaction():
        for table in build_tables(roster, ids, password_hash, now):
            await connection.copy_records_to_table(table.name, columns=table.columns, records=table.rows)
            rows += len(table.rows)
    return rows


async def _insert_operator(connection: Connection, account_id: UUID, password_hash: str, now: datetime) -> None:
    await connection.execute(
        "INSERT INTO accounts (account_id, login, password_hash, is_operator, create_time) VALUES ($1, $2, $3, true, $4)",
        account_id,
        "operator",
        password_hash,
        now,
    )


async def _settle(connection: Connection) -> None:
    """Gives the planner its figures, as autovacuum would after a while: until then lists read a whole school for a page."""
    for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'access' ORDER BY tablename"):
        await connection.execute(f"VACUUM (ANALYZE) {row['tablename']}")


def _write_logins(path: Path, shown: Sequence[Shown], operator_id: UUID, password: Mapping[str, str]) -> None:
    """A JSON list; as a file read by its owner only, since it holds the password of all unless that was given."""
    logins: list[dict[str, Any]] = [{**asdict(one), "role": one.role.name.lower(), **password} for one in shown]
    operator = {"role": "operator", "login": "operator", **password, "name": "Оператор", "school": "", "note": ""}
    logins.append({**operator, "account_id": operator_id})
    if path == _OUTPUT:
        print(json.dumps(logins, ensure_ascii=False, indent=2, default=str), flush=True)
        return
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(logins, file, ensure_ascii=False, indent=2, default=str)
