"""What a school's papers say of it, between protobuf and dataclasses."""

from dataclasses import asdict, fields

from diary.access.v1 import decision_service_pb2
from diary.access.v1 import school_service_pb2 as pb
from services.access.convert import school
from services.access.rules.filing import one_line
from services.access.rules.schools import DetailedSchool, SchoolDetails


def read_details(message: pb.SchoolDetails) -> SchoolDetails:
    """The details in clean lines."""
    return SchoolDetails(**{field.name: one_line(getattr(message, field.name)) for field in fields(SchoolDetails)})


def write_school(found: DetailedSchool) -> pb.GetSchoolResponse:
    """The school with its details."""
    details = pb.SchoolDetails(**asdict(found.details))
    return pb.GetSchoolResponse(school=school(found.school), details=details, etag=str(found.version))


def write_updated(found: DetailedSchool) -> pb.UpdateSchoolResponse:
    """The school with its new details."""
    read = write_school(found)
    return pb.UpdateSchoolResponse(school=read.school, details=read.details, etag=read.etag)


def write_letterhead(found: DetailedSchool) -> decision_service_pb2.Letterhead:
    """Whom a paper names as its issuer."""
    said = found.details
    return decision_service_pb2.Letterhead(
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
