"""Who is signed in, and where this account may go."""

from collections.abc import Iterator
from dataclasses import dataclass

from diary.access.v1.session_service_pb2 import CallerSchool, CallerStudent, GetCallerResponse
from diary.options.v1 import options_pb2

_READING = frozenset({options_pb2.ROLE_CLASS_TEACHER, options_pb2.ROLE_DEPUTY, options_pb2.ROLE_ADMIN, options_pb2.ROLE_HEAD})
_REGISTERING = frozenset({options_pb2.ROLE_CLASS_TEACHER, options_pb2.ROLE_SECRETARY, options_pb2.ROLE_ADMIN})
_GRANTING = frozenset({options_pb2.ROLE_CLASS_TEACHER, options_pb2.ROLE_ADMIN})
_OFFICE = _REGISTERING | {options_pb2.ROLE_HEAD}
_WHOLE_SCHOOL = frozenset({options_pb2.ROLE_SECRETARY, options_pb2.ROLE_ADMIN})
NOTICES_URL = "/notices"


@dataclass(frozen=True, slots=True)
class Link:
    """Somewhere to go. `note` stands beside the title in smaller type."""

    title: str
    url: str
    is_current: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Navigation:
    """The head of every page of a signed-in account."""

    name: str
    links: tuple[Link, ...]


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


def build_navigation(caller: GetCallerResponse, path: str) -> Navigation:
    """Name and links of the account; the one that `path` lies under is current."""
    links = []
    children = list(list_children(caller))
    if children:
        school, student = children[0]
        links.append(Link("Неделя", week_url(school.school_id, student.student_id), "/students/" in path))
    staffed = [school for school in caller.schools if journals_title(school)]
    for school in staffed:
        url = courses_url(school.school_id)
        links.append(Link(journals_title(school), url, path.startswith(url), school.school_name if len(staffed) > 1 else ""))
    offices = [school for school in caller.schools if _OFFICE & frozenset(school.roles)]
    for school in offices:
        url = applications_url(school.school_id)
        links.append(Link("Заявления", url, path.startswith(url), school.school_name if len(offices) > 1 else ""))
    printing = [school for school in caller.schools if _GRANTING & frozenset(school.roles)]
    for school in printing:
        url = printouts_url(school.school_id)
        is_current = path.startswith(f"/schools/{school.school_id}/") and "/printouts" in path
        links.append(Link("Печать за неделю", url, is_current, school.school_name if len(printing) > 1 else ""))
    if children:
        links.append(Link("Уведомления", NOTICES_URL, path == NOTICES_URL))
    name = caller.schools[0].display_name if caller.schools else caller.login
    return Navigation(name, tuple(links))


def build_children(caller: GetCallerResponse, student_id: str, query: str) -> tuple[Link, ...]:
    """A tab for each student of the family; `query` keeps the week when one goes from child to child."""
    return tuple(
        Link(
            _given_name(student.display_name),
            week_url(school.school_id, student.student_id) + query,
            student.student_id == student_id,
            student.class_name,
        )
        for school, student in list_children(caller)
    )


def find_student(caller: GetCallerResponse, student_id: str) -> CallerStudent | None:
    """The family's student of that id."""
    return next((student for _, student in list_children(caller) if student.student_id == student_id), None)


def school_zone(caller: GetCallerResponse, school_id: str) -> str:
    """The zone of a school of the caller; UTC for one where the caller has no place."""
    return next((school.time_zone for school in caller.schools if school.school_id == school_id), "UTC")


def home_url(caller: GetCallerResponse) -> str | None:
    """Where an account begins: the first child's week, else the journals; None when there is nothing for it yet."""
    links = build_navigation(caller, "").links
    return links[0].url if links else None


def journals_title(school: CallerSchool) -> str:
    """What the journals of a school are called for the caller; empty when there are none to open."""
    if is_teacher(school):
        return "Мои журналы"
    return "Журналы" if _READING & frozenset(school.roles) else ""


def is_teacher(school: CallerSchool) -> bool:
    """Whether the caller teaches there."""
    return options_pb2.ROLE_TEACHER in school.roles


def may_register(caller: GetCallerResponse, school_id: str) -> bool:
    """Whether the caller's roles in a school are among those that register applications and hand slips over."""
    return bool(_REGISTERING & _roles(caller, school_id))


def may_grant(caller: GetCallerResponse, school_id: str) -> bool:
    """Whether the caller's roles in a school are among those that grant access (Clause R9)."""
    return bool(_GRANTING & _roles(caller, school_id))


def sees_whole_school(caller: GetCallerResponse, school_id: str) -> bool:
    """Whether the caller registers for every class; a class teacher does for the own one."""
    return bool(_WHOLE_SCHOOL & _roles(caller, school_id))


def list_children(caller: GetCallerResponse) -> Iterator[tuple[CallerSchool, CallerStudent]]:
    """The students of the family, each with the school."""
    for school in caller.schools:
        for student in school.students:
            yield school, student


def _roles(caller: GetCallerResponse, school_id: str) -> frozenset[options_pb2.Role.ValueType]:
    return frozenset(role for school in caller.schools if school.school_id == school_id for role in school.roles)


def _given_name(display_name: str) -> str:
    """Given name of «Иванова Мария Петровна»: within a family it is enough."""
    words = display_name.split()
    return words[1] if len(words) > 1 else display_name
