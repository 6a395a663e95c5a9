"""How often one login may be tried, and how long a session lives."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chassis.errors import ResourceExhausted

FAILURES = 5
WINDOW = timedelta(minutes=15)
SESSION_IDLE_TIME = timedelta(days=30)


def count_attempt(fail_times: Sequence[datetime], now: datetime) -> list[datetime]:
    """The failures to keep when one more attempt begins; it counts as failed until it succeeds, so that attempts at once
    are counted too. Raises ResourceExhausted SIGN_IN_BLOCKED with retry_time; a blocked attempt is not counted.
    """
    recent = sorted(time for time in fail_times if now - time < WINDOW)
    if len(recent) >= FAILURES:
        retry_time = recent[-FAILURES] + WINDOW
        raise ResourceExhausted(
            "SIGN_IN_BLOCKED", "too many failed sign-ins; wait until retry_time", {"retry_time": retry_time.isoformat()}
        )
    return [*recent, now]


def read_login(typed: str) -> str:
    """A login as it is kept, of what was typed; NUL, which no text of the database can hold, is of no login."""
    return typed.replace("\0", "").strip().lower()
