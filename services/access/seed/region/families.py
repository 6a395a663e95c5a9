"""Families of every kind that the regulation knows (Clause R6), with the children they have at the school."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum, StrEnum
from random import Random

from services.access.people.rules.guardianships import FULL_AGE, OWN_CARE_AGE, GuardianKind, find_reaching
from services.access.people.rules.names import PersonName
from services.access.seed.region.names import FEMALE, MALE, NameBook, NameBooks, Surname, build_turkic_patronymic
from services.access.seed.region.roster import Guardianship, Ids, Person

_AGE_IN_GRADE_1 = 6.5  # years on 1 September, of the youngest


class FamilyKind(StrEnum):
    """Kinds of families."""

    TOGETHER = "together"
    SEPARATED = "separated"
    MOTHER = "mother"
    FATHER = "father"
    WARD = "ward"  # опекун, попечитель
    FOSTER = "foster"
    ORGANISATION = "organisation"
    AUTHORISED = "authorised"  # a parent, and a representative by power of attorney
    OF_AGE = "of_age"  # a student of 18 who authorises the mother


_WEIGHTS = {
    FamilyKind.TOGETHER: 60,
    FamilyKind.SEPARATED: 14,
    FamilyKind.MOTHER: 17,
    FamilyKind.FATHER: 2,
    FamilyKind.WARD: 3,
    FamilyKind.FOSTER: 1.5,
    FamilyKind.ORGANISATION: 1,
    FamilyKind.AUTHORISED: 1.5,
}
# So that a school of any size has families of every kind.
FIRST_KINDS = (*_WEIGHTS, FamilyKind.WARD)


@dataclass(frozen=True, slots=True)
class Child:
    """A child to be born for a place in a grade; `gender` and `given_name` may be set for the cast."""

    grade: int
    gender: str = ""
    given_name: str = ""


@dataclass(frozen=True, slots=True)
class Mother:
    """A mother who is shown, and is the same person in two schools."""

    name: PersonName
    birth_date: date


@dataclass(frozen=True, slots=True)
class Family:
    """A family: its children in the order of the places given."""

    kind: FamilyKind
    children: tuple[Person, ...]
    adults: tuple[Person, ...]
    guardianships: tuple[Guardianship, ...]
    is_shown: bool


def choose_kind(rng: Random, number: int) -> FamilyKind:
    """The kind of a school's family by its number from 0."""
    if number < len(FIRST_KINDS):
        return FIRST_KINDS[number]
    return rng.choices(tuple(_WEIGHTS), tuple(_WEIGHTS.values()))[0]


def choose_child_count(rng: Random, kind: FamilyKind) -> int:
    """How many children of a family of this kind go to the school, when there are places."""
    if kind is FamilyKind.OF_AGE:
        return 1
    return rng.choices((1, 2, 3), (75, 21, 4))[0]


class _Style(Enum):
    """How the children of a family are named."""

    COMMON = 0
    OGLU = 1
    NO_PATRONYMIC = 2
    ONE_WORD = 3


@dataclass(frozen=True, slots=True)
class _Line:
    """What a child's name comes from."""

    book: NameBook
    surname: Surname
    father: str
    style: _Style = _Style.COMMON

    def name(self, given: str, gender: str) -> PersonName:
        """The name of a child."""
        match self.style:
            case _Style.OGLU:
                patronymic = build_turkic_patronymic(self.father, gender)
            case _Style.NO_PATRONYMIC:
                patronymic = ""
            case _Style.ONE_WORD:
                return PersonName(given, "", "")
            case _Style.COMMON:
                patronymic = self.book.patronymic(self.father, gender)
        return PersonName(self.surname.of(gender), given, patronymic)


class FamilyMaker:
    """Makes the families of one school in one year."""

    def __init__(self, rng: Random, ids: Ids, names: NameBooks, year: int, worker: Person) -> None:
        """`worker`: of the organisation for orphans, by its order."""
        self._rng = rng
        self._ids = ids
        self._names = names
        self._year = year
        self._worker = worker

    def make(self, number: int, kind: FamilyKind, children: Sequence[Child]) -> Family:
        """The school's family of this number from 1; some numbers have names unlike the most."""
        return self._build(kind, children, self._choose_line(number), None)

    def make_shown(self, kind: FamilyKind, children: Sequence[Child], surname: Surname, mother: Mother) -> Family:
        """A family that pages, examples and tests show."""
        book = self._names.slavic
        return self._build(kind, children, _Line(book, surname, book.given(self._rng, MALE)), mother)

    def _choose_line(self, number: int) -> _Line:
        """Numbers are chosen so that a small school has every sort of names too."""
        styles = {7: _Style.OGLU, 13: _Style.NO_PATRONYMIC, 19: _Style.ONE_WORD}
        style = styles.get(number % 36, _Style.COMMON)
        book = self._names.any(self._rng)
        if style in (_Style.OGLU, _Style.ONE_WORD):
            book = self._names.turkic
        surname = book.double_surname(self._rng) if number % 36 == 11 else book.surname(self._rng)
        return _Line(book, surname, book.given(self._rng, MALE), style)

    def _build(self, kind: FamilyKind, children: Sequence[Child], line: _Line, mother: Mother | None) -> Family:
        made = [self._child(kind, child, line) for child in children]
        adults = self._adults(kind, made, line)
        if mother is not None:
            adults[0] = replace(adults[0], name=mother.name, birth_date=mother.birth_date)
        held = [holding for person in made for holding in self._guardianships(kind, person, adults)]
        own = tuple(adult for adult in adults if adult is not self._worker)
        return Family(kind, tuple(made), own, tuple(held), is_shown=mother is not None)

    def _child(self, kind: FamilyKind, child: Child, line: _Line) -> Person:
        gender = child.gender or self._rng.choice((MALE, FEMALE))
        if kind in (FamilyKind.WARD, FamilyKind.FOSTER, FamilyKind.ORGANISATION):
            # Children of other parents keep their names.
            line = replace(line, surname=line.book.surname(self._rng), father=line.book.given(self._rng, MALE))
        given = child.given_name or line.book.given(self._rng, gender)
        return Person(self._ids.next(), line.name(given, gender), gender, self._birth_date(kind, child.grade))

    def _birth_date(self, kind: FamilyKind, grade: int) -> date:
        """A birth date of the grade's age."""
        latest = date(self._year, 9, 1) - timedelta(days=round((_AGE_IN_GRADE_1 + grade - 1) * 365.25))
        born = latest - timedelta(days=self._rng.randrange(330))
        if kind is FamilyKind.OF_AGE:
            return date(self._year - 18, 7, 1) - timedelta(days=self._rng.randrange(60))
        # A ward's fourteenth birthday is kept out of the year: a grant stands on one guardianship.
        turns_14 = date(self._year, 9, 1) <= find_reaching(born, OWN_CARE_AGE) < date(self._year + 1, 7, 1)
        return date(born.year, 7, 1 + self._rng.randrange(28)) if kind is FamilyKind.WARD and turns_14 else born

    def _adults(self, kind: FamilyKind, children: Sequence[Person], line: _Line) -> list[Person]:
        born = min(child.birth_date for child in children)
        book, surname = line.book, line.surname
        mother = Person(self._ids.next(), self._parent_name(book, FEMALE, surname), FEMALE, self._earlier(born, 20))
        father = Person(self._ids.next(), self._parent_name(book, MALE, surname, line.father), MALE, self._earlier(born, 21))
        match kind:
            case FamilyKind.TOGETHER | FamilyKind.FOSTER:
                return [mother, father]
            case FamilyKind.SEPARATED:
                return [replace(mother, name=self._parent_name(book, FEMALE, book.surname(self._rng))), father]
            case FamilyKind.FATHER:
                return [father]
            case FamilyKind.ORGANISATION:
                return [self._worker]
            case FamilyKind.AUTHORISED:
                name = self._names.slavic.person(self._rng, FEMALE)
                return [mother, Person(self._ids.next(), name, FEMALE, self._earlier(born, 40))]
            case _:
                return [mother]

    def _parent_name(self, book: NameBook, gender: str, surname: Surname, given: str = "") -> PersonName:
        given = given or book.given(self._rng, gender)
        return PersonName(surname.of(gender), given, book.patronymic(book.given(self._rng, MALE), gender))

    def _earlier(self, born: date, years: int) -> date:
        return born - timedelta(days=round((years + self._rng.random() * 16) * 365.25))

    def _guardianships(self, kind: FamilyKind, child: Person, adults: Sequence[Person]) -> list[Guardianship]:
        first, born = adults[0], f"Свидетельство о рождении I-АЯ № {self._rng.randint(500000, 999999)}"
        match kind:
            case FamilyKind.WARD:
                return self._ward(first, child)
            case FamilyKind.FOSTER:
                return self._foster(adults, child)
            case FamilyKind.ORGANISATION:
                return [self._in_organisation(first, child)]
            case FamilyKind.AUTHORISED:
                return [self._until_18(first, child, GuardianKind.MOTHER, born), self._authorised(adults[1], child)]
            case FamilyKind.OF_AGE:
                return [self._until_18(first, child, GuardianKind.MOTHER, born), self._authorised(first, child)]
            case _:
                kinds = {FEMALE: GuardianKind.MOTHER, MALE: GuardianKind.FATHER}
                return [self._until_18(adult, child, kinds[adult.gender], born) for adult in adults]

    def _until_18(self, adult: Person, child: Person, kind: GuardianKind, born: str) -> Guardianship:
        """By the child's certificate of birth, which both parents show."""
        return self._guardianship(adult, child, kind, born, child.birth_date, _of_age(child))

    def _foster(self, adults: Sequence[Person], child: Person) -> list[Guardianship]:
        start, end = date(self._year - 2, 5, 12), _of_age(child)
        document = f"Договор о приемной семье от {start:%d.%m.%Y} № {self._rng.randint(1, 60)}"
        kind = GuardianKind.FOSTER_PARENT
        return [self._guardianship(adult, child, kind, document, start, end) for adult in adults]

    def _in_organisation(self, worker: Person, child: Person) -> Guardianship:
        start, end = date(self._year, 8, 28), _of_age(child)
        document = f"Приказ учреждения для детей-сирот от {start:%d.%m.%Y} № {self._rng.randint(10, 99)}"
        return self._guardianship(worker, child, GuardianKind.ORGANISATION, document, start, end)

    def _ward(self, adult: Person, child: Person) -> list[Guardianship]:
        """At 14 опекун becomes попечитель by itself (Clause R6)."""
        start = date(self._year - 1, 2, 14)
        act = f"Постановление органа опеки от {start:%d.%m.%Y} № {self._rng.randint(100, 999)}"
        turn, end = find_reaching(child.birth_date, OWN_CARE_AGE), _of_age(child)
        periods = (
            (GuardianKind.GUARDIAN_TO_14, start, turn),
            (GuardianKind.TRUSTEE_TO_18, max(start, turn), end),
        )
        return [self._guardianship(adult, child, kind, act, first, last) for kind, first, last in periods if first < last]

    def _authorised(self, adult: Person, child: Person) -> Guardianship:
        day = date(self._year, 8, 31)
        document = f"Доверенность от {day:%d.%m.%Y} № {self._rng.randint(1000, 9999)}"
        return self._guardianship(adult, child, GuardianKind.REPRESENTATIVE, document, day, date(self._year + 1, 8, 31))

    def _guardianship(
        self, adult: Person, child: Person, kind: GuardianKind, document: str, first: date, end: date
    ) -> Guardianship:
        return Guardianship(self._ids.next(), adult.person_id, child.person_id, kind, document, first, end)


def _of_age(child: Person) -> date:
    """The day after the 18th birthday: guardianship ends at its 24:00 (Clause R6)."""
    return find_reaching(child.birth_date, FULL_AGE)
