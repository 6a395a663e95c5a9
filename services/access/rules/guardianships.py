"""Legal relations of adults to students, by age (Clause R6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from chassis.errors import FailedPrecondition

_OWN_CARE_AGE, _FULL_AGE = 14, 18
_DAY = timedelta(days=1)


class GuardianKind(StrEnum):
    """Kinds of guardianship."""

    MOTHER = "mother"
    FATHER = "father"
    GUARDIAN_TO_14 = "guardian_to_14"
    TRUSTEE_TO_18 = "trustee_to_18"
    FOSTER_PARENT = "foster_parent"
    ORGANISATION = "organisation"
    REPRESENTATIVE = "representative"


WORDS = {
    GuardianKind.MOTHER: "мать",
    GuardianKind.FATHER: "отец",
    GuardianKind.GUARDIAN_TO_14: "опекун",
    GuardianKind.TRUSTEE_TO_18: "попечитель",
    GuardianKind.FOSTER_PARENT: "приёмный родитель",
    GuardianKind.ORGANISATION: "организация для детей-сирот",
    GuardianKind.REPRESENTATIVE: "представитель по доверенности",
}


@dataclass(frozen=True, slots=True)
class Period:
    """How long a kind holds; `to_date` is the day after the last, None without an end."""

    kind: GuardianKind
    from_date: date
    to_date: date | None


def find_birthday(born: date, years: int) -> date:
    """The day a person becomes this old; who was born on 29 February, on 1 March of a common year."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def is_under(born: date | None, years: int, day: date) -> bool:
    """Whether a person is younger on that day; one whose birth date is not known is not."""
    return born is not None and day < find_birthday(born, years)


def find_coming_of_age(born: date) -> date:
    """The first day on which nobody acts for a person by law any more: at its 00:00, 24:00 of the 18th birthday (Clause R6)."""
    return find_birthday(born, _FULL_AGE) + _DAY


def plan_guardianship(kind: GuardianKind, born: date | None, day: date) -> Sequence[Period]:
    """The periods that a new guardianship gives from a day on (Clause R6): опекун to 14, then попечитель by itself; to 24:00
    of the 18th birthday; from 18 on by the student's own power of attorney only.

    Without a birth date the end is not known. Raises FailedPrecondition GUARDIAN_UNDER_AGE when the kind does not fit the age.
    """
    if born is None:
        return [Period(kind, day, None)]
    turns_14, of_age = find_birthday(born, _OWN_CARE_AGE), find_coming_of_age(born)
    if day >= of_age:
        fits, end = kind is GuardianKind.REPRESENTATIVE, None
    else:
        fits, end = kind is not (GuardianKind.TRUSTEE_TO_18 if day < turns_14 else GuardianKind.GUARDIAN_TO_14), of_age
    if not fits:
        raise FailedPrecondition("GUARDIAN_UNDER_AGE", "the legal relation does not fit the student's age", {"kind": kind})
    if kind is GuardianKind.GUARDIAN_TO_14:
        return [Period(kind, day, turns_14), Period(GuardianKind.TRUSTEE_TO_18, turns_14, end)]
    return [Period(kind, day, end)]
