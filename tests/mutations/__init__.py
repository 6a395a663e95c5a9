"""The mutation table: what is claimed, the one line that would break it, and the tests that must then fail.

A row of `<area>.toml` names a break; `python -m tests.mutations` makes each in a copy of the tree and runs its tests there.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Break:
    """`find` in `file` becomes `replace`; at least one of `tests` (pytest's arguments) must fail then."""

    area: str
    name: str
    file: str
    find: str
    replace: str
    tests: tuple[str, ...]


def read_table() -> list[Break]:
    """All rows, in the order of their files."""
    return [
        Break(path.stem, **{**row, "tests": tuple(row["tests"])})
        for path in sorted(Path(__file__).parent.glob("*.toml"))
        for row in tomllib.loads(path.read_text())["break"]
    ]


def count_finds(row: Break, root: Path = ROOT) -> int:
    """How often the text to be broken stands in its file: once, or the row has rotted."""
    path = root / row.file
    return path.read_text().count(row.find) if path.is_file() else 0
