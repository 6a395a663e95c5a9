"""What a school's papers say of it."""

from dataclasses import dataclass

from chassis.errors import Aborted
from services.access.rules.roles import Role
from services.access.rules.roster import School

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
