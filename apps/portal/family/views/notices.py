"""Who wants to hear what: a row for each child."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.portal.people import list_children
from diary.access.v1.session_service_pb2 import GetCallerResponse
from diary.notify.v1.preference_service_pb2 import GetPreferencesResponse


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A child and whether letters about new marks are sent; `school_name` is empty where all are of one school."""

    school_id: str
    school_name: str
    student_id: str
    name: str
    class_name: str
    is_on: bool


def build_notices(caller: GetCallerResponse, answers: Mapping[str, GetPreferencesResponse]) -> tuple[NoticeRow, ...]:
    """Rows in the order of the children; `answers` by school. A child that notify does not know yet has no row."""
    switched = {
        (school_id, preference.student_id): preference.is_marks_letter_on
        for school_id, answer in answers.items()
        for preference in answer.preferences
    }
    return tuple(
        NoticeRow(
            school_id=school.school_id,
            school_name=school.school_name if len(answers) > 1 else "",
            student_id=student.student_id,
            name=student.display_name,
            class_name=student.class_name,
            is_on=switched[school.school_id, student.student_id],
        )
        for school, student in list_children(caller)
        if (school.school_id, student.student_id) in switched
    )


def mask(email: str) -> str:
    """m•••a@mail.ru: enough for its owner to know it."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}•••{name[-1:] if len(name) > 2 else ''}@{domain}"
