"""Reads a OneRoster 1.1 CSV bundle into values, or says by file, row and column what cannot be read and how to mend it.

Only full (bulk) bundles of 1.1. Rows are lines of the file, the header is 1. `endDate` is read as the last day: writers of
bundles do not agree whether it is of the term.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

_T = TypeVar("_T")
_MOST_PROBLEMS = 50
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
_SEXES = {"": None, "male": "male", "female": "female"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What stands in the way; `row` is 0 and `column` empty where the whole file is meant."""

    file: str
    row: int
    column: str
    what: str
    mend: str

    def __str__(self) -> str:
        place = "".join([self.file, f", row {self.row}" if self.row else "", f", column {self.column}" if self.column else ""])
        return f"{place}: {self.what}; {self.mend}"


class RosterRefusedError(Exception):
    """The bundle cannot be imported; nothing of it was."""

    def __init__(self, problems: "list[Problem]") -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Session:
    """A school year or a part of it; both days are of it."""

    sourced_id: str
    title: str
    kind: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Org:
    """A school or what is above it."""

    sourced_id: str
    name: str
    kind: str
    identifier: str


@dataclass(frozen=True, slots=True)
class TaughtClass:
    """A class: a homeroom, or a course taught to some students."""

    sourced_id: str
    row: int
    title: str
    is_homeroom: bool
    grades: tuple[int, ...]
    course_id: str
    school_id: str
    term_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class User:
    """A person of one or more schools."""

    sourced_id: str
    row: int
    school_ids: tuple[str, ...]
    role: str
    family_name: str
    given_name: str
    middle_name: str
    birth_date: date | None
    gender: str | None


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A user's time in a class; days that are not given are the class's."""

    row: int
    class_id: str
    school_id: str
    user_id: str
    role: str
    first_day: date | None
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Bundle:
    """A whole bundle by sourcedId; `courses` holds titles. All references within it hold."""

    sessions: Mapping[str, Session]
    orgs: Mapping[str, Org]
    courses: Mapping[str, str]
    classes: Mapping[str, TaughtClass]
    users: Mapping[str, User]
    enrollments: tuple[Enrollment, ...]


def read_bundle(files: Mapping[str, str]) -> Bundle:
    """The bundle of the texts of its files by name (`users.csv`). Raises RosterRefusedError with up to 50 problems."""
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
    """One row; what cannot be read is noted as a problem and read as if empty."""

    def __init__(self, file: str, number: int, cells: Mapping[str, str], note: Callable[[Problem], None]) -> None:
        self._file = file
        self.number = number
        self._cells = cells
        self._note = note

    def __getitem__(self, column: str) -> str:
        return self._cells[column].strip()

    def wrong(self, column: str, what: str, mend: str) -> None:
        """Notes a problem of a cell."""
        self._note(Problem(self._file, self.number, column, what, mend))

    def needed(self, column: str) -> str:
        """A cell that may not be empty."""
        if not self[column]:
            self.wrong(column, "is empty", "fill it")
        return self[column]

    def demand_active(self) -> None:
        """Rows to be deleted stand in deltas only."""
        if self._cells.get("status", "") not in ("", "active"):
            self.wrong("status", f"{self._cells['status']!r} belongs to a delta", "export the full roster (bulk)")

    def one_of(self, column: str, allowed: tuple[str, ...]) -> str:
        """A cell with one of the words of 1.1."""
        if self[column] not in allowed:
            self.wrong(column, f"{self[column]!r} is no value of OneRoster 1.1", f"use one of {', '.join(allowed)}")
        return self[column]

    def day(self, column: str) -> date | None:
        """A date, or None when the cell is empty."""
        try:
            return date.fromisoformat(self[column]) if self[column] else None
        except ValueError:
            self.wrong(column, f"{self[column]!r} is no date", "write it as 2026-09-01")
            return None

    def known(self, column: str, among: Mapping[str, _T], file: str) -> str:
        """The id of something that must stand in another file."""
        if self[column] not in among:
            self.wrong(column, f"{self[column]!r} does not stand in {file}.csv", "add it there, or correct the id")
        return self[column]


class _Reader:
    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self._problems: list[Problem] = []

    def stop_at_problems(self) -> None:
        """Raises RosterRefusedError when there are any."""
        if self._problems:
            raise RosterRefusedError(self._problems)

    def check_manifest(self) -> None:
        """A full bundle of 1.1 whose files are all there."""
        known = {"manifest.csv", *(f"{name}.csv" for name in FILES)}
        for name in sorted(set(self._files) - known):
            self._note(Problem(name, 0, "", "is no file of OneRoster 1.1", "take it out of the bundle"))
        if "manifest.csv" not in self._files:
            self._note(Problem("manifest.csv", 0, "", "is missing", "export the bundle with its manifest"))
            return
        stated = {row["propertyName"]: row["value"] for row in self._read("manifest", ("propertyName", "value"))}
        version = stated.get("oneroster.version", "")
        if version != "1.1":
            what = f"the bundle is of OneRoster {version or 'no stated version'}"
            self._note(Problem("manifest.csv", 0, "oneroster.version", what, "export it as OneRoster 1.1"))
            return
        for name in FILES:
            self._check_stated(name, stated.get(f"file.{name}", _ABSENT))

    def _check_stated(self, name: str, mode: str) -> None:
        if mode == "delta":
            what = f"{name} holds changes only (delta)"
            self._note(Problem("manifest.csv", 0, f"file.{name}", what, "export the full roster (bulk)"))
        elif mode not in (_BULK, _ABSENT):
            self._note(Problem("manifest.csv", 0, f"file.{name}", f"{mode!r} is unknown", "use bulk or absent"))
        elif mode == _ABSENT and name in _NEEDED:
            self._note(Problem(f"{name}.csv", 0, "", "is absent by the manifest", "export it: the import needs it"))
        elif mode == _BULK and f"{name}.csv" not in self._files:
            self._note(Problem(f"{name}.csv", 0, "", "is promised by the manifest and missing", "export the bundle again"))

    def rows(self, name: str) -> Iterator[_Row]:
        """The rows of a file with their own ids; none of a file that is absent."""
        if f"{name}.csv" not in self._files:
            return
        seen: dict[str, int] = {}
        for row in self._read(name, _COLUMNS[name]):
            sourced_id = row.needed("sourcedId")
            if sourced_id in seen:
                row.wrong("sourcedId", f"{sourced_id!r} stands in row {seen[sourced_id]} already", "give each row its own id")
            seen[sourced_id] = row.number
            row.demand_active()
            yield row

    def _read(self, name: str, columns: tuple[str, ...]) -> Iterator[_Row]:
        file = f"{name}.csv"
        table = csv.DictReader(io.StringIO(self._files[file], newline=""), strict=True)
        try:
            missing = [column for column in columns if column not in (table.fieldnames or ())]
            for column in missing:
                self._note(Problem(file, 1, column, "is missing in the header", "export the file with all columns of 1.1"))
            if missing:
                return
            for cells in table:
                # Empty cells past the header's are left by many exporters.
                surplus: Sequence[str] = cells.pop(None, ())
                if any(surplus) or None in cells.values():
                    what = f"has not the {len(table.fieldnames or ())} cells of the header"
                    self._note(Problem(file, table.line_num, "", what, "quote cells that hold commas"))
                    continue
                yield _Row(file, table.line_num, cells, self._note)
        except csv.Error as error:
            self._note(Problem(file, table.line_num, "", f"cannot be read as CSV ({error})", "export the file again"))

    def _note(self, problem: Problem) -> None:
        self._problems.append(problem)
        if len(self._problems) >= _MOST_PROBLEMS:
            self.stop_at_problems()


def _read_session(row: _Row) -> Session:
    first, last = row.day("startDate"), row.day("endDate")
    for column in ("startDate", "endDate"):
        row.needed(column)
    if first and last and first > last:
        row.wrong("endDate", f"{last} is before startDate {first}", "correct one of them")
    kind = row.one_of("type", _SESSION_TYPES)
    return Session(row["sourcedId"], row["title"], kind, first or date.min, last or date.max)


def _read_org(row: _Row) -> Org:
    return Org(row["sourcedId"], row.needed("name"), row.one_of("type", _ORG_TYPES), row["identifier"])


def _read_class(row: _Row, orgs: Mapping[str, Org], courses: Mapping[str, str], sessions: Mapping[str, Session]) -> TaughtClass:
    terms = tuple(part.strip() for part in row["termSourcedIds"].split(",") if part.strip())
    for term in terms:
        if term not in sessions:
            row.wrong("termSourcedIds", f"{term!r} does not stand in academicSessions.csv", "add it there, or correct the id")
    if not terms:
        row.wrong("termSourcedIds", "is empty", "name the terms in which the class is taught")
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
    return tuple(sorted({int(word) for word in words if word.isdecimal() and 1 <= int(word) <= 11}))


def _read_birth(row: _Row) -> tuple[date | None, str | None]:
    return row.day("birthDate"), _SEXES.get(row["sex"])


def _read_user(row: _Row, orgs: Mapping[str, Org], births: Mapping[str, tuple[date | None, str | None]]) -> User:
    org_ids = tuple(part.strip() for part in row["orgSourcedIds"].split(",") if part.strip())
    for org_id in org_ids:
        if org_id not in orgs:
            row.wrong("orgSourcedIds", f"{org_id!r} does not stand in orgs.csv", "add it there, or correct the id")
    birth_date, gender = births.get(row["sourcedId"], (None, None))
    return User(
        sourced_id=row["sourcedId"],
        row=row.number,
        school_ids=org_ids,
        role=row.one_of("role", _USER_ROLES),
        family_name=row.needed("familyName"),
        given_name=row["givenName"],
        middle_name=row["middleName"],
        birth_date=birth_date,
        gender=gender,
    )


def _read_enrollment(
    row: _Row, classes: Mapping[str, TaughtClass], orgs: Mapping[str, Org], users: Mapping[str, User]
) -> Enrollment:
    first, last = row.day("beginDate"), row.day("endDate")
    if first and last and first > last:
        row.wrong("endDate", f"{last} is before beginDate {first}", "correct one of them")
    return Enrollment(
        row=row.number,
        class_id=row.known("classSourcedId", classes, "classes"),
        school_id=row.known("schoolSourcedId", orgs, "orgs"),
        user_id=row.known("userSourcedId", users, "users"),
        role=row.one_of("role", _MEMBER_ROLES),
        first_day=first,
        last_day=last,
    )
