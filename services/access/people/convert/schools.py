"""What a school's papers say of it, between protobuf and dataclasses."""

from dataclasses import asdict, fields

from diary.access.v1 import (
    decision_pb2,
    school_pb2,
)
from diary.access.v1 import school_service_pb2 as pb
from services.access.people.convert.dates import read_date
from services.access.people.rules.regulations import Regulation
from services.access.people.rules.schools import DetailedSchool, School, SchoolDetails
from services.access.people.rules.texts import one_line


def read_details(message: school_pb2.SchoolDetails) -> SchoolDetails:
    """The details in clean lines."""
    return SchoolDetails(**{field.name: one_line(getattr(message, field.name)) for field in fields(SchoolDetails)})


def write_school(found: DetailedSchool, adopted: Regulation | None = None) -> pb.GetSchoolResponse:
    """The school with its details, and the regulation it has adopted."""
    details = school_pb2.SchoolDetails(**asdict(found.details))
    message = pb.GetSchoolResponse(school=school(found.school), details=details, etag=str(found.version))
    if adopted is not None:
        message.regulation.CopyFrom(write_adopted(adopted))
    return message


def read_regulation(request: pb.AdoptRegulationRequest) -> Regulation:
    """A version as told. Raises InvalidArgument REQUEST_INVALID at no civil date."""
    dates = (read_date(name, getattr(request, name)) for name in ("order_date", "valid_from_date"))
    return Regulation(request.title, request.order_number, *dates)


def write_adopted(adopted: Regulation) -> school_pb2.Regulation:
    """A version that an order of the school adopts."""
    return school_pb2.Regulation(
        title=adopted.title,
        order_number=adopted.order_number or "",
        order_date=adopted.order_date.isoformat() if adopted.order_date else "",
        valid_from_date=adopted.valid_from.isoformat(),
    )


def write_updated(found: DetailedSchool) -> pb.UpdateSchoolResponse:
    """The school with its new details."""
    read = write_school(found)
    return pb.UpdateSchoolResponse(school=read.school, details=read.details, etag=read.etag)


def write_letterhead(found: DetailedSchool) -> decision_pb2.Letterhead:
    """Whom a paper names as its issuer."""
    said = found.details
    return decision_pb2.Letterhead(
        school_code=found.school.code,
        name=found.school.name,
        full_name=found.school.full_name,
        address=said.address,
        phone=said.phone,
        email=said.email,
        site=said.site,
        locality=said.locality,
        founder=said.founder,
        founder_contacts=said.founder_contacts,
    )


def school(row: School) -> school_pb2.School:
    """A school as anyone may see it."""
    return school_pb2.School(
        school_id=str(row.school_id), code=row.code, name=row.name, full_name=row.full_name, time_zone=row.time_zone
    )
