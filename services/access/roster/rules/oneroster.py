"""Reads a OneRoster 1.1 CSV bundle into values, or says by file, row and column what cannot be read and how to mend it.

Only full (bulk) bundles of 1.1. Rows are lines of the file, the header is 1. `endDate` is read as the last day: writers of
bundles do not agree whether it is of the term.
"""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypeVar

from chassis.imports import MOST_PROBLEMS, ImportRefusedError, Problem
from services.access.roster.rules.bundle import Birth, Bundle, Enrollment, Org, Session, TaughtClass, User

_T = TypeVar("_T")
_BULK, _ABSENT = "bulk", "absent"
FILES = (
    "academicSessions",
    "orgs",
    "courses",
    "classes",
    "users",
    "enrollments",
    "demographics",
    "resources",
    "classResources",
    "courseResources",
    "categories",
    "lineItems",
    "results",
)
_NEEDED = FILES[:6]
_COLUMNS = {
    "academicSessions": ("sourcedId", "title", "type", "startDate", "endDate", "parentSourcedId", "schoolYear"),
    "orgs": ("sourcedId", "name", "type", "identifier", "parentSourcedId"),
    "courses": ("sourcedId", "title"),
    "classes": ("sourcedId", "title", "grades", "courseSourcedId", "classType", "schoolSourcedId", "termSourcedIds"),
    "users": ("sourcedId", "enabledUser", "orgSourcedIds", "role", "givenName", "familyName", "middleName"),
    "enrollments": ("sourcedId", "classSourcedId", "schoolSourcedId", "userSourcedId", "role", "beginDate", "endDate"),
    "demographics": ("sourcedId", "birthDate", "sex"),
}
_SESSION_TYPES = ("gradingPeriod", "semester", "schoolYear", "term")
_ORG_TYPES = ("department", "school", "district", "local", "state", "national")
_CLASS_TYPES = ("homeroom", "scheduled")
_USER_ROLES = ("administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher")
_MEMBER_ROLES = ("administrator", "proctor", "student", "teacher")
# `male` and `female` by the standard, and as exporters write them.
_SEXES = {
    "": None,
    **dict.fromkeys(("male", "m", "м", "муж", "мужской"), "male"),
    **dict.fromkeys(("female", "f", "ж", "жен", "женский"), "female"),
}
# Many systems write an open end as the last day there is.
_OPEN_YEAR = "9999-"
_YEARS = range(1920, 2101)
# Days: no school year is longer.
_LONGEST_SESSION = 400
_MOST_ROWS = 100_000


def read_bundle(files: Mapping[str, str]) -> Bundle:
    """The bundle of the texts of its files by name (`users.csv`). Raises ImportRefusedError with up to 50 problems."""
    reader = _Reader(files)
    reader.check_manifest()
    reader.stop_at_problems()
    sessions = {row["sourcedId"]: _read_session(row) for row in reader.rows("academicSessions")}
    orgs = {row["sourcedId"]: _read_org(row) for row in reader.rows("orgs")}
    courses = {row["sourcedId"]: row.needed("title") for row in reader.rows("courses")}
    classes = {row["sourcedId"]: _read_class(row, orgs, courses, sessions) for row in reader.rows("classes")}
    births = {row["sourcedId"]: _read_birth(row) for row in reader.rows("demographics")}
    users = {row["sourcedId"]: _read_user(row, orgs, births) for row in reader.rows("users")}
    enrollments = tuple(_read_enrollment(row, classes, orgs, users) for row in reader.rows("enrollments"))
    reader.stop_at_problems()
    return Bundle(sessions, orgs, courses, classes, users, enrollments)


class _Row:
    """One row; what cannot be read is noted as a problem and read as if empty. Invisible characters of a cell are dropped."""

    def __init__(self, file: str, number: int, cells: Mapping[str, str], note: Callable[[Problem], None]) -> None:
        self._file = file
        self.number = number
        self._cells = cells
        self._note = note

    def __getitem__(self, column: str) -> str:
        return " ".join("".join(c for c in self._cells[column] if unicodedata.category(c) != "Cf").split())

    def wrong(self, column: str, what: str, mend: str) -> None:
        """Notes a problem of a cell."""
        self._note(Problem(self._file, self.number, column, what, mend))

    def list_unreadable(self) -> list[str]:
        """Columns of cells with control characters, which no keyboard types: the file was damaged on its way."""
        return [
            column
            for column, text in self._cells.items()
            if not text.isprintable() and any(unicodedata.category(c) == "Cc" and not c.isspace() for c in text)
        ]

    def needed(self, column: str) -> str:
        """A cell that may not be empty."""
        if not self[column]:
            self.wrong(column, "не заполнено", "заполните")
        return self[column]

    def demand_active(self) -> None:
        """Rows to be deleted stand in deltas only."""
        if self._cells.get("status", "") not in ("", "active"):
            what = f"«{self._cells['status']}» бывает только в выгрузке изменений"
            self.wrong("status", what, "выгрузите список целиком (bulk)")

    def one_of(self, column: str, allowed: tuple[str, ...]) -> str:
        """A cell with one of the words of 1.1."""
        if self[column] not in allowed:
            self.wrong(column, f"«{self[column]}» не значение OneRoster 1.1", f"укажите одно из: {', '.join(allowed)}")
        return self[column]

    def day(self, column: str) -> date | None:
        """A date, or None when the cell is empty."""
        try:
            day = date.fromisoformat(self[column]) if self[column] else None
        except ValueError:
            self.wrong(column, f"«{self[column]}» не дата", "запишите в виде 2026-09-01")
            return None
        if day and day.year not in _YEARS:
            self.wrong(column, f"«{self[column]}»: такого года в списке школы быть не может", "исправьте дату")
            return None
        return day

    def last_day(self, column: str) -> date | None:
        """The same of an end, which may be open."""
        return None if self[column].startswith(_OPEN_YEAR) else self.day(column)

    def known(self, column: str, among: Mapping[str, _T], file: str) -> str:
        """The id of something that must stand in another file."""
        if self[column] not in among:
            self.wrong(column, f"«{self[column]}» нет в {file}.csv", "добавьте его туда или исправьте")
        return self[column]


class _Reader:
    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self._problems: list[Problem] = []

    def stop_at_problems(self) -> None:
        """Raises ImportRefusedError when there are any."""
        if self._problems:
            raise ImportRefusedError(self._problems)

    def check_manifest(self) -> None:
        """A full bundle of 1.1 whose files are all there."""
        known = {"manifest.csv", *(f"{name}.csv" for name in FILES)}
        for name in sorted(set(self._files) - known):
            self._note(Problem(name, 0, "", "не файл OneRoster 1.1", "уберите его из архива"))
        if "manifest.csv" not in self._files:
            self._note(Problem("manifest.csv", 0, "", "нет в архиве", "выгрузите список вместе с ним"))
            return
        stated = {row["propertyName"]: row["value"] for row in self._read("manifest", ("propertyName", "value"))}
        version = stated.get("oneroster.version", "")
        if version != "1.1":
            what = f"выгрузка OneRoster {version or 'неизвестной версии'}"
            self._note(Problem("manifest.csv", 0, "oneroster.version", what, "выгрузите в OneRoster 1.1"))
            return
        for name in FILES:
            self._check_stated(name, stated.get(f"file.{name}", _ABSENT))

    def _check_stated(self, name: str, mode: str) -> None:
        if mode == "delta":
            what = f"{name} содержит только изменения (delta)"
            self._note(Problem("manifest.csv", 0, f"file.{name}", what, "выгрузите список целиком (bulk)"))
        elif mode not in (_BULK, _ABSENT):
            self._note(Problem("manifest.csv", 0, f"file.{name}", f"«{mode}» неизвестно", "укажите bulk или absent"))
        elif mode == _ABSENT and name in _NEEDED:
            self._note(Problem(f"{name}.csv", 0, "", "по manifest.csv отсутствует", "выгрузите и его"))
        elif mode == _BULK and f"{name}.csv" not in self._files:
            self._note(Problem(f"{name}.csv", 0, "", "назван в manifest.csv, а в архиве его нет", "выгрузите список заново"))

    def rows(self, name: str) -> Iterator[_Row]:
        """The rows of a file with their own ids; none of a file that is absent."""
        if f"{name}.csv" not in self._files:
            return
        seen: dict[str, int] = {}
        for row in self._read(name, _COLUMNS[name]):
            sourced_id = row.needed("sourcedId")
            if sourced_id in seen:
                row.wrong("sourcedId", f"«{sourced_id}» уже есть в строке {seen[sourced_id]}", "у каждой строки он свой")
            seen[sourced_id] = row.number
            row.demand_active()
            yield row

    def _read(self, name: str, columns: tuple[str, ...]) -> Iterator[_Row]:
        file = f"{name}.csv"
        table = csv.DictReader(io.StringIO(self._files[file], newline=""), strict=True)
        try:
            missing = [column for column in columns if column not in (table.fieldnames or ())]
            for column in missing:
                self._note(Problem(file, 1, column, "нет в заголовке", "выгрузите файл со всеми столбцами 1.1"))
            if missing:
                return
            for number, cells in enumerate(table):
                if number == _MOST_ROWS:
                    what = f"больше {_MOST_ROWS} строк"
                    raise ImportRefusedError([Problem(file, 0, "", what, "выгрузите список одной школы")])
                # Empty cells past the header's are left by many exporters.
                surplus: Sequence[str] = cells.pop(None, ())
                if any(surplus) or None in cells.values():
                    what = f"ячеек не {len(table.fieldnames or ())}, как в заголовке"
                    self._note(Problem(file, table.line_num, "", what, "возьмите в кавычки ячейки с запятыми"))
                    continue
                row = _Row(file, table.line_num, cells, self._note)
                for column in row.list_unreadable():
                    row.wrong(column, "непечатный знак", "наберите ячейку заново")
                yield row
        except csv.Error:
            self._note(Problem(file, table.line_num, "", "не читается как CSV", "выгрузите файл заново"))

    def _note(self, problem: Problem) -> None:
        self._problems.append(problem)
        if len(self._problems) >= MOST_PROBLEMS:
            self.stop_at_problems()


def _read_session(row: _Row) -> Session:
    first, last = row.day("startDate"), row.day("endDate")
    for column in ("startDate", "endDate"):
        row.needed(column)
    if first and last and first > last:
        row.wrong("endDate", f"{last} раньше начала {first}", "исправьте одну из дат")
    kind = row.one_of("type", _SESSION_TYPES)
    if first and last and (last - first).days > _LONGEST_SESSION:
        row.wrong("endDate", f"период с {first} по {last} длиннее учебного года", "исправьте одну из дат")
    return Session(row["sourcedId"], row["title"], kind, first or date.min, last or date.max)


def _read_org(row: _Row) -> Org:
    return Org(row["sourcedId"], row.needed("name"), row.one_of("type", _ORG_TYPES), row["identifier"])


def _read_class(row: _Row, orgs: Mapping[str, Org], courses: Mapping[str, str], sessions: Mapping[str, Session]) -> TaughtClass:
    terms = tuple(part.strip() for part in row["termSourcedIds"].split(",") if part.strip())
    for term in terms:
        if term not in sessions:
            row.wrong("termSourcedIds", f"«{term}» нет в academicSessions.csv", "добавьте его туда или исправьте")
    if not terms:
        row.wrong("termSourcedIds", "не заполнено", "назовите периоды, в которые учится класс")
    return TaughtClass(
        sourced_id=row["sourcedId"],
        row=row.number,
        title=row.needed("title"),
        is_homeroom=row.one_of("classType", _CLASS_TYPES) == "homeroom",
        grades=_read_grades(row),
        course_id=row.known("courseSourcedId", courses, "courses"),
        school_id=row.known("schoolSourcedId", orgs, "orgs"),
        term_ids=terms,
    )


def _read_grades(row: _Row) -> tuple[int, ...]:
    """Grades 1-11 of a cell like `09` or `01,03`; other words (KG, PS) are of no class of ours and are left out."""
    words = [word.strip() for word in row["grades"].split(",")]
    return tuple(sorted({int(word) for word in words if word.isdecimal() and len(word) <= 2 and 1 <= int(word) <= 11}))


def _read_birth(row: _Row) -> Birth:
    sex = row["sex"].casefold().rstrip(".")
    if sex not in _SEXES:
        row.wrong("sex", f"«{row['sex']}» не пол", "укажите male, female или оставьте пустым")
    return Birth(row.number, row.day("birthDate"), _SEXES.get(sex))


def _read_user(row: _Row, orgs: Mapping[str, Org], births: Mapping[str, Birth]) -> User:
    org_ids = tuple(part.strip() for part in row["orgSourcedIds"].split(",") if part.strip())
    for org_id in org_ids:
        if org_id not in orgs:
            row.wrong("orgSourcedIds", f"«{org_id}» нет в orgs.csv", "добавьте его туда или исправьте")
    return User(
        sourced_id=row["sourcedId"],
        row=row.number,
        school_ids=org_ids,
        role=row.one_of("role", _USER_ROLES),
        family_name=row.needed("familyName"),
        given_name=row["givenName"],
        middle_name=row["middleName"],
        is_enabled=_read_enabled(row),
        birth=births.get(row["sourcedId"], Birth()),
    )


def _read_enabled(row: _Row) -> bool:
    word = row["enabledUser"].casefold()
    if word not in ("true", "false"):
        row.wrong("enabledUser", f"«{row['enabledUser']}» не значение OneRoster 1.1", "укажите true или false")
    return word == "true"


def _read_enrollment(
    row: _Row, classes: Mapping[str, TaughtClass], orgs: Mapping[str, Org], users: Mapping[str, User]
) -> Enrollment:
    first, last = row.day("beginDate"), row.last_day("endDate")
    if first and last and first > last:
        row.wrong("endDate", f"{last} раньше начала {first}", "исправьте одну из дат")
    return Enrollment(
        row=row.number,
        class_id=row.known("classSourcedId", classes, "classes"),
        school_id=row.known("schoolSourcedId", orgs, "orgs"),
        user_id=row.known("userSourcedId", users, "users"),
        role=row.one_of("role", _MEMBER_ROLES),
        first_day=first,
        last_day=last,
    )
