"""`python -m tests.mutations [--area A] [--only WORDS]`: breaks the code line by line and sees that the tests notice.

Works in a copy of the tree, with what is not committed yet; the tree itself is never touched. A row's tests are run once on the
unbroken copy, so that a test that fails anyway proves nothing. Exits with 1 when a break survives or a row proves nothing.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import cache_from_source
from pathlib import Path

from tests.mutations import ROOT, Break, count_finds, read_table

_SECONDS = 900
# pytest's exits: all passed, some failed.
_PASSED, _FAILED = 0, 1


def main() -> None:
    """Runs the chosen rows and prints what became of each."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--area", help="only the rows of tests/mutations/AREA.toml")
    parser.add_argument("--only", metavar="WORDS", help="only rows with these words in their name")
    arguments = parser.parse_args()
    rows = [
        row
        for row in read_table()
        if arguments.area in (None, row.area) and (arguments.only is None or arguments.only in row.name)
    ]
    if not rows:
        sys.exit("no row of that name")
    with tempfile.TemporaryDirectory(prefix="diary-mutations-") as folder:
        copy = Path(folder)
        _copy_tree(copy)
        failures = run_all(copy, rows)
    print(f"mutations: {len(rows) - len(failures)} of {len(rows)} killed")
    if failures:
        sys.exit("\n".join(failures))


def _copy_tree(copy: Path) -> None:
    """What git knows or would add, as it stands now; the environment and the tools are linked."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    (copy / ".diary").mkdir()
    if (ROOT / ".diary" / "tools").exists():
        (copy / ".diary" / "tools").symlink_to(ROOT / ".diary" / "tools")


def run_all(copy: Path, rows: Sequence[Break]) -> list[str]:
    """Makes each break in the copy; returns a line for each that was not killed."""
    failures = []
    sound: dict[tuple[str, ...], bool] = {}
    for number, row in enumerate(rows, 1):
        print(f"mutations: {number}/{len(rows)} {row.area}: {row.name} ... ", end="", flush=True)
        start = time.monotonic()
        if row.tests not in sound:
            sound[row.tests] = _run_tests(copy, row.tests) == _PASSED
        verdict = _try(copy, row) if sound[row.tests] else "PROVES NOTHING: its tests fail without the break"
        print(f"{verdict} ({time.monotonic() - start:.0f} s)", flush=True)
        if verdict != "killed":
            failures.append(f"{row.area}: {row.name}: {verdict}")
    return failures


def _try(copy: Path, row: Break) -> str:
    """Breaks, tests and mends."""
    if count_finds(row, copy) != 1:
        return f"PROVES NOTHING: what it breaks does not stand once in {row.file}"
    path = copy / row.file
    sound = path.read_text()
    _write(path, sound.replace(row.find, row.replace))
    try:
        outcome = _run_tests(copy, row.tests)
    finally:
        _write(path, sound)
    if outcome == _PASSED:
        return "SURVIVED"
    return "killed" if outcome == _FAILED else f"PROVES NOTHING: pytest ended with {outcome}"


def _write(path: Path, text: str) -> None:
    """Writes a file and forgets its bytecode, which Python would trust within the same second."""
    path.write_text(text)
    if path.suffix == ".py":
        Path(cache_from_source(str(path))).unlink(missing_ok=True)


def _run_tests(copy: Path, tests: Sequence[str]) -> int:
    """pytest's exit in the copy; tests that hang past their time have failed."""
    command = ["env", f"PYTHONPATH={copy}:{copy / 'gen'}", sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    process = subprocess.Popen([*command, *tests], cwd=copy, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        # As Ctrl-C: pytest ends its servers.
        process.send_signal(2)
        process.wait()
        return _FAILED


if __name__ == "__main__":
    main()
