"""The throttle of sign-ins."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import ResourceExhausted
from services.access.rules.sign_in import FAILURES, WINDOW, count_attempt

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
steps = st.lists(st.integers(0, 600).map(lambda seconds: timedelta(seconds=seconds)), max_size=40)


def _try_all(pauses: list[timedelta]) -> tuple[list[datetime], list[tuple[datetime, datetime]]]:
    """Attempts that all fail: times of those let through, (time, retry_time) of those blocked."""
    kept: list[datetime] = []
    through: list[datetime] = []
    blocked: list[tuple[datetime, datetime]] = []
    now = NOW
    for pause in pauses:
        now += pause
        try:
            kept = count_attempt(kept, now)
            through.append(now)
        except ResourceExhausted as error:
            blocked.append((now, datetime.fromisoformat(error.metadata["retry_time"])))
    return through, blocked


@given(steps)
def test_no_window_holds_more_attempts_than_allowed(pauses: list[timedelta]) -> None:
    through, _ = _try_all(pauses)
    for start in through:
        assert sum(start <= time < start + WINDOW for time in through) <= FAILURES


@given(steps)
def test_a_block_ends_at_its_retry_time_and_not_before(pauses: list[timedelta]) -> None:
    through, blocked = _try_all(pauses)
    for now, retry_time in blocked:
        before = [time for time in through if time <= now]
        assert now < retry_time <= now + WINDOW
        assert count_attempt(before, retry_time)
        with pytest.raises(ResourceExhausted, match="SIGN_IN_BLOCKED"):
            count_attempt(before, retry_time - timedelta(microseconds=1))


def test_what_is_kept_does_not_grow() -> None:
    kept: list[datetime] = []
    for hour in range(100):
        kept = count_attempt(kept, NOW + timedelta(hours=hour))
    assert len(kept) == 1
