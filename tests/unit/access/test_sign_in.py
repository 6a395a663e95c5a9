"""The throttle of sign-ins, and what a refresh token is good for."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import ResourceExhausted
from services.access.rights.rules.sign_in import (
    FAILURES,
    REFRESH_LEEWAY,
    WINDOW,
    Attempts,
    Exchange,
    Family,
    Outcome,
    begin_attempt,
    end_attempt,
    find_expiry,
    judge_refresh,
    list_spellings,
    read_address,
    spell_password,
)

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
steps = st.lists(st.integers(0, 600).map(lambda seconds: timedelta(seconds=seconds)), max_size=40)


def _fail(known: Attempts, now: datetime) -> Attempts:
    begun = begin_attempt(known, FAILURES, now)
    assert begun is not None
    return end_attempt(begun, now, Outcome.WRONG, is_forgiving=True)


def _try_all(pauses: list[timedelta]) -> tuple[list[datetime], list[tuple[datetime, datetime]]]:
    """Attempts that all fail: times of those let through, (time, retry_time) of those blocked."""
    kept = Attempts()
    through: list[datetime] = []
    blocked: list[tuple[datetime, datetime]] = []
    now = NOW
    for pause in pauses:
        now += pause
        try:
            kept = _fail(kept, now)
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
        before = Attempts([time for time in through if time <= now])
        assert now < retry_time <= now + WINDOW
        assert begin_attempt(before, FAILURES, retry_time)
        with pytest.raises(ResourceExhausted, match="SIGN_IN_BLOCKED"):
            begin_attempt(before, FAILURES, retry_time - timedelta(microseconds=1))


def test_what_is_kept_does_not_grow() -> None:
    kept = Attempts()
    for hour in range(100):
        kept = _fail(kept, NOW + timedelta(hours=hour))
    assert len(kept.fail_times) == 1


def test_attempts_being_judged_make_others_wait_and_block_nobody() -> None:
    known = Attempts()
    for _ in range(FAILURES):
        known = begin_attempt(known, FAILURES, NOW) or Attempts()
    assert begin_attempt(known, FAILURES, NOW) is None
    known = end_attempt(known, NOW, Outcome.RIGHT, is_forgiving=True)
    assert begin_attempt(known, FAILURES, NOW) is not None


def test_an_attempt_whose_end_nobody_noted_has_failed() -> None:
    lost = Attempts([], [NOW] * FAILURES)
    with pytest.raises(ResourceExhausted, match="SIGN_IN_BLOCKED"):
        begin_attempt(lost, FAILURES, NOW + timedelta(seconds=31))


def test_a_right_password_forgives_at_its_own_address_alone() -> None:
    known = Attempts([NOW, NOW], [NOW])
    assert end_attempt(known, NOW, Outcome.RIGHT, is_forgiving=True) == Attempts([], [])
    assert end_attempt(known, NOW, Outcome.RIGHT, is_forgiving=False) == Attempts([NOW, NOW], [])
    assert end_attempt(known, NOW, Outcome.UNJUDGED, is_forgiving=True) == Attempts([NOW, NOW], [])


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("", ""),
        ("192.0.2.7, 10.0.0.1", ""),
        ("a.example", ""),
    ],
)
def test_an_address_is_counted_by_its_line(text: str, counted: str) -> None:
    assert read_address(text) == counted


def _family(**changed: object) -> Family:
    values: dict[str, object] = {
        "current": [b"c1", b"c2"],
        "previous": [b"p"],
        "rotate_time": NOW,
        "expire_time": NOW + timedelta(days=30),
        "end_time": None,
    }
    return Family(**{**values, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shown", "later", "exchange"),
    [
        (b"c1", timedelta(days=29), Exchange.NEXT),
        (b"c2", timedelta(), Exchange.NEXT),
        (b"p", REFRESH_LEEWAY, Exchange.ANOTHER),
        (b"p", REFRESH_LEEWAY + timedelta(microseconds=1), Exchange.REUSED),
        (b"older", timedelta(), Exchange.REUSED),
        (b"c1", timedelta(days=30), Exchange.OVER),
    ],
)
def test_what_a_refresh_token_is_good_for(shown: bytes, later: timedelta, exchange: Exchange) -> None:
    assert judge_refresh(_family(), shown, NOW + later) is exchange


def test_a_token_of_an_ended_session_is_good_for_nothing() -> None:
    assert judge_refresh(_family(end_time=NOW), b"c1", NOW) is Exchange.OVER


def test_a_session_ends_after_thirty_idle_days_and_after_ninety_in_all() -> None:
    assert find_expiry(NOW, NOW + timedelta(days=10)) == NOW + timedelta(days=40)
    assert find_expiry(NOW, NOW + timedelta(days=80)) == NOW + timedelta(days=90)


def test_a_password_has_one_spelling_and_earlier_ones_are_known() -> None:
    composed = unicodedata.normalize("NFC", "мойпарольёй12")
    apart = unicodedata.normalize("NFD", composed)
    assert spell_password(apart) == composed
    assert list_spellings(apart) == [composed, apart]
    assert list_spellings(composed) == [composed, apart]
    assert list_spellings("latin-12") == ["latin-12"]
