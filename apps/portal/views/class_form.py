"""The form of a class in one lesson: a mark field and attendance for each student, and what was typed into it.

A field's name carries what the teacher saw, so that the answer can be exact about conflicts:
`mark.<student>.<mark>.<revision seen>.<value seen>` and `absence.<student>.<code seen>`. Ids of new marks and of both
requests are made when the form is rendered: a form sent twice changes nothing the second time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from apps.portal.reasons import sentence
from apps.portal.views.codes import ABSENCES
from diary.journal.v1 import journal_service_pb2 as pb

MARK_MAX = 5
# A second mark in a lesson is common (2/4); a third field appears with the third mark.
_SLOTS = 2


@dataclass(frozen=True, slots=True)
class Slot:
    """A mark field. `note` says what became of what was typed; `tone` is conflict or refused."""

    name: str
    text: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class StudentLine:
    """A student's line of the form."""

    student_id: str
    name: str
    slots: tuple[Slot, ...]
    absence_name: str
    absence: int
    absence_note: str


@dataclass(frozen=True, slots=True)
class TypedMark:
    """A mark field as it came back."""

    mark_id: str
    student_id: str
    revision: int
    text: str


@dataclass(frozen=True, slots=True)
class ClassForm:
    """What was typed: changed marks, all attendance, and what the teacher had seen of it."""

    marks: tuple[TypedMark, ...]
    absences: Mapping[str, int]
    absences_seen: Mapping[str, int]
    attendance_etag: str
    marks_request_id: str
    attendance_request_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """Why a mark was not saved; `tone` is conflict or refused. `revision` is the one that stands."""

    text: str
    tone: str
    revision: int


_NO_NOTE = Note("", "", 0)


@dataclass
class Outcome:
    """What did not go through, by mark id; `attendance` is a sentence when it was refused as a whole."""

    notes: dict[str, Note] = field(default_factory=dict)
    attendance: str = ""
    problem: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether everything was saved."""
        return not (self.notes or self.attendance or self.problem)


def read_class_form(form: Mapping[str, str]) -> ClassForm:
    """Reads the posted fields. ValueError when a name has been tampered with."""
    marks, absences, seen = [], {}, {}
    for name, value in form.items():
        kind, *parts = name.split(".")
        if kind == "mark":
            student_id, mark_id, revision, value_seen = parts
            if value.strip() != value_seen:
                marks.append(TypedMark(mark_id, student_id, int(revision), value.strip()))
        elif kind == "absence":
            student_id, code_seen = parts
            absences[student_id], seen[student_id] = int(value), int(code_seen)
    return ClassForm(
        marks=tuple(marks),
        absences=absences,
        absences_seen=seen,
        attendance_etag=form.get("attendance_etag", ""),
        marks_request_id=form.get("marks_request_id", ""),
        attendance_request_id=form.get("attendance_request_id", ""),
        reason=form.get("reason", "").strip(),
    )


def parse_mark(text: str, mark_min: int) -> int | None:
    """The typed mark; None for an empty field, which takes a mark back. ValueError for anything else."""
    if not text:
        return None
    if len(text) != 1 or text not in "12345" or int(text) < mark_min:
        raise ValueError(f"a mark is a digit from {mark_min} to {MARK_MAX}")
    return int(text)


def plan_marks(form: ClassForm, lesson_id: str, mark_min: int, outcome: Outcome) -> list[pb.MarkCell]:
    """The cells to send; what cannot be a mark is noted in `outcome` instead."""
    cells = []
    for typed in form.marks:
        try:
            value = parse_mark(typed.text, mark_min)
        except ValueError:
            outcome.notes[typed.mark_id] = Note(f"отметка — число от {mark_min} до {MARK_MAX}", "refused", typed.revision)
            continue
        cells.append(
            pb.MarkCell(
                mark_id=typed.mark_id,
                lesson_id=lesson_id,
                student_id=typed.student_id,
                value=value,
                expected_revision=typed.revision,
            )
        )
    return cells


def plan_absences(form: ClassForm) -> list[pb.AbsenceCell] | None:
    """The absences to send; None when attendance is recorded and was not touched."""
    if form.attendance_etag and form.absences == form.absences_seen:
        return None
    return [
        pb.AbsenceCell(student_id=student_id, code=pb.AbsenceCode.ValueType(code))
        for student_id, code in form.absences.items()
        if code in ABSENCES
    ]


def note_marks(outcome: Outcome, answer: pb.RecordMarksResponse) -> None:
    """Adds the cells that were not saved to `outcome`."""
    for cell in answer.outcomes:
        if cell.state == pb.CELL_STATE_CONFLICT:
            current = str(cell.value) if cell.HasField("value") else "отметка снята"
            outcome.notes[cell.mark_id] = Note(f"изменено другим: {current}", "conflict", cell.revision)
        elif cell.state == pb.CELL_STATE_REFUSED:
            outcome.notes[cell.mark_id] = Note(sentence(cell.reason), "refused", cell.revision)


def build_lines(
    page: pb.GetJournalPageResponse,
    lesson_id: str,
    new_id: Callable[[], str],
    typed: ClassForm | None = None,
    outcome: Outcome | None = None,
) -> tuple[StudentLine, ...]:
    """The form's lines as the journal now stands; after a refusal with what was typed and a note beside each such cell."""
    outcome = outcome or Outcome()
    unsaved = {mark.mark_id: mark for mark in typed.marks if mark.mark_id in outcome.notes} if typed else {}
    marks: dict[str, list[pb.JournalMark]] = {}
    for mark in page.marks:
        if mark.lesson_id == lesson_id:
            marks.setdefault(mark.student_id, []).append(mark)
    absences = {absence.student_id: int(absence.code) for absence in page.absences if absence.lesson_id == lesson_id}
    return tuple(
        _build_line(
            student,
            _build_slots(student.student_id, marks.get(student.student_id, []), unsaved, outcome, new_id),
            absences.get(student.student_id, 0),
            typed if outcome.attendance else None,
        )
        for student in page.students
    )


def _build_slots(
    student_id: str,
    marks: list[pb.JournalMark],
    unsaved: Mapping[str, TypedMark],
    outcome: Outcome,
    new_id: Callable[[], str],
) -> tuple[Slot, ...]:
    slots = []
    for mark in marks:
        text = unsaved[mark.mark_id].text if mark.mark_id in unsaved else str(mark.value)
        note = outcome.notes.get(mark.mark_id, _NO_NOTE)
        slots.append(Slot(f"mark.{student_id}.{mark.mark_id}.{mark.revision}.{mark.value}", text, note.text, note.tone))
    standing = {mark.mark_id for mark in marks}
    for typed in unsaved.values():
        if typed.student_id == student_id and typed.mark_id not in standing:
            note = outcome.notes[typed.mark_id]
            name = f"mark.{student_id}.{typed.mark_id}.{note.revision}."
            slots.append(Slot(name, typed.text, note.text, note.tone))
    while len(slots) < _SLOTS:
        slots.append(Slot(f"mark.{student_id}.{new_id()}.0.", ""))
    return tuple(slots)


def _build_line(student: pb.JournalStudent, slots: tuple[Slot, ...], current: int, typed: ClassForm | None) -> StudentLine:
    absence, note = current, ""
    if typed:
        absence = typed.absences.get(student.student_id, current)
        if current != typed.absences_seen.get(student.student_id, 0):
            letter = ABSENCES[pb.AbsenceCode.ValueType(current)].letter if current else "присутствует"
            note = f"изменено другим: {letter}"
    return StudentLine(
        student_id=student.student_id,
        name=student.display_name,
        slots=slots,
        absence_name=f"absence.{student.student_id}.{current}",
        absence=absence,
        absence_note=note,
    )
