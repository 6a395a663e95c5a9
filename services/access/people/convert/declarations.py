"""Declarations for paper between protobuf and dataclasses."""

from datetime import date
from uuid import UUID

from chassis.errors import FieldViolation, InvalidArgument
from diary.access.v1 import (
    application_pb2,
    events_pb2,
    paper_declaration_pb2,
    roster_pb2,
)
from services.access.people.convert.names import person_name
from services.access.people.rules.declarations import (
    ListedDeclaration,
    OwnDeclaration,
    PaperDeclaration,
    write_paper_number,
)
from services.access.people.rules.names import build_display_name


def read_declare_date(text: str, today: date) -> date:
    """The date of a declaration, today when empty. Raises InvalidArgument REQUEST_INVALID at no civil date."""
    try:
        return date.fromisoformat(text) if text else today
    except ValueError:
        violation = FieldViolation("declare_date", "must be a civil date")
        raise InvalidArgument("REQUEST_INVALID", violation.description, violations=(violation,)) from None


def listed(row: ListedDeclaration) -> paper_declaration_pb2.ListedPaperDeclaration:
    """A declaration with its guardian."""
    return paper_declaration_pb2.ListedPaperDeclaration(
        declaration=paper_declaration(row.declaration),
        guardian_person_id=str(row.declaration.guardian_person_id),
        guardian_name=build_display_name(row.guardian_name),
        guardian=person_name(row.guardian_name),
        form=row.form.value,  # type: ignore[arg-type]
    )


def own_declaration(row: OwnDeclaration) -> paper_declaration_pb2.OwnPaperDeclaration:
    """A declaration as its guardian is told of it."""
    return paper_declaration_pb2.OwnPaperDeclaration(
        declaration=paper_declaration(row.declaration),
        form=row.form.value,  # type: ignore[arg-type]
        student_id=str(row.declaration.student_id),
        student=person_name(row.student_name),
    )


def declaration_entry(listed: ListedDeclaration) -> roster_pb2.RosterEntry:
    """A declaration as documents keeps it, with the name to print; it changes once, when it is revoked."""
    row = listed.declaration
    message = roster_pb2.RosterPaperDeclaration(
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
    return roster_pb2.RosterEntry(paper_declaration=message)


def paper_mode_changed(school_id: UUID, declaration: PaperDeclaration) -> events_pb2.PaperModeChanged:
    """The event of a guardian's paper mode that began or ended."""
    return events_pb2.PaperModeChanged(
        school_id=str(school_id),
        student_id=str(declaration.student_id),
        guardian_person_id=str(declaration.guardian_person_id),
        declaration_id=str(declaration.declaration_id),
        is_in_force=declaration.revoke_time is None,
        declines_printouts=declaration.declines_printouts,
    )


def paper_declaration(declaration: PaperDeclaration) -> application_pb2.PaperDeclaration:
    """A declaration by its number."""
    message = application_pb2.PaperDeclaration(
        declaration_id=str(declaration.declaration_id),
        number=write_paper_number(declaration),
        declare_date=declaration.declare_date.isoformat(),
        reason=declaration.reason.value,  # type: ignore[arg-type]
        declines_printouts=declaration.declines_printouts,
        printout_way=declaration.way.value,  # type: ignore[arg-type]
        printout_way_note=declaration.way_note,
    )
    if declaration.revoke_time is not None:
        message.revoke_time.FromDatetime(declaration.revoke_time)
    return message
