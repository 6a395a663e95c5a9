"""What the roles of a school's staff may call: read of the methods' own `requires`, said nowhere else in the portal."""

from functools import cache

from google.protobuf.descriptor import FileDescriptor

from diary.access.v1 import application_service_pb2, compliance_service_pb2, roster_import_service_pb2, school_service_pb2
from diary.access.v1.session_pb2 import CallerSchool
from diary.access.v1.session_service_pb2 import GetCallerResponse
from diary.documents.v1 import document_service_pb2
from diary.journal.v1 import journal_service_pb2
from diary.options.v1 import options_pb2

_FILES: tuple[FileDescriptor, ...] = (
    application_service_pb2.DESCRIPTOR,
    compliance_service_pb2.DESCRIPTOR,
    roster_import_service_pb2.DESCRIPTOR,
    school_service_pb2.DESCRIPTOR,
    document_service_pb2.DESCRIPTOR,
    journal_service_pb2.DESCRIPTOR,
)
# Families may call some of the methods too, about their own; a place of work is not theirs.
_OF_FAMILIES = frozenset({options_pb2.ROLE_STUDENT, options_pb2.ROLE_GUARDIAN})

LIST_JOURNALS = "JournalService.ListCourses"
RECORD = "JournalService.RecordLesson"
REGISTER = "ApplicationService.RegisterApplication"
GRANT = "ApplicationService.GrantApplication"
SIGN = "ApplicationService.SignRefusals"
BRING_PAPERS = "DocumentService.UploadScan"
PRINT = "DocumentService.PrepareWeeklyPrintouts"
LIST_DEADLINES = "ComplianceService.ListDeadlines"
IMPORT_LISTS = "RosterImportService.CreateRosterImport"
CHANGE_SCHOOL = "SchoolService.UpdateSchool"
# Own cases are anybody's; those of a school are read by who registers or signs.
CASE_WORK = (REGISTER, SIGN)


@cache
def roles_of(method: str) -> frozenset[int]:
    """The roles of staff that may call a method, such as ApplicationService.GrantApplication."""
    service, _, name = method.partition(".")
    [found] = [file.services_by_name[service] for file in _FILES if service in file.services_by_name]
    options = found.methods_by_name[name].GetOptions()
    return frozenset(options.Extensions[options_pb2.requires].roles) - _OF_FAMILIES


def may_at(school: CallerSchool, method: str) -> bool:
    """Whether the caller's roles in that school are among those that may call a method."""
    return not roles_of(method).isdisjoint(school.roles)


def may(caller: GetCallerResponse, school_id: str, method: str) -> bool:
    """The same of a school by its id; False for one where the caller has no place."""
    return any(may_at(school, method) for school in caller.schools if school.school_id == school_id)


def reads_cases(caller: GetCallerResponse, school_id: str) -> bool:
    """Whether the caller works with the cases of a school; a family has a page of its own ones."""
    return any(may(caller, school_id, method) for method in CASE_WORK)


def sees_whole_school(caller: GetCallerResponse, school_id: str) -> bool:
    """Whether the caller registers for every class; a class teacher does for the own one."""
    return any(is_of_whole_school(school) for school in caller.schools if school.school_id == school_id)


def is_of_whole_school(school: CallerSchool) -> bool:
    """The same of a school of the caller."""
    return not (roles_of(REGISTER) - {options_pb2.ROLE_CLASS_TEACHER}).isdisjoint(school.roles)
