"""The form of a class in one lesson: a mark field and attendance for each student, and what was typed into it.

A field's name carries what the teacher saw, so that the answer can be exact about conflicts:
`mark.<student>.<mark>.<revision seen>.<value seen>` and `absence.<student>.<code seen>`. Ids of new marks are made when the
form is rendered: a form sent twice changes nothing the second time. `both.<student>` says that a mark beside an absence
is meant.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from apps.portal.codes import ABSENCES, AWAY
from apps.portal.reasons import sentence
from apps.portal.teacher.views.merge import merge
from diary.journal.v1 import journal_service_pb2 as pb
from diary.journal.v1 import lesson_pb2, mark_pb2

MARK_MAX = 5
# A second mark in a lesson is common (2/4); a third field appears with the third mark.
_SLOTS = 2


@dataclass(frozen=True, slots=True)
class Slot:
    """A mark field. `stored` is what the journal has; `note` what became of what was typed; `tone` conflict or refused."""

    name: str
    text: str
    stored: str = ""
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class StudentLine:
    """A student's line of the form. `asks_both`: a mark and an absence stand side by side, and nobody said that it is meant."""

    student_id: str
    name: str
    slots: tuple[Slot, ...]
    absence_name: str
    absence: int
    absence_stored: int
    absence_note: str
    asks_both: bool = False

    @property
    def is_amiss(self) -> bool:
        """Whether something of the line was not saved."""
        return bool(self.absence_note or self.asks_both or any(slot.note for slot in self.slots))


@dataclass(frozen=True, slots=True)
class TypedMark:
    """A mark field as it came back."""

    mark_id: str
    student_id: str
    revision: int
    text: str


@dataclass(frozen=True, slots=True)
class ClassForm:
    """What was typed: changed marks, all attendance, and what the teacher had seen of it. `both`: see the module.

    `slots`: ids of all mark fields of the form, filled or not.
    """

    marks: tuple[TypedMark, ...]
    slots: frozenset[str]
    absences: Mapping[str, int]
    absences_seen: Mapping[str, int]
    both: frozenset[str]
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
    """What did not go through: of marks by mark id, of attendance by student; `both`: students whose line is asked about.

    `others`: fields of the record that another changed meanwhile. `existing`: the lesson already recorded at that place;
    `asks_extra`: the timetable has none there. `is_unsaved`: nothing of the class was written.
    """

    notes: dict[str, Note] = field(default_factory=dict)
    absences: dict[str, str] = field(default_factory=dict)
    both: set[str] = field(default_factory=set)
    others: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    existing: lesson_pb2.Lesson | None = None
    asks_extra: bool = False
    is_unsaved: bool = False

    @property
    def is_clean(self) -> bool:
        """Whether everything was saved."""
        is_said = self.problem or self.existing or self.asks_extra
        return not (self.notes or self.absences or self.both or self.others or is_said)


def read_class_form(form: Mapping[str, str]) -> ClassForm:
    """Reads the posted fields. ValueError when a name has been tampered with."""
    marks, slots, absences, seen, both = [], set(), {}, {}, set()
    for name, value in form.items():
        kind, *parts = name.split(".")
        if kind == "mark":
            student_id, mark_id, revision, value_seen = parts
            slots.add(mark_id)
            if value.strip() != value_seen:
                marks.append(TypedMark(mark_id, student_id, int(revision), value.strip()))
        elif kind == "absence":
            student_id, code_seen = parts
            absences[student_id], seen[student_id] = int(value), int(code_seen)
        elif kind == "both":
            both.update(parts)
    return ClassForm(tuple(marks), frozenset(slots), absences, seen, frozenset(both), form.get("reason", "").strip())


def parse_mark(text: str, mark_min: int) -> int | None:
    """The typed mark; None for an empty field, which takes a mark back. ValueError for anything else."""
    if not text:
        return None
    if len(text) != 1 or text not in "12345" or int(text) < mark_min:
        raise ValueError(f"a mark is a digit from {mark_min} to {MARK_MAX}")
    return int(text)


def stored_absences(page: pb.GetJournalPageResponse, lesson_id: str) -> dict[str, int]:
    """Codes of a lesson by student, as the journal now has them."""
    return {absence.student_id: int(absence.code) for absence in page.absences if absence.lesson_id == lesson_id}


def merge_absences(form: ClassForm, stored: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Codes to stand by student, and of those that another changed to something else meanwhile what now stands.

    A line that was not touched here takes what is stored, so that nobody's entry is erased by a page opened before it.
    """
    wanted, others = dict(stored), {}
    for student_id, typed in form.absences.items():
        code, is_disputed = merge(typed, form.absences_seen[student_id], stored.get(student_id, 0))
        wanted[student_id] = code
        if is_disputed:
            others[student_id] = code
    return wanted, others


def find_both(form: ClassForm, page: pb.GetJournalPageResponse, lesson_id: str, wanted: Mapping[str, int]) -> set[str]:
    """Students for whom this form puts a mark beside an absence from the lesson, without saying that it is meant."""
    stored = stored_absences(page, lesson_id)
    marks: dict[str, dict[str, str]] = {}
    for mark in page.marks:
        if mark.lesson_id == lesson_id:
            marks.setdefault(mark.student_id, {})[mark.mark_id] = str(mark.value)
    for typed in form.marks:
        marks.setdefault(typed.student_id, {})[typed.mark_id] = typed.text
    touched = {typed.student_id for typed in form.marks if typed.text}
    touched |= {student_id for student_id, code in wanted.items() if code != stored.get(student_id, 0)}
    return {
        student_id
        for student_id in touched - form.both
        if wanted.get(student_id, 0) in AWAY and any(marks.get(student_id, {}).values())
    }


def find_unseen(form: ClassForm, page: pb.GetJournalPageResponse, lesson_id: str) -> dict[str, list[str]]:
    """By student the marks of the lesson that stand now and that the form did not show."""
    unseen: dict[str, list[str]] = {}
    for mark in page.marks:
        if mark.lesson_id == lesson_id and mark.mark_id not in form.slots:
            unseen.setdefault(mark.student_id, []).append(str(mark.value))
    return unseen


def plan_marks(form: ClassForm, mark_min: int, outcome: Outcome, unseen: Mapping[str, Sequence[str]]) -> list[pb.ClassMarkCell]:
    """The cells to send; what cannot be a mark, or is asked about first, is noted in `outcome` instead.

    A new mark beside one that was put meanwhile would be a second one, which nobody may have meant: shown, it is sent again.
    """
    cells = []
    for typed in form.marks:
        if typed.text and not typed.revision and typed.student_id in unseen:
            stands = ", ".join(unseen[typed.student_id])
            note = f"здесь уже стоит {stands}; сохраните ещё раз, если нужна и эта отметка"
            outcome.notes[typed.mark_id] = Note(note, "conflict", 0)
            continue
        if typed.student_id in outcome.both:
            outcome.notes[typed.mark_id] = Note("ещё не сохранено", "refused", typed.revision)
            continue
        try:
            value = parse_mark(typed.text, mark_min)
        except ValueError:
            outcome.notes[typed.mark_id] = Note(f"отметка — число от {mark_min} до {MARK_MAX}", "refused", typed.revision)
            continue
        cells.append(
            pb.ClassMarkCell(
                mark_id=typed.mark_id,
                student_id=typed.student_id,
                value=value,
                expected_revision=typed.revision,
            )
        )
    return cells


def plan_absences(wanted: Mapping[str, int]) -> list[lesson_pb2.AbsenceCell]:
    """The absences to send: everyone not named is present."""
    return [
        lesson_pb2.AbsenceCell(student_id=student_id, code=lesson_pb2.AbsenceCode.ValueType(code))
        for student_id, code in wanted.items()
        if code in ABSENCES
    ]


def note_marks(outcome: Outcome, answer: pb.RecordClassResponse) -> None:
    """Adds the cells that were not saved to `outcome`."""
    for cell in answer.outcomes:
        if cell.state == mark_pb2.CELL_STATE_CONFLICT:
            current = str(cell.value) if cell.HasField("value") else "отметка снята"
            who = "изменили вы сами в другой вкладке или на другом устройстве" if cell.is_own else "изменил другой сотрудник"
            outcome.notes[cell.mark_id] = Note(f"{who}: {current}", "conflict", cell.revision)
        elif cell.state == mark_pb2.CELL_STATE_REFUSED:
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
    kept = {mark.mark_id: mark for mark in typed.marks if outcome.is_unsaved or mark.mark_id in outcome.notes} if typed else {}
    marks: dict[str, list[mark_pb2.JournalMark]] = {}
    for mark in page.marks:
        if mark.lesson_id == lesson_id:
            marks.setdefault(mark.student_id, []).append(mark)
    stored = stored_absences(page, lesson_id)
    wanted, others = merge_absences(typed, stored) if typed else (stored, {})
    names = Counter(student.display_name for student in page.students)
    return tuple(
        StudentLine(
            student_id=student.student_id,
            name=name_in_list(student.display_name, number, names),
            slots=_build_slots(student.student_id, marks.get(student.student_id, []), kept, outcome, new_id),
            absence_name=f"absence.{student.student_id}.{stored.get(student.student_id, 0)}",
            # In dispute what was typed is offered, beside what stands: the teacher decides.
            absence=typed.absences[student.student_id]
            if typed and student.student_id in others
            else wanted.get(student.student_id, 0),
            absence_stored=stored.get(student.student_id, 0),
            absence_note=outcome.absences.get(student.student_id, ""),
            asks_both=student.student_id in outcome.both,
        )
        for number, student in enumerate(page.students, start=1)
    )


def name_in_list(name: str, number: int, names: Counter[str]) -> str:
    """A student's name; of two of one name with the number in the list, in which alone they differ here (decision 0113)."""
    return f"{name} (№\u00a0{number} по списку)" if names[name] > 1 else name


def name_code(code: int) -> str:
    """Н, У, Б, О; in words for one who is there."""
    return ABSENCES[lesson_pb2.AbsenceCode.ValueType(code)].letter if code else "присутствует"


def _build_slots(
    student_id: str,
    marks: list[mark_pb2.JournalMark],
    unsaved: Mapping[str, TypedMark],
    outcome: Outcome,
    new_id: Callable[[], str],
) -> tuple[Slot, ...]:
    slots = []
    for mark in marks:
        text = unsaved[mark.mark_id].text if mark.mark_id in unsaved else str(mark.value)
        note = outcome.notes.get(mark.mark_id, _NO_NOTE)
        name = f"mark.{student_id}.{mark.mark_id}.{mark.revision}.{mark.value}"
        slots.append(Slot(name, text, str(mark.value), note.text, note.tone))
    standing = {mark.mark_id for mark in marks}
    for typed in unsaved.values():
        if typed.student_id == student_id and typed.mark_id not in standing:
            note = outcome.notes.get(typed.mark_id, Note("", "", typed.revision))
            name = f"mark.{student_id}.{typed.mark_id}.{note.revision}."
            slots.append(Slot(name, typed.text, "", note.text, note.tone))
    while len(slots) < _SLOTS:
        slots.append(Slot(f"mark.{student_id}.{new_id()}.0.", ""))
    return tuple(slots)
