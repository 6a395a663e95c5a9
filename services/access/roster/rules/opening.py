"""Opening an access by an operator's hand, for earlier paper applications: who may have it, and to whose diary."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.access.people.rules.names import PersonName
from services.access.people.rules.roles import STAFF, Role


class OpeningRefusedError(Exception):
    """Why the access cannot be opened, and the mend."""


@dataclass(frozen=True, slots=True)
class Document:
    """An application (Clause R12), or the order that appoints the administrator."""

    number: str
    day: date


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person of the school now; `login` and `account_id` are None without an account. A password is needed where neither an
    own one nor a live one-time password exists.
    """

    person_id: UUID
    name: PersonName
    is_student: bool
    roles: frozenset[int]
    account_id: UUID | None
    login: str | None
    is_activated: bool
    needs_password: bool
    slip_count: int


@dataclass(frozen=True, slots=True)
class Diary:
    """A student's diary that the person may ask for: the own, or by a guardianship in force."""

    student_id: UUID
    guardianship_id: UUID | None
    is_enrolled: bool
    is_ordered: bool
    is_complete: bool
    is_placed: bool
    is_granted: bool


def choose_role(candidate: Candidate, diaries: Sequence[Diary], wished: Role | None) -> Role:
    """The wished role where the person may have it; without a wish student, staff, guardian, whichever comes first."""
    may = {Role.STUDENT: candidate.is_student, Role.GUARDIAN: any(diary.guardianship_id for diary in diaries)}
    may |= {role: role in candidate.roles for role in sorted(STAFF)} | {Role.ADMIN: True}
    roles = [wished] if wished else [Role.STUDENT, *sorted(candidate.roles), Role.GUARDIAN]
    for role in roles:
        if role is not None and may.get(Role(role)):
            return Role(role)
    wish = wished.name.lower() if wished else "anything"
    raise OpeningRefusedError(f"the person is not {wish} at this school now: correct the roster first")


def choose_diaries(diaries: Sequence[Diary], role: Role, application: Document | None) -> list[Diary]:
    """The diaries to grant access to; none for staff. Raises OpeningRefusedError.

    Enrolled by an order (Clause R10), card complete and in a class or study group (Clause R11), by an application (Clause R12).
    """
    if role not in (Role.STUDENT, Role.GUARDIAN):
        return []
    if application is None:
        raise OpeningRefusedError("a family's access follows an application: name its number and date (R12)")
    own = [diary for diary in diaries if (diary.guardianship_id is None) == (role is Role.STUDENT)]
    for diary in own:
        if not diary.is_enrolled:
            raise OpeningRefusedError(f"student {diary.student_id} has no enrolment in force: enrol first (R10)")
        if not diary.is_ordered:
            raise OpeningRefusedError(
                f"student {diary.student_id} is enrolled by a list without an order: import the list again with"
                " --enrolment-order-number and --enrolment-order-date (R10)"
            )
        if not (diary.is_complete and diary.is_placed):
            raise OpeningRefusedError(
                f"student {diary.student_id} has no birth date, or is in no class and no study group: complete the card (R11)"
            )
    return [diary for diary in own if not diary.is_granted]
