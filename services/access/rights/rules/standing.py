"""What an account is in a school at a moment."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.errors import NotFound, Unauthenticated
from services.access.people.rules.roles import Role


@dataclass(frozen=True, slots=True)
class Standing:
    """`school_roles` from relations with the school, `is_family` by a relation with any of its students."""

    is_session_live: bool
    school_roles: frozenset[int]
    is_family: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """What a call asks first: what the caller is in the school at its moment, and the school's zone, None of no school."""

    school_id: UUID
    standing: Standing
    now: datetime
    time_zone: str | None

    @property
    def zone(self) -> ZoneInfo:
        """The zone of a school that is there. Raises NotFound SCHOOL_NOT_FOUND."""
        if self.time_zone is None:
            raise NotFound("SCHOOL_NOT_FOUND", "no such school")
        return ZoneInfo(self.time_zone)

    @property
    def today(self) -> date:
        """The day that it is in the school. Raises NotFound SCHOOL_NOT_FOUND."""
        return self.now.astimezone(self.zone).date()


def require_session(standing: Standing) -> None:
    """Raises Unauthenticated SESSION_ENDED."""
    if not standing.is_session_live:
        raise Unauthenticated("SESSION_ENDED", "the session is over; sign in again")


def require_place(standing: Standing, roles: frozenset[Role], *, or_family: bool = False, or_person: bool = False) -> None:
    """Raises Unauthenticated SESSION_ENDED, or NotFound SCHOOL_NOT_FOUND alike for an absent school and another's."""
    require_session(standing)
    if not standing.school_roles & roles and not (or_family and standing.is_family) and not or_person:
        raise NotFound("SCHOOL_NOT_FOUND", "no such school with a place for the caller")
