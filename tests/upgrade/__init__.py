"""The release before and today's side by side, as they stand while an upgrade rolls: its code on today's schema, today's on its
data. `make upgrade-test` runs it in full, `make test` in a small form.
"""

import io
import re
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What its services do. Left out is what looks at the schema itself: plans of statements, and its own migrations run once more.
SERVICE_TESTS = (
    *(f"tests/service/{service}" for service in ("journal", "access", "notify", "documents")),
    "--ignore=tests/service/access/test_access_indexes.py",
    "--deselect=tests/service/access/test_access_relations.py::test_migrating_again_changes_nothing",
)
_PLUGIN = Path(__file__).parent / "todays_schema.py"


def read_release() -> str:
    """The commit that the Makefile names."""
    found = re.search(r"^RELEASE := ([0-9a-f]{40})$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found is not None
    return found.group(1)


def is_at_hand() -> bool:
    """Whether this clone has the commit; a shallow one has not."""
    asked = subprocess.run(
        ["git", "cat-file", "-e", f"{read_release()}^{{commit}}"], cwd=ROOT, capture_output=True, check=False
    )
    return asked.returncode == 0


def unpack(folder: Path) -> None:
    """The tree of the release before, and beside it the plugin that gives its tests today's schema."""
    packed = subprocess.run(["git", "archive", read_release()], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tree:
        tree.extractall(folder, filter="data")
    (folder / _PLUGIN.name).write_text(_PLUGIN.read_text())


def environment(folder: Path) -> dict[str, str]:
    """For Python that is to import the code of a folder; the environment's own packages come after."""
    return {"PYTHONPATH": f"{folder}:{folder / 'gen'}", "DIARY_TODAY": str(ROOT)}


def pytest_command(*arguments: str) -> list[str]:
    """Its tests with today's schema."""
    return [sys.executable, "-m", "pytest", "-p", _PLUGIN.stem, "-q", *arguments]
