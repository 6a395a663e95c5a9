"""The weekly sheet and the hand-over register (R7, sections 8 and 9 of the forms) as they are printed: printed words out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import quote

from services.documents.press.rules.letters import count_lines, measure
from services.documents.press.rules.text import print_class, print_number, print_text
from services.documents.print_runs.rules.class_week import ClassWeek, Correction, Mark, StudentWeek, SubjectWeek
from services.documents.print_runs.rules.runs import Channel, Sheet

_NBSP = "\N{NO-BREAK SPACE}"
_NOTHING = "—"
_LONGEST_TOPIC = 60
# With many marks their topics are told in fewer letters, so that the sheet stays readable.
_MANY_MARKS, _SHORT_TOPIC = 16, 30
# Room of the results and its use, in mm at full size: what surely fits is not measured, which takes as long as printing.
_ROOM, _LINE_HEIGHT, _ROW_GAP = 120, 3.8, 2.3
# Letters that surely stand in a line of the middle column, and of the first one.
_LINE, _SUBJECT_LINE = 40, 15
# Columns where what surely fits is set without measuring, in hundredths of 9 points: the subject's, three of the register.
_SUBJECT, _REGISTER_NAME, _REGISTER_RECIPIENT, _REGISTER_DECLARATION = 840, 1240, 1050, 530

# How a guardian asked to be given the sheet, in the register. What another way is, other families do not read.
_WANTED = {
    Channel.WITH_CHILD: "просит с\N{NO-BREAK SPACE}ребенком",
    Channel.IN_PERSON: "просит лично",
    Channel.OTHER: "просит иначе, см.\N{NO-BREAK SPACE}заявление",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table of marks; `subject_is_short` when the subject surely fits into one line."""

    subject: str
    subject_is_short: bool
    marks: Sequence[str]
    mean: str
    missed: str


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A line of «Что изучали»."""

    subject: str
    subject_is_short: bool
    topics: str
    missed: str


@dataclass(frozen=True, slots=True)
class SheetPage:
    """A sheet in printed words; what is empty is not printed. `code` is what one types, `link` what the
    QR code holds, both without names.
    """

    student: str
    headline: str
    rows: Sequence[Row]
    topics: Sequence[TopicRow]
    without_marks: str
    attendance: str
    corrections: Sequence[str]
    has_marks: bool
    number: str
    declaration: str
    recipient: str
    code: str
    link: str
    surely_fits: bool


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """A line of the register; it says nothing of marks or illness. `line_count`: lines that it surely takes, else 0."""

    student: str
    recipient: str
    declaration: str
    number: str
    line_count: int


@dataclass(frozen=True, slots=True)
class PaperCodes:
    """What the codes of a school's sheets begin with, and where anyone verifies them."""

    portal_url: str
    school_code: str


@dataclass(frozen=True, slots=True)
class RunPages:
    """A run in printed words: what all sheets share, the sheets, the register. `as_of`: of which day they speak, where the week
    was not over; else empty.
    """

    school: str
    class_name: str
    week_from: str
    week_to: str
    week_short: str
    as_of: str
    period: str
    mean_date: str
    mean_period: str
    class_teacher: str
    phone: str
    printed: str
    sheets: Sequence[SheetPage]
    register: Sequence[RegisterRow]


def build_run(
    week: ClassWeek, sheets: Sequence[Sheet], codes: PaperCodes, class_teacher: str, phone: str, printed: datetime
) -> RunPages:
    """Words a run. `printed`: now, by the school's clocks."""
    sunday = week.monday + timedelta(days=6)
    has_period = week.period_week_count > 0
    name = print_text(week.period_name)
    return RunPages(
        school=print_text(week.school_name),
        class_name=print_class(week.class_name),
        week_from=_day(week.monday),
        week_to=_day(sunday),
        week_short=f"{week.monday:%d.%m}–{sunday:%d.%m.%Y}",
        as_of=f"по состоянию на{_NBSP}{_day(printed.date())}" if printed.date() <= sunday else "",
        period=f"{name}, неделя{_NBSP}{week.period_week} из{_NBSP}{week.period_week_count}" if has_period else "",
        mean_date=_day(min(sunday, printed.date())),
        mean_period=name or "период",
        class_teacher=print_text(class_teacher),
        phone=print_text(phone),
        printed=f"{_day(printed.date())} в{_NBSP}{printed:%H:%M}",
        sheets=[_build_sheet(sheet, codes) for sheet in sheets],
        register=[_build_register_row(sheet) for sheet in sheets],
    )


def write_code(school_code: str, year: int, number: int) -> str:
    """The code of a sheet: the school's code and the sheet's number, such as bk3-2026-52."""
    return f"{school_code}-{year}-{number}"


def write_link(portal_url: str, code: str) -> str:
    """What the QR code of a sheet holds: where anyone sees that the school issued it."""
    return f"{portal_url.rstrip('/')}/verify?code={quote(code, safe='')}"


def _build_register_row(sheet: Sheet) -> RegisterRow:
    student, recipient = print_text(sheet.student.name), print_text(sheet.recipient_name)
    if sheet.wanted is not None:
        recipient = f"{recipient}, {_WANTED[sheet.wanted]}" if recipient else _WANTED[sheet.wanted]
    declaration = print_number(sheet.declaration_number)
    fits = measure(declaration) <= _REGISTER_DECLARATION
    lines = (count_lines(student, _REGISTER_NAME), count_lines(recipient, _REGISTER_RECIPIENT))
    return RegisterRow(student, recipient, declaration, str(sheet.number), max(lines) if fits and all(lines) else 0)


def _build_sheet(sheet: Sheet, codes: PaperCodes) -> SheetPage:
    student, code = sheet.student, write_code(codes.school_code, sheet.year, sheet.number)
    marked = [subject for subject in student.subjects if subject.is_marked]
    headline = _headline(student, marked)
    longest = _SHORT_TOPIC if sum(len(subject.marks) for subject in marked) > _MANY_MARKS else _LONGEST_TOPIC
    rows = [] if headline else [_build_row(subject, longest) for subject in marked if subject.marks or subject.missed_count]
    topics = [
        TopicRow(
            *_write_subject(subject),
            "; ".join(_shorten(topic, _LONGEST_TOPIC) for topic in subject.topics),
            _count(subject.missed_count),
        )
        for subject in student.subjects
        if subject.topics and student.missed_count < student.lesson_count
    ]
    without = [] if headline else [subject for subject in marked if subject.lesson_count and not subject.marks]
    without_marks = ", ".join(dict.fromkeys(print_text(subject.name) for subject in without))
    corrections = [line for subject in student.subjects for line in _corrections(subject)]
    return SheetPage(
        student=print_text(student.name),
        headline=headline,
        rows=rows,
        topics=topics,
        without_marks=without_marks,
        attendance=_attendance(student),
        corrections=corrections,
        has_marks=any(subject.mean is not None for subject in marked) and not headline,
        number=str(sheet.number),
        declaration=print_number(sheet.declaration_number),
        recipient=print_text(sheet.recipient_name),
        code=print_number(code),
        link=write_link(codes.portal_url, code),
        surely_fits=_estimate_height(rows, topics, [without_marks, *corrections]) <= _ROOM,
    )


def _headline(student: StudentWeek, marked: Sequence[SubjectWeek]) -> str:
    """The sentence that stands instead of the table of marks; empty where there are marks, or where none are given at all."""
    if not student.lesson_count:
        return "На этой неделе уроков не было."
    if student.missed_count == student.lesson_count:
        return "Уроки не посещал(а)." if not any(subject.marks for subject in marked) else ""
    if marked and not any(subject.marks for subject in marked):
        return "На этой неделе отметки не выставлялись."
    return ""


def _build_row(subject: SubjectWeek, longest_topic: int) -> Row:
    mean = _NOTHING if subject.mean is None else f"{subject.mean // 100},{subject.mean % 100:02}"
    marks = [_write_mark(mark, longest_topic) for mark in subject.marks] or [_NOTHING]
    return Row(*_write_subject(subject), marks, mean, _count(subject.missed_count))


def _write_subject(subject: SubjectWeek) -> tuple[str, bool]:
    name = print_text(subject.name)
    return name, measure(name) <= _SUBJECT


def _write_mark(mark: Mark, longest_topic: int) -> str:
    what = f"{print_text(mark.work_type)}, " if mark.work_type else ""
    topic = f": {_shorten(mark.topic, longest_topic)}" if mark.topic else ""
    return f"{mark.value}{_NBSP}— {what}{mark.day:%d.%m}{topic}"


def _corrections(subject: SubjectWeek) -> list[str]:
    return [f"{print_text(subject.name)}, {_write_correction(correction)}" for correction in subject.corrections]


def _write_correction(correction: Correction) -> str:
    old, new = (_NOTHING if value is None else str(value) for value in (correction.old, correction.new))
    return f"{correction.day:%d.%m}: {old}{_NBSP}→{_NBSP}{new}, {print_text(correction.reason)}"


def _attendance(student: StudentWeek) -> str:
    if not student.missed_count and not student.late_count:
        return "Пропусков и опозданий нет."
    return (
        f"пропущено уроков {student.missed_count}, из них по уважительной причине {student.excused_count}, "
        f"по болезни {student.ill_count}, без уважительной причины {student.unexcused_count}; "
        f"опозданий {student.late_count}."
    )


def _shorten(topic: str, longest: int) -> str:
    """A topic as one line of so many letters at most, cut between words."""
    line = print_text(topic)
    if len(line) <= longest:
        return line
    return line[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,.;:–—") + "…"


def _count(number: int) -> str:
    return str(number) if number else _NOTHING


def _estimate_height(rows: Sequence[Row], topics: Sequence[TopicRow], paragraphs: Sequence[str]) -> float:
    """Height of the results under the heading in mm, rather too much than too little."""
    marks = [max(sum(_lines(mark) for mark in row.marks), _lines(row.subject, _SUBJECT_LINE)) for row in rows]
    studied = [max(_lines(row.topics), _lines(row.subject, _SUBJECT_LINE)) for row in topics]
    words = [_lines(text, 2 * _LINE) for text in paragraphs if text]
    return (sum(marks) + sum(studied) + sum(words)) * _LINE_HEIGHT + (len(marks) + len(studied) + len(words)) * _ROW_GAP


def _lines(text: str, letters: int = _LINE) -> int:
    """Lines of a text at most; capitals are wider."""
    return (len(text) + sum(map(str.isupper, text)) // 2) // letters + 1


def _day(day: date) -> str:
    return f"{day:%d.%m.%Y}"
