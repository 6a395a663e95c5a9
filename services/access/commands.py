"""What an operator runs: importing a roster, opening an access, counting a term.

What stands in the way is said on stderr, and the exit is 1. Commands speak English; import-roster speaks Russian, since what it
says of a list is for the school that made it. Faults of the machine are told alike by all of them (chassis/commands.py).
"""

import argparse
import asyncio
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chassis.calendar import CalendarFileError, YearUnknownError, count_due, explain
from chassis.clock import SystemClock
from chassis.commands import told_in_a_line
from chassis.db import owner
from chassis.imports import ImportRefusedError, Problem
from chassis.imports.acts import demand_size
from services.access.cases.actions.calendars import read_calendar
from services.access.people.rules.roles import STAFF, Role
from services.access.roster.actions.bringing import Bringing
from services.access.roster.actions.imports import ONEROSTER
from services.access.roster.actions.open_access import Opened, OpeningWish, open_access
from services.access.roster.convert.bundles import refuse_unreadable
from services.access.roster.rules.opening import Document, OpeningRefusedError
from services.access.roster.rules.rosters import Ages, Order, Wish

_ROLES = [role.name.lower() for role in (Role.STUDENT, Role.GUARDIAN, *sorted(STAFF))]


# By whether the account has an own password.
_NO_PASSWORD = {True: "none, the account has its own password", False: "the one issued before, which is valid still"}


def add_parsers(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands; each sets `run`, which takes the arguments and the DSN of the server's admin."""
    # Its words are read by a parser of its own: no argument has a NUL, so none is taken for an option here.
    words = parsers.add_parser(
        "import-roster", help="take in a school's roster from a OneRoster 1.1 bundle", add_help=False, prefix_chars="\0"
    )
    words.add_argument("words", nargs="*")
    words.set_defaults(run=_import)
    _add_opening(parsers.add_parser("open-access", help="open an access by an earlier paper application, or for staff"))
    _add_due(parsers.add_parser("due", help="count the two working days of an application, with the days counted (R15)"))


# What argparse says of arguments, in its words and ours; of a word that is no argument it says nothing by itself.
_FAULTS = (
    (re.compile(r"the following arguments are required: (.+)"), r"не указано: \1"),
    (re.compile(r"argument (\S+): expected one argument"), r"после \1 нужно значение"),
    (re.compile(r"ambiguous option: (\S+) could match (.+)"), r"\1 можно понять по-разному: \2"),
    (re.compile(r"argument (\S+): (.+)"), r"\1: \2"),
)


class _Parser(argparse.ArgumentParser):
    """Speaks Russian."""

    def error(self, message: str) -> NoReturn:
        for pattern, words in _FAULTS:
            if found := pattern.fullmatch(message):
                message = found.expand(words)
                break
        self.exit(2, f"{message}\nчто указывать: {self.prog} --help\n")


class _Formatter(argparse.HelpFormatter):
    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        super().add_usage(usage, actions, groups, prefix or "команда: ")


def _read_words(words: list[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="python -m services.access import-roster",
        description="Загружает список школы: выгрузку OneRoster 1.1. Всё или ничего; повтор ничего не меняет.",
        formatter_class=_Formatter,
        add_help=False,
    )
    said = parser.add_argument_group("параметры")
    said.add_argument("--help", "-h", action="help", help="показать эту подсказку")
    said.add_argument("zip", type=Path, metavar="ZIP", help="архив выгрузки")
    said.add_argument("--school", required=True, metavar="КОД", help="код школы; новая школа создаётся по orgs.csv")
    said.add_argument(
        "--zone", type=_read_russian_zone, metavar="ПОЯС", help="часовой пояс новой школы, если не Europe/Simferopol"
    )
    said.add_argument("--enrolment-order-number", metavar="НОМЕР", help="номер приказа, которым зачислены ученики выгрузки")
    said.add_argument("--enrolment-order-date", type=_read_day, metavar="ДАТА", help="дата этого приказа (R10): 2026-08-31")
    said.add_argument(
        "--enrolled-from",
        type=_read_day,
        metavar="ДАТА",
        help="с какого дня зачислены новые ученики, если в выгрузке этого нет; без параметра — со дня загрузки",
    )
    said.add_argument(
        "--student-ages", type=_read_ages, default=Ages(), metavar="5-25", help="даты рождения вне этих лет не принимаются"
    )
    said.add_argument(
        "--move-to-year",
        type=_read_year,
        metavar="ГОД",
        help="прочитать выгрузку прошлого года как год, который начинается в этом; дни недели сохраняются",
    )
    said.add_argument("--plan", action="store_true", help="только показать, что изменится, строка за строкой")
    found, unknown = parser.parse_known_args(words)
    if unknown:
        parser.error(f"лишнее: {' '.join(unknown)}")
    return found


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"«{text}» не дата; напишите как 2026-08-31") from None


def _read_year(text: str) -> int:
    if not (text.isdecimal() and len(text) == 4):
        raise argparse.ArgumentTypeError(f"«{text}» не год; напишите как 2026")
    return int(text)


def _read_russian_zone(name: str) -> ZoneInfo:
    try:
        return _read_zone(name)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"«{name}» не часовой пояс IANA; напишите как Europe/Moscow") from None


def _import(command: argparse.Namespace, admin_dsn: str) -> None:
    arguments = _read_words(command.words)
    try:
        with told_in_a_line():
            told = asyncio.run(_import_roster(arguments, admin_dsn))
    except ImportRefusedError as error:
        sys.exit(f"список не загружен, ничего не изменено:\n{error}")
    print("\n".join(told))


async def _import_roster(arguments: argparse.Namespace, admin_dsn: str) -> Sequence[str]:
    file_name, body = arguments.zip.name, _read_file(arguments.zip)
    wish = Wish(
        code=arguments.school,
        move_to_year=arguments.move_to_year,
        zone=arguments.zone.key if arguments.zone else None,
        order=_read_order(arguments.enrolment_order_number, arguments.enrolment_order_date),
        enrolled_from=arguments.enrolled_from,
        ages=arguments.student_ages,
    )
    bringing = Bringing(partial(owner, admin_dsn, "access"), SystemClock())
    return await bringing.bring(file_name, body, wish, is_plan_only=arguments.plan)


def _read_file(path: Path) -> bytes:
    try:
        demand_size(ONEROSTER, path.name, path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise refuse_unreadable(path.name) from error


def _read_order(number: str | None, day: date | None) -> Order | None:
    if bool(number) != bool(day):
        what, mend = "у приказа нет номера или даты", "назовите --enrolment-order-number и --enrolment-order-date"
        raise ImportRefusedError([Problem("приказ о зачислении", 0, "", what, mend)])
    return Order(number, day) if number and day else None


def _read_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"{name} is no IANA time zone, such as Europe/Moscow") from None


def _read_ages(text: str) -> Ages:
    youngest, _, oldest = text.partition("-")
    if not (youngest.isdecimal() and oldest.isdecimal() and len(text) <= 7 and int(youngest) <= int(oldest)):
        raise argparse.ArgumentTypeError(f"«{text}» не пара чисел; напишите как 5-25")
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
