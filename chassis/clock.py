"""Time as an argument. "Today" is a civil date of a zone, never of the server."""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Gives the present instant."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that reads the clock


class SetClock:
    """A clock that stands where it is set: for tests and for generated regions."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        """The set instant."""
        return self._now

    def advance(self, step: timedelta) -> None:
        """Moves the clock forward."""
        self._now += step


def today(clock: Clock, zone: str) -> date:
    """The civil date now in an IANA zone."""
    return clock.now().astimezone(ZoneInfo(zone)).date()
