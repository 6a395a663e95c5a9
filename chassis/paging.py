"""Pages of a list: opaque tokens of a digest of the list's filter and the last key, whose parts are read as what they are."""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from chassis.errors import InvalidArgument

DEFAULT_SIZE = 50
# Keys before and after those of all rows.
FIRST_ID = UUID(int=0)
LAST_ID = UUID(int=2**128 - 1)
LONG_AGO = datetime.min.replace(tzinfo=UTC)

Key = TypeVar("Key", bound=tuple[Any, ...])
Row = TypeVar("Row")


class Asked(Protocol):
    """A request of a list."""

    page_size: int
    page_token: str


class Page(Generic[Key]):
    """The page of a list that was asked for.

    `filter_words` name the list and what it is filtered by; `first` is a key before all rows, and its parts (of str, int, UUID
    and datetime) are what those of every key are. Raises InvalidArgument PAGE_TOKEN_INVALID at a token of another list, and at
    one of anybody's making whose parts are something else.
    """

    def __init__(self, asked: Asked, filter_words: tuple[str, ...], first: Key, *, size: int = DEFAULT_SIZE) -> None:
        self.size = asked.page_size or size
        self._words = filter_words
        self.after = _read_token(filter_words, asked.page_token, first) if asked.page_token else first

    @property
    def limit(self) -> int:
        """Rows to ask the database for: one more than the page has, which tells whether there is another page."""
        return self.size + 1

    def cut(self, found: Sequence[Row], key_of: Callable[[Row], Key]) -> tuple[Sequence[Row], str]:
        """The rows of the page, and the token of the next one: empty at the list's end."""
        shown = found[: self.size]
        return shown, _write_token(self._words, key_of(shown[-1])) if len(found) > self.size else ""


def _write_token(filter_words: tuple[str, ...], key: tuple[Any, ...]) -> str:
    parts = [part if isinstance(part, int) else part.isoformat() if isinstance(part, datetime) else str(part) for part in key]
    return base64.urlsafe_b64encode(_digest(filter_words) + json.dumps(parts, ensure_ascii=False).encode()).decode()


def _read_token(filter_words: tuple[str, ...], token: str, first: Key) -> Key:
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii"))
        if raw[:8] != _digest(filter_words):
            raise ValueError("another list")
        parts = json.loads(raw[8:])
        if not isinstance(parts, list):
            raise TypeError("key")
        return tuple(_READERS[type(known)](part) for known, part in zip(first, parts, strict=True))  # type: ignore[return-value]
    # The digest has no key, so anybody can make a token: whatever it holds, it is one that we did not write.
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidArgument("PAGE_TOKEN_INVALID", "the page token belongs to another list or was cut") from error


def _read_text(part: Any) -> str:
    if not isinstance(part, str) or "\0" in part:
        raise TypeError("text")
    part.encode()  # A surrogate alone cannot be sent to the database.
    return part


def _read_number(part: Any) -> int:
    if type(part) is not int or not -(2**31) <= part < 2**31:
        raise TypeError("number")
    return part


def _read_id(part: Any) -> UUID:
    return UUID(_read_text(part))


def _read_instant(part: Any) -> datetime:
    instant = datetime.fromisoformat(_read_text(part))
    if instant.tzinfo is None:
        raise ValueError("instant")
    return instant.astimezone(UTC)


_READERS: dict[type, Callable[[Any], Any]] = {str: _read_text, int: _read_number, UUID: _read_id, datetime: _read_instant}


def _digest(filter_words: tuple[str, ...]) -> bytes:
    return hashlib.sha256("\x00".join(filter_words).encode()).digest()[:8]
