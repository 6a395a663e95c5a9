"""The accounts that pages, examples and tests show: one of each role, found in the generated schools by what they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.access.people.rules.guardianships import GuardianKind
from services.access.people.rules.names import build_display_name
from services.access.people.rules.roles import Role
from services.access.seed.region.roster import Account, Class, Roster


@dataclass(frozen=True, slots=True)
class ShownStudent:
    """A student whose diary the account may open."""

    student_id: UUID
    name: str
    class_name: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An account with what one wants to know when trying it; `class_id` and `course_id` of a teacher.

    `email`: where letters to it go, of those that have an address.
    """

    role: Role
    login: str
    name: str
    school: str
    note: str
    account_id: UUID
    person_id: UUID
    school_id: UUID
    school_code: str
    class_id: UUID | None = None
    course_id: UUID | None = None
    email: str = ""
    students: tuple[ShownStudent, ...] = ()


def list_shown_of_town(roster: Roster, shared_account_id: UUID) -> Iterator[Shown]:
    """Of the first school: the class teacher of the first class of grade 8, its family, and one of each other role."""
    finder = _Finder(roster)
    of_class = next(c for c in roster.classes if 8 in c.grades)
    yield finder.class_teacher(of_class)
    yield finder.stranger_to(of_class)
    yield from finder.shown_family(of_class)
    yield from finder.shared_family(shared_account_id)
    for role in (Role.HEAD, Role.DEPUTY, Role.SECRETARY, Role.ADMIN, Role.SPECIALIST):
        yield finder.appointed(role)


def list_shown_of_village(roster: Roster) -> Iterator[Shown]:
    """Of the second school: a class teacher of a combined class; where there is none, of grade 8."""
    chosen = max(roster.classes, key=lambda of_class: (len(of_class.grades), 8 in of_class.grades))
    yield _Finder(roster).class_teacher(chosen)


class _Finder:
    """Finds people of one school by what they do."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._people = {person.person_id: person for person in roster.people}
        self._accounts = {account.person_id: account for account in roster.accounts}
        self._classes = {of_class.class_id: of_class for of_class in roster.classes}

    def class_teacher(self, of_class: Class) -> Shown:
        """The class teacher, with a course that is marked in this class: algebra where it is taught."""
        teacher_id = next(a.person_id for a in self._roster.appointments if a.class_id == of_class.class_id)
        courses = [
            g
            for g in self._roster.study_groups
            if g.teacher_id == teacher_id and g.class_id == of_class.class_id and g.is_marked
        ]
        course = max(courses, key=lambda g: (g.subject == "Алгебра", g.weekly_hours))
        note = f"{course.subject}, классный руководитель {of_class.name}"
        account = self._accounts[teacher_id]
        return self._show(Role.TEACHER, account, note, class_id=of_class.class_id, course_id=course.study_group_id)

    def stranger_to(self, of_class: Class) -> Shown:
        """A teacher who has nothing to do with the class."""
        groups = self._roster.study_groups
        own = {g.teacher_id for g in groups if g.class_id == of_class.class_id}
        course = next(g for g in groups if g.teacher_id not in own and g.is_marked)
        note = f"{course.subject}, {self._classes[course.class_id].name}; в {of_class.name} уроков нет"
        return self._show(Role.TEACHER, self._accounts[course.teacher_id], note, course_id=course.study_group_id)

    def shown_family(self, of_class: Class) -> Iterator[Shown]:
        """The first child of the class whose mother, father and own account are all there."""
        first = next(s.person for s in self._roster.students if s.class_id == of_class.class_id)
        kinds = {g.guardianship_id: g.kind for g in self._roster.guardianships}
        for grant in self._roster.grants:
            if grant.student_id != first.person_id:
                continue
            account = self._accounts[grant.holder_id]
            if grant.guardianship_id is None:
                yield self._show(Role.STUDENT, account, f"ученик {of_class.name}")
            else:
                is_mother = kinds[grant.guardianship_id] is GuardianKind.MOTHER
                note = "мать двоих детей" if is_mother else "отец тех же детей"
                yield self._show(Role.GUARDIAN, account, note, has_email=is_mother)

    def shared_family(self, account_id: UUID) -> Iterator[Shown]:
        """The mother with children in two schools and one account."""
        for account in self._roster.accounts:
            if account.account_id == account_id:
                yield self._show(Role.GUARDIAN, account, "дети в двух школах, один вход", has_email=True)

    def appointed(self, role: Role) -> Shown:
        """Who was appointed to the role first."""
        person_id = next(a.person_id for a in self._roster.appointments if a.role is role)
        return self._show(role, self._accounts[person_id], "")

    def _show(
        self,
        role: Role,
        account: Account,
        note: str,
        class_id: UUID | None = None,
        course_id: UUID | None = None,
        has_email: bool = False,
    ) -> Shown:
        school = self._roster.school
        return Shown(
            role=role,
            login=account.login,
            name=build_display_name(self._people[account.person_id].name),
            school=school.name,
            note=note,
            account_id=account.account_id,
            person_id=account.person_id,
            school_id=school.school_id,
            school_code=school.code,
            class_id=class_id,
            course_id=course_id,
            email=f"{account.login}@family.example" if has_email else "",
            students=tuple(self._students_of(account.account_id)),
        )

    def _students_of(self, account_id: UUID) -> Sequence[ShownStudent]:
        opened = {grant.student_id for grant in self._roster.grants if grant.account_id == account_id}
        return [
            ShownStudent(s.person.person_id, build_display_name(s.person.name), self._classes[s.class_id].name)
            for s in self._roster.students
            if s.person.person_id in opened
        ]
