"""The nine classes of errors. Raised anywhere, mapped to a gRPC status in one interceptor.

`reason` is a name from the service's ErrorReason enum without its prefix. `metadata` carries ids and values that help a
client mend the call; never names, contacts or free text.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldViolation:
    """A field of the request by its path, and what is wrong with it."""

    field: str
    description: str


class DiaryError(Exception):
    """A refusal that the caller is told: a reason, a sentence in English, and metadata."""

    def __init__(
        self,
        reason: str,
        message: str,
        metadata: Mapping[str, str] | None = None,
        violations: tuple[FieldViolation, ...] = (),
    ) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = violations


class InvalidArgument(DiaryError):
    """The request could never be right."""


class Unauthenticated(DiaryError):
    """The caller is not known."""


class PermissionDenied(DiaryError):
    """The caller's kind of role may not call this."""


class NotFound(DiaryError):
    """Absent, or not the caller's: alike."""


class AlreadyExists(DiaryError):
    """There is one already."""


class FailedPrecondition(DiaryError):
    """The state of things forbids it now."""


class Aborted(DiaryError):
    """Another hand was faster; read again."""


class ResourceExhausted(DiaryError):
    """Too many, too often, too large."""


class Unavailable(DiaryError):
    """Not now; the same request may be repeated."""
