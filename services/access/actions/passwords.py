"""Passwords by argon2id, in threads: a check takes 64 MiB and tens of milliseconds, so only few run at once."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_AT_ONCE = 2
_COMMON = Path(__file__).with_name("common_passwords.txt")
# Costs of RFC 9106's second recommendation (64 MiB, 3 passes, 4 lanes).
_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The hash to keep; takes tens of milliseconds."""
    return _hasher.hash(password)


class Passwords:
    """Checks and hashes passwords off the event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="argon2")
        self._nobodys_hash = _hasher.hash("the password of nobody")

    async def is_right(self, password_hash: str | None, password: str) -> bool:
        """Whether the password fits. With no hash (an unknown login) it takes the same time and is wrong."""
        loop = asyncio.get_running_loop()
        fits = await loop.run_in_executor(self._threads, _verify, password_hash or self._nobodys_hash, password)
        return fits and password_hash is not None

    async def hash(self, password: str) -> str:
        """The hash to keep."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, hash_password, password)


def read_common_passwords() -> frozenset[str]:
    """The most common passwords, casefolded; common_passwords.txt says where they come from."""
    lines = _COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line.casefold() for line in lines if line and not line.startswith("#"))


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
