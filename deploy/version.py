"""`python -m deploy.version` prints the version of what is built here: of images, charts and the guide's commands.

The number stands in pyproject.toml alone. A commit with the tag v<number> is that release; any other is told apart by its place
and its name, so that no two commits share a tag of images. VERSION in the environment says another. Standard library only.
"""

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Semantic Versioning without "+", which no tag of an image may hold; charts and labels take at most 63 characters.
_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]{1,40})?")


class VersionError(Exception):
    """What is built here cannot be named; the text says why."""


def main() -> None:
    """Exit 1 with one line where there is no version."""
    try:
        print(told_version())
    except VersionError as error:
        sys.exit(f"version: {error}")


def told_version() -> str:
    """The environment's, else of the tree."""
    told = os.environ.get("VERSION") or read_version(ROOT)
    if not _VERSION.fullmatch(told):
        raise VersionError(f"{told!r} is not a version such as 1.2.3 or 1.2.3-rc.1")
    return told


def read_version(root: Path) -> str:
    """Of the tree in `root`: 1.2.3 at its tag or without git, else 1.2.3-dev.40.g0123456789ab; .dirty and a digest of what is
    not committed behind it where there is any.
    """
    number: str = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    if not (root / ".git").exists():
        return number
    tags = _git(root, "tag", "--points-at", "HEAD", "v[0-9]*").split()
    if any(tag != f"v{number}" for tag in tags):
        raise VersionError(f"the tag {' '.join(tags)} is not the version of pyproject.toml, {number}")
    changes = _git(root, "diff", "HEAD", "--binary")
    name = f"{number}-dev.{_git(root, 'rev-list', '--count', 'HEAD').strip()}.g{_git(root, 'rev-parse', 'HEAD')[:12]}"
    if changes:
        return f"{name}.dirty{hashlib.sha256(changes.encode(errors='surrogateescape')).hexdigest()[:8]}"
    return number if tags else name


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True, errors="surrogateescape"
    )
    return done.stdout


if __name__ == "__main__":
    main()
