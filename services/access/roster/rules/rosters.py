"""What a OneRoster bundle says of one school: the people, classes, study groups and times we keep, by ids of the bundle."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from chassis.imports import MOST_PROBLEMS, ImportRefusedError, Problem
from services.access.people.rules.names import PersonName, build_display_name
from services.access.roster.rules.bundle import Bundle, Enrollment, Org, Session, TaughtClass, User
from services.access.roster.rules.study_groups import place_groups
from services.access.roster.rules.times import Period, merge_periods

_DAY = timedelta(days=1)
# How long before the year's first day and after its last a time of it may begin or end.
_LEEWAY = timedelta(days=31)
_YEARS_OF_SCHOOLS = range(2000, 2101)
# Pages and papers write the noun themselves.
_NOUN = re.compile(r"\bкласс\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ages:
    """How old a student may be when the enrolment begins."""

    youngest: int = 5
    oldest: int = 25


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the school states it."""

    number: str
    day: date


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator says beside the bundle. `order` and `enrolled_from`: of the enrolments that the bundle brings (R10)."""

    code: str
    move_to_year: int | None = None
    zone: str | None = None
    order: Order | None = None
    enrolled_from: date | None = None
    ages: Ages = Ages()


@dataclass(frozen=True, slots=True)
class ImportedYear:
    """The school year; `end_day` is the day after the last."""

    external_id: str
    name: str
    first_day: date
    end_day: date


@dataclass(frozen=True, slots=True)
class ImportedPerson:
    """A person as the bundle knows it."""

    external_id: str
    name: PersonName
    birth_date: date | None
    gender: str | None


@dataclass(frozen=True, slots=True)
class ImportedClass:
    """A homeroom."""

    external_id: str
    name: str
    grades: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ImportedGroup:
    """A study group; `class_id` None when it gathers several classes, or the bundle does not say of which it is."""

    external_id: str
    class_id: str | None
    subject_name: str
    group_name: str
    is_marked: bool
    first_day: date
    end_day: date


@dataclass(frozen=True, slots=True)
class ImportedRoster:
    """One school. `students` with the day from which the bundle states them to be enrolled, None where it states none; those of
    `disabled` have neither a post nor an enrolment by it.
    """

    school_external_id: str
    school_name: str
    year: ImportedYear
    people: Sequence[ImportedPerson]
    students: dict[str, date | None]
    teachers: Sequence[str]
    classes: Sequence[ImportedClass]
    groups: Sequence[ImportedGroup]
    placements: Sequence[Period]
    class_teachers: Sequence[Period]
    members: Sequence[Period]
    teachings: Sequence[Period]
    disabled: Sequence[ImportedPerson]


def build_roster(bundle: Bundle, wish: Wish) -> ImportedRoster:
    """The roster of the school whose sourcedId or identifier is the wish's code, or of the bundle's only one.

    With `move_to_year` every day but birth dates moves by whole weeks, so that the school year begins in that year and days of
    the week stay. Raises ImportRefusedError.
    """
    school = _choose_school(bundle, wish.code)
    year = _choose_year(bundle)
    shift = _choose_shift(year, wish.move_to_year)
    classes = [c for c in bundle.classes.values() if c.school_id == school.sourced_id]
    stated = [e for e in bundle.enrollments if school.sourced_id in (e.school_id, bundle.classes[e.class_id].school_id)]
    enrollments = [e for e in stated if bundle.users[e.user_id].is_enabled]
    named = {e.user_id for e in stated}
    everyone = [u for u in bundle.users.values() if school.sourced_id in u.school_ids or u.sourced_id in named]
    users = [u for u in everyone if u.is_enabled]
    _stop_at(_list_problems(bundle, year, classes, stated, users, wish.ages))
    periods = _Periods(bundle, enrollments, shift)
    homerooms = {c.sourced_id for c in classes if c.is_homeroom}
    first_day, end_day = year.first_day + shift, year.last_day + shift + _DAY
    placements = periods.of("student", lambda class_id: class_id in homerooms)
    members = periods.of("student", lambda class_id: class_id not in homerooms)
    imported = [ImportedClass(c.sourced_id, name_class(c.title), c.grades) for c in classes if c.is_homeroom]
    return ImportedRoster(
        school_external_id=school.sourced_id,
        school_name=school.name,
        year=ImportedYear(year.sourced_id, f"{first_day.year}/{(end_day - _DAY).year}", first_day, end_day),
        people=[_person(user) for user in users],
        students={u.sourced_id: periods.find_stated_day(u.sourced_id) for u in users if u.role == "student"},
        teachers=[u.sourced_id for u in users if u.role == "teacher"],
        classes=imported,
        groups=_groups(bundle, classes, imported, members, placements, shift),
        placements=placements,
        class_teachers=periods.of("teacher", lambda class_id: class_id in homerooms),
        members=members,
        teachings=periods.of("teacher", lambda class_id: class_id not in homerooms),
        disabled=[_person(user) for user in everyone if not user.is_enabled],
    )


def name_class(title: str) -> str:
    """The name of a class without the noun: «8А класс» is 8А."""
    return " ".join(_NOUN.sub(" ", title).split()) or title


def find_enrolment_day(stated: date | None, wish: Wish, year: ImportedYear, today: date) -> date:
    """From when a student new to the school is enrolled (Clause R10): as the bundle states, else as the operator does, else
    from the day of the import; a year that has not begun enrols from its first day.
    """
    return stated or wish.enrolled_from or max(today, year.first_day)


class _Periods:
    """The times that the enrollments of a school give, moved."""

    def __init__(self, bundle: Bundle, enrollments: Sequence[Enrollment], shift: timedelta) -> None:
        self._bundle = bundle
        self._enrollments = enrollments
        self._shift = shift
        self._stated: dict[str, date] = {}
        for enrollment in enrollments:
            if enrollment.first_day is not None:
                known = self._stated.get(enrollment.user_id, enrollment.first_day)
                self._stated[enrollment.user_id] = min(known, enrollment.first_day)

    def find_stated_day(self, user_id: str) -> date | None:
        """The first day that the rows of a user state; None where they leave it to the class."""
        stated = self._stated.get(user_id)
        return stated + self._shift if stated else None

    def of(self, role: str, is_wanted: Callable[[str], bool]) -> list[Period]:
        """The merged times of those with the role, in the wanted classes."""
        chosen = [e for e in self._enrollments if e.role == role and is_wanted(e.class_id)]
        return merge_periods(self._period(enrollment) for enrollment in chosen)

    def _period(self, enrollment: Enrollment) -> Period:
        first, last = _term_days(self._bundle, self._bundle.classes[enrollment.class_id])
        first_day, last_day = enrollment.first_day or first, enrollment.last_day or last
        return Period(enrollment.class_id, enrollment.user_id, first_day + self._shift, last_day + self._shift + _DAY)


def _choose_school(bundle: Bundle, code: str) -> Org:
    schools = [org for org in bundle.orgs.values() if org.kind == "school"]
    wanted = code.strip().casefold()
    named = [org for org in schools if wanted in (org.sourced_id.casefold(), org.identifier.casefold())]
    if len(named) == 1:
        return named[0]
    if len(schools) != 1:
        known = ", ".join(sorted(org.sourced_id for org in schools)) or "нет ни одной"
        what = f"школ в выгрузке: {len(schools)} ({known}), и ни одной с кодом {code}"
        raise ImportRefusedError([Problem("orgs.csv", 0, "sourcedId", what, "выгрузите список одной школы или укажите её код")])
    return schools[0]


def _choose_year(bundle: Bundle) -> Session:
    years = [session for session in bundle.sessions.values() if session.kind == "schoolYear"]
    if len(years) != 1:
        what = f"учебных годов (schoolYear): {len(years)}"
        raise ImportRefusedError([Problem("academicSessions.csv", 0, "type", what, "выгрузите один учебный год")])
    return years[0]


def _choose_shift(year: Session, move_to_year: int | None) -> timedelta:
    if move_to_year is None:
        return timedelta()
    # 1 March stands in for a day that the other year lacks.
    first = year.first_day
    if move_to_year not in _YEARS_OF_SCHOOLS:
        raise ImportRefusedError([Problem("--move-to-year", 0, "", f"{move_to_year} не год", "назовите год с 2000 по 2100")])
    there = date(move_to_year, 3, 1) if (first.month, first.day) == (2, 29) else first.replace(year=move_to_year)
    return timedelta(weeks=round((there - first).days / 7))


def _stop_at(problems: Iterable[Problem]) -> None:
    if found := list(problems):
        raise ImportRefusedError(found[:MOST_PROBLEMS])


def _list_problems(
    bundle: Bundle,
    year: Session,
    classes: Sequence[TaughtClass],
    enrollments: Sequence[Enrollment],
    users: Sequence[User],
    ages: Ages,
) -> Iterator[Problem]:
    """What rows say that can be read and cannot be."""
    yield from _check_classes(classes)
    for e in enrollments:
        user, of_class = bundle.users[e.user_id], bundle.classes[e.class_id]
        if e.role in ("student", "teacher") and (e.role == "student") != (user.role == "student"):
            what = f"{e.role}, а в users.csv (строка {user.row}) {_write_name(user)} — {user.role}"
            yield Problem("enrollments.csv", e.row, "role", what, "исправьте одно из двух")
        if e.school_id != of_class.school_id:
            what = f"школа {e.school_id}, а класс «{of_class.title}» (classes.csv, строка {of_class.row}) — другой школы"
            yield Problem("enrollments.csv", e.row, "schoolSourcedId", what, "исправьте школу или класс")
        for column, day in (("beginDate", e.first_day), ("endDate", e.last_day)):
            if day and not year.first_day - _LEEWAY <= day <= year.last_day + _LEEWAY:
                what = f"{day} вне учебного года с {year.first_day} по {year.last_day}"
                yield Problem("enrollments.csv", e.row, column, what, "исправьте дату или оставьте пустой")
    for user in users:
        born = user.birth.birth_date
        if user.role == "student" and born and not ages.youngest <= _count_years(born, year.last_day) <= ages.oldest:
            what = f"{_write_name(user)}: дата рождения {born}"
            mend = f"исправьте дату: ученику от {ages.youngest} до {ages.oldest} лет"
            yield Problem("demographics.csv", user.birth.row, "birthDate", what, mend)
    yield from _check_moves(bundle, enrollments)


def _check_classes(classes: Sequence[TaughtClass]) -> Iterator[Problem]:
    rows: dict[str, int] = {}
    for c in classes:
        if not c.is_homeroom:
            continue
        if not c.grades:
            yield Problem("classes.csv", c.row, "grades", "не указана параллель, с 1 по 11", "заполните")
        if (name := name_class(c.title)) in rows:
            what = f"класс «{name}» уже есть в строке {rows[name]}"
            yield Problem("classes.csv", c.row, "title", what, "назовите классы по-разному или оставьте один")
        rows.setdefault(name, c.row)


def _check_moves(bundle: Bundle, enrollments: Sequence[Enrollment]) -> Iterator[Problem]:
    """A student is in one class (homeroom) on a day."""
    places: dict[str, list[tuple[date, date, Enrollment]]] = defaultdict(list)
    for e in enrollments:
        of_class = bundle.classes[e.class_id]
        if e.role == "student" and of_class.is_homeroom:
            first, last = _term_days(bundle, of_class)
            places[e.user_id].append((e.first_day or first, e.last_day or last, e))
    for user_id, times in places.items():
        times.sort(key=lambda time: (time[0], time[2].row))
        for (_, last, before), (first, _, after) in pairwise(times):
            if first <= last and before.class_id != after.class_id:
                name = _write_name(bundle.users[user_id])
                what = f"{name} с {first} уже в классе «{bundle.classes[before.class_id].title}» (строка {before.row})"
                mend = "закончите прежний класс днём раньше (endDate)"
                yield Problem("enrollments.csv", after.row, "beginDate", what, mend)


def _count_years(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _write_name(user: User) -> str:
    return build_display_name(PersonName(user.family_name, user.given_name, user.middle_name))


def _person(user: User) -> ImportedPerson:
    name = PersonName(user.family_name, user.given_name, user.middle_name)
    return ImportedPerson(user.sourced_id, name, user.birth.birth_date, user.birth.gender)


def _groups(
    bundle: Bundle,
    classes: Sequence[TaughtClass],
    named: Sequence[ImportedClass],
    members: Sequence[Period],
    placements: Sequence[Period],
    shift: timedelta,
) -> list[ImportedGroup]:
    taught = [c for c in classes if not c.is_homeroom]
    homerooms = {c.external_id: (c.name, c.grades) for c in named}
    groups = []
    for group, place in zip(taught, place_groups(taught, bundle.courses, homerooms, members, placements), strict=True):
        first, end = (day + shift for day in _term_days(bundle, group))
        subject = bundle.courses[group.course_id]
        groups.append(ImportedGroup(group.sourced_id, place.class_id, subject, place.name, place.is_marked, first, end + _DAY))
    return groups


def _term_days(bundle: Bundle, taught: TaughtClass) -> tuple[date, date]:
    terms = [bundle.sessions[term] for term in taught.term_ids]
    return min(term.first_day for term in terms), max(term.last_day for term in terms)
