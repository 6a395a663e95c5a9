"""Weekly printouts of a class: the register as a form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from apps.portal import dates
from apps.portal.words import count
from diary.documents.v1 import print_run_pb2

WAYS = (
    (print_run_pb2.HAND_OVER_CHANNEL_WITH_CHILD, "с ребёнком"),
    (print_run_pb2.HAND_OVER_CHANNEL_IN_PERSON, "лично"),
    (print_run_pb2.HAND_OVER_CHANNEL_OTHER, "иное"),
    (print_run_pb2.HAND_OVER_CHANNEL_NOT_HANDED_OVER, "не выдан"),
)
# The button that marks every sheet without a record: as its guardian asked, with the child where nothing was said.
ALL_AS_WANTED = "all-as-wanted"
# Whose weeks are printed: those informed on paper, unless something else is chosen (Clause R7).
PAPER, ALL, CHOSEN = "paper", "all", "chosen"
AUDIENCES = (
    (PAPER, "семьям, которых информируют на бумаге"),
    (ALL, "всем ученикам класса"),
    (CHOSEN, "выбранным ученикам"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A sheet in the register; `way` 0 while nothing is recorded. `recorded`: on which day it was handed over.

    `key` names its fields. `recipient` is empty for a sheet that is addressed to nobody in particular, `wanted` where nobody
    said how it is to be given.
    """

    key: str
    name: str
    recipient: str
    wanted: str
    is_replaced: bool
    sheet: str
    way: int
    note: str
    is_receipted: bool
    recorded: str


@dataclass(frozen=True, slots=True)
class Run:
    """A print run as the page shows it. `term`: until when sheets of it are due, or that they were given; empty where none is
    owed. `missing`: how many owed ones are not given. `has_wanted`: somebody said how to be given theirs.
    """

    print_run_id: str
    printed: str
    sheets: str
    missing: str
    term: str
    is_met: bool
    is_late: bool
    has_wanted: bool
    lines: tuple[Line, ...]


def build_run(run: print_run_pb2.PrintRun, zone: str, now: float, typed: Mapping[str, str] | None = None) -> Run:
    """A run; `typed` are the fields of a form that was refused, shown again. `now` in seconds since 1970."""
    missing = sum(_is_missing(printout) for printout in run.printouts)
    is_due = run.HasField("due_time")
    is_met = is_due and not missing
    term = f"выдать {dates.until(run.due_time, zone)}" if is_due else ""
    return Run(
        print_run_id=run.print_run_id,
        printed=dates.moment(run.create_time, zone),
        sheets=count(len(run.printouts), ("лист", "листа", "листов")),
        missing=count(missing, ("лист", "листа", "листов")) if missing else "",
        term="все обязательные листы выданы" if is_met else term,
        is_met=is_met,
        is_late=is_due and not is_met and run.due_time.seconds < now,
        has_wanted=any(printout.wanted_channel for printout in run.printouts),
        lines=tuple(_build_line(printout, typed or {}) for printout in run.printouts),
    )


def read_hand_overs(run: print_run_pb2.PrintRun, form: Mapping[str, str]) -> list[print_run_pb2.PrintoutHandOver]:
    """What the form says anew; with «отметить всех» of whom nothing is recorded too. ValueError for a way that is none."""
    records = []
    for printout in run.printouts:
        key = _key(printout)
        way, note = int(form.get(f"way-{key}", "0")), form.get(f"note-{key}", "").strip()
        if not way and ALL_AS_WANTED in form:
            way = printout.wanted_channel or print_run_pb2.HAND_OVER_CHANNEL_WITH_CHILD
            note = note or printout.wanted_note
        if way not in {0, *(number for number, _ in WAYS)}:
            raise ValueError(f"{way} is no way of handing over")
        is_receipted = f"receipt-{key}" in form
        kept = printout.hand_over
        if way and (way, note, is_receipted) != (kept.channel, kept.note, kept.is_receipted):
            records.append(
                print_run_pb2.PrintoutHandOver(
                    student_id=printout.student_id,
                    guardian_person_id=printout.guardian_person_id,
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


def _build_line(printout: print_run_pb2.Printout, typed: Mapping[str, str]) -> Line:
    kept, key = printout.hand_over, _key(printout)
    return Line(
        key=key,
        name=printout.student_name,
        recipient=printout.recipient_name,
        wanted=_write_wanted(printout),
        is_replaced=printout.is_replaced and not _is_given(printout),
        sheet=str(printout.sheet_number),
        way=int(typed.get(f"way-{key}", _way(printout))),
        note=typed.get(f"note-{key}", kept.note),
        is_receipted=f"receipt-{key}" in typed if typed else kept.is_receipted,
        recorded=dates.day_month(date.fromisoformat(kept.handed_date)) if kept.handed_date else "",
    )


def _write_wanted(printout: print_run_pb2.Printout) -> str:
    """«с ребёнком», «иное: бабушке»."""
    word = dict(WAYS).get(printout.wanted_channel, "")
    return f"{word}: {printout.wanted_note}" if printout.wanted_note else word


def _way(printout: print_run_pb2.Printout) -> int:
    return printout.hand_over.channel


def _key(printout: print_run_pb2.Printout) -> str:
    """Names the fields of a sheet: within a run its number does."""
    return str(printout.sheet_number)


def _is_given(printout: print_run_pb2.Printout) -> bool:
    return _way(printout) not in (0, print_run_pb2.HAND_OVER_CHANNEL_NOT_HANDED_OVER)


def _is_missing(printout: print_run_pb2.Printout) -> bool:
    """Whether a family waits for this very sheet: it is owed, not given, and no other one stands for it (Clause R7)."""
    return printout.is_owed and not printout.is_replaced and not _is_given(printout)
