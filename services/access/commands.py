"""What an operator runs: importing a roster, opening an access, counting a term.

What stands in the way is said on stderr, and the exit is 1.
"""

import argparse
import asyncio
import sys
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from chassis.calendar import CalendarFileError, YearUnknownError, count_due, explain
from chassis.clock import SystemClock
from chassis.db import owner
from services.access.actions.calendars import read_calendar
from services.access.actions.open_access import Opened, OpeningWish, open_access
from services.access.actions.roster_import import Report, import_roster, read_zip
from services.access.rules.oneroster import RosterRefusedError
from services.access.rules.opening import Document, OpeningRefusedError
from services.access.rules.roles import STAFF, Role

_ROLES = [role.name.lower() for role in (Role.STUDENT, Role.GUARDIAN, *sorted(STAFF))]


# By whether the account has an own password.
_NO_PASSWORD = {True: "none, the account has its own password", False: "the one issued before, which is valid still"}


def add_parsers(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands; each sets `run`, which takes the arguments and the DSN of the server's admin."""
    _add_import(parsers.add_parser("import-roster", help="take in a school's roster from a OneRoster 1.1 bundle"))
    _add_opening(parsers.add_parser("open-access", help="open an access by an earlier paper application, or for staff"))
    _add_due(parsers.add_parser("due", help="count the two working days of an application, with the days counted (R15)"))


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


def _add_opening(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--school", required=True, metavar="CODE", help="code of the school")
    parser.add_argument("--person", required=True, metavar="ID", help="id of the person, ours or of the imported roster")
    parser.add_argument("--role", choices=_ROLES, help="in which the access is wanted, where the person has several")
    parser.add_argument("--application-number", metavar="N", help="of the family's application (R12)")
    parser.add_argument("--application-date", type=date.fromisoformat, metavar="DATE", help="of the family's application")
    parser.add_argument("--order-number", metavar="N", help="of the order that appoints the administrator")
    parser.add_argument("--order-date", type=date.fromisoformat, metavar="DATE", help="of that order")
    parser.set_defaults(run=_open)


def _open(arguments: argparse.Namespace, admin_dsn: str) -> None:
    try:
        opened = asyncio.run(_open_access(arguments, admin_dsn))
    except OpeningRefusedError as error:
        sys.exit(f"no access was opened: {error}")
    print(f"role: {opened.role.name.lower()}")
    print(f"login: {opened.login}")
    print(f"one-time password: {opened.one_time_password or _NO_PASSWORD[opened.is_activated]}")
    if opened.granted:
        print(f"diaries opened: {', '.join(map(str, opened.granted))}")


async def _open_access(arguments: argparse.Namespace, admin_dsn: str) -> Opened:
    wish = OpeningWish(
        school_code=arguments.school,
        person=arguments.person,
        role=Role[arguments.role.upper()] if arguments.role else None,
        application=_document(arguments.application_number, arguments.application_date),
        order=_document(arguments.order_number, arguments.order_date),
    )
    async with owner(admin_dsn, "access") as connection:
        return await open_access(connection, SystemClock(), wish)


def _document(number: str | None, day: date | None) -> Document | None:
    if bool(number) != bool(day):
        raise OpeningRefusedError("a document has a number and a date: name both")
    return Document(number, day) if number and day else None


def _add_due(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("received", type=datetime.fromisoformat, metavar="RECEIVED", help="2026-03-17T10:00, in the zone")
    parser.add_argument("--calendar", type=Path, metavar="CSV", help="the region's days off and working days")
    parser.add_argument("--zone", type=ZoneInfo, default=ZoneInfo("Europe/Simferopol"), help="zone of the school")


def print_due(arguments: argparse.Namespace) -> None:
    """Prints the due moment of a receipt and the days counted (Clause R15). Needs neither settings nor a database."""
    received: datetime = arguments.received
    if received.tzinfo is None:
        received = received.replace(tzinfo=arguments.zone)
    try:
        calendar = read_calendar(arguments.calendar)
        print("\n".join(explain(count_due(received, calendar, arguments.zone), arguments.zone)))
    except (CalendarFileError, YearUnknownError, OSError) as error:
        sys.exit(str(error))
