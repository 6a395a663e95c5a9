"""The unprivileged account that PostgreSQL runs under when the launcher is root, since it refuses to run as root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict

from deploy.local.errors import LocalError

_NAME = "diary"
_FALLBACKS = ("nobody", "daemon")


class Identity(TypedDict, total=False):
    """The arguments of subprocess that start a child as somebody else."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A system account without rights."""

    name: str
    uid: int
    gid: int

    def identity(self) -> Identity:
        """For subprocess."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        """Whether the account may look up files in `folder` and run them: every folder above it counts."""
        test = subprocess.run(["/usr/bin/env", "test", "-x", str(folder)], check=False, cwd="/", **self.identity())
        return test.returncode == 0


@cache
def find_account() -> Account | None:
    """None for a plain user, who runs PostgreSQL as himself; for root the account `diary`, made when it is missing."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_NAME)
    except KeyError:
        _make()
    for name in (_NAME, *_FALLBACKS):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise LocalError(
        f"PostgreSQL does not run as root and no account to run it is here: make one with `useradd --system {_NAME}`, "
        "or name a server with DIARY_DATABASE_URL"
    )


def owner_of(path: Path) -> Account:
    """Who made the files: PostgreSQL runs as the owner of its data, also when root follows a plain user."""
    entry = path.stat()
    return Account(str(entry.st_uid), entry.st_uid, entry.st_gid)


def _make() -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _NAME]
    try:
        # A failure is no matter: another launcher may have been first, else one of the fallbacks serves.
        subprocess.run(command, check=False, capture_output=True)
    except FileNotFoundError:
        return
