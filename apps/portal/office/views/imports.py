"""How an import of a list stands, for its page."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.portal.words import count
from diary.access.v1 import roster_import_service_pb2 as pb

_TITLES = {
    pb.ROSTER_IMPORT_STATE_UPLOADED: "Файл читается",
    pb.ROSTER_IMPORT_STATE_READ: "Файл сравнивается с тем, что есть в дневнике",
    pb.ROSTER_IMPORT_STATE_PLANNED: "Проверьте изменения",
    pb.ROSTER_IMPORT_STATE_CONFIRMED: "Изменения вносятся",
    pb.ROSTER_IMPORT_STATE_DONE: "Изменения внесены",
    pb.ROSTER_IMPORT_STATE_REFUSED: "Ничего не изменено",
}
_LINES = ("строка", "строки", "строк")


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A line of the plan."""

    number: int
    what: str
    before: str
    after: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ProblemLine:
    """What stands in the way: where, what, and how to mend it."""

    place: str
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class ShownImport:
    """An import; `is_going_on` while the service works at it and the page asks again by itself."""

    file_name: str
    title: str
    is_going_on: bool
    is_planned: bool
    is_done: bool
    steps: str
    change_count: str
    changes: Sequence[ChangeLine]
    is_whole: bool
    next_page: str
    summary: Sequence[str]
    problems: Sequence[ProblemLine]


def build_import(kept: pb.RosterImport, listed: pb.ListRosterImportChangesResponse) -> ShownImport:
    """The page of an import. Lines can be chosen where all stand on it."""
    is_going_on = kept.state in (
        pb.ROSTER_IMPORT_STATE_UPLOADED,
        pb.ROSTER_IMPORT_STATE_READ,
        pb.ROSTER_IMPORT_STATE_CONFIRMED,
    )
    return ShownImport(
        file_name=kept.file_name,
        title=_TITLES[kept.state],
        is_going_on=is_going_on,
        is_planned=kept.state == pb.ROSTER_IMPORT_STATE_PLANNED,
        is_done=kept.state == pb.ROSTER_IMPORT_STATE_DONE,
        steps=f"шаг {kept.steps_done} из {kept.steps_total}" if is_going_on and kept.steps_total else "",
        change_count=count(kept.change_count, _LINES) if kept.change_count else "",
        changes=[ChangeLine(one.number, one.what, one.before, one.after, one.is_chosen) for one in listed.changes],
        is_whole=len(listed.changes) == kept.change_count,
        next_page=listed.next_page_token,
        summary=kept.summary,
        problems=[ProblemLine(_write_place(one), one.what, one.mend) for one in kept.problems],
    )


def _write_place(problem: pb.RosterImportProblem) -> str:
    places = [
        problem.file,
        f"лист «{problem.sheet}»" if problem.sheet else "",
        f"строка {problem.row}" if problem.row else "",
        f"столбец {problem.column}" if problem.column else "",
    ]
    return ", ".join(place for place in places if place)
