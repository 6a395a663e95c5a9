"""The people and places of a page: addresses, the children of a family, the schools of an account."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chassis.names import find_called_name
from diary.access.v1.session_pb2 import CallerSchool, CallerStudent
from diary.access.v1.session_service_pb2 import GetCallerResponse

NOTICES_URL = "/notices"
SECOND_FACTOR_URL = "/account/second-factor"


@dataclass(frozen=True, slots=True)
class Link:
    """Somewhere to go. `note` stands beside the title in smaller type."""

    title: str
    url: str
    is_current: bool
    note: str = ""


def week_url(school_id: str, student_id: str) -> str:
    """The week of a student: ids only, since addresses are logged and shared."""
    return f"/schools/{school_id}/students/{student_id}/week"


def courses_url(school_id: str) -> str:
    """The journals of a school."""
    return f"/schools/{school_id}/courses"


def course_url(school_id: str, course_id: str) -> str:
    """The journal of a course."""
    return f"/schools/{school_id}/courses/{course_id}"


def applications_url(school_id: str) -> str:
    """The applications of a school."""
    return f"/schools/{school_id}/applications"


def printouts_url(school_id: str) -> str:
    """Weekly printouts of a school."""
    return f"/schools/{school_id}/printouts"


def class_printouts_url(school_id: str, class_id: str) -> str:
    """Weekly printouts of a class."""
    return f"/schools/{school_id}/classes/{class_id}/printouts"


def document_url(school_id: str, document_id: str) -> str:
    """A paper of the register."""
    return f"/schools/{school_id}/documents/{document_id}"


def refusals_url(school_id: str) -> str:
    """Refusals that wait for the head, and decisions that wait for a signature."""
    return f"/schools/{school_id}/refusals"


def forms_url(school_id: str) -> str:
    """Blank forms of a school, open to everybody; the kind follows."""
    return f"/schools/{school_id}/forms"


def school_url(school_id: str) -> str:
    """What a school's papers say of it."""
    return f"/schools/{school_id}/details"


def imports_url(school_id: str) -> str:
    """Where lists are loaded from files."""
    return f"/schools/{school_id}/imports"


def import_url(school_id: str, import_id: str) -> str:
    """One file that was loaded."""
    return f"{imports_url(school_id)}/{import_id}"


def informing_url(school_id: str, student_id: str) -> str:
    """How a family is informed about a student."""
    return f"/schools/{school_id}/students/{student_id}/informing"


def informing_title(*, is_student: bool) -> str:
    """What that page is called: students are told of no printouts."""
    return "Мой доступ" if is_student else "Дневник и распечатки"


def declarations_url(school_id: str, student_id: str) -> str:
    """The declarations for paper about a student, for staff."""
    return f"/schools/{school_id}/students/{student_id}/declarations"


def deadlines_url(school_id: str) -> str:
    """The terms of the regulation in a school, for the head and the administrator."""
    return f"/schools/{school_id}/deadlines"


def students_url(school_id: str) -> str:
    """Under which pages about a student stand."""
    return f"/schools/{school_id}/students"


def own_cases_url(school_id: str) -> str:
    """The caller's own applications in a school."""
    return f"/schools/{school_id}/my-applications"


def build_children(
    caller: GetCallerResponse, student_id: str, query: str, url_of: Callable[[str, str], str] = week_url
) -> tuple[Link, ...]:
    """A tab for each student of the family; `query` keeps the week when one goes from child to child."""
    children = list(list_children(caller))
    called = Counter(find_called_name(student.name) for _, student in children)
    return tuple(
        Link(
            _name_child(student, called),
            url_of(school.school_id, student.student_id) + query,
            student.student_id == student_id,
            student.class_name,
        )
        for school, student in children
    )


def find_student(caller: GetCallerResponse, student_id: str) -> CallerStudent | None:
    """The family's student of that id."""
    return next((student for _, student in list_children(caller) if student.student_id == student_id), None)


def school_zone(caller: GetCallerResponse, school_id: str) -> str:
    """The zone of a school of the caller; UTC for one where the caller has no place."""
    return next((school.time_zone for school in caller.schools if school.school_id == school_id), "UTC")


def school_name(caller: GetCallerResponse, school_id: str) -> str:
    """The short name of a school of the caller; empty for one where the caller has no place."""
    return next((school.school_name for school in caller.schools if school.school_id == school_id), "")


def open_ids(caller: GetCallerResponse) -> frozenset[str]:
    """The students whose diaries the family may open."""
    return frozenset(student.student_id for _, student in list_children(caller))


def own_person_id(caller: GetCallerResponse, school_id: str) -> str:
    """The caller's person in a school; empty where the caller has none."""
    return next((school.person_id for school in caller.schools if school.school_id == school_id), "")


def list_children(caller: GetCallerResponse) -> Iterator[tuple[CallerSchool, CallerStudent]]:
    """The students of the family, each with the school."""
    for school in caller.schools:
        for student in school.students:
            yield school, student


def _name_child(student: CallerStudent, called: Counter[str]) -> str:
    """Within a family the given name is enough, unless two have it."""
    name = find_called_name(student.name)
    return name if name and called[name] == 1 else student.display_name
