"""Between a right password and the code: what was typed is sealed into the page, so that nobody types it twice."""

import json
from datetime import datetime
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken

_SECONDS = 180


class Typed(NamedTuple):
    """A login with a password that was right."""

    login: str
    password: str


class SecondStep:
    """Seals for three minutes with a key of this process, kept nowhere else: another replica asks for the password again."""

    def __init__(self) -> None:
        self._fernet = Fernet(Fernet.generate_key())

    def seal(self, typed: Typed, now: datetime) -> str:
        """The text that the page carries."""
        return self._fernet.encrypt_at_time(json.dumps(typed).encode(), int(now.timestamp())).decode()

    def open(self, text: str, now: datetime) -> Typed | None:
        """What was typed; None for a text that is too old, or none of ours."""
        try:
            opened = self._fernet.decrypt_at_time(text.encode(), _SECONDS, int(now.timestamp()))
        except InvalidToken:
            return None
        return Typed(*json.loads(opened))
