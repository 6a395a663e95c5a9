"""What an account wants to hear."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Preference:
    """Whether letters about a student's marks are sent to an account."""

    student_id: UUID
    is_marks_letter_on: bool
