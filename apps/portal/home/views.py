"""What is due, part by part, as the page where an account begins shows it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from apps.portal.class_teacher import views as printouts
from apps.portal.head.views import deadlines
from apps.portal.office.views import applications
from apps.portal.people import Link, applications_url, class_printouts_url, course_url, courses_url, deadlines_url, refusals_url
from apps.portal.teacher.views.journal import course_group
from apps.portal.teacher.views.lessons import list_waiting
from apps.portal.words import count, name_class
from diary.access.v1 import application_pb2, deadline_pb2
from diary.documents.v1 import print_run_pb2
from diary.journal.v1 import journal_service_pb2 as journal_pb

_DUE_SOON = frozenset({deadline_pb2.DEADLINE_STATE_WARNED, deadline_pb2.DEADLINE_STATE_OVERDUE})


@dataclass(frozen=True, slots=True)
class Line:
    """Something that waits: where it is done, what it is, until when."""

    url: str
    title: str
    note: str = ""
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of one kind; `empty` is said when there is none, `more` leads to the whole list."""

    title: str
    lines: tuple[Line, ...]
    empty: str
    more: Link | None
    note: str = ""


AWAY = Part("Сейчас не открывается", (), "Часть дневника не отвечает. Обычно это меньше минуты: обновите страницу.", None)


def build_lessons(school_id: str, pages: Iterable[journal_pb.GetJournalPageResponse], today: date) -> Part:
    """Today's lessons that nobody recorded, in the order of the day; of earlier ones their number."""
    waiting = [(page.course, lesson) for page in pages if not page.period.is_closed for lesson in list_waiting(page, today)]
    of_today = sorted(
        ((lesson.number, course, lesson) for course, lesson in waiting if lesson.is_today), key=lambda one: one[0]
    )
    earlier = sum(not lesson.is_today for _, lesson in waiting)
    return Part(
        title="Сегодня записать",
        lines=tuple(
            Line(
                f"{course_url(school_id, course.course_id)}/lessons/{lesson.lesson_id}?date={lesson.lesson_date}",
                f"{number}\u00a0урок: {course.subject_name}",
                course_group(course),
            )
            for number, course, lesson in of_today
        ),
        empty="По расписанию на сегодня записывать нечего.",
        more=Link("К журналам", courses_url(school_id), False),
        note=f"не заполнено раньше: {count(earlier, ('урок', 'урока', 'уроков'))}" if earlier else "",
    )


def build_applications(
    school_id: str, cases: Iterable[application_pb2.Application], zone: str, now: datetime, *, is_more: bool
) -> Part:
    """Applications to be decided, the earliest due first (Clause R15)."""
    rows = applications.build_rows(school_id, cases, zone, now)
    return Part(
        title="Заявления на рассмотрении",
        lines=tuple(
            Line(
                row.url,
                f"№\u00a0{row.number}, {row.student_name}",
                ", ".join(filter(None, (row.term.text, row.term.note))),
                row.term.is_late,
            )
            for row in rows
        ),
        empty="Заявлений на рассмотрении нет.",
        more=Link("К остальным делам" if is_more else "К делам", applications_url(school_id), False),
    )


def build_refusals(school_id: str, cases: Sequence[application_pb2.Application], *, is_more: bool) -> Part:
    """Refusals that wait for the head's signature (Clause R22)."""
    url = refusals_url(school_id)
    return Part(
        title="Отказы ждут вашего решения",
        lines=tuple(Line(url, f"№\u00a0{case.number}, {case.student_name}", case.class_name) for case in cases),
        empty="Отказов, которые ждут вашего решения, нет.",
        more=Link("К остальным" if is_more else "К подписи", url, False),
    )


def build_printouts(
    school_id: str,
    classes: Iterable[tuple[tuple[str, str], Sequence[print_run_pb2.PrintRun]]],
    week: str,
    zone: str,
    now: float,
) -> Part:
    """Sheets of a week that are not handed over, or that nobody has prepared (Clause R7)."""
    lines = []
    for (class_id, name), runs in classes:
        url = f"{class_printouts_url(school_id, class_id)}?week={week}"
        built = [printouts.build_run(run, zone, now) for run in runs]
        lines += [
            Line(url, f"{name_class(name)}: не выдано {run.missing}", run.term, run.is_late) for run in built if run.missing
        ]
        if not built:
            lines.append(
                Line(url, f"{name_class(name)}: листы ещё не готовили", "если есть семьи, которых информируют на бумаге")
            )
    return Part(
        title="Печать за прошлую неделю",
        lines=tuple(lines),
        empty="Подготовленные листы, которые должны получить семьи, выданы.",
        more=None,
    )


def build_deadlines(school_id: str, found: Iterable[deadline_pb2.Deadline], zone: str, most: int) -> Part:
    """Terms that are near or over, the earliest due first."""
    url = deadlines_url(school_id)
    near = sorted((one for one in found if one.state in _DUE_SOON), key=lambda one: one.due_time.ToNanoseconds())
    return Part(
        title="Сроки близко или истекли",
        lines=tuple(
            Line(row.link.url if row.link else url, row.title, f"{row.due}, {row.state}", row.is_late)
            for row in deadlines.build_rows(school_id, near[:most], zone)
        ),
        empty="Близких и пропущенных сроков нет.",
        more=Link("К срокам" if len(near) <= most else "К остальным срокам", url, False),
    )
