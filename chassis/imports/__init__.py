"""The one shape of every import: what a file would change is shown line by line, confirmed by people, and written whole.

A kind says how its file is read, which lines it may change and how it is written (`kinds.py`); all else is here (0159).
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from uuid import UUID

MOST_PROBLEMS = 50
# Who carries an import tells a step done within this time, or another takes it up.
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 3
# How long a plan waits for its word.
PLAN_TERM = timedelta(days=7)
# How long what became of an import can be looked up; its lines name people.
KEPT = timedelta(days=30)


class State(IntEnum):
    """Where an import is."""

    UPLOADED = 1
    READ = 2
    """Its file has been read, and is compared with what is kept."""
    PLANNED = 3
    """What it would change is there to be seen."""
    CONFIRMED = 4
    DONE = 5
    REFUSED = 6
    """Nothing of it was written."""


_NEXT = {
    State.UPLOADED: {State.READ, State.REFUSED},
    State.READ: {State.READ, State.PLANNED, State.REFUSED},
    State.PLANNED: {State.CONFIRMED, State.REFUSED},
    State.CONFIRMED: {State.DONE, State.REFUSED},
    State.DONE: set[State](),
    State.REFUSED: set[State](),
}


def may_become(state: State, after: State) -> bool:
    """Whether an import may go on from a state to another; one that was read is read again by who takes it up."""
    return after in _NEXT[state]


def is_over(state: State) -> bool:
    """Whether nothing more comes."""
    return not _NEXT[state]


@dataclass(frozen=True, slots=True)
class Problem:
    """What stands in the way, where, and how to mend it; `row` is 0, `column` and `sheet` empty where more is meant."""

    file: str
    row: int
    column: str
    what: str
    mend: str
    sheet: str = ""

    def __str__(self) -> str:
        places = [
            self.file,
            f", лист «{self.sheet}»" if self.sheet else "",
            f", строка {self.row}" if self.row else "",
            f", столбец {self.column}" if self.column else "",
        ]
        return f"{''.join(places)}: {self.what}; {self.mend}"


class ImportRefusedError(Exception):
    """The file cannot be imported; nothing of it was."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class LostError(Exception):
    """The import is not where it was thought to be: another carries it, it was confirmed, or it is over."""


@dataclass(frozen=True, slots=True)
class Line:
    """How something stands that an import may change. `subject` tells it by the words of the file, alike in every reading of
    it; `what` names it for people, and `value`, never empty, says how it is. Who is renamed is changed by the value of the
    own line alone.
    """

    subject: str
    what: str
    value: str


@dataclass(frozen=True, slots=True)
class Change:
    """A line that an import changes; `before` is empty of what is new, `after` of what goes."""

    subject: str
    what: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return f"{self.what}: новое, {self.after}"
        return f"{self.what}: {self.before} → {self.after or 'больше нет'}"


def compare(before: Mapping[Hashable, Line], after: Mapping[Hashable, Line]) -> list[Change]:
    """The lines whose values differ, in the order in which they came, those that are gone last."""
    changes = [
        Change(line.subject, line.what, before[key].value if key in before else "", line.value)
        for key, line in after.items()
        if key not in before or before[key].value != line.value
    ]
    return changes + [Change(line.subject, line.what, line.value, "") for key, line in before.items() if key not in after]


def demand_as_chosen(done: Sequence[Change], chosen: Sequence[Change], file: str, *, is_all: bool) -> None:
    """What is written is what was confirmed, to the line. Raises ImportRefusedError."""
    if _sorted(done) == _sorted(chosen):
        return
    if is_all:
        what = "с тех пор, как показаны изменения, сведения изменились"
    else:
        what = "выбранные строки нельзя внести без других, или сведения с тех пор изменились"
    raise ImportRefusedError([Problem(file, 0, "", what, "загрузите файл ещё раз и посмотрите изменения")])


def _sorted(changes: Sequence[Change]) -> list[tuple[str, str, str]]:
    # Not by what names them: who is renamed by a line that was left out keeps the old name in all others.
    return sorted((change.subject, change.before, change.after) for change in changes)


@dataclass(frozen=True, slots=True)
class Claim:
    """An import as one holds it: it is theirs while it is in this state at this attempt."""

    school_id: UUID
    import_id: UUID
    kind: str
    state: State
    attempt: int


@dataclass(frozen=True, slots=True)
class Import:
    """What is kept of an import but its body, lines and problems. `summary` says what it has done, a line a thing;
    `planned_time` is of its plan, None before.
    """

    school_id: UUID
    import_id: UUID
    kind: str
    file_name: str
    wish: str
    state: State
    attempt: int
    steps_done: int
    steps_total: int
    summary: Sequence[str]
    planned_time: datetime | None

    @property
    def claim(self) -> Claim:
        """The import as who has just made or confirmed it holds it."""
        return Claim(self.school_id, self.import_id, self.kind, self.state, self.attempt)
