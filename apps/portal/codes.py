"""Codes of absences as the paper journal has them."""

from typing import NamedTuple

from diary.journal.v1 import lesson_pb2


class AbsenceView(NamedTuple):
    """A code: the letter, its meaning, and its number in the proto."""

    letter: str
    title: str
    code: int


ABSENCES = {
    lesson_pb2.ABSENCE_CODE_ABSENT: AbsenceView("Н", "отсутствие, причина не указана", lesson_pb2.ABSENCE_CODE_ABSENT),
    lesson_pb2.ABSENCE_CODE_EXCUSED: AbsenceView("У", "отсутствие по уважительной причине", lesson_pb2.ABSENCE_CODE_EXCUSED),
    lesson_pb2.ABSENCE_CODE_ILL: AbsenceView("Б", "отсутствие по болезни", lesson_pb2.ABSENCE_CODE_ILL),
    lesson_pb2.ABSENCE_CODE_LATE: AbsenceView("О", "опоздание", lesson_pb2.ABSENCE_CODE_LATE),
}

# Who is not there gets no mark for the lesson, as a rule.
AWAY = frozenset({lesson_pb2.ABSENCE_CODE_ABSENT, lesson_pb2.ABSENCE_CODE_EXCUSED, lesson_pb2.ABSENCE_CODE_ILL})

# What a teacher chooses from; the first is no absence at all.
CHOICES = (AbsenceView("✓", "присутствует", lesson_pb2.ABSENCE_CODE_UNSPECIFIED), *ABSENCES.values())


def choices(*, sees_illness: bool) -> tuple[AbsenceView, ...]:
    """The codes for one who records. Б would come back as У to who may not see it, and is not offered (decision 11)."""
    return tuple(choice for choice in CHOICES if sees_illness or choice.code != lesson_pb2.ABSENCE_CODE_ILL)


# Keys that set the attendance of the line in which they are pressed.
LETTERS = {absence.letter: absence.code for absence in ABSENCES.values()}
