"""The call in work: its thread and the time that is left for it, which every call made on its behalf takes along."""

import re
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID, uuid4

import structlog

# What an answer needs on its way back: a call made on behalf of another ends so much before it.
_WAY_BACK_SECONDS = 0.02
_MOST_LETTERS = 128
# W3C Trace Context, as it stands in headers.
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Call:
    """A call in work. `ends_at` is an instant of the monotonic clock."""

    request_id: str
    traceparent: str
    ends_at: float | None


_NONE = Call("", "", None)
_call: ContextVar[Call] = ContextVar("call", default=_NONE)


def bind(metadata: Mapping[str, str | bytes], seconds: float | None) -> None:
    """Notes the call or event in work, by its headers and the seconds left for it. Logs name its request id.

    The thread is the one it names, else one made of its request id, so that what it tells others is found by that id.
    """
    ends_at = None if seconds is None else time.monotonic() + seconds
    request_id, traceparent = _word(metadata, "x-request-id"), _word(metadata, "traceparent")
    call = Call(request_id, traceparent if _TRACEPARENT.fullmatch(traceparent) else _make_traceparent(request_id), ends_at)
    _call.set(call)
    structlog.contextvars.bind_contextvars(request_id=call.request_id)


def headers() -> list[tuple[str, str]]:
    """The headers that hand the thread on; none outside a call."""
    call = _call.get()
    named = (("x-request-id", call.request_id), ("traceparent", call.traceparent))
    return [(name, value) for name, value in named if value]


def traceparent() -> str:
    """The thread of the call or event in work; empty outside."""
    return _call.get().traceparent


def seconds_left(most: float) -> float:
    """Seconds for a call made now: `most`, or what the call in work leaves it."""
    ends_at = _call.get().ends_at
    return most if ends_at is None else max(0.0, min(most, ends_at - time.monotonic() - _WAY_BACK_SECONDS))


def _make_traceparent(request_id: str) -> str:
    try:
        return f"00-{UUID(request_id).hex}-{uuid4().hex[:16]}-01"
    except ValueError:
        return ""


def _word(metadata: Mapping[str, str | bytes], name: str) -> str:
    value = metadata.get(name, "")
    # Of a stranger's words those that can be sent on as a header.
    return value[:_MOST_LETTERS] if isinstance(value, str) and value.isascii() and value.isprintable() else ""
