"""First credentials and own passwords (Clauses R25, R26). Random values are arguments; nothing here is kept."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from services.access.people.rules.names import PersonName
from services.access.people.rules.roles import Role

FIRST_CREDENTIALS_TIME = timedelta(days=14)
# Letters that were answered by nothing are sent again, each with a token of its own.
LIVE_TOKENS = 5
PASSWORD_MIN_LENGTH = 10
# Read from paper and typed on a phone: one case, nothing that looks like another (0 o, 1 l i).
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_LENGTH = 3, 4
ONE_TIME_PASSWORD_LENGTH = GROUPS * GROUP_LENGTH
_NOT_OF_THE_ALPHABET = re.compile(r"[\s\-\u2010-\u2015]+")


@dataclass(frozen=True, slots=True)
class SlipGrant:
    """A grant whose slip is to be printed. `slip_count`: issues so far; `class_teacher` is None when none is appointed."""

    grant_id: UUID
    account_id: UUID
    login: str
    is_open: bool
    is_activated: bool
    slip_count: int
    holder_id: UUID
    holder: PersonName
    student_id: UUID
    student: PersonName
    class_name: str
    class_teacher: PersonName | None
    handed_by: PersonName | None
    application_number: str
    application_date: date
    application_id: UUID | None
    school_name: str
    time_zone: str
    caller_roles: frozenset[int]


@dataclass(frozen=True, slots=True)
class DeliveryGrant:
    """A grant whose credentials are to be sent; `email` is empty when they were not wanted by e-mail."""

    account_id: UUID
    email: str
    is_open: bool
    is_activated: bool
    school_name: str
    time_zone: str
    login: str
    application_number: str
    application_date: date
    student_name: PersonName


def write_one_time_password(letters: Sequence[str]) -> str:
    """The letters in groups, as the slip prints them: k7mp-x2da-94rt."""
    text = "".join(letters)
    return "-".join(text[start : start + GROUP_LENGTH] for start in range(0, len(text), GROUP_LENGTH))


def normalise_one_time_password(typed: str) -> str:
    """What is checked: without hyphens and spaces, in small letters, however it was typed."""
    return _NOT_OF_THE_ALPHABET.sub("", typed).lower()


def check_new_password(password: str, login: str, one_time_password: str, common: Collection[str]) -> None:
    """Raises InvalidArgument PASSWORD_TOO_WEAK: shorter than 10 characters, the login, the one-time password, or among the most
    common ones (`common`, casefolded).
    """
    folded = unicodedata.normalize("NFKC", password).strip().casefold()
    is_first = bool(one_time_password) and normalise_one_time_password(folded) == normalise_one_time_password(one_time_password)
    if len(folded) < PASSWORD_MIN_LENGTH or folded == login.casefold() or is_first or folded in common:
        raise InvalidArgument(
            "PASSWORD_TOO_WEAK",
            f"at least {PASSWORD_MIN_LENGTH} characters, not the login, not the one-time password, not a common one",
            {"min_length": str(PASSWORD_MIN_LENGTH)},
        )


def require_wanted(is_open: bool, is_activated: bool) -> None:
    """Raises FailedPrecondition DELIVERY_NOT_WANTED when the grant has ended or its account has its own password."""
    if not is_open or is_activated:
        raise FailedPrecondition("DELIVERY_NOT_WANTED", "the grant has ended or the account already has its own password")


def require_slip_grant(grant: SlipGrant | None, roles: frozenset[Role]) -> SlipGrant:
    """A grant whose slip may be printed. Raises NotFound GRANT_NOT_FOUND, alike for absent, another class's and another
    school's; FailedPrecondition DELIVERY_NOT_WANTED.
    """
    if grant is None or not grant.caller_roles & roles:
        raise NotFound("GRANT_NOT_FOUND", "no such grant whose slip the caller may print")
    require_wanted(grant.is_open, grant.is_activated)
    return grant
