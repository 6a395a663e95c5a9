"""Legal relations of adults to students: by age, by the document that shows them, and how they end (Clauses R6, R19)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum, StrEnum

from chassis.errors import FailedPrecondition, FieldViolation, InvalidArgument

# From the first a child has попечители and may apply alone (decision 7); from the second nobody acts for one by law.
OWN_CARE_AGE, FULL_AGE = 14, 18
_DAY = timedelta(days=1)
# No authority is dated or ends further from today: a slip of the pen.
_FURTHEST = timedelta(days=100 * 366)


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


class AuthorityEnding(IntEnum):
    """How an authority ended; numbers of diary.access.v1.AuthorityEnding."""

    COURT_ACT = 1
    GUARDIANSHIP_ACT = 2
    POWER_WITHDRAWN = 3
    POWER_EXPIRED = 4
    TERM_EXPIRED = 5
    OTHER = 6


# Endings by an act that the school has, with its number and date.
BY_ACT = {
    AuthorityEnding.COURT_ACT: "судебным актом",
    AuthorityEnding.GUARDIANSHIP_ACT: "актом органа опеки и попечительства",
}


@dataclass(frozen=True, slots=True)
class Period:
    """How long a kind holds; `to_date` is the day after the last, None without an end."""

    kind: GuardianKind
    from_date: date
    to_date: date | None


@dataclass(frozen=True, slots=True)
class Authority:
    """The document that shows a relation, its date and the last day it names, where they were told."""

    document: str = ""
    issue_date: date | None = None
    last_date: date | None = None


@dataclass(frozen=True, slots=True)
class AuthorityEnd:
    """How an authority ended, and its last day; the act where it was one."""

    ending: AuthorityEnding
    last_date: date
    act_number: str = ""
    act_date: date | None = None


def find_birthday(born: date, years: int) -> date:
    """The day on which a person completes so many years; who was born on 29 February, on 28 February of a common year."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 2, 28)


def find_reaching(born: date, years: int) -> date:
    """The day at whose 00:00 an age is reached: the day after the birthday, whatever the age (Clause R6)."""
    return find_birthday(born, years) + _DAY


def is_under(born: date | None, years: int, day: date) -> bool:
    """Whether a person is younger on that day; one whose birth date is not known is not."""
    return born is not None and day < find_reaching(born, years)


def find_authority_end(kind: GuardianKind, authority: Authority) -> date | None:
    """The day after the last on which the document holds, None without an end. A power of attorney that names no last day holds
    one year from its date (ГК, ст. 186).
    """
    if authority.last_date is not None:
        return authority.last_date + _DAY
    if kind is GuardianKind.REPRESENTATIVE and authority.issue_date is not None:
        return find_birthday(authority.issue_date, 1) + _DAY
    return None


def check_authority(kind: GuardianKind | None, authority: Authority, today: date, path: str) -> None:
    """The dates of a document as filed on a day; a power of attorney has a date or a last day. `path`: of its fields' holder.

    Raises InvalidArgument AUTHORITY_DATES_INVALID.
    """
    issued, last = authority.issue_date, authority.last_date
    wrong = ""
    if kind is GuardianKind.REPRESENTATIVE and authority.document and issued is None and last is None:
        wrong = f"{path}authority_date: a power of attorney has a date or a last day"
    elif issued is not None and not today - _FURTHEST <= issued <= today:
        wrong = f"{path}authority_date: no date that a document shown today bears"
    elif last is not None and not (issued or today - _FURTHEST) <= last <= today + _FURTHEST:
        wrong = f"{path}authority_end_date: before the document's date, or too far"
    if wrong:
        field, description = wrong.split(": ")
        raise InvalidArgument("AUTHORITY_DATES_INVALID", wrong, violations=(FieldViolation(field, description),))


def plan_guardianship(
    kind: GuardianKind, born: date | None, day: date, authority: Authority | None = None, path: str = ""
) -> Sequence[Period]:
    """The periods that a relation shown on a day has from that day on (Clause R6): опекун to 14, then попечитель by itself; to
    24:00 of the 18th birthday; from 18 on by the student's own power of attorney only; never beyond what the document names.

    None when the document is over already. Without a birth date the end by age is not known. Raises FailedPrecondition
    GUARDIAN_UNDER_AGE when the kind does not fit the age, with the field of the applicant at `path` of a request.
    """
    until = find_authority_end(kind, authority) if authority else None
    if born is None:
        return _cut([Period(kind, day, None)], until)
    turns_14, of_age = find_reaching(born, OWN_CARE_AGE), find_reaching(born, FULL_AGE)
    if day >= of_age:
        fits, end = kind is GuardianKind.REPRESENTATIVE, None
    else:
        fits, end = kind is not (GuardianKind.TRUSTEE_TO_18 if day < turns_14 else GuardianKind.GUARDIAN_TO_14), of_age
    if not fits:
        said = "the legal relation does not fit the student's age"
        violations = (FieldViolation(f"{path}.guardian_kind", said),) if path else ()
        raise FailedPrecondition("GUARDIAN_UNDER_AGE", said, {"kind": kind}, violations)
    if kind is GuardianKind.GUARDIAN_TO_14:
        return _cut([Period(kind, day, turns_14), Period(GuardianKind.TRUSTEE_TO_18, turns_14, end)], until)
    return _cut([Period(kind, day, end)], until)


def is_authority_in_force(kind: GuardianKind, born: date | None, authority: Authority, shown: date, day: date) -> bool:
    """Whether a relation shown by a document on one day holds on another (Clause R6)."""
    if not authority.document:
        return False
    try:
        periods = plan_guardianship(kind, born, shown, authority)
    except FailedPrecondition:
        return False
    return any(period.from_date <= day and (period.to_date is None or day < period.to_date) for period in periods)


def find_expiry(kind: GuardianKind, to_date: date | None, born: date | None, day: date) -> AuthorityEnd | None:
    """What ended by its document's term alone before a day; None of what holds, and of what age ended."""
    if to_date is None or to_date > day or (born is not None and to_date == find_reaching(born, FULL_AGE)):
        return None
    is_power = kind is GuardianKind.REPRESENTATIVE
    return AuthorityEnd(AuthorityEnding.POWER_EXPIRED if is_power else AuthorityEnding.TERM_EXPIRED, to_date - _DAY)


def check_end(ending: AuthorityEnding, act_number: str, act_date: date | None, today: date) -> None:
    """An act is told whole, and only where there is one. Raises InvalidArgument REQUEST_INVALID."""
    is_whole = bool(act_number) and act_date is not None and act_date <= today
    if is_whole if ending in BY_ACT else not act_number and act_date is None:
        return
    violation = FieldViolation(
        "act_date" if act_number else "act_number", "an act is told with its number and date, or not at all"
    )
    raise InvalidArgument("REQUEST_INVALID", violation.description, violations=(violation,))


def write_authority_end(end: AuthorityEnd) -> str:
    """How an authority ended, in the words of a decision; an act is named only where one is recorded (Clause R19)."""
    if end.ending in BY_ACT and end.act_date is not None:
        return f"полномочия заявителя прекращены {BY_ACT[end.ending]} от {end.act_date:%d.%m.%Y} № {end.act_number}"
    last = f"{end.last_date:%d.%m.%Y}"
    return {
        AuthorityEnding.POWER_WITHDRAWN: f"доверенность отменена {last}",
        AuthorityEnding.POWER_EXPIRED: f"срок действия доверенности истёк {last}",
        AuthorityEnding.TERM_EXPIRED: f"срок полномочий по представленному документу истёк {last}",
    }.get(end.ending, f"полномочия заявителя прекращены {last}")


def _cut(periods: Sequence[Period], until: date | None) -> Sequence[Period]:
    """What of periods lies before a day."""
    if until is None:
        return periods
    return [
        Period(one.kind, one.from_date, until if one.to_date is None else min(one.to_date, until))
        for one in periods
        if one.from_date < until
    ]
