"""The head of every page: a line for each place, with the methods that open it; whoever may not call them sees no link."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from apps.portal import people, roles
from apps.portal.people import Link
from diary.access.v1.session_pb2 import CallerSchool, CallerStudent
from diary.access.v1.session_service_pb2 import GetCallerResponse
from diary.options.v1 import options_pb2

HOME_URL = "/"


@dataclass(frozen=True, slots=True)
class Place:
    """A place of work in a school. `part` marks its addresses; any of `methods` is the work there."""

    part: str
    title: str | Callable[[CallerSchool], str]
    url_of: Callable[[str], str]
    methods: tuple[str, ...]

    def title_at(self, school: CallerSchool) -> str:
        """What it is called there; empty for whom it does not open."""
        if not any(roles.may_at(school, method) for method in self.methods):
            return ""
        return self.title if isinstance(self.title, str) else self.title(school)


@dataclass(frozen=True, slots=True)
class Navigation:
    """Name and links of the account."""

    name: str
    links: tuple[Link, ...]


def journals_title(school: CallerSchool) -> str:
    """What the journals of a school are called for the caller: who teaches has own ones."""
    return "Мои журналы" if roles.may_at(school, roles.RECORD) else "Журналы"


def refusals_title(school: CallerSchool) -> str:
    """What the page of refusals is called: the head signs there, others bring the signed papers."""
    return "Отказы на подпись" if roles.may_at(school, roles.SIGN) else "Решения об отказе"


# In the order of the head of the page.
PLACES = (
    Place("/courses", journals_title, people.courses_url, (roles.LIST_JOURNALS,)),
    Place("/applications", "Заявления", people.applications_url, roles.CASE_WORK),
    Place("/refusals", refusals_title, people.refusals_url, (roles.BRING_PAPERS,)),
    Place("/printouts", "Печать за неделю", people.printouts_url, (roles.PRINT,)),
    Place("/deadlines", "Соблюдение сроков", people.deadlines_url, (roles.LIST_DEADLINES,)),
    Place("/imports", "Загрузка списков", people.imports_url, (roles.IMPORT_LISTS,)),
    Place("/details", "Реквизиты школы", people.school_url, (roles.CHANGE_SCHOOL,)),
)
# Of these something may be due: whoever may call one of them begins at a page of what is.
DUE = (roles.RECORD, roles.REGISTER, roles.SIGN, roles.PRINT, roles.LIST_DEADLINES)


def begin_url(caller: GetCallerResponse) -> str | None:
    """Where an account begins: at what is due, else at the first child's week, else at the journals; None without any."""
    links = build_navigation(caller, "").links
    return next((link.url for link in links if link.url != people.SECOND_FACTOR_URL), None)


def build_navigation(caller: GetCallerResponse, path: str) -> Navigation:
    """Name and links of the account; the one that `path` lies under is current."""
    children = list(people.list_children(caller))
    links: list[Link] = []
    if any(roles.may_at(school, method) for school in caller.schools for method in DUE):
        links.append(Link("Главная", HOME_URL, path == HOME_URL))
    if children:
        school, student = children[0]
        is_week = "/students/" in path and path.endswith("/week")
        links.append(Link("Неделя", people.week_url(school.school_id, student.student_id), is_week))
    links += _work_links(caller, path)
    if children:
        links += _family_links(children, path)
    if caller.has_second_factor or any(roles.may_at(school, roles.SIGN) for school in caller.schools):
        links.append(Link("Второй фактор", people.SECOND_FACTOR_URL, path.startswith(people.SECOND_FACTOR_URL)))
    name = caller.schools[0].display_name if caller.schools else caller.login
    return Navigation(name, tuple(links))


def _work_links(caller: GetCallerResponse, path: str) -> Iterator[Link]:
    """Places of work, school by school within each; the school is named where one works in several."""
    for place in PLACES:
        schools = [school for school in caller.schools if place.title_at(school)]
        for school in schools:
            is_current = path.startswith(f"/schools/{school.school_id}/") and place.part in path
            note = school.school_name if len(schools) > 1 else ""
            yield Link(place.title_at(school), place.url_of(school.school_id), is_current, note)


def _family_links(children: Sequence[tuple[CallerSchool, CallerStudent]], path: str) -> Iterator[Link]:
    """What a family comes to less often than to the week."""
    school, student = children[0]
    yield Link("Уведомления", people.NOTICES_URL, path == people.NOTICES_URL)
    title = people.informing_title(is_student=student.role == options_pb2.ROLE_STUDENT)
    yield Link(title, people.informing_url(school.school_id, student.student_id), "/informing" in path)
    schools = {school.school_id: school for school, _ in children}
    for school in schools.values():
        url = people.own_cases_url(school.school_id)
        yield Link("Мои заявления", url, path.startswith(url), school.school_name if len(schools) > 1 else "")
