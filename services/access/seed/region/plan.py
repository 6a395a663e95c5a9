"""The curriculum of the 2026/27 school year: hours a week of each subject in each grade, and how classes are divided for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

GRADES = range(1, 12)
# Grade 1 is taught without marks, whatever the subject.
_FIRST_MARKED_GRADE = 2


class Split(StrEnum):
    """How a class of full size is divided for a subject."""

    NONE = ""
    HALVES = "halves"
    SEXES = "sexes"


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A subject. `hours` by grade; `is_joint`: grades taught in one class have it together."""

    subject: str
    specialty: str
    hours: Mapping[int, int]
    has_marks: bool
    split: Split
    is_joint: bool

    def is_marked(self, grade: int) -> bool:
        """Whether marks are given in this grade."""
        return self.has_marks and grade >= _FIRST_MARKED_GRADE


def read_plan(rows: Iterable[Mapping[str, str]]) -> tuple[PlanRow, ...]:
    """The plan of rows `subject, specialty, 1 … 11, unmarked, split, joint`; see the README beside the file."""
    return tuple(
        PlanRow(
            subject=row["subject"],
            specialty=row["specialty"],
            hours={grade: int(row[str(grade)]) for grade in GRADES if row[str(grade)]},
            has_marks=row["unmarked"] != "yes",
            split=Split(row["split"]),
            is_joint=row["joint"] == "yes",
        )
        for row in rows
    )
