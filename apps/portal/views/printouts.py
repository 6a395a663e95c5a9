"""Weekly printouts of a class: the register as a form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from apps.portal.views import dates
from diary.documents.v1 import document_service_pb2 as pb

WAYS = (
    (pb.HAND_OVER_CHANNEL_WITH_CHILD, "с ребенком"),
    (pb.HAND_OVER_CHANNEL_IN_PERSON, "лично"),
    (pb.HAND_OVER_CHANNEL_OTHER, "иное"),
    (pb.HAND_OVER_CHANNEL_NOT_HANDED_OVER, "не выдан"),
)
# Whose weeks are printed: those informed on paper, unless something else is chosen (Clause R7).
PAPER, ALL, CHOSEN = "paper", "all", "chosen"
AUDIENCES = (
    (PAPER, "семьям, которых информируют на бумаге"),
    (ALL, "всем ученикам класса"),
    (CHOSEN, "выбранным ученикам"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A sheet in the register; `way` 0 while nothing is recorded. `recorded`: on which day it was handed over."""

    student_id: str
    name: str
    sheet: str
    way: int
    note: str
    is_receipted: bool
    recorded: str


@dataclass(frozen=True, slots=True)
class Run:
    """A print run as the page shows it. `term`: until when the sheets are due, or when they were all handed over."""

    print_run_id: str
    printed: str
    sheets: str
    missing: str
    term: str
    is_met: bool
    is_late: bool
    lines: tuple[Line, ...]


def build_run(run: pb.PrintRun, zone: str, now: float, typed: Mapping[str, str] | None = None) -> Run:
    """A run; `typed` are the fields of a form that was refused, shown again. `now` in seconds since 1970."""
    is_met = run.HasField("met_time")
    missing = sum(_way(printout) in (0, pb.HAND_OVER_CHANNEL_NOT_HANDED_OVER) for printout in run.printouts)
    return Run(
        print_run_id=run.print_run_id,
        printed=dates.moment(run.create_time, zone),
        sheets=dates.count(len(run.printouts), ("лист", "листа", "листов")),
        missing=dates.count(missing, ("лист", "листа", "листов")) if missing else "",
        term="все листы выданы" if is_met else f"выдать {dates.until(run.due_time, zone)}",
        is_met=is_met,
        is_late=not is_met and run.due_time.seconds < now,
        lines=tuple(_build_line(printout, typed or {}) for printout in run.printouts),
    )


def read_hand_overs(run: pb.PrintRun, form: Mapping[str, str]) -> list[pb.PrintoutHandOver]:
    """What the form says anew. ValueError for a way that is none."""
    records = []
    for printout in run.printouts:
        student_id = printout.student_id
        way = int(form.get(f"way-{student_id}", "0"))
        if way not in {0, *(number for number, _ in WAYS)}:
            raise ValueError(f"{way} is no way of handing over")
        note, is_receipted = form.get(f"note-{student_id}", "").strip(), f"receipt-{student_id}" in form
        kept = printout.hand_over
        if way and (way, note, is_receipted) != (kept.channel, kept.note, kept.is_receipted):
            records.append(
                pb.PrintoutHandOver(
                    student_id=student_id,
                    channel=way,  # type: ignore[arg-type]  # a number of the enum
                    handed_date=form.get("handed_date", ""),
                    note=note,
                    is_receipted=is_receipted,
                )
            )
    return records


def list_own_classes(students: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Names of the classes that (class_id, class_name) of a class teacher's students name, by id."""
    return {class_id: name for class_id, name in students if class_id}


def _build_line(printout: pb.Printout, typed: Mapping[str, str]) -> Line:
    kept, student_id = printout.hand_over, printout.student_id
    return Line(
        student_id=student_id,
        name=printout.student_name,
        sheet=str(printout.sheet_number),
        way=int(typed.get(f"way-{student_id}", _way(printout))),
        note=typed.get(f"note-{student_id}", kept.note),
        is_receipted=f"receipt-{student_id}" in typed if typed else kept.is_receipted,
        recorded=dates.day_month(date.fromisoformat(kept.handed_date)) if kept.handed_date else "",
    )


def _way(printout: pb.Printout) -> int:
    return printout.hand_over.channel
