"""structlog as JSON lines on stdout. Events are static words; identifiers are fields; context is bound once a call."""

import json
import logging
import sys
from typing import Any

import structlog

# Made once: json.dumps would make an encoder for each line.
_encode = json.JSONEncoder(ensure_ascii=False, default=repr).encode
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
