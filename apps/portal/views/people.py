"""Who is signed in, and where this account may go."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chassis.names import find_called_name
from diary.access.v1.session_service_pb2 import CallerSchool, CallerStudent, GetCallerResponse
from diary.options.v1 import options_pb2

_READING = frozenset({options_pb2.ROLE_CLASS_TEACHER, options_pb2.ROLE_DEPUTY, options_pb2.ROLE_ADMIN, options_pb2.ROLE_HEAD})
_REGISTERING = frozenset({options_pb2.ROLE_CLASS_TEACHER, options_pb2.ROLE_SECRETARY, options_pb2.ROLE_ADMIN})
_GRANTING = frozenset({options_pb2.ROLE_CLASS_TEACHER, options_pb2.ROLE_ADMIN})
_OFFICE = _REGISTERING | {options_pb2.ROLE_HEAD}
_WHOLE_SCHOOL = frozenset({options_pb2.ROLE_SECRETARY, options_pb2.ROLE_ADMIN})
# Papers that wait for the head's signature: who has the scan uploads it (Clause R22).
_SIGNED_PAPERS = frozenset({options_pb2.ROLE_SECRETARY, options_pb2.ROLE_ADMIN, options_pb2.ROLE_HEAD})
_SCHOOL_DETAILS = frozenset({options_pb2.ROLE_ADMIN, options_pb2.ROLE_HEAD})
NOTICES_URL = "/notices"
SECOND_FACTOR_URL = "/account/second-factor"


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


def build_navigation(caller: GetCallerResponse, path: str) -> Navigation:
    """Name and links of the account; the one that `path` lies under is current."""
    children = list(list_children(caller))
    links: list[Link] = []
    if children:
        school, student = children[0]
        is_week = "/students/" in path and path.endswith("/week")
        links.append(Link("Неделя", week_url(school.school_id, student.student_id), is_week))
    links += _staff_links(caller, path)
    if children:
        links += _family_links(children, path)
    if caller.has_second_factor or any(options_pb2.ROLE_HEAD in school.roles for school in caller.schools):
        links.append(Link("Второй фактор", SECOND_FACTOR_URL, path.startswith(SECOND_FACTOR_URL)))
    name = caller.schools[0].display_name if caller.schools else caller.login
    return Navigation(name, tuple(links))


def _family_links(children: Sequence[tuple[CallerSchool, CallerStudent]], path: str) -> Iterator[Link]:
    """What a family comes to less often than to the week."""
    school, student = children[0]
    yield Link("Уведомления", NOTICES_URL, path == NOTICES_URL)
    title = informing_title(is_student=student.role == options_pb2.ROLE_STUDENT)
    yield Link(title, informing_url(school.school_id, student.student_id), "/informing" in path)
    schools = {school.school_id: school for school, _ in children}
    for school in schools.values():
        url = own_cases_url(school.school_id)
        yield Link("Мои заявления", url, path.startswith(url), school.school_name if len(schools) > 1 else "")


def _staff_links(caller: GetCallerResponse, path: str) -> Iterator[Link]:
    """Places of work, school by school within each; the school is named where one works in several."""
    places: tuple[tuple[str, Callable[[CallerSchool], str], Callable[[str], str]], ...] = (
        ("/courses", journals_title, courses_url),
        ("/applications", _title_for("Заявления", _OFFICE), applications_url),
        ("/refusals", refusals_title, refusals_url),
        ("/printouts", _title_for("Печать за неделю", _GRANTING), printouts_url),
        ("/deadlines", _title_for("Соблюдение сроков", _SCHOOL_DETAILS), deadlines_url),
        ("/details", _title_for("Реквизиты школы", _SCHOOL_DETAILS), school_url),
    )
    for part, title, url_of in places:
        schools = [school for school in caller.schools if title(school)]
        for school in schools:
            is_current = path.startswith(f"/schools/{school.school_id}/") and part in path
            note = school.school_name if len(schools) > 1 else ""
            yield Link(title(school), url_of(school.school_id), is_current, note)


def _title_for(title: str, roles: frozenset[options_pb2.Role.ValueType]) -> Callable[[CallerSchool], str]:
    return lambda school: title if roles & frozenset(school.roles) else ""


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


def home_url(caller: GetCallerResponse) -> str | None:
    """Where an account begins: the first child's week, else the journals; None when there is nothing for it yet."""
    links = build_navigation(caller, "").links
    return next((link.url for link in links if link.url != SECOND_FACTOR_URL), None)


def journals_title(school: CallerSchool) -> str:
    """What the journals of a school are called for the caller; empty when there are none to open."""
    if is_teacher(school):
        return "Мои журналы"
    return "Журналы" if _READING & frozenset(school.roles) else ""


def refusals_title(school: CallerSchool) -> str:
    """What the page of refusals is called: the head signs there, others bring the signed papers."""
    if options_pb2.ROLE_HEAD in school.roles:
        return "Отказы на подпись"
    return "Решения об отказе" if _SIGNED_PAPERS & frozenset(school.roles) else ""


def is_teacher(school: CallerSchool) -> bool:
    """Whether the caller teaches there."""
    return options_pb2.ROLE_TEACHER in school.roles


def may_register(caller: GetCallerResponse, school_id: str) -> bool:
    """Whether the caller's roles in a school are among those that register applications and hand slips over."""
    return bool(_REGISTERING & _roles(caller, school_id))


def is_of_office(caller: GetCallerResponse, school_id: str) -> bool:
    """Whether the caller's roles in a school are among those that open its cases."""
    return bool(_OFFICE & _roles(caller, school_id))


def may_grant(caller: GetCallerResponse, school_id: str) -> bool:
    """Whether the caller's roles in a school are among those that grant access (Clause R9)."""
    return bool(_GRANTING & _roles(caller, school_id))


def may_sign(caller: GetCallerResponse, school_id: str) -> bool:
    """Whether the caller is the head, or acts as the head, of a school (Clause R22)."""
    return options_pb2.ROLE_HEAD in _roles(caller, school_id)


def may_bring_papers(caller: GetCallerResponse, school_id: str) -> bool:
    """Whether the caller uploads scans of papers that the head signed."""
    return bool(_SIGNED_PAPERS & _roles(caller, school_id))


def may_change_school(caller: GetCallerResponse, school_id: str) -> bool:
    """Whether the caller writes what the school's papers say of it."""
    return bool(_SCHOOL_DETAILS & _roles(caller, school_id))


def own_person_id(caller: GetCallerResponse, school_id: str) -> str:
    """The caller's person in a school; empty where the caller has none."""
    return next((school.person_id for school in caller.schools if school.school_id == school_id), "")


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


def _name_child(student: CallerStudent, called: Counter[str]) -> str:
    """Within a family the given name is enough, unless two have it."""
    name = find_called_name(student.name)
    return name if name and called[name] == 1 else student.display_name
