"""What a OneRoster bundle says of one school: the people, classes, study groups and times we keep, by ids of the bundle."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.access.rules.names import PersonName
from services.access.rules.oneroster import Bundle, Enrollment, Org, Problem, RosterRefusedError, Session, TaughtClass, User

# The zone of the region; a school in another one corrects it in its settings.
ZONE = "Europe/Simferopol"
_DAY = timedelta(days=1)


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
    """A study group; it gathers several classes, or the bundle does not say of which it is."""

    external_id: str
    subject_name: str
    group_name: str
    first_day: date
    end_day: date


@dataclass(frozen=True, slots=True)
class Period:
    """A person's time in a class or study group; `end_day` is the day after the last."""

    of_id: str
    person_id: str
    first_day: date
    end_day: date


@dataclass(frozen=True, slots=True)
class ImportedRoster:
    """One school. `students` with the day from which they are enrolled."""

    school_external_id: str
    school_name: str
    year: ImportedYear
    people: Sequence[ImportedPerson]
    students: dict[str, date]
    teachers: Sequence[str]
    classes: Sequence[ImportedClass]
    groups: Sequence[ImportedGroup]
    placements: Sequence[Period]
    class_teachers: Sequence[Period]
    members: Sequence[Period]
    teachings: Sequence[Period]


def build_roster(bundle: Bundle, code: str, move_to_year: int | None) -> ImportedRoster:
    """The roster of the school whose sourcedId or identifier is `code`, or of the bundle's only one.

    With `move_to_year` every day but birth dates moves by whole weeks, so that the school year begins in that year and days of
    the week stay. Raises RosterRefusedError.
    """
    school = _choose_school(bundle, code)
    year = _choose_year(bundle)
    shift = _choose_shift(year, move_to_year)
    classes = [c for c in bundle.classes.values() if c.school_id == school.sourced_id]
    enrollments = [e for e in bundle.enrollments if e.school_id == school.sourced_id]
    _check(bundle, classes, enrollments)
    periods = _Periods(bundle, enrollments, shift)
    homerooms = {c.sourced_id for c in classes if c.is_homeroom}
    users = [u for u in bundle.users.values() if school.sourced_id in u.school_ids or u.sourced_id in periods.user_ids]
    first_day, end_day = year.first_day + shift, year.last_day + shift + _DAY
    taught = [c for c in classes if not c.is_homeroom]
    return ImportedRoster(
        school_external_id=school.sourced_id,
        school_name=school.name,
        year=ImportedYear(year.sourced_id, f"{first_day.year}/{(end_day - _DAY).year}", first_day, end_day),
        people=[_person(user) for user in users],
        students={u.sourced_id: periods.first_day_of(u.sourced_id, first_day) for u in users if u.role == "student"},
        teachers=[u.sourced_id for u in users if u.role == "teacher"],
        classes=[ImportedClass(c.sourced_id, c.title, c.grades) for c in classes if c.is_homeroom],
        groups=[_group(bundle, c, shift) for c in taught],
        placements=periods.of("student", lambda class_id: class_id in homerooms),
        class_teachers=periods.of("teacher", lambda class_id: class_id in homerooms),
        members=periods.of("student", lambda class_id: class_id not in homerooms),
        teachings=periods.of("teacher", lambda class_id: class_id not in homerooms),
    )


def merge_periods(periods: Iterable[Period]) -> list[Period]:
    """The same times with those of one person in one class that touch or overlap made one."""
    merged: dict[tuple[str, str], list[Period]] = defaultdict(list)
    for period in sorted(periods, key=lambda period: period.first_day):
        kept = merged[period.of_id, period.person_id]
        if kept and period.first_day <= kept[-1].end_day:
            kept[-1] = replace(kept[-1], end_day=max(kept[-1].end_day, period.end_day))
        else:
            kept.append(period)
    return [period for kept in merged.values() for period in kept]


class _Periods:
    """The times that the enrollments of a school give, moved."""

    def __init__(self, bundle: Bundle, enrollments: Sequence[Enrollment], shift: timedelta) -> None:
        self._bundle = bundle
        self._enrollments = enrollments
        self._shift = shift
        self.user_ids = {enrollment.user_id for enrollment in enrollments}
        self._first: dict[str, date] = {}
        for enrollment in enrollments:
            first_day = self._period(enrollment).first_day
            self._first[enrollment.user_id] = min(first_day, self._first.get(enrollment.user_id, first_day))

    def first_day_of(self, user_id: str, year_first_day: date) -> date:
        """From when a student is enrolled at the latest."""
        return min(year_first_day, self._first.get(user_id, year_first_day))

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
    named = [org for org in schools if code in (org.sourced_id, org.identifier)]
    if len(named) == 1:
        return named[0]
    if len(schools) != 1:
        known = ", ".join(sorted(org.sourced_id for org in schools)) or "none"
        what = f"the bundle has {len(schools)} schools ({known}), none with the code {code}"
        raise RosterRefusedError([Problem("orgs.csv", 0, "sourcedId", what, "name the sourcedId of one with --school")])
    return schools[0]


def _choose_year(bundle: Bundle) -> Session:
    years = [session for session in bundle.sessions.values() if session.kind == "schoolYear"]
    if len(years) != 1:
        what = f"{len(years)} sessions are of type schoolYear"
        raise RosterRefusedError([Problem("academicSessions.csv", 0, "type", what, "export one school year")])
    return years[0]


def _choose_shift(year: Session, move_to_year: int | None) -> timedelta:
    if move_to_year is None:
        return timedelta()
    # 1 March stands in for a day that the other year lacks.
    first = year.first_day
    there = date(move_to_year, 3, 1) if (first.month, first.day) == (2, 29) else first.replace(year=move_to_year)
    return timedelta(weeks=round((there - first).days / 7))


def _check(bundle: Bundle, classes: Sequence[TaughtClass], enrollments: Sequence[Enrollment]) -> None:
    problems = [
        Problem("classes.csv", c.row, "grades", "a homeroom needs its grades, 1 to 11", "fill it")
        for c in classes
        if c.is_homeroom and not c.grades
    ]
    for e in enrollments:
        user = bundle.users[e.user_id]
        if e.role in ("student", "teacher") and (e.role == "student") != (user.role == "student"):
            what = f"{e.role}, but {e.user_id} is {user.role} in users.csv (row {user.row})"
            problems.append(Problem("enrollments.csv", e.row, "role", what, "correct one of the two"))
    if problems:
        raise RosterRefusedError(problems)


def _person(user: User) -> ImportedPerson:
    name = PersonName(user.family_name, user.given_name, user.middle_name)
    return ImportedPerson(user.sourced_id, name, user.birth_date, user.gender)


def _group(bundle: Bundle, taught: TaughtClass, shift: timedelta) -> ImportedGroup:
    subject = bundle.courses[taught.course_id]
    first, last = _term_days(bundle, taught)
    name = taught.title if taught.title != subject else ""
    return ImportedGroup(taught.sourced_id, subject, name, first + shift, last + shift + _DAY)


def _term_days(bundle: Bundle, taught: TaughtClass) -> tuple[date, date]:
    terms = [bundle.sessions[term] for term in taught.term_ids]
    return min(term.first_day for term in terms), max(term.last_day for term in terms)
