"""Opaque page tokens: a digest of the list's filter and the last key."""

import base64
import binascii
import hashlib
import json

from chassis.errors import InvalidArgument

DEFAULT_SIZE = 50


def size(page_size: int) -> int:
    """Rows a page: what was asked for, 50 by default."""
    return page_size or DEFAULT_SIZE


def write_token(filter_words: tuple[str, ...], last_key: tuple[str, ...]) -> str:
    """The token of the page after `last_key` of the list that `filter_words` name."""
    return base64.urlsafe_b64encode(_digest(filter_words) + json.dumps(last_key).encode()).decode()


def read_token(filter_words: tuple[str, ...], token: str) -> tuple[str, ...] | None:
    """The last key of the page before, None on the first page. Raises InvalidArgument PAGE_TOKEN_INVALID."""
    if not token:
        return None
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii"))
        if raw[:8] != _digest(filter_words):
            raise ValueError("another list")
        key = json.loads(raw[8:])
        if not isinstance(key, list):
            raise TypeError("key")
        return tuple(str(part) for part in key)
    except (ValueError, TypeError, binascii.Error) as error:
        raise InvalidArgument("PAGE_TOKEN_INVALID", "the page token belongs to another list or was cut") from error


def _digest(filter_words: tuple[str, ...]) -> bytes:
    return hashlib.sha256("\x00".join(filter_words).encode()).digest()[:8]
