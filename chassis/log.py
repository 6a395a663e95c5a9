"""structlog as JSON lines on stdout. Events are static words; identifiers are fields; context is bound once a call."""

import json
import logging
import re
import sys
from contextvars import ContextVar
from typing import Any
from uuid import UUID, uuid4

import structlog

# Made once: json.dumps would make an encoder for each line.
_encode = json.JSONEncoder(ensure_ascii=False, default=repr).encode
# W3C Trace Context, as it stands in headers; empty where nobody asked.
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_trace: ContextVar[str] = ContextVar("trace", default="")
_logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def configure(service: str, level: str = "INFO") -> None:
    """Sets up JSON logging of a service. Standard logging of libraries goes the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, _name_service(service), structlog.processors.JSONRenderer(_write)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _name_service(service)],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(_write),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _name_service(service: str) -> Any:
    def add(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        event["service"] = service
        return event

    return add


def _write(event: dict[str, Any], **_options: object) -> str:
    return _encode(event)


def logger() -> structlog.typing.FilteringBoundLogger:
    """The logger; context bound by the call travels with it."""
    return _logger


def bind_trace(traceparent: str, request_id: str = "") -> None:
    """Notes for the call or event in work which thread it belongs to: the one it names, else one made of its request id, so
    that what it tells others can be found by that id. Of what a client sends only these forms are taken.
    """
    if not _TRACEPARENT.fullmatch(traceparent):
        traceparent = _make_traceparent(request_id)
    _trace.set(traceparent)


def trace() -> str:
    """The thread of the call or event in work, as a `traceparent` header; empty outside."""
    return _trace.get()


def _make_traceparent(request_id: str) -> str:
    try:
        return f"00-{UUID(request_id).hex}-{uuid4().hex[:16]}-01"
    except ValueError:
        return ""
