"""Marks that were given or changed (R4, R33): to families that may read them since before and want to hear.

One letter for each event, student and account; marks that are taken back are told by none, and the
same marks in the same revisions are one fact, whatever events tell it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from chassis.names import find_called_name
from diary.journal.v1 import diary_service_pb2, diary_week_pb2, events_pb2
from diary.notify.v1 import delivery_pb2
from services.notify.news.convert import Words, render
from services.notify.news.notice import Content, Notice, Sources, hears
from services.notify.news.rules import Fact, Taken, one_line, write_day


@dataclass(frozen=True, slots=True)
class TaughtMark:
    """A mark as a letter tells it; `previous_value` is 0 where it had none before it was changed."""

    lesson_day: date
    subject: str
    value: int
    work_type: str
    topic: str
    is_changed: bool
    previous_value: int = 0
    reason: str = ""


def _read_marks(marks: Iterable[events_pb2.RecordedMark]) -> Iterable[Fact]:
    """The marks that were given; those taken back have no value."""
    return [
        Fact(UUID(mark.mark_id), student_id=UUID(mark.student_id), revision=mark.revision)
        for mark in marks
        if mark.HasField("value")
    ]


def read_recorded(recorded: events_pb2.MarksRecorded) -> Iterable[Fact]:
    """The marks of a lesson."""
    return _read_marks(recorded.marks)


def read_class_recorded(recorded: events_pb2.ClassRecorded) -> Iterable[Fact]:
    """The marks of a lesson recorded in one piece; some have none."""
    return _read_marks(recorded.marks.marks)


def read_corrected(corrected: events_pb2.MarkCorrected) -> Iterable[Fact]:
    """A mark that was changed."""
    return _read_marks([corrected.mark])


async def fetch(taken: Taken, sources: Sources) -> Content | None:
    """The marks as they now stand."""
    assert taken.student_id is not None
    receiver = await sources.find_address(taken.account_id)
    if receiver is None:
        return None
    wanted = diary_service_pb2.BatchGetMarksRequest(school_id=str(taken.school_id), mark_ids=map(str, taken.object_ids))
    name, marks = _read(await sources.diary.BatchGetMarks(wanted), taken.student_id)
    if not marks:
        return None
    page = write_week_url(sources.portal_url, taken.school_id, taken.student_id, marks[0].lesson_day)
    return Content(receiver, write(name, marks, page))


def _read(answer: diary_service_pb2.BatchGetMarksResponse, student_id: UUID) -> tuple[str, list[TaughtMark]]:
    """By what the student is called, and the marks in order of day and subject."""
    of_student = [mark for mark in answer.marks if UUID(mark.student_id) == student_id]
    marks = [
        TaughtMark(
            date.fromisoformat(mark.lesson_date),
            one_line(mark.subject_name),
            mark.value,
            one_line(mark.work_type_name),
            one_line(mark.topic),
            mark.revision > 1,
            mark.previous_value,
            one_line(mark.reason),
        )
        for mark in of_student
    ]
    marks.sort(key=lambda mark: (mark.lesson_day, mark.subject))
    return (_read_called_name(of_student[0]) if of_student else ""), marks


def _read_called_name(mark: diary_week_pb2.MarkForLetter) -> str:
    """The whole name where the journal does not know its parts yet: it is never cut."""
    return one_line(find_called_name(mark.student) if mark.HasField("student") else mark.student_name)


def write(child_name: str, marks: Sequence[TaughtMark], page: str) -> Words:
    """Marks of the student who is called `child_name`; a single changed one is told as a correction. `page` is the student's
    week with their first day.
    """
    lines = [
        {
            "day": write_day(mark.lesson_day),
            "subject": mark.subject,
            "value": str(mark.value),
            "note": ", ".join(part for part in (mark.work_type, mark.topic, _tell_change(mark)) if part),
            "previous": str(mark.previous_value or ""),
            "reason": mark.reason.rstrip("."),
        }
        for mark in marks
    ]
    corrected = lines[0] if len(marks) == 1 and marks[0].is_changed else None
    values = {"child_first_name": one_line(child_name), "marks": lines, "corrected": corrected, "page": page}
    return render("marks", values)


def _tell_change(mark: TaughtMark) -> str:
    if not mark.is_changed:
        return ""
    return f"исправлена, было {mark.previous_value}" if mark.previous_value else "исправлена"


def write_week_url(portal_url: str, school_id: UUID, student_id: UUID, day: date) -> str:
    """A student's page of the portal on a day: ids only, since addresses are logged."""
    year, week, _ = day.isocalendar()
    return f"{portal_url}/schools/{school_id}/students/{student_id}/week?week={year}-W{week:02}#d{day}"


NOTICE = Notice(
    delivery_pb2.NOTICE_KIND_MARKS,
    "marks",
    [
        hears(events_pb2.MarksRecorded, read_recorded),
        hears(events_pb2.ClassRecorded, read_class_recorded),
        hears(events_pb2.MarkCorrected, read_corrected),
    ],
    fetch,
    is_for_families=True,
    needs_sight=True,
    may_be_off=True,
)
