"""Applications of a school as their list shows them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from apps.portal import dates
from apps.portal.office.words import APPENDICES, STATES, is_statement
from apps.portal.people import Link, applications_url
from diary.access.v1 import application_pb2

# What is to be decided comes first.
_FILTERS = {
    "": ("На рассмотрении", application_pb2.APPLICATION_STATE_REGISTERED),
    "waiting": ("Ожидают зачисления", application_pb2.APPLICATION_STATE_WAITS_FOR_ENROLMENT),
    "proposed": ("Отказ ждёт подписи", application_pb2.APPLICATION_STATE_REFUSAL_PROPOSED),
    "granted": ("Доступ предоставлен", application_pb2.APPLICATION_STATE_GRANTED),
    "refused": ("Отказано", application_pb2.APPLICATION_STATE_REFUSED),
    "all": ("Все", application_pb2.APPLICATION_STATE_UNSPECIFIED),
}


@dataclass(frozen=True, slots=True)
class TermView:
    """A term of two working days (Clause R15): until when, and what came of it. `is_late`: overdue or met too late."""

    text: str
    note: str
    is_late: bool


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """A case in the list; `appendix` is told of statements alone."""

    url: str
    number: str
    appendix: str
    student_name: str
    class_name: str
    received: str
    term: TermView
    state: str


_NO_TERM = TermView("", "", False)
_WITHDRAWN = application_pb2.APPLICATION_STATE_WITHDRAWN


def find_state(chosen: str) -> application_pb2.ApplicationState.ValueType | None:
    """The state of a filter's word; None when there is no such filter."""
    return _FILTERS[chosen][1] if chosen in _FILTERS else None


def build_filters(school_id: str, chosen: str) -> tuple[Link, ...]:
    """The tabs above the list."""
    url = applications_url(school_id)
    return tuple(Link(title, f"{url}?state={word}" if word else url, word == chosen) for word, (title, _) in _FILTERS.items())


def build_rows(
    school_id: str, cases: Iterable[application_pb2.Application], zone: str, now: datetime
) -> tuple[ApplicationRow, ...]:
    """The rows in the order they came: the earliest due first."""
    return tuple(
        ApplicationRow(
            url=f"{applications_url(school_id)}/{case.application_id}",
            number=case.number,
            appendix=APPENDICES[case.kind].replace(" № ", "\u00a0№\u00a0") if is_statement(case.kind) else "",
            student_name=case.student_name,
            class_name=case.class_name,
            received=dates.moment(case.receive_time, zone),
            # A statement has had its effect already; what was withdrawn waits for nothing.
            term=_NO_TERM if is_statement(case.kind) or case.state == _WITHDRAWN else build_term(case.applicants, zone, now),
            state=STATES.get(case.state, ""),
        )
        for case in cases
    )


def build_term(applicants: Iterable[application_pb2.Applicant], zone: str, now: datetime) -> TermView:
    """The term of applicants: of the earliest that is not met, else of the one met last."""
    with_term = [applicant for applicant in applicants if applicant.HasField("due_time")]
    if not with_term:
        return TermView("срок не начался", "", False)
    open_ones = [applicant for applicant in with_term if not applicant.HasField("met_time")]
    if open_ones:
        due = min(open_ones, key=lambda one: one.due_time.ToNanoseconds()).due_time
        is_late = dates.local(due, zone) <= now
        return TermView(dates.until(due, zone), "просрочено" if is_late else "", is_late)
    last = max(with_term, key=lambda one: one.met_time.ToNanoseconds())
    is_late = last.met_time.ToNanoseconds() > last.due_time.ToNanoseconds()
    note = f"исполнено {'с опозданием ' if is_late else ''}{dates.moment(last.met_time, zone)}"
    return TermView(dates.until(last.due_time, zone), note, is_late)
