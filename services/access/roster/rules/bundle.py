"""What a OneRoster 1.1 bundle holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


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
    is_enabled: bool
    birth: "Birth"


@dataclass(frozen=True, slots=True)
class Birth:
    """What demographics.csv says of a person; `row` 0 of one who does not stand there."""

    row: int = 0
    birth_date: date | None = None
    gender: str | None = None


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
