"""What a school's papers say of it, and the regulation it has adopted."""

from dataclasses import dataclass, replace
from datetime import date

from chassis.errors import Aborted, FieldViolation, InvalidArgument
from services.access.cases.rules.applications import Regulation
from services.access.cases.rules.filing import is_address, one_line
from services.access.people.rules.roles import Role
from services.access.roster.rules.lists import School

EDITING = frozenset({Role.ADMIN, Role.HEAD})


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


def adopt(regulation: Regulation, today: date) -> Regulation:
    """A version as the school's order adopts it (Clause R1): no order of tomorrow, nothing in force before its order.

    Raises InvalidArgument REQUEST_INVALID.
    """
    clean = replace(regulation, title=one_line(regulation.title), order_number=one_line(regulation.order_number or ""))
    wrong = [(name, "is empty") for name in ("title", "order_number") if not getattr(clean, name)]
    if clean.order_date is None or clean.order_date > today:
        wrong.append(("order_date", "the order has not been given yet"))
    elif clean.valid_from < clean.order_date:
        wrong.append(("valid_from_date", "is before the order"))
    if wrong:
        violations = tuple(FieldViolation(field, description) for field, description in wrong)
        raise InvalidArgument("REQUEST_INVALID", violations[0].description, violations=violations)
    return clean
