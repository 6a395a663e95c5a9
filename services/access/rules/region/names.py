"""Names of invented people: a name book, and families whose members' surnames agree (Соловьёв, Соловьёва)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random

MALE, FEMALE = "male", "female"

_LETTERS = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh sch _ y _ e yu ya".replace("_", "").split(" "),
        strict=True,
    )
)


@dataclass(frozen=True, slots=True)
class Surname:
    """A surname in the form of each gender; both are alike where it does not change."""

    male: str
    female: str

    def of(self, gender: str) -> str:
        """The form of a gender."""
        return self.male if gender == MALE else self.female


@dataclass(frozen=True, slots=True)
class FullName:
    """A name as it stands in documents. The patronymic may be absent; a name of one word stands in `given_name`."""

    family_name: str
    given_name: str
    patronymic: str


@dataclass(frozen=True, slots=True)
class NameBook:
    """The words that names are made of. `patronymics`: a man's given name -> those of his son and daughter."""

    men: tuple[str, ...]
    women: tuple[str, ...]
    patronymics: Mapping[str, tuple[str, str]]
    surnames: tuple[Surname, ...]

    def given(self, rng: Random, gender: str) -> str:
        """A given name."""
        return rng.choice(self.men if gender == MALE else self.women)

    def surname(self, rng: Random) -> Surname:
        """A surname."""
        return rng.choice(self.surnames)

    def double_surname(self, rng: Random) -> Surname:
        """A surname of two."""
        first, second = rng.sample(self.surnames, 2)
        return Surname(f"{first.male}-{second.male}", f"{first.female}-{second.female}")

    def patronymic(self, father: str, gender: str) -> str:
        """The patronymic of a child of a man with this given name."""
        return self.patronymics[father][gender == FEMALE]

    def person(self, rng: Random, gender: str) -> FullName:
        """A name of an adult about whose family nothing is said."""
        father = self.given(rng, MALE)
        return FullName(self.surname(rng).of(gender), self.given(rng, gender), self.patronymic(father, gender))


def read_names(rows: Iterable[Mapping[str, str]]) -> NameBook:
    """The name book of rows `kind, value, male, female`; see the README beside the file."""
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
    return NameBook(tuple(men), tuple(women), men, tuple(surnames))


def build_turkic_patronymic(father: str, gender: str) -> str:
    """A patronymic by оглы or кызы, as families from the Caucasus carry it."""
    return f"{father} {'оглы' if gender == MALE else 'кызы'}"


def transliterate(word: str) -> str:
    """A word in Latin letters for a login: Соловьёва -> soloveva. What is no letter is left out."""
    return "".join(_LETTERS.get(letter, letter if letter.isascii() and letter.isalpha() else "") for letter in word.lower())
