"""Applications and their events between protobuf and dataclasses."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import FieldViolation, InvalidArgument
from diary.access.v1 import application_pb2, events_pb2, guardianship_pb2, refusal_pb2
from diary.access.v1 import application_service_pb2 as pb
from services.access.cases.rules.applications import Applicant, Case, ChecklistItem, LogEntry, State, Way
from services.access.cases.rules.filing import Filed
from services.access.cases.rules.refusals import Refusal, write_refusal_number
from services.access.cases.rules.statements import PaperWish
from services.access.people.convert.dates import read_optional_date
from services.access.people.convert.declarations import paper_declaration
from services.access.people.convert.guardianships import GUARDIAN_KIND_NUMBERS, GUARDIAN_KINDS
from services.access.people.convert.names import person_name
from services.access.people.rules.declarations import PaperDeclaration, PaperReason, PrintoutWay
from services.access.people.rules.guardianships import Authority, find_authority_end
from services.access.people.rules.names import PersonName, build_display_name, build_short_name
from services.access.people.rules.regulations import write_regulation
from services.access.rights.rules.grants import write_application_number

_DAY = timedelta(days=1)


def read_receive_time(request: pb.RegisterApplicationRequest, now: datetime) -> datetime:
    """When it was received; now when unset. Raises InvalidArgument REQUEST_INVALID at a time outside the years 1 to 9999."""
    if not request.HasField("receive_time"):
        return now
    try:
        return request.receive_time.ToDatetime(UTC)
    except (ValueError, OverflowError):
        violation = FieldViolation("receive_time", "must be a time of the years 1 to 9999")
        raise InvalidArgument("REQUEST_INVALID", violation.description, violations=(violation,)) from None


def filed_applicant(message: application_pb2.FiledApplicant) -> Filed:
    """An applicant as filed."""
    return Filed(
        person_id=UUID(message.person_id) if message.person_id else None,
        name=PersonName(message.family_name, message.given_name, message.patronymic),
        kind=GUARDIAN_KINDS.get(message.guardian_kind),
        authority=Authority(
            message.authority_document,
            read_optional_date("authority_date", message.authority_date),
            read_optional_date("authority_end_date", message.authority_end_date),
        ),
        email=message.email,
        way=Way(message.credentials_way),
        paper=PaperWish(
            reason=PaperReason(message.paper_reason or PaperReason.DOES_NOT_WANT),
            declines_printouts=message.declines_printouts,
            ends_mode=message.ends_paper_mode,
            way=PrintoutWay(message.printout_way),
            way_note=message.printout_way_note,
        ),
        is_another=message.is_another_person,
    )


def shown_authority(request: pb.ShowAuthorityRequest) -> Authority:
    """The document of a request."""
    return Authority(
        request.authority_document,
        read_optional_date("authority_date", request.authority_date),
        read_optional_date("authority_end_date", request.authority_end_date),
    )


def application(case: Case, now: datetime) -> application_pb2.Application:
    """A case as a list shows it."""
    message = application_pb2.Application(
        application_id=str(case.application_id),
        kind=case.kind.value,  # type: ignore[arg-type]
        number=write_application_number(case.number, case.year),
        channel=case.channel,  # type: ignore[arg-type]  # a number of the enum
        state=case.state.value,  # type: ignore[arg-type]
        regulation=write_regulation(case.regulation),
        student_id=str(case.student.student_id),
        student_name=build_display_name(case.student.name),
        student=person_name(case.student.name),
        class_name=case.student.class_name,
        applicants=[_applicant(applicant, case, now) for applicant in case.applicants],
        etag=str(case.version),
    )
    message.receive_time.FromDatetime(case.receive_time)
    message.register_time.FromDatetime(case.register_time)
    return message


def whole_application(
    case: Case,
    checklist: Iterable[ChecklistItem],
    log: Iterable[LogEntry],
    declarations: Iterable[PaperDeclaration],
    refusal: Refusal | None,
    now: datetime,
) -> application_pb2.Application:
    """A case with its checklist, its log, the declarations for paper that it made and its refusal."""
    message = refused_application(case, refusal, now)
    made = {str(declaration.guardian_person_id): declaration for declaration in declarations}
    for applicant in message.applicants:
        if applicant.person_id in made:
            applicant.paper_declaration.CopyFrom(paper_declaration(made[applicant.person_id]))
    message.checklist.extend(
        application_pb2.ChecklistItem(clause=item.clause, is_met=item.is_met, evidence=item.evidence) for item in checklist
    )
    message.log.extend(_log_entry(entry) for entry in log)
    return message


def refused_application(case: Case, refusal: Refusal | None, now: datetime) -> application_pb2.Application:
    """A case as a list shows it, with its refusal where there is one."""
    message = application(case, now)
    if refusal is not None:
        message.refusal.CopyFrom(_refusal(refusal))
    return message


def own_application(
    message: application_pb2.Application, person_id: UUID, *, is_child_told: bool
) -> application_pb2.Application:
    """A case as an applicant sees it: of other applicants the name alone, no words of the office, no refusal before the head
    has signed it; where the relation is not proved nothing of the child, nor whether it waits for an enrolment (Clause R19).
    """
    del message.checklist[:], message.log[:]
    if message.refusal.HasField("sign_time"):
        message.refusal.evidence = ""
    else:
        message.ClearField("refusal")
    for applicant in message.applicants:
        if applicant.person_id != str(person_id):
            applicant.CopyFrom(application_pb2.Applicant(display_name=applicant.display_name, name=applicant.name))
    if not is_child_told:
        message.student_id = message.student_name = message.class_name = ""
        message.ClearField("student")
        if message.state == application_pb2.APPLICATION_STATE_WAITS_FOR_ENROLMENT:
            message.state = application_pb2.APPLICATION_STATE_REGISTERED
        for applicant in message.applicants:
            applicant.ClearField("due_time")
    return message


def application_registered(school_id: UUID, application_id: UUID) -> events_pb2.ApplicationRegistered:
    """The event of a registered application."""
    return events_pb2.ApplicationRegistered(school_id=str(school_id), application_id=str(application_id))


def application_decided(school_id: UUID, application_id: UUID, state: State) -> events_pb2.ApplicationDecided:
    """The event of an application that was decided or withdrawn."""
    return events_pb2.ApplicationDecided(
        school_id=str(school_id),
        application_id=str(application_id),
        state=state.value,  # type: ignore[arg-type]
    )


def _refusal(refusal: Refusal) -> refusal_pb2.Refusal:
    message = refusal_pb2.Refusal(
        ground=refusal.ground.value,  # type: ignore[arg-type]
        reason=refusal.reason.value if refusal.reason else refusal_pb2.REFUSAL_REASON_UNSPECIFIED,  # type: ignore[arg-type]
        evidence=refusal.evidence,
        authority_ending=refusal.authority_ending or guardianship_pb2.AUTHORITY_ENDING_UNSPECIFIED,  # type: ignore[arg-type]
        number=write_refusal_number(refusal.number, refusal.year) if refusal.number and refusal.year else "",
        signer_name=build_short_name(refusal.signer) if refusal.signer else "",
        signer=person_name(refusal.signer) if refusal.signer else None,
    )
    message.propose_time.FromDatetime(refusal.propose_time)
    if refusal.sign_time is not None:
        message.sign_time.FromDatetime(refusal.sign_time)
    return message


def _applicant(row: Applicant, case: Case, now: datetime) -> application_pb2.Applicant:
    message = application_pb2.Applicant(
        applicant_id=str(row.applicant_id),
        person_id=str(row.person_id),
        display_name=build_display_name(row.name),
        name=person_name(row.name),
        guardian_kind=GUARDIAN_KIND_NUMBERS[row.kind] if row.kind else guardianship_pb2.GUARDIAN_KIND_UNSPECIFIED,
        credentials_way=row.way.value,  # type: ignore[arg-type]
        email=row.email,
        grant_id=str(row.grant_id) if row.grant_id else "",
        login=row.login if row.grant_id else "",
        is_activated=row.is_activated,
        has_access=row.has_access,
        authority_document=row.authority.document,
        authority_date=row.authority.issue_date.isoformat() if row.authority.issue_date else "",
    )
    if row.kind and (to_date := find_authority_end(row.kind, row.authority)):
        message.authority_end_date = (to_date - _DAY).isoformat()
    has_started = case.start_time is not None and case.start_time <= now
    _set_times(message, due_time=row.due_time if has_started else None, met_time=row.met_time)
    _set_times(message, hand_over_time=row.hand_over_time)
    return message


def _log_entry(entry: LogEntry) -> application_pb2.CaseLogEntry:
    message = application_pb2.CaseLogEntry(
        actor_name=build_short_name(entry.actor) if entry.actor else "",
        actor=person_name(entry.actor) if entry.actor else None,
        state=entry.state.value,  # type: ignore[arg-type]
        ground=entry.ground,
    )
    message.time.FromDatetime(entry.time)
    return message


def _set_times(message: application_pb2.Applicant, **times: datetime | None) -> None:
    for name, time in times.items():
        if time is not None:
            field: Timestamp = getattr(message, name)
            field.FromDatetime(time)
