"""What an operator runs: importing a roster. A command says on stderr what stands in its way, and exits with 1."""

import argparse
import asyncio
import sys
from pathlib import Path

from chassis.clock import SystemClock
from chassis.db import owner
from services.access.actions.roster_import import Report, import_roster, read_zip
from services.access.rules.oneroster import RosterRefusedError


def add_parsers(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands; each sets `run`, which takes the arguments and the DSN of the server's admin."""
    _add_import(parsers.add_parser("import-roster", help="take in a school's roster from a OneRoster 1.1 bundle"))


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("zip", type=Path, metavar="ZIP", help="the bundle")
    parser.add_argument("--school", required=True, metavar="CODE", help="code of the school; a new one is made from orgs.csv")
    parser.add_argument(
        "--move-to-year",
        type=int,
        metavar="YEAR",
        help="read a bundle of a past year as the school year that begins in this one; days of the week stay",
    )
    parser.set_defaults(run=_import)


def _import(arguments: argparse.Namespace, admin_dsn: str) -> None:
    try:
        report = asyncio.run(_import_roster(arguments, admin_dsn))
    except RosterRefusedError as error:
        sys.exit(f"nothing was imported:\n{error}")
    for kind, (created, changed, unchanged) in report.counts.items():
        print(f"{kind}: {created} created, {changed} changed, {unchanged} unchanged")


async def _import_roster(arguments: argparse.Namespace, admin_dsn: str) -> Report:
    files = read_zip(arguments.zip)
    async with owner(admin_dsn, "access") as connection:
        return await import_roster(connection, SystemClock(), files, arguments.school, arguments.move_to_year)
