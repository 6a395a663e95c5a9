"""The call in work: its thread and the time that is left for it, which every call made on its behalf takes along."""

import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass

import structlog

# What an answer needs on its way back: a call made on behalf of another ends so much before it.
_WAY_BACK_SECONDS = 0.02
_MOST_LETTERS = 128


@dataclass(frozen=True, slots=True)
class Call:
    """A call in work. `ends_at` is an instant of the monotonic clock."""

    request_id: str
    traceparent: str
    ends_at: float | None


_NONE = Call("", "", None)
_call: ContextVar[Call] = ContextVar("call", default=_NONE)


def bind(metadata: Mapping[str, str | bytes], seconds: float | None) -> None:
    """Notes the call in work, by its headers and the seconds left for it; done by the interceptor. Logs name its request id."""
    ends_at = None if seconds is None else time.monotonic() + seconds
    call = Call(_word(metadata, "x-request-id"), _word(metadata, "traceparent"), ends_at)
    _call.set(call)
    structlog.contextvars.bind_contextvars(request_id=call.request_id)


def headers() -> list[tuple[str, str]]:
    """The headers that hand the thread on; none outside a call."""
    call = _call.get()
    named = (("x-request-id", call.request_id), ("traceparent", call.traceparent))
    return [(name, value) for name, value in named if value]


def seconds_left(most: float) -> float:
    """Seconds for a call made now: `most`, or what the call in work leaves it."""
    ends_at = _call.get().ends_at
    return most if ends_at is None else max(0.0, min(most, ends_at - time.monotonic() - _WAY_BACK_SECONDS))


def _word(metadata: Mapping[str, str | bytes], name: str) -> str:
    value = metadata.get(name, "")
    return value[:_MOST_LETTERS] if isinstance(value, str) and value.isprintable() else ""
