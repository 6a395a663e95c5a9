"""What stands in the way of a list, told to the school that made it."""

from dataclasses import dataclass

MOST_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """What stands in the way; `row` is 0 and `column` empty where the whole file is meant."""

    file: str
    row: int
    column: str
    what: str
    mend: str

    def __str__(self) -> str:
        place = "".join(
            [self.file, f", строка {self.row}" if self.row else "", f", столбец {self.column}" if self.column else ""]
        )
        return f"{place}: {self.what}; {self.mend}"


class RosterRefusedError(Exception):
    """The bundle cannot be imported; nothing of it was."""

    def __init__(self, problems: "list[Problem]") -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
