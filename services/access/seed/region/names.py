"""Names of invented people: a name book, and families whose members' surnames agree (Соловьёв, Соловьёва)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random

from services.access.people.rules.names import PersonName

MALE, FEMALE = "male", "female"


@dataclass(frozen=True, slots=True)
class Surname:
    """A surname in the form of each gender; both are alike where it does not change."""

    male: str
    female: str

    def of(self, gender: str) -> str:
        """The form of a gender."""
        return self.male if gender == MALE else self.female


@dataclass(frozen=True, slots=True)
class NameBook:
    """The words that names of one custom are made of. `men`: a given name -> patronymics of his son and daughter."""

    men: Mapping[str, tuple[str, str]]
    women: tuple[str, ...]
    surnames: tuple[Surname, ...]

    def given(self, rng: Random, gender: str) -> str:
        """A given name."""
        return rng.choice(tuple(self.men) if gender == MALE else self.women)

    def surname(self, rng: Random) -> Surname:
        """A surname."""
        return rng.choice(self.surnames)

    def double_surname(self, rng: Random) -> Surname:
        """A surname of two."""
        first, second = rng.sample(self.surnames, 2)
        return Surname(f"{first.male}-{second.male}", f"{first.female}-{second.female}")

    def patronymic(self, father: str, gender: str) -> str:
        """The patronymic of a child of a man with this given name."""
        return self.men[father][gender == FEMALE]

    def person(self, rng: Random, gender: str) -> PersonName:
        """A name of an adult about whose family nothing is said."""
        father = self.given(rng, MALE)
        return PersonName(self.surname(rng).of(gender), self.given(rng, gender), self.patronymic(father, gender))


@dataclass(frozen=True, slots=True)
class NameBooks:
    """Name books of the customs of the region."""

    slavic: NameBook
    turkic: NameBook

    def any(self, rng: Random) -> NameBook:
        """One of them, as often as people of that custom live there."""
        return self.turkic if rng.random() < 0.12 else self.slavic


def read_names(rows: Iterable[Mapping[str, str]]) -> NameBooks:
    """The name books of rows `custom, kind, value, male, female`; see the README beside the file."""
    words = list(rows)
    return NameBooks(*(_read_custom([row for row in words if row["custom"] == custom]) for custom in ("slavic", "turkic")))


def _read_custom(rows: Iterable[Mapping[str, str]]) -> NameBook:
    men: dict[str, tuple[str, str]] = {}
    women: list[str] = []
    surnames: list[Surname] = []
    for row in rows:
        if row["kind"] == "given_male":
            men[row["value"]] = (row["male"], row["female"])
        elif row["kind"] == "given_female":
            women.append(row["value"])
        else:
            surnames.append(Surname(row["male"], row["female"]))
    return NameBook(men, tuple(women), tuple(surnames))


def build_turkic_patronymic(father: str, gender: str) -> str:
    """A patronymic by оглы or кызы, as families from the Caucasus carry it."""
    return f"{father} {'оглы' if gender == MALE else 'кызы'}"
