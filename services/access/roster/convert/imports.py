"""Imports of lists between protobuf and dataclasses."""

from collections.abc import Sequence
from datetime import date

from chassis.errors import InvalidArgument
from chassis.imports import Change, Import, Problem
from diary.access.v1 import roster_import_service_pb2 as pb
from services.access.roster.rules.rosters import Order, Wish


def read_wish(request: pb.CreateRosterImportRequest, code: str) -> Wish:
    """What the office says beside the file. Raises InvalidArgument ENROLMENT_ORDER_INVALID (Clause R10)."""
    number = request.enrolment_order_number.strip()
    if bool(number) != bool(request.enrolment_order_date):
        raise InvalidArgument("ENROLMENT_ORDER_INVALID", "an order has a number and a date: name both or none")
    order_day, first_day = _read_day(request.enrolment_order_date), _read_day(request.enrolled_from_date)
    return Wish(code, order=Order(number, order_day) if order_day else None, enrolled_from=first_day)


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidArgument("ENROLMENT_ORDER_INVALID", "there is no such day") from error


def write_import(kept: Import, change_count: int, problems: Sequence[Problem]) -> pb.RosterImport:
    """An import; its states have the numbers of the enum."""
    return pb.RosterImport(
        import_id=str(kept.import_id),
        file_name=kept.file_name,
        state=pb.RosterImportState.Name(kept.state),  # type: ignore[arg-type]  # an int of the enum
        steps_done=kept.steps_done,
        steps_total=kept.steps_total,
        change_count=change_count,
        summary=kept.summary,
        problems=[
            pb.RosterImportProblem(
                file=problem.file,
                sheet=problem.sheet,
                row=problem.row,
                column=problem.column,
                what=problem.what,
                mend=problem.mend,
            )
            for problem in problems
        ],
    )


def write_change(number: int, is_chosen: bool, change: Change) -> pb.RosterImportChange:
    """A line of a plan."""
    return pb.RosterImportChange(number=number, what=change.what, before=change.before, after=change.after, is_chosen=is_chosen)
