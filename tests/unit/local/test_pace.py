from hypothesis import given
from hypothesis import strategies as st

from deploy.local.pace import (
    SPACE_ENOUGH,
    SPACE_LOW,
    SPACE_NONE,
    STOP_WITHIN,
    next_pause,
    space_level,
    stop_allowance,
)


def test_a_child_that_dies_early_waits_longer_each_time_up_to_a_bound() -> None:
    pauses, pause = [], 0.0
    for _ in range(9):
        pause = next_pause(pause, lived=0.1)
        pauses.append(pause)
    assert pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]


def test_a_child_that_ran_steadily_is_started_again_at_once() -> None:
    assert next_pause(15.0, lived=31.0) == 0.25


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_stages_that_use_all_they_are_allowed_end_within_ten_seconds(shares: list[float]) -> None:
    spent = 0.0
    for index, share in enumerate(shares):
        spent += share * stop_allowance(spent, later_stages=len(shares) - index - 1)
    assert spent <= STOP_WITHIN < 10


def test_a_stage_that_hangs_leaves_a_second_to_each_of_the_later_ones() -> None:
    assert stop_allowance(0.0, later_stages=3) == STOP_WITHIN - 3


def test_a_disk_is_worth_a_word_when_low_and_again_when_full() -> None:
    assert [space_level(left) for left in (5000, 200, 199, 16, 15, 0)] == [
        SPACE_ENOUGH,
        SPACE_ENOUGH,
        SPACE_LOW,
        SPACE_LOW,
        SPACE_NONE,
        SPACE_NONE,
    ]
