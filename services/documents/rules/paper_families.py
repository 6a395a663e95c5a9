"""The families informed on paper (Clauses R7, R8), as access tells them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PaperMode:
    """A guardian's declaration about a student; `revoked` None while it holds."""

    declaration_id: UUID
    student_id: UUID
    number: str
    declines_printouts: bool
    revoked: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class StudentPlace:
    """The class a student is placed in; None for one in no class."""

    student_id: UUID
    class_id: UUID | None
    version: int


@dataclass(frozen=True, slots=True)
class SchoolZone:
    """The IANA zone by which a school's weeks begin and end."""

    time_zone: str
    version: int


@dataclass(frozen=True, slots=True)
class Roster:
    """What access told of a school's paper families."""

    zones: list[SchoolZone]
    places: list[StudentPlace]
    modes: list[PaperMode]
