"""The images are made of what requirements.lock locks, by a Dockerfile without known faults."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from deploy.charts.tools import ROOT

IMAGES = ROOT / "deploy" / "images"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = sorted((IMAGES / "requirements").glob("*.lock"))


def locked(path: Path) -> dict[str, str]:
    """Each requirement with its version, marker and hashes, by name."""
    entries = re.split(r"^(?=[a-z0-9])", path.read_text(), flags=re.MULTILINE)[1:]
    return {re.split(r"[=\[; ]", entry, maxsplit=1)[0]: entry for entry in entries}


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_lock_of_an_image_is_a_part_of_the_lock(path: Path) -> None:
    whole, part = locked(ROOT / "requirements.lock"), locked(path)
    assert part
    for name, entry in part.items():
        assert _pin(entry) == _pin(whole[name]), "run `make lock`"


def _pin(entry: str) -> tuple[str, set[str]]:
    """The version and the hashes; extras may differ, since more may be asked of a package by the whole."""
    [version] = re.findall(r"==([^ ]+)", entry.splitlines()[0])
    return version, set(re.findall("sha256:[0-9a-f]{64}", entry))


@pytest.mark.parametrize("service", ["access", "journal", "notify", "documents", "portal"])
def test_image_has_what_its_groups_ask_for(service: str) -> None:
    wanted = [*PYPROJECT["project"]["dependencies"], *PYPROJECT["dependency-groups"][service]]
    names = {re.split(r"[\[<>=;]", name, maxsplit=1)[0] for name in wanted}
    assert names <= set(locked(IMAGES / "requirements" / f"{service}.lock"))


def test_each_image_has_a_lock() -> None:
    assert {path.stem for path in LOCKS} == {"access", "journal", "notify", "documents", "portal", "gateway", "local"}


def test_dockerfile_has_no_known_fault() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([str(hadolint), str(IMAGES / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
