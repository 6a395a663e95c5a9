from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.portal.teacher.views import class_form
from apps.portal.teacher.views.class_form import Outcome
from diary.journal.v1 import journal_service_pb2 as pb
from diary.journal.v1 import lesson_pb2, mark_pb2

LESSON, ANNA, BORIS = "lesson", "anna", "boris"


def new_ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"new{next(numbers)}"


def page(*marks: mark_pb2.JournalMark, absences: tuple[lesson_pb2.JournalAbsence, ...] = ()) -> pb.GetJournalPageResponse:
    students = [
        lesson_pb2.JournalStudent(student_id=ANNA, display_name="А"),
        lesson_pb2.JournalStudent(student_id=BORIS, display_name="Б"),
    ]
    return pb.GetJournalPageResponse(students=students, marks=marks, absences=absences)


def mark(mark_id: str, value: int, revision: int) -> mark_pb2.JournalMark:
    return mark_pb2.JournalMark(mark_id=mark_id, lesson_id=LESSON, student_id=ANNA, value=value, revision=revision)


def posted(lines: tuple[class_form.StudentLine, ...], **typed: str) -> dict[str, str]:
    """The form as a browser posts it; `typed` replaces the n-th field of all mark fields, m0, m1, …"""
    slots = [slot for line in lines for slot in line.slots]
    fields = {slot.name: typed.get(f"m{number}", slot.text) for number, slot in enumerate(slots)}
    return fields | {line.absence_name: str(line.absence) for line in lines}


@pytest.mark.parametrize(("text", "mark_min", "value"), [("", 2, None), ("2", 2, 2), ("5", 2, 5), ("1", 1, 1)])
def test_a_cell_is_a_digit_of_the_scale_or_empty(text: str, mark_min: int, value: int | None) -> None:
    assert class_form.parse_mark(text, mark_min) == value


@pytest.mark.parametrize("text", ["1", "6", "7", "0", "-2", "55", "н", "²", "٣", "5+"])
def test_anything_else_in_a_cell_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        class_form.parse_mark(text, 2)


def test_only_changed_cells_are_sent_with_the_revision_that_was_seen() -> None:
    lines = class_form.build_lines(page(mark("a", 4, 3)), LESSON, new_ids())
    form = class_form.read_class_form(posted(lines, m0="5", m2="3"))
    cells = class_form.plan_marks(form, 2, Outcome(), {})
    sent = [(cell.mark_id, cell.student_id, cell.value, cell.expected_revision) for cell in cells]
    assert sent == [("a", ANNA, 5, 3), ("new2", BORIS, 3, 0)]


def test_a_new_mark_beside_one_that_came_meanwhile_is_asked_about_and_then_sent() -> None:
    """A page that was opened before the first mark would give a second one for the same answer."""
    now = page(mark("a", 4, 1))
    stale = class_form.read_class_form(posted(class_form.build_lines(page(), LESSON, new_ids()), m0="5", m2="3"))
    outcome = Outcome()
    cells = class_form.plan_marks(stale, 2, outcome, class_form.find_unseen(stale, now, LESSON))
    assert [(cell.student_id, cell.value) for cell in cells] == [(BORIS, 3)]
    assert outcome.notes["new1"].text.startswith("здесь уже стоит 4")
    shown = class_form.build_lines(now, LESSON, new_ids(), stale, outcome)
    assert [slot.text for slot in shown[0].slots] == ["4", "5"]
    again = class_form.read_class_form(posted(shown))
    assert class_form.find_unseen(again, now, LESSON) == {}
    assert [cell.value for cell in class_form.plan_marks(again, 2, Outcome(), {})] == [5]


def test_a_form_that_is_sent_twice_asks_about_no_mark_of_its_own() -> None:
    form = class_form.read_class_form(posted(class_form.build_lines(page(), LESSON, new_ids()), m0="5"))
    assert class_form.find_unseen(form, page(mark("new1", 5, 1)), LESSON) == {}


def test_an_emptied_cell_takes_the_mark_back() -> None:
    lines = class_form.build_lines(page(mark("a", 4, 1)), LESSON, new_ids())
    [cell] = class_form.plan_marks(class_form.read_class_form(posted(lines, m0="")), 2, Outcome(), {})
    assert not cell.HasField("value")
    assert cell.expected_revision == 1


def test_a_third_mark_gets_a_field_of_its_own() -> None:
    marks = [mark("a", 2, 1), mark("b", 4, 1), mark("c", 5, 1)]
    assert len(class_form.build_lines(page(*marks), LESSON, new_ids())[0].slots) == 3


def test_a_mark_out_of_scale_is_noted_and_the_others_are_sent() -> None:
    lines = class_form.build_lines(page(), LESSON, new_ids())
    outcome = Outcome()
    cells = class_form.plan_marks(class_form.read_class_form(posted(lines, m0="7", m2="5")), 2, outcome, {})
    assert [cell.value for cell in cells] == [5]
    assert outcome.notes["new1"].text == "отметка — число от 2 до 5"


def test_a_conflict_shows_what_stands_and_keeps_what_was_typed() -> None:
    before = class_form.build_lines(page(mark("a", 3, 1)), LESSON, new_ids())
    typed = class_form.read_class_form(posted(before, m0="5"))
    outcome = Outcome()
    told = mark_pb2.MarkCellOutcome(mark_id="a", state=mark_pb2.CELL_STATE_CONFLICT, revision=2, value=4)
    class_form.note_marks(outcome, pb.RecordClassResponse(outcomes=[told]))
    slot = class_form.build_lines(page(mark("a", 4, 2)), LESSON, new_ids(), typed, outcome)[0].slots[0]
    assert (slot.text, slot.note, slot.tone) == ("5", "изменил другой сотрудник: 4", "conflict")
    assert slot.name == f"mark.{ANNA}.a.2.4"


def test_the_own_hand_in_another_tab_is_not_called_anothers() -> None:
    outcome = Outcome()
    told = mark_pb2.MarkCellOutcome(mark_id="a", state=mark_pb2.CELL_STATE_CONFLICT, revision=2, value=4, is_own=True)
    class_form.note_marks(outcome, pb.RecordClassResponse(outcomes=[told]))
    assert outcome.notes["a"].text == "изменили вы сами в другой вкладке или на другом устройстве: 4"


def test_a_mark_taken_back_by_another_keeps_its_id_and_its_new_revision() -> None:
    before = class_form.build_lines(page(mark("a", 3, 1)), LESSON, new_ids())
    typed = class_form.read_class_form(posted(before, m0="5"))
    outcome = Outcome()
    told = mark_pb2.MarkCellOutcome(mark_id="a", state=mark_pb2.CELL_STATE_CONFLICT, revision=2)
    class_form.note_marks(outcome, pb.RecordClassResponse(outcomes=[told]))
    slot = class_form.build_lines(page(), LESSON, new_ids(), typed, outcome)[0].slots[0]
    assert (slot.text, slot.note, slot.name) == ("5", "изменил другой сотрудник: отметка снята", f"mark.{ANNA}.a.2.")


def test_everyone_not_absent_is_left_out_of_what_is_sent() -> None:
    planned = class_form.plan_absences({ANNA: 1, BORIS: 0})
    assert planned == [lesson_pb2.AbsenceCell(student_id=ANNA, code=lesson_pb2.ABSENCE_CODE_ABSENT)]


CODES = st.integers(0, 4)


@given(typed=CODES, seen=CODES, stored=CODES)
def test_a_line_not_touched_here_takes_what_is_stored_and_only_both_changed_is_asked(
    typed: int, seen: int, stored: int
) -> None:
    form = class_form.read_class_form({f"absence.{ANNA}.{seen}": str(typed)})
    wanted, others = class_form.merge_absences(form, {ANNA: stored, BORIS: 3})
    assert wanted[BORIS] == 3
    if typed == seen:
        assert (wanted[ANNA], others) == (stored, {})
    elif stored == seen:
        assert (wanted[ANNA], others) == (typed, {})
    else:
        assert others == ({} if typed == stored else {ANNA: stored})
        assert wanted[ANNA] == stored


def test_attendance_changed_by_another_shows_the_other_code() -> None:
    typed = class_form.read_class_form({f"absence.{ANNA}.0": "4", f"absence.{BORIS}.0": "0"})
    changed = lesson_pb2.JournalAbsence(lesson_id=LESSON, student_id=ANNA, code=lesson_pb2.ABSENCE_CODE_ABSENT)
    outcome = Outcome(absences={ANNA: "изменил другой сотрудник: Н"})
    lines = class_form.build_lines(page(absences=(changed,)), LESSON, new_ids(), typed, outcome)
    assert [(line.absence, line.absence_stored, line.is_amiss) for line in lines] == [(4, 1, True), (0, 0, False)]


def test_a_field_name_that_was_tampered_with_is_refused() -> None:
    with pytest.raises(ValueError):
        class_form.read_class_form({"mark.anna.a": "5"})


def test_namesakes_of_a_class_are_told_apart_by_their_number_in_the_list() -> None:
    shown = page()
    for student in shown.students:
        student.display_name = "Аль Хасан Омар Рашидович"
    shown.students.append(lesson_pb2.JournalStudent(student_id="c", display_name="Яковлев Пётр Ильич"))
    names = [line.name for line in class_form.build_lines(shown, LESSON, new_ids())]
    assert names[:2] == ["Аль Хасан Омар Рашидович (№\u00a01 по списку)", "Аль Хасан Омар Рашидович (№\u00a02 по списку)"]
    assert names[-1] == "Яковлев Пётр Ильич"
