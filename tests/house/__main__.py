"""Prints each service's wings, their rooms by lines, and the arrows between them; ends with 1 for a circle or a room past 400.

    python -m tests.house [--rooms]

An arrow counts the imports of one wing by another. Which way arrows may go say the contracts in pyproject.toml (lint-imports).
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

_ROOT = Path(__file__).parents[2]
_HOUSES = ("chassis", "services.access", "services.journal", "services.documents", "services.notify", "apps.portal")
_MOST_LINES = 400
# What every service has beside its wings.
_FRAME = ("__main__", "config", "commands", "migrations", "seed")


def main() -> int:
    """Prints the picture."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.house", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rooms", action="store_true", help="arrows between rooms too")
    is_by_room = parser.parse_args().rooms
    graph = grimp.build_graph("apps", "chassis", "services")
    lines = {module: _count_lines(module) for module in sorted(graph.modules)}
    faults: list[str] = []
    for house in _HOUSES:
        own = {
            module: count for module, count in lines.items() if module.startswith(f"{house}.") and ".migrations" not in module
        }
        print(f"\n{house}: {sum(own.values()):,} lines in {len(own)} modules")
        arrows = _count_arrows(graph, house, own, depth=2 if is_by_room else 1)
        for wing, rooms in sorted(_group(house, own).items()):
            told = ", ".join(f"{room} {count:,}" for room, count in sorted(rooms.items()) if room)
            print(f"  {wing:<16} {sum(rooms.values()):>6,}  {told}")
        for source in sorted({source for source, _ in arrows}):
            told = ", ".join(f"{target} {count}" for (start, target), count in sorted(arrows.items()) if start == source)
            print(f"    {source} -> {told}")
        faults += _find_circles(house, arrows)
        faults += [f"{module} has {count} lines" for module, count in own.items() if count > _MOST_LINES]
    print("\n" + ("\n".join(faults) if faults else f"no circle, no room past {_MOST_LINES} lines"))
    return 1 if faults else 0


def _count_lines(module: str) -> int:
    path = _ROOT / Path(*module.split("."))
    file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
    return len(file.read_text().splitlines()) if file.exists() else 0


def _group(house: str, own: Mapping[str, int]) -> dict[str, Counter[str]]:
    """Lines by wing and room; a wing without rooms is its own room."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for module, count in own.items():
        wing, _, rest = module.removeprefix(f"{house}.").partition(".")
        found[wing][rest.partition(".")[0]] += count
    return found


def _count_arrows(graph: grimp.ImportGraph, house: str, own: Mapping[str, int], depth: int) -> Counter[tuple[str, str]]:
    """Imports between the parts of a house, by the first names under it."""

    def part(module: str) -> str:
        return ".".join(module.removeprefix(f"{house}.").split(".")[:depth])

    found: Counter[tuple[str, str]] = Counter()
    for module in own:
        for imported in graph.find_modules_directly_imported_by(module):
            if imported in own and part(imported) != part(module):
                found[part(module), part(imported)] += 1
    return found


def _find_circles(house: str, arrows: Mapping[tuple[str, str], int]) -> Iterator[str]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for source, target in arrows:
        if source.split(".")[0] not in _FRAME:
            sorter.add(source, target)
    try:
        sorter.prepare()
    except CycleError as error:
        yield f"{house}: a circle {' -> '.join(error.args[1])}"


if __name__ == "__main__":
    sys.exit(main())
