"""Passwords by argon2id, in threads: a check takes 64 MiB and tens of milliseconds, so only few run at once.

Who waits stands in the lane of its work, so that strangers at one door keep nobody from another; a lane lets so many wait, for
so long, and who hangs up leaves it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chassis.errors import ResourceExhausted
from services.access.rights.rules.sign_in import spell_password

_AT_ONCE = 2
# Clients give up after five seconds, and the work itself takes a part of one.
_WAIT_SECONDS = 4.0
_COMMON = Path(__file__).with_name("common_passwords.txt")
# Costs of RFC 9106's second recommendation (64 MiB, 3 passes, 4 lanes).
_hasher = PasswordHasher()
Result = TypeVar("Result")


class Lane(Enum):
    """A door that asks for this work."""

    SIGN_IN = "sign-in"
    FIRST_SIGN_IN = "first sign-in"
    OFFICE = "office"


# How many of a lane run at once, and how many more may wait.
_RUNNING = {Lane.SIGN_IN: 2, Lane.FIRST_SIGN_IN: 1, Lane.OFFICE: 2}
_WAITING = {Lane.SIGN_IN: 60, Lane.FIRST_SIGN_IN: 30, Lane.OFFICE: 30}


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether a password fits, and what is to be kept of it from now on, None where it is kept well."""

    is_right: bool
    better_hash: str | None = None


def hash_password(password: str) -> str:
    """The hash to keep; takes tens of milliseconds."""
    return _hasher.hash(spell_password(password))


class Passwords:
    """Checks and hashes passwords off the event loop.

    Raises ResourceExhausted SIGN_IN_BUSY when too many wait, or wait too long.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="argon2")
        self._nobodys_hash = _hasher.hash("the password of nobody")
        self._places = {lane: asyncio.Semaphore(_RUNNING[lane]) for lane in Lane}
        self._waiting = dict.fromkeys(Lane, 0)

    async def check(self, lane: Lane, password_hash: str | None, spellings: Sequence[str]) -> Checked:
        """Whether the password fits in one of its spellings, each a run of its own; what is kept well has the first one.

        With no hash (an unknown login) it takes as many runs and is wrong.
        """
        kept = password_hash or self._nobodys_hash
        checked = await self._run(lane, lambda: _check(kept, spellings))
        return checked if password_hash else Checked(is_right=False)

    async def hash(self, lane: Lane, password: str) -> str:
        """The hash to keep."""
        return await self._run(lane, lambda: hash_password(password))

    async def _run(self, lane: Lane, work: Callable[[], Result]) -> Result:
        async with self._place(lane):
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    @asynccontextmanager
    async def _place(self, lane: Lane) -> AsyncIterator[None]:
        place = self._places[lane]
        if self._waiting[lane] >= _WAITING[lane]:
            raise _busy()
        self._waiting[lane] += 1
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await place.acquire()
        except TimeoutError:
            raise _busy() from None
        finally:
            self._waiting[lane] -= 1
        try:
            yield
        finally:
            place.release()


def read_common_passwords() -> frozenset[str]:
    """The most common passwords, casefolded; common_passwords.txt says where they come from."""
    lines = _COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line.casefold() for line in lines if line and not line.startswith("#"))


def _check(password_hash: str, spellings: Sequence[str]) -> Checked:
    for spelling in spellings:
        try:
            _hasher.verify(password_hash, spelling)
        except (VerificationError, InvalidHashError):
            continue
        is_kept_well = spelling == spellings[0] and not _hasher.check_needs_rehash(password_hash)
        return Checked(is_right=True, better_hash=None if is_kept_well else _hasher.hash(spellings[0]))
    return Checked(is_right=False)


def _busy() -> ResourceExhausted:
    return ResourceExhausted("SIGN_IN_BUSY", "too many passwords wait to be checked; repeat in a few seconds")
