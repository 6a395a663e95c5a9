"""Seals the secrets of second factors by a key that is in no database: a copy of the tables makes no codes."""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis.db import Database
from services.access.rights.store import second_factors as store

_NONCE_BYTES = 12
_AT_ONCE = 500


class FactorKeys:
    """The keys of `factor-keys.json`; the last one seals, all open. What is kept reads `<kid>.<nonce and text in Base64>`."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise FileNotFoundError(f"{path} is not there: `python -m deploy.keys make {path.parent}` makes it")
        self._path = path
        self._keys = self._read()
        self._kid = list(self._keys)[-1]

    @property
    def prefix(self) -> str:
        """How what the present key sealed begins."""
        return f"{self._kid}."

    def seal(self, secret: str, account_id: UUID) -> str:
        """What is kept of a secret; it opens for this account alone."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._keys[self._kid].encrypt(nonce, secret.encode(), account_id.bytes)
        return self.prefix + urlsafe_b64encode(nonce + sealed).decode()

    def open(self, kept: str, account_id: UUID) -> str:
        """The secret. The release before kept it as it is: Base32 has no full stop. Raises InvalidTag when it is another's."""
        kid, stop, text = kept.partition(".")
        if not stop:
            return kept
        if kid not in self._keys:
            # A process that started after a rotation has sealed it.
            self._keys = self._read()
        sealed = urlsafe_b64decode(text)
        return self._keys[kid].decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], account_id.bytes).decode()

    def _read(self) -> dict[str, AESGCM]:
        known = json.loads(self._path.read_bytes())["keys"]
        return {key["kid"]: AESGCM(urlsafe_b64decode(key["k"])) for key in known}


async def seal_all(database: Database, keys: FactorKeys) -> int:
    """Seals by the present key what is kept otherwise, plain or by a key before it; returns how many."""
    count, after = 0, UUID(int=0)
    while True:
        async with database.region() as connection:
            found = await store.list_unsealed(connection, keys.prefix, after, _AT_ONCE)
            for account_id, kept in found:
                sealed = keys.seal(keys.open(kept, account_id), account_id)
                await store.replace_secret(connection, account_id, kept, sealed)
        count += len(found)
        if len(found) < _AT_ONCE:
            return count
        after = found[-1][0]
