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
class Placement:
    """A student's time in a class, from midnight to midnight of the school; `to_time` None while open."""

    class_id: UUID
    from_time: datetime
    to_time: datetime | None


@dataclass(frozen=True, slots=True)
class StudentPlace:
    """The class a student is placed in, None for one in no class, and all times in classes."""

    student_id: UUID
    class_id: UUID | None
    version: int
    placements: tuple[Placement, ...]


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
