"""Codes of absences as the paper journal has them."""

from typing import NamedTuple

from diary.journal.v1 import journal_service_pb2 as pb


class AbsenceView(NamedTuple):
    """A code: the letter, its meaning, and its number in the proto."""

    letter: str
    title: str
    code: int


ABSENCES = {
    pb.ABSENCE_CODE_ABSENT: AbsenceView("Н", "отсутствие, причина не указана", pb.ABSENCE_CODE_ABSENT),
    pb.ABSENCE_CODE_EXCUSED: AbsenceView("У", "отсутствие по уважительной причине", pb.ABSENCE_CODE_EXCUSED),
    pb.ABSENCE_CODE_ILL: AbsenceView("Б", "отсутствие по болезни", pb.ABSENCE_CODE_ILL),
    pb.ABSENCE_CODE_LATE: AbsenceView("О", "опоздание", pb.ABSENCE_CODE_LATE),
}

# What a teacher chooses from; the first is no absence at all.
CHOICES = (AbsenceView("✓", "присутствует", pb.ABSENCE_CODE_UNSPECIFIED), *ABSENCES.values())
