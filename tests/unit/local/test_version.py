"""No two commits share a version, and it is told in one place."""

import re
import subprocess
from pathlib import Path

import pytest

from deploy.version import ROOT, VersionError, read_version, told_version


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false")
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "diary"\nversion = "1.4.0"\n')
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    return tmp_path


def test_two_commits_have_two_versions(tree: Path) -> None:
    first = read_version(tree)
    git(tree, "commit", "--quiet", "--allow-empty", "--message", "two")
    assert re.fullmatch(r"1\.4\.0-dev\.1\.g[0-9a-f]{12}", first)
    assert re.fullmatch(r"1\.4\.0-dev\.2\.g[0-9a-f]{12}", read_version(tree))


def test_what_is_not_committed_has_a_version_of_its_own(tree: Path) -> None:
    seen = {read_version(tree)}
    for text in ("# one\n", "# two\n"):
        with (tree / "pyproject.toml").open("a") as file:
            file.write(text)
        seen.add(read_version(tree))
    assert len(seen) == 3


def test_a_release_is_named_by_its_number(tree: Path) -> None:
    git(tree, "tag", "v1.4.0")
    assert read_version(tree) == "1.4.0"


def test_a_tag_that_says_another_number_is_refused(tree: Path) -> None:
    git(tree, "tag", "v1.5.0")
    with pytest.raises(VersionError, match=r"v1\.5\.0 is not the version of pyproject.toml, 1\.4\.0"):
        read_version(tree)


def test_the_environment_says_another_but_none_that_a_tag_cannot_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSION", "2.0.0-rc.1")
    assert told_version() == "2.0.0-rc.1"
    for wrong in ("2.0", "latest", "2.0.0+1"):
        monkeypatch.setenv("VERSION", wrong)
        with pytest.raises(VersionError, match="is not a version"):
            told_version()


def test_the_number_stands_in_pyproject_alone() -> None:
    number = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert number
    files = [
        ROOT / "Makefile",
        *(path for path in (ROOT / "deploy").rglob("*") if path.suffix in (".yaml", ".tpl", ".py", ".md")),
    ]
    files += [ROOT / "deploy" / "images" / "Dockerfile", *(ROOT / "docs" / "operations").glob("*.md")]
    assert not [path for path in files if number[1] in path.read_text()]
