"""The terms of the regulation as a school's page shows them: what is overdue, what is near, what ends by itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from apps.portal import dates
from apps.portal.people import Link, applications_url, deadlines_url, printouts_url
from diary.access.v1 import deadline_pb2


class _Clause(NamedTuple):
    """What a term is about, and where it is kept; no page keeps an end of an access, which comes by itself."""

    title: str
    page: str = ""
    url_of: Callable[[str], str] | None = None


_CLAUSES = {
    "R7": _Clause("Печать за неделю: выдать распечатки", "Печать за неделю", printouts_url),
    "R15": _Clause("Доступ или отказ по заявлению: два рабочих дня", "Заявления", applications_url),
    "R6": _Clause("Доступ закончится сам: срок полномочий или совершеннолетие"),
    "R13": _Clause("Доступ закончится сам: конец обучения"),
}
_STATES = {
    deadline_pb2.DEADLINE_STATE_OPEN: "срок не истёк",
    deadline_pb2.DEADLINE_STATE_WARNED: "срок близко",
    deadline_pb2.DEADLINE_STATE_OVERDUE: "просрочено",
    deadline_pb2.DEADLINE_STATE_MET_IN_TIME: "исполнено в срок",
    deadline_pb2.DEADLINE_STATE_MET_LATE: "исполнено с опозданием",
}
_LATE = frozenset({deadline_pb2.DEADLINE_STATE_OVERDUE, deadline_pb2.DEADLINE_STATE_MET_LATE})
# An end that comes by itself is nobody's duty; the other terms are somebody's.
_ENDS = frozenset({"R6", "R13"})
OWED = tuple(clause for clause in _CLAUSES if clause not in _ENDS)


@dataclass(frozen=True, slots=True)
class DeadlineRow:
    """A term of the list; `link` leads to the page where it is kept, of an application's to its case."""

    title: str
    start: str
    due: str
    met: str
    state: str
    is_late: bool
    link: Link | None


def is_clause(chosen: str) -> bool:
    """Whether a filter's word is a clause with terms; empty is all of them."""
    return not chosen or chosen in _CLAUSES


def build_filters(school_id: str, chosen: str, *, shows_met: bool) -> tuple[Link, ...]:
    """The tabs above the list: open terms by clause, and all with those that are met."""
    url = deadlines_url(school_id)
    tabs = [Link("Неисполненные", url, not chosen and not shows_met)]
    tabs += [
        Link(clause.page or clause.title, f"{url}?clause={name}", name == chosen)
        for name, clause in _CLAUSES.items()
        if clause.page
    ]
    return (*tabs, Link("Все сроки", f"{url}?met=1", shows_met))


def build_rows(school_id: str, deadlines: Iterable[deadline_pb2.Deadline], zone: str) -> tuple[DeadlineRow, ...]:
    """The rows in the order they came: the earliest due first."""
    return tuple(_build_row(school_id, one, zone) for one in deadlines)


def _build_row(school_id: str, one: deadline_pb2.Deadline, zone: str) -> DeadlineRow:
    clause = _CLAUSES.get(one.clause, _Clause("Срок регламента"))
    return DeadlineRow(
        title=clause.title,
        start=dates.moment(one.start_time, zone),
        due=dates.until(one.due_time, zone),
        met=dates.moment(one.met_time, zone) if one.HasField("met_time") else "",
        # An end of an access is no duty that anybody is late with.
        state="" if one.clause in _ENDS else _STATES.get(one.state, ""),
        is_late=one.state in _LATE and one.clause not in _ENDS,
        link=_link(school_id, one, clause),
    )


def _link(school_id: str, one: deadline_pb2.Deadline, clause: _Clause) -> Link | None:
    if one.application_id:
        return Link("Дело по заявлению", f"{applications_url(school_id)}/{one.application_id}", False)
    return Link(clause.page, clause.url_of(school_id), False) if clause.url_of else None
