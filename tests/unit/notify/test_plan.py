"""When a letter is tried again, and what may be told of an answer."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.channels.rules import clean_answer
from services.notify.letters.rules import PAUSES, Next, Outcome, State, plan_next

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def test_an_accepted_letter_is_sent() -> None:
    assert plan_next(Outcome.ACCEPTED, 1, NOW) == Next(State.SENT)


def test_a_refused_letter_has_failed_at_once() -> None:
    assert plan_next(Outcome.REFUSED, 1, NOW) == Next(State.FAILED)


def test_a_letter_nobody_wants_is_cancelled() -> None:
    assert plan_next(Outcome.NOT_WANTED, 1, NOW) == Next(State.CANCELLED)


@pytest.mark.parametrize("outcome", [Outcome.DEFERRED, Outcome.UNKNOWN])
def test_ten_attempts_are_spread_over_a_day_with_growing_pauses(outcome: Outcome) -> None:
    pauses, moment = [], NOW
    for attempt in range(1, 10):
        following = plan_next(outcome, attempt, moment)
        assert following.state is State.WAITING
        assert following.attempt_time is not None
        pauses.append(following.attempt_time - moment)
        moment = following.attempt_time
    assert pauses == sorted(set(pauses)) == list(PAUSES)
    assert timedelta(hours=22) < moment - NOW < timedelta(hours=26)
    assert plan_next(outcome, 10, moment) == Next(State.FAILED)


def test_an_answer_keeps_neither_address_nor_token() -> None:
    answer = "550 5.1.1 <Anna.P@mail.example>: user anna.p unknown\n554 link https://d.example/activate#tok-123 is blocked"
    cleaned = clean_answer(answer, ["anna.p@mail.example", "tok-123"])
    assert cleaned == "550 5.1.1 <…>: user … unknown 554 link https://d.example/activate#… is blocked"


@given(st.text(max_size=400), st.text(min_size=8, max_size=40, alphabet="abcdefghijkl0123"))
def test_no_answer_holds_the_secret_or_a_second_line(around: str, secret: str) -> None:
    cleaned = clean_answer(f"{around}{secret}{around}", [secret])
    assert secret not in cleaned
    assert len(cleaned) <= 200
    assert "\n" not in cleaned
