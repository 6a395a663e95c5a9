"""What a deadline is at a moment (Clauses R6, R7, R15, R16, R18)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.deadlines import Deadline, DeadlineState, state_at

STARTED = datetime(2026, 3, 17, 7, tzinfo=UTC)
DUE = datetime(2026, 3, 19, 21, tzinfo=UTC)
WARN_BEFORE = timedelta(hours=9)
MOMENT = timedelta(microseconds=1)
DEADLINE = Deadline("R15", "0199a1b2-0000-7000-8000-000000000001", STARTED, DUE)

instants = st.datetimes(datetime(2026, 3, 1), datetime(2026, 4, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (STARTED, DeadlineState.OPEN),
        (DUE - WARN_BEFORE - MOMENT, DeadlineState.OPEN),
        (DUE - WARN_BEFORE, DeadlineState.WARNED),
        (DUE, DeadlineState.WARNED),
        (DUE + MOMENT, DeadlineState.OVERDUE),
    ],
)
def test_a_deadline_not_met_is_open_then_warned_then_overdue(now: datetime, state: DeadlineState) -> None:
    assert state_at(DEADLINE, now, WARN_BEFORE) is state


@pytest.mark.parametrize(
    ("met", "state"),
    [(STARTED, DeadlineState.MET_IN_TIME), (DUE, DeadlineState.MET_IN_TIME), (DUE + MOMENT, DeadlineState.MET_LATE)],
)
def test_a_deadline_met_at_its_due_moment_is_met_in_time(met: datetime, state: DeadlineState) -> None:
    assert state_at(replace(DEADLINE, met=met), DUE + timedelta(days=1), WARN_BEFORE) is state


def test_a_past_moment_is_judged_by_what_had_been_met_then() -> None:
    deadline = replace(DEADLINE, met=DUE + timedelta(hours=2))
    assert state_at(deadline, DUE + timedelta(hours=1), WARN_BEFORE) is DeadlineState.OVERDUE
    assert state_at(deadline, DUE + timedelta(hours=2), WARN_BEFORE) is DeadlineState.MET_LATE


@given(instants, instants, st.none() | instants)
def test_a_state_never_goes_back(one: datetime, other: datetime, met: datetime | None) -> None:
    order = [DeadlineState.OPEN, DeadlineState.WARNED, DeadlineState.MET_IN_TIME, DeadlineState.OVERDUE]
    order.append(DeadlineState.MET_LATE)
    deadline = replace(DEADLINE, met=met)
    earlier, later = (order.index(state_at(deadline, now, WARN_BEFORE)) for now in sorted((one, other)))
    assert earlier <= later
