"""Which schools a region has, and one school of it: classes, families, staff, study groups, accounts and grants."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from random import Random
from uuid import UUID

from services.access.people.rules.names import PersonName
from services.access.people.rules.regulations import Regulation
from services.access.people.rules.roles import Role
from services.access.people.rules.schools import SchoolDetails
from services.access.seed.region.accounts import ZONE, AccountMaker
from services.access.seed.region.families import Child, Family, FamilyKind, FamilyMaker, Mother, choose_child_count, choose_kind
from services.access.seed.region.names import FEMALE, MALE, NameBooks, Surname
from services.access.seed.region.plan import PlanRow
from services.access.seed.region.roster import Appointment, Class, Ids, Person, Roster, School, SchoolYear, Student
from services.access.seed.region.staff import (
    Teacher,
    appoint_class_teachers,
    appoint_teachers,
    build_courses,
    build_study_groups,
    choose_gender,
)

Place = tuple[Class, int]  # a place for a student: the class and the grade
LETTERS = "АБВГДЕЖЗИК"
TOWN, VILLAGE, DISTRICT = "Белокаменск", "Лавандино", "Предгорного района"
_TOWN_CLASS_SIZE = 25
_TOWN_FROM = 200
_VILLAGE_GRADES = ((1, 3), (2, 4), (5,), (6,), (7,), (8,), (9,), (10,), (11,))
_VILLAGE_MIN, _VILLAGE_MAX = 6, 9
MIN_STUDENTS = _VILLAGE_MIN * len(_VILLAGE_GRADES)

# Whom pages, examples and tests show.
ALGEBRA_TEACHER = PersonName("Петрова", "Наталья", "Ивановна")
_SOLOVYOV, _KOROLYOV = Surname("Соловьёв", "Соловьёва"), Surname("Королёв", "Королёва")
_SOLOVYOVA = Mother(PersonName("Соловьёва", "Марина", "Олеговна"), date(1985, 4, 17))
_KOROLYOVA = Mother(PersonName("Королёва", "Ольга", "Сергеевна"), date(1987, 11, 2))
_TWO_CHILDREN = (Child(8, MALE, "Артём"), Child(5, FEMALE, "Алёна"))
# A family with a child in each of the first two schools.
_SHARED_CHILDREN = {1: Child(6, MALE, "Фёдор"), 2: Child(3, FEMALE, "Ульяна")}

# Posts beside the teachers; specialists: social pedagogue, psychologist, nurse.
_TOWN_POSTS = ((Role.HEAD, 1), (Role.DEPUTY, 2), (Role.SECRETARY, 1), (Role.ADMIN, 1), (Role.SPECIALIST, 3))
_VILLAGE_POSTS = ((Role.HEAD, 1), (Role.DEPUTY, 1), (Role.SECRETARY, 1), (Role.ADMIN, 1), (Role.SPECIALIST, 1))


@dataclass(frozen=True, slots=True)
class SchoolSpec:
    """A school to be made: its number in the region from 1, and the students of each class."""

    number: int
    classes: tuple[tuple[tuple[int, ...], str, int], ...]
    is_village: bool

    @property
    def student_count(self) -> int:
        """Students in all classes."""
        return sum(size for _, _, size in self.classes)


def plan_demo() -> list[SchoolSpec]:
    """A town school of two classes a grade, and a village school with combined classes."""
    sizes = (8, 7, 9, 6, 8, 7, 9, 6, 7)
    return [_town(1, 22 * _TOWN_CLASS_SIZE), SchoolSpec(2, _village_classes(sizes), is_village=True)]


def plan_region(schools: int, students: int) -> list[SchoolSpec]:
    """Schools of equal size. Raises ValueError when there are too few students for the schools, or too many."""
    if schools < 1 or students < schools * MIN_STUDENTS:
        raise ValueError(f"a school needs {MIN_STUDENTS} students: for {schools} schools {schools * MIN_STUDENTS} or more")
    if students > schools * _TOWN_CLASS_SIZE * len(LETTERS) * 11:
        raise ValueError(f"{students} students do not fit {schools} schools: {2750 * schools} do")
    counts = _spread(students, schools)
    return [_town(number, count) if count >= _TOWN_FROM else _village(number, count) for number, count in enumerate(counts, 1)]


def _spread(total: int, parts: int) -> list[int]:
    return [total // parts + (part < total % parts) for part in range(parts)]


def _town(number: int, students: int) -> SchoolSpec:
    count = max(11, -(-students // _TOWN_CLASS_SIZE))
    parallels = _spread(count, 11)
    names = [((grade,), f"{grade}-{LETTERS[k]}") for grade, classes in enumerate(parallels, 1) for k in range(classes)]
    sizes = _spread(students, count)
    return SchoolSpec(number, tuple((g, name, size) for (g, name), size in zip(names, sizes, strict=True)), is_village=False)


def _village(number: int, students: int) -> SchoolSpec:
    return SchoolSpec(number, _village_classes(_spread(students, len(_VILLAGE_GRADES))), is_village=True)


def _village_classes(sizes: Sequence[int]) -> tuple[tuple[tuple[int, ...], str, int], ...]:
    return tuple((grades, "+".join(map(str, grades)), size) for grades, size in zip(_VILLAGE_GRADES, sizes, strict=True))


def build_school_name(spec: SchoolSpec) -> tuple[str, str, str]:
    """Code, short name and full name. The first town and village are shown; the others go by number."""
    order = "Муниципальное бюджетное общеобразовательное учреждение"
    if spec.is_village:
        is_shown = spec.number == 2
        name = "«Лавандинская школа»" if is_shown else f"«Сельская школа № {spec.number}»"
        place = f"с. {VILLAGE}" if is_shown else DISTRICT
        return "lav" if is_shown else f"s{spec.number}", f"МБОУ {name}", f"{order} {name} {place} Республики Крым"
    number = spec.number + 2
    code = "bk3" if spec.number == 1 else f"s{spec.number}"
    name = f"«Средняя школа № {number}»"
    return code, f"МБОУ {name} г. {TOWN}", f"{order} {name} города {TOWN} Республики Крым"


def build_school_details(spec: SchoolSpec) -> SchoolDetails:
    """What the school's papers say of it: invented, with numbers and addresses that nobody has."""
    code, _, _ = build_school_name(spec)
    place = f"с. {VILLAGE}" if spec.is_village else f"г. {TOWN}"
    founder = f"администрация {DISTRICT} Республики Крым" if spec.is_village else f"администрация города {TOWN} Республики Крым"
    return SchoolDetails(
        address=f"{place}, ул. Школьная, {spec.number}",
        phone=f"+7 (000) 000-{spec.number:02}-01",
        email=f"{code}@school.example",
        site=f"{code}.school.example",
        locality=place,
        founder=founder,
        founder_contacts=f"{place}, пл. Центральная, 1, +7 (000) 000-{spec.number:02}-00, office@founder.example",
    )


def build_regulation(year: int) -> Regulation:
    """The regulation that every school of the region has adopted: by an invented order of two years before."""
    order = date(year - 2, 8, 28)
    return Regulation(
        "Регламент предоставления услуги «Электронный дневник» (информирования обучающихся и их родителей (законных"
        " представителей) о результатах обучения)",
        "213",
        order,
        date(order.year, 9, 1),
    )


class SchoolMaker:
    """Makes one school. The same arguments give the same school, ids included."""

    def __init__(self, spec: SchoolSpec, rng: Random, names: NameBooks, plan: Sequence[PlanRow], year: int) -> None:
        self._spec = spec
        self._rng = rng
        self._names = names
        self._plan = plan
        self._year = year
        self._ids = Ids(rng, datetime(year, 8, 20, tzinfo=UTC))

    def make(self, shared_account_id: UUID) -> Roster:
        """The school; the account of the family in two schools has the given id in both."""
        code, name, full_name = build_school_name(self._spec)
        school = School(self._ids.next(), code, name, full_name, ZONE)
        year = SchoolYear(
            self._ids.next(), f"{self._year}/{self._year + 1}", date(self._year, 9, 1), date(self._year + 1, 6, 30)
        )
        roster = Roster(school, year, build_school_details(self._spec), build_regulation(self._year))
        roster.classes = [Class(self._ids.next(), name, grades) for grades, name, _ in self._spec.classes]
        families = self._fill_classes(roster)
        self._appoint_staff(roster)
        linked = {
            adult.person_id: shared_account_id
            for family in families
            if family.is_shown
            for adult in family.adults
            if adult.name == _KOROLYOVA.name
        }
        accounts = AccountMaker(roster, self._spec.number, self._rng, self._ids, linked)
        accounts.open_staff()
        accounts.open_families(families)
        return roster

    def _fill_classes(self, roster: Roster) -> list[Family]:
        places = self._places(roster.classes)
        worker = Person(
            self._ids.next(), self._names.any(self._rng).person(self._rng, FEMALE), FEMALE, date(self._year - 45, 3, 8)
        )
        maker = FamilyMaker(self._rng, self._ids, self._names, self._year, worker)
        families = self._make_shown(roster, maker, places)
        self._rng.shuffle(places)
        number = 0
        while places:
            kind = choose_kind(self._rng, number)
            taken = _take_for_siblings(places, choose_child_count(self._rng, kind))
            made = maker.make(number + 2, kind, [Child(grade) for _, grade in taken])
            families.append(self._settle(roster, made, taken))
            number += 1
        roster.people.append(worker)
        return families

    def _make_shown(self, roster: Roster, maker: FamilyMaker, places: list[Place]) -> list[Family]:
        """Families that are not left to chance: those shown, and a student of age."""

        def settle(family: Family, children: Sequence[Child]) -> Family:
            return self._settle(roster, family, [_take(places, child.grade) for child in children])

        families, number = [], self._spec.number
        if number == 1:
            shown = maker.make_shown(FamilyKind.TOGETHER, _TWO_CHILDREN, _SOLOVYOV, _SOLOVYOVA)
            families.append(settle(shown, _TWO_CHILDREN))
        if number in _SHARED_CHILDREN:
            children = (_SHARED_CHILDREN[number],)
            families.append(settle(maker.make_shown(FamilyKind.MOTHER, children, _KOROLYOV, _KOROLYOVA), children))
        grown = (Child(11),)
        families.append(settle(maker.make(1, FamilyKind.OF_AGE, grown), grown))
        return families

    def _places(self, classes: Sequence[Class]) -> list[Place]:
        """A place for each student: the class and the grade."""
        sizes = {name: size for _, name, size in self._spec.classes}
        return [(c, c.grades[number % len(c.grades)]) for c in classes for number in range(sizes[c.name])]

    def _settle(self, roster: Roster, family: Family, taken: Sequence[Place]) -> Family:
        roster.people += (*family.children, *family.adults)
        roster.guardianships += family.guardianships
        for child, (of_class, grade) in zip(family.children, taken, strict=True):
            roster.students.append(self._enrol(child, of_class, grade))
        return family

    def _enrol(self, child: Person, of_class: Class, grade: int) -> Student:
        """Enrolled for grade 1 or 10 of then, some later on the way (Clause R10)."""
        first = 10 if grade >= 10 else 1
        entered = self._year - (grade - first if self._rng.random() < 0.85 else self._rng.randrange(grade - first + 1))
        order = date(entered, 8, 24 + self._rng.randrange(7))
        number = f"{self._rng.randint(40, 99)}-у"
        return Student(child, self._ids.next(), of_class.class_id, grade, number, order, date(entered, 9, 1))

    def _appoint_staff(self, roster: Roster) -> None:
        courses = build_courses(self._plan, roster.classes, roster.students)
        teachers = appoint_teachers(courses, self._spec.is_village)
        appoint_class_teachers(courses, roster.classes, teachers)
        people = [self._employ(roster, choose_gender(self._rng, teacher.specialty)) for teacher in teachers]
        if self._spec.number == 1:
            shown = next(k for k, teacher in enumerate(teachers) if _is_shown(teacher))
            people[shown] = replace(people[shown], name=ALGEBRA_TEACHER, gender=FEMALE)
        roster.people += people
        for person, teacher in zip(people, teachers, strict=True):
            self._appoint(roster, person, Role.TEACHER)
            for of_class in teacher.classes:
                self._appoint(roster, person, Role.CLASS_TEACHER, of_class)
        roster.study_groups = build_study_groups(zip((p.person_id for p in people), teachers, strict=True), self._ids)
        for role, count in _VILLAGE_POSTS if self._spec.is_village else _TOWN_POSTS:
            for _ in range(count):
                roster.people.append(self._employ(roster, FEMALE if role is not Role.HEAD else MALE))
                self._appoint(roster, roster.people[-1], role)

    def _employ(self, roster: Roster, gender: str) -> Person:
        born = date(self._year - self._rng.randint(24, 64), self._rng.randint(1, 12), self._rng.randint(1, 28))
        return Person(self._ids.next(), self._names.any(self._rng).person(self._rng, gender), gender, born)

    def _appoint(self, roster: Roster, person: Person, role: Role, of_class: Class | None = None) -> None:
        """By an order: for the year where it is for a class, else some years ago."""
        since = self._year if of_class else self._year - self._rng.randrange(10)
        number = f"{self._rng.randint(1, 160)}-к"
        roster.appointments.append(
            Appointment(
                self._ids.next(),
                person.person_id,
                role,
                of_class.class_id if of_class else None,
                number,
                date(since, 8, 20),
                date(since, 8, 25),
            )
        )


def _take(places: list[Place], grade: int) -> Place:
    """The first place of a grade."""
    place = next(place for place in places if place[1] == grade)
    places.remove(place)
    return place


def _take_for_siblings(places: list[Place], count: int) -> list[Place]:
    """Up to `count` places, of grades two years apart or more."""
    taken = [places.pop()]
    for place in reversed(places[-30:]):
        if len(taken) < count and all(abs(place[1] - other) >= 2 for _, other in taken):
            taken.append(place)
            places.remove(place)
    return taken


def _is_shown(teacher: Teacher) -> bool:
    """Who teaches algebra to the first class of grade 8, and is its class teacher."""
    return any(8 in of_class.grades and teacher.teaches(of_class, "Алгебра") for of_class in teacher.classes)
