"""What a kind of import is made of."""

from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from chassis.clock import Clock
from chassis.db import Connection
from chassis.imports import Line
from chassis.quarantine import Bounds

W = TypeVar("W")
P = TypeVar("P")
Progress = Callable[[int, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Work(Generic[W]):
    """What a kind works with, in a transaction: `wish` is what was said beside the file, `progress` tells steps done of all.
    `planned_time` is when the plan was made, also while it is written days later: what depends on the day is as it was shown.
    """

    connection: Connection
    clock: Clock
    school_id: UUID
    wish: W
    progress: Progress
    planned_time: datetime


@dataclass(frozen=True)
class Kind(Generic[W, P]):
    """A kind of import.

    `read`, a function of a module, takes a file's name and body, and the wish, in the quarantine of `bounds`. `list_lines` says
    how everything stands that the parsed file may change, by whatever tells entries apart. `write` writes what was parsed, but
    the lines of the subjects left out, and answers the summary. All raise ImportRefusedError.
    """

    name: str
    most_bytes: int
    bounds: Bounds
    parse_wish: Callable[[str], W]
    read: Callable[[str, bytes, W], P]
    list_lines: Callable[[Work[W], P], Awaitable[Mapping[Hashable, Line]]]
    write: Callable[[Work[W], P, Collection[str]], Awaitable[Sequence[str]]]
