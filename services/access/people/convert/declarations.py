"""Declarations for paper between protobuf and dataclasses."""

from datetime import date

from chassis.errors import FieldViolation, InvalidArgument
from diary.access.v1 import paper_service_pb2 as pb
from diary.access.v1 import roster_service_pb2
from services.access.cases.convert.applications import paper_declaration
from services.access.people.convert.names import person_name
from services.access.people.rules.declarations import ListedDeclaration, OwnDeclaration, write_paper_number
from services.access.people.rules.names import build_display_name


def read_declare_date(text: str, today: date) -> date:
    """The date of a declaration, today when empty. Raises InvalidArgument REQUEST_INVALID at no civil date."""
    try:
        return date.fromisoformat(text) if text else today
    except ValueError:
        violation = FieldViolation("declare_date", "must be a civil date")
        raise InvalidArgument("REQUEST_INVALID", violation.description, violations=(violation,)) from None


def listed(row: ListedDeclaration) -> pb.ListedPaperDeclaration:
    """A declaration with its guardian."""
    return pb.ListedPaperDeclaration(
        declaration=paper_declaration(row.declaration),
        guardian_person_id=str(row.declaration.guardian_person_id),
        guardian_name=build_display_name(row.guardian_name),
        guardian=person_name(row.guardian_name),
        form=row.form.value,  # type: ignore[arg-type]
    )


def own_declaration(row: OwnDeclaration) -> pb.OwnPaperDeclaration:
    """A declaration as its guardian is told of it."""
    return pb.OwnPaperDeclaration(
        declaration=paper_declaration(row.declaration),
        form=row.form.value,  # type: ignore[arg-type]
        student_id=str(row.declaration.student_id),
        student=person_name(row.student_name),
    )


def declaration_entry(listed: ListedDeclaration) -> roster_service_pb2.RosterEntry:
    """A declaration as documents keeps it, with the name to print; it changes once, when it is revoked."""
    row = listed.declaration
    message = roster_service_pb2.RosterPaperDeclaration(
        declaration_id=str(row.declaration_id),
        student_id=str(row.student_id),
        guardian_person_id=str(row.guardian_person_id),
        number=write_paper_number(row),
        declines_printouts=row.declines_printouts,
        version=1 if row.revoke_time is None else 2,
        guardian_name=build_display_name(listed.guardian_name),
        printout_way=row.way.value,  # type: ignore[arg-type]
        printout_way_note=row.way_note,
    )
    if row.revoke_time is not None:
        message.revoke_time.FromDatetime(row.revoke_time)
    return roster_service_pb2.RosterEntry(paper_declaration=message)
