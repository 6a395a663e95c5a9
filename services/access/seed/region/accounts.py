"""Accounts of a generated school, and the grants of its families by their applications (Clauses R10-R12)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from services.access.people.rules.guardianships import GuardianKind
from services.access.people.rules.roles import Role
from services.access.rights.rules.logins import transliterate
from services.access.seed.region.families import Family, FamilyKind
from services.access.seed.region.roster import Account, Grant, Guardianship, Ids, Person, Roster, Student

ZONE = "Europe/Simferopol"
# Of hundred families, those that have applied; of those, fathers beside mothers, and students with an account of their own.
_FAMILIES_APPLIED, _FATHERS_APPLIED, _STUDENTS_APPLIED = 88, 75, 80
_OWN_ACCOUNT_FROM_GRADE = 5
_PREFIXES = {
    GuardianKind.MOTHER: "mama",
    GuardianKind.FATHER: "papa",
    GuardianKind.GUARDIAN_TO_14: "opekun",
    GuardianKind.TRUSTEE_TO_18: "popechitel",
    GuardianKind.FOSTER_PARENT: "semya",
    GuardianKind.ORGANISATION: "centr",
    GuardianKind.REPRESENTATIVE: "dover",
}


@dataclass(frozen=True, slots=True)
class _Application:
    """An application about one student. Parents who live together sign one; `guardianships` is empty for the student's own."""

    day: date
    student: Student
    guardianships: Sequence[Guardianship]
    is_shown: bool


class _Logins:
    """Logins that are free: of a name, then with a number; of schools after the first with the school's number."""

    def __init__(self, school_number: int) -> None:
        self._used: Counter[str] = Counter()
        self._suffix = f"-{school_number}" if school_number > 1 else ""

    def take(self, *parts: str) -> str:
        """A free login such as petrova.ni, mama.soloveva2."""
        login = ".".join(word for word in map(transliterate, parts) if word)
        self._used[login] += 1
        return f"{login}{self._used[login] if self._used[login] > 1 else ''}{self._suffix}"


class AccountMaker:
    """Opens the accounts of one school: all of its staff, and the families that have applied."""

    def __init__(self, roster: Roster, school_number: int, rng: Random, ids: Ids, linked: Mapping[UUID, UUID]) -> None:
        """`linked`: person -> account, for who has a place in two schools; the first of them opens it."""
        self._roster = roster
        self._is_first = school_number == 1
        self._logins = _Logins(school_number)
        self._rng = rng
        self._ids = ids
        self._linked = linked
        self._people = {person.person_id: person for person in roster.people}
        self._accounts: dict[UUID, UUID] = {}
        self._kept_logins: dict[UUID, str] = {}

    def open_staff(self) -> None:
        """Accounts of all who are appointed."""
        opened = _at(self._roster.year.first_day - timedelta(days=10), 9, 0)
        for appointment in self._roster.appointments:
            name = self._people[appointment.person_id].name
            initials = name.given_name[:1] + name.patronymic[:1]
            self._open(appointment.person_id, opened, name.family_name, initials)

    def open_families(self, families: Sequence[Family]) -> None:
        """Accounts and grants by the applications, numbered within the year in the order of their days (Clause R12)."""
        appointments = self._roster.appointments
        granters = {a.class_id: self._accounts[a.person_id] for a in appointments if a.role is Role.CLASS_TEACHER}
        numbers: Counter[int] = Counter()
        applications = sorted(self._apply(families), key=lambda application: application.day)
        # Those whom README names keep their logins, whoever of one name applied before them.
        for application in applications:
            for guardianship in application.guardianships or (None,) if application.is_shown else ():
                holder = self._holder(application.student, guardianship)
                if holder.person_id not in self._kept_logins:
                    self._kept_logins[holder.person_id] = self._logins.take(*_name_login(holder, guardianship))
        for application in applications:
            numbers[application.day.year] += 1
            number = f"{numbers[application.day.year]}-ЭД/{application.day.year}"
            for guardianship in application.guardianships or (None,):
                self._grant(application, number, guardianship, granters[application.student.class_id])

    def _grant(self, application: _Application, number: str, held: Guardianship | None, granted_by: UUID) -> None:
        student, holder = application.student.person, self._holder(application.student, held)
        grant_time = _next_working_day(application.day, self._rng)
        account_id = self._open(holder.person_id, grant_time, *_name_login(holder, held))
        grant = Grant(
            grant_id=self._ids.next(),
            account_id=account_id,
            holder_id=holder.person_id,
            student_id=student.person_id,
            guardianship_id=held.guardianship_id if held else None,
            application_number=number,
            application_date=application.day,
            granted_by_account_id=granted_by,
            grant_time=grant_time,
        )
        self._roster.grants.append(grant)

    def _holder(self, student: Student, held: Guardianship | None) -> Person:
        return self._people[held.guardian_id] if held else student.person

    def _open(self, person_id: UUID, create_time: datetime, *name: str) -> UUID:
        """The account of a person, opened when there is none yet."""
        if person_id not in self._accounts:
            login = self._kept_logins.get(person_id) or self._logins.take(*name)
            is_linked = person_id in self._linked
            account_id = self._linked[person_id] if is_linked else self._ids.next()
            account = Account(account_id, login, person_id, create_time, is_new=self._is_first or not is_linked)
            self._accounts[person_id] = account_id
            self._roster.accounts.append(account)
        return self._accounts[person_id]

    def _apply(self, families: Sequence[Family]) -> Iterator[_Application]:
        students = {student.person.person_id: student for student in self._roster.students}
        for family in families:
            if not family.is_shown and self._rng.randrange(100) >= _FAMILIES_APPLIED:
                continue
            has_both = family.is_shown or self._rng.randrange(100) < _FATHERS_APPLIED
            for child in family.children:
                yield from self._apply_for(family, students[child.person_id], has_both)

    def _apply_for(self, family: Family, student: Student, has_both: bool) -> Iterator[_Application]:
        first_day = self._roster.year.first_day
        held = [
            g
            for g in family.guardianships
            if g.student_id == student.person.person_id and g.from_date <= first_day < g.end_date
        ]
        if not has_both:
            held = held[:1]
        signers = [held] if family.kind is not FamilyKind.SEPARATED else [[one] for one in held]
        for together in signers:
            yield _Application(
                self._choose_day([student.from_date, *(g.from_date for g in together)]), student, together, family.is_shown
            )
        is_own = student.grade >= _OWN_ACCOUNT_FROM_GRADE and self._rng.randrange(100) < _STUDENTS_APPLIED
        if family.is_shown or is_own:
            yield _Application(self._choose_day([student.from_date]), student, (), family.is_shown)

    def _choose_day(self, not_before: Sequence[date]) -> date:
        """A working day of some September in which all was in force."""
        last = self._roster.year.first_day.year
        years = [year for year in range(max(not_before).year, last + 1) if date(year, 9, 1) >= max(not_before)]
        day = date(self._rng.choice(years), 9, self._rng.randint(1, 20))
        return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)


def _name_login(holder: Person, held: Guardianship | None) -> tuple[str, str]:
    """What a login is made of: what an adult is to the child, or the student's own name; then the family name."""
    return (_PREFIXES[held.kind] if held else holder.name.given_name), holder.name.family_name


def _next_working_day(day: date, rng: Random) -> datetime:
    """Some time of the next weekday, within the term of Clause R15."""
    following = day + timedelta(days=1 if day.weekday() < 4 else 7 - day.weekday())
    return _at(following, rng.randint(9, 16), rng.randrange(60))


def _at(day: date, hour: int, minute: int) -> datetime:
    return datetime.combine(day, time(hour, minute), ZoneInfo(ZONE))
