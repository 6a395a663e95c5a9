"""Decisions and their papers between protobuf and dataclasses."""

from uuid import UUID

from diary.access.v1 import application_pb2, decision_pb2, decision_service_pb2, refusal_pb2
from diary.documents.v1 import document_pb2, events_pb2
from services.access.cases.rules.decisions import Decision, DecisionPaper, Receiver, Signing, SigningWay, write_position
from services.access.cases.rules.refusals import RefusalReason, write_refusal_number
from services.access.people.convert.names import person_name
from services.access.people.convert.schools import write_letterhead
from services.access.people.rules.guardianships import AuthorityEnd, write_authority_end
from services.access.people.rules.names import build_display_name, build_short_name
from services.access.people.rules.schools import DetailedSchool
from services.access.rights.rules.grants import write_application_number

_WAYS = {
    document_pb2.DOCUMENT_STATE_SIGNED_ON_PAPER: SigningWay.PAPER,
    document_pb2.DOCUMENT_STATE_SIGNED_ELECTRONICALLY: SigningWay.ELECTRONIC,
}


def decision(copy: Decision, school: DetailedSchool) -> decision_pb2.Decision:
    """What an applicant's copy says."""
    message = decision_pb2.Decision(
        application_id=str(copy.application_id),
        applicant_id=str(copy.applicant_id),
        account_id=str(copy.account_id or ""),
        class_id=str(copy.class_id or ""),
        number=write_refusal_number(copy.number, copy.year),
        time_zone=school.school.time_zone,
        letterhead=write_letterhead(school),
        applicant_name=build_display_name(copy.applicant_name),
        applicant_email=copy.applicant_email,
        application_number=write_application_number(copy.application_number, copy.application_year),
        kind=copy.kind.value,  # type: ignore[arg-type]
        regulation_title=copy.regulation.title,
        regulation_order_number=copy.regulation.order_number or "",
        regulation_order_date=copy.regulation.order_date.isoformat() if copy.regulation.order_date else "",
        ground=copy.ground.value,  # type: ignore[arg-type]
        reason=copy.reason.value,  # type: ignore[arg-type]
        student_name=build_display_name(copy.student_name) if copy.student_name else "",
        class_name=copy.class_name,
        left_order_number=copy.fact_order_number,
        paper_number=f"{copy.paper_number}-Р/{copy.paper_year}" if copy.paper_number else "",
        declines_printouts=copy.declines_printouts,
        keeps_student_access=copy.keeps_student_access,
        keeps_guardian_access=copy.keeps_guardian_access,
        is_own_statement_of_student=copy.is_own_statement_of_student,
        signer_name=build_display_name(copy.signer.name),
        signer_position=write_position(copy.signer, school.details.head_position),
        preparer_name=build_display_name(copy.preparer_name),
        applicant=person_name(copy.applicant_name),
        student=person_name(copy.student_name) if copy.student_name else None,
        signer=person_name(copy.signer.name),
        preparer=person_name(copy.preparer_name),
    )
    message.decide_time.FromDatetime(copy.decide_time)
    message.register_time.FromDatetime(copy.register_time)
    # The ground was proved again at the signature.
    message.check_time.FromDatetime(copy.decide_time)
    if copy.access_end_time is not None:
        message.access_end_time.FromDatetime(copy.access_end_time)
    if copy.authority_end is not None:
        _write_end(message, copy.authority_end)
    elif copy.fact_date is not None:
        date = copy.fact_date.isoformat()
        message.of_age_date, message.left_date = (date, "") if copy.reason is RefusalReason.STUDENT_OF_AGE else ("", date)
    return message


def _write_end(message: decision_pb2.Decision, end: AuthorityEnd) -> None:
    message.left_order_number = ""
    message.authority_ending = end.ending.value  # type: ignore[assignment]  # a number of the enum
    message.authority_end_date = end.last_date.isoformat()
    message.authority_act_number = end.act_number
    message.authority_act_date = end.act_date.isoformat() if end.act_date else ""
    message.authority_ending_words = write_authority_end(end)


def receiver(found: Receiver) -> decision_service_pb2.GetDecisionReceiverResponse:
    """Where a letter with the decision goes."""
    return decision_service_pb2.GetDecisionReceiverResponse(
        email=found.email,
        school_name=found.school_name,
        application_number=write_application_number(found.application_number, found.application_year),
        application_date=found.application_date.isoformat(),
        class_id=str(found.class_id or ""),
    )


def paper(row: DecisionPaper) -> refusal_pb2.DecisionPaper:
    """An applicant's copy as a case shows it."""
    message = refusal_pb2.DecisionPaper(
        document_id=str(row.document_id),
        signing_way=row.signing_way.value if row.signing_way else refusal_pb2.SIGNING_WAY_UNSPECIFIED,  # type: ignore[arg-type]
        channel=row.channel.value if row.channel else refusal_pb2.DECISION_CHANNEL_UNSPECIFIED,  # type: ignore[arg-type]
        delivered_by=build_short_name(row.delivered_by) if row.delivered_by else "",
    )
    message.issue_time.FromDatetime(row.issue_time)
    if row.sign_time is not None:
        message.sign_time.FromDatetime(row.sign_time)
    if row.deliver_time is not None:
        message.deliver_time.FromDatetime(row.deliver_time)
    return message


def show_papers(message: application_pb2.Application, papers: dict[UUID, DecisionPaper]) -> application_pb2.Application:
    """The case with its applicants' copies."""
    for applicant in message.applicants:
        if found := papers.get(UUID(applicant.applicant_id)):
            applicant.decision.CopyFrom(paper(found))
    return message


def signing(event: events_pb2.DocumentSigned) -> Signing:
    """How a paper was signed, and by whom it was brought and confirmed."""
    accounts = (event.uploader_account_id, event.confirmer_account_id)
    return Signing(_WAYS[event.state], *(UUID(account_id) if account_id else None for account_id in accounts))
