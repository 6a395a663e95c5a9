"""Schools with their years, and what their papers say of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from chassis.errors import Aborted, FieldViolation, InvalidArgument
from services.access.people.rules.roles import Role
from services.access.people.rules.texts import is_address

EDITING = frozenset({Role.ADMIN, Role.HEAD})


@dataclass(frozen=True, slots=True)
class School:
    """A school as anyone may see it."""

    school_id: UUID
    code: str
    name: str
    full_name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class RosterSchool:
    """A school with its current year; `year_end_date` is its last day. Dates are None before the first year is set."""

    school: School
    version: int
    mark_min: int
    year_start_date: date | None
    year_end_date: date | None
    years: Sequence[tuple[date, date]]


@dataclass(frozen=True, slots=True)
class SchoolDetails:
    """Each may be empty and is then left out; `…_dative` are forms that a person confirmed."""

    address: str = ""
    phone: str = ""
    email: str = ""
    site: str = ""
    locality: str = ""
    head_position: str = ""
    head_position_dative: str = ""
    head_name_dative: str = ""
    founder: str = ""
    founder_contacts: str = ""


@dataclass(frozen=True, slots=True)
class DetailedSchool:
    """A school with what its papers say; `version` 0 while nobody has said anything."""

    school: School
    details: SchoolDetails
    version: int


def require_current(found: DetailedSchool, etag: str) -> DetailedSchool:
    """The school as the writer saw it. Raises Aborted ETAG_STALE."""
    if etag != str(found.version):
        raise Aborted("ETAG_STALE", "another has changed the school's details meanwhile: read them again")
    return found


def check_details(details: SchoolDetails) -> SchoolDetails:
    """Details as papers may print them: an e-mail to which a letter can go. Raises InvalidArgument REQUEST_INVALID."""
    if details.email and not is_address(details.email):
        violation = FieldViolation("details.email", "must be an e-mail address")
        raise InvalidArgument("REQUEST_INVALID", violation.description, violations=(violation,))
    return details
