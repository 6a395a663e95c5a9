"""What an operator runs: importing a roster, opening an access, counting a term.

What stands in the way is said on stderr, and the exit is 1.
"""

import argparse
import asyncio
import sys
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chassis.calendar import CalendarFileError, YearUnknownError, count_due, explain
from chassis.clock import SystemClock
from chassis.commands import told_in_a_line
from chassis.db import owner
from services.access.actions.calendars import read_calendar
from services.access.actions.open_access import Opened, OpeningWish, open_access
from services.access.actions.roster_import import Report, import_roster, read_zip
from services.access.rules.oneroster import Problem, RosterRefusedError
from services.access.rules.opening import Document, OpeningRefusedError
from services.access.rules.roles import STAFF, Role
from services.access.rules.rosters import Ages, Order, Wish

_KINDS = {
    "school": "школа",
    "year": "учебный год",
    "people": "люди",
    "students": "ученики",
    "teachers": "учителя",
    "orders": "приказы о зачислении",
    "classes": "классы",
    "placements": "распределение по классам",
    "class teachers": "классные руководители",
    "study groups": "учебные группы",
    "members": "состав учебных групп",
    "teachings": "учителя учебных групп",
}
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
        "--zone", type=_read_zone, metavar="ZONE", help="time zone of a new school, Europe/Simferopol by default"
    )
    parser.add_argument(
        "--enrolment-order-number", metavar="N", help="of the order by which the bundle's students are enrolled"
    )
    parser.add_argument("--enrolment-order-date", type=date.fromisoformat, metavar="DATE", help="of that order (R10)")
    parser.add_argument(
        "--enrolled-from",
        type=date.fromisoformat,
        metavar="DATE",
        help="first day of new students for whom the bundle states none; the day of the import by default",
    )
    parser.add_argument(
        "--student-ages", type=_read_ages, default=Ages(), metavar="5-25", help="birth dates beyond these ages are refused"
    )
    parser.add_argument(
        "--move-to-year",
        type=int,
        metavar="YEAR",
        help="read a bundle of a past year as the school year that begins in this one; days of the week stay",
    )
    parser.set_defaults(run=_import)


def _import(arguments: argparse.Namespace, admin_dsn: str) -> None:
    try:
        with told_in_a_line():
            report = asyncio.run(_import_roster(arguments, admin_dsn))
    except RosterRefusedError as error:
        sys.exit(f"список не загружен, ничего не изменено:\n{error}")
    for kind, (created, changed, unchanged) in report.counts.items():
        print(f"{_KINDS[kind]}: новых {created}, изменено {changed}, без изменений {unchanged}")
    for note in report.notes:
        print(f"внимание: {note}")


async def _import_roster(arguments: argparse.Namespace, admin_dsn: str) -> Report:
    files = read_zip(arguments.zip)
    wish = Wish(
        code=arguments.school,
        move_to_year=arguments.move_to_year,
        zone=arguments.zone.key if arguments.zone else None,
        order=_read_order(arguments.enrolment_order_number, arguments.enrolment_order_date),
        enrolled_from=arguments.enrolled_from,
        ages=arguments.student_ages,
    )
    async with owner(admin_dsn, "access") as connection:
        return await import_roster(connection, SystemClock(), files, wish)


def _read_order(number: str | None, day: date | None) -> Order | None:
    if bool(number) != bool(day):
        what, mend = "у приказа нет номера или даты", "назовите --enrolment-order-number и --enrolment-order-date"
        raise RosterRefusedError([Problem("приказ о зачислении", 0, "", what, mend)])
    return Order(number, day) if number and day else None


def _read_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"{name} is no IANA time zone, such as Europe/Moscow") from None


def _read_ages(text: str) -> Ages:
    youngest, _, oldest = text.partition("-")
    if not (youngest.isdecimal() and oldest.isdecimal() and len(text) <= 7 and int(youngest) <= int(oldest)):
        raise argparse.ArgumentTypeError(f"{text} is no pair of ages, such as 5-25")
    return Ages(int(youngest), int(oldest))


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
        with told_in_a_line():
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
    parser.add_argument("--zone", type=_read_zone, default=ZoneInfo("Europe/Simferopol"), help="zone of the school")


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
    except OverflowError:
        sys.exit(f"{received:%d.%m.}{received.year} lies at the end of the calendar: name a day of this century")
