"""A class's week as the journal tells it; absences are counted in lessons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of the week."""

    value: int
    work_type: str
    day: date
    topic: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A mark changed in the week with a reason; None: there was no mark, or it was taken back."""

    day: date
    old: int | None
    new: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class SubjectWeek:
    """A course in a student's week; `mean` in hundredths, None without marks."""

    name: str
    is_marked: bool
    lesson_count: int
    missed_count: int
    marks: Sequence[Mark]
    mean: int | None
    corrections: Sequence[Correction]
    topics: Sequence[str]


@dataclass(frozen=True, slots=True)
class StudentWeek:
    """A student's week."""

    student_id: UUID
    name: str
    subjects: Sequence[SubjectWeek]
    lesson_count: int
    unexcused_count: int
    excused_count: int
    ill_count: int
    late_count: int

    @property
    def missed_count(self) -> int:
        """Lessons missed for whatever reason."""
        return self.unexcused_count + self.excused_count + self.ill_count


@dataclass(frozen=True, slots=True)
class ClassWeek:
    """A class's week: students in the order of the class list. In holidays the period is empty and 0 of 0."""

    class_name: str
    school_name: str
    time_zone: str
    monday: date
    period_name: str
    period_week: int
    period_week_count: int
    students: Sequence[StudentWeek]
