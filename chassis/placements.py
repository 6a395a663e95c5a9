"""When a student is in which class, as every projection of access's roster has it. The values alone: rules read them too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


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
