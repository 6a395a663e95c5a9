"""One-time passwords and own passwords (Clause R25)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from services.access.rights.actions.passwords import read_common_passwords
from services.access.rights.rules.credentials import (
    ALPHABET,
    ONE_TIME_PASSWORD_LENGTH,
    PASSWORD_MIN_LENGTH,
    check_new_password,
    normalise_one_time_password,
    write_one_time_password,
)

COMMON = read_common_passwords()
LETTERS = st.lists(st.sampled_from(ALPHABET), min_size=ONE_TIME_PASSWORD_LENGTH, max_size=ONE_TIME_PASSWORD_LENGTH)


def test_a_one_time_password_can_be_read_from_paper() -> None:
    """Nothing that looks like another; 59 bits, of which five guesses in a quarter of an hour find nothing."""
    assert not set(ALPHABET) & set("01loiOI")
    assert len(ALPHABET) ** ONE_TIME_PASSWORD_LENGTH > 2**59


@given(LETTERS, st.sampled_from(["-", " ", "–", " - ", ""]), st.booleans())
def test_a_one_time_password_is_accepted_however_it_is_typed(letters: list[str], between: str, is_upper: bool) -> None:
    printed = write_one_time_password(letters)
    typed = printed.replace("-", between).upper() if is_upper else printed.replace("-", between)
    assert normalise_one_time_password(typed) == "".join(letters)


@given(LETTERS)
def test_the_one_time_password_is_no_own_password(letters: list[str]) -> None:
    printed = write_one_time_password(letters)
    for password in (printed, printed.upper(), "".join(letters)):
        with pytest.raises(InvalidArgument, match="PASSWORD_TOO_WEAK"):
            check_new_password(password, "ivanova.mp", printed, COMMON)


@pytest.mark.parametrize(
    "password",
    ["", "девятьзн.", "         1", "ivanova.mp", "Ivanova.MP", "QWERTYUIOP", "йцукенгшщз", "ghbdtnghbdtn", "1q2w3e4r5t"],
)
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(InvalidArgument, match="PASSWORD_TOO_WEAK"):
        check_new_password(password, "ivanova.mp", "", COMMON)


@pytest.mark.parametrize("password", ["Полярная-лиса-57", "три слова и кот", "x7#kd92!pq"])
def test_another_password_of_ten_characters_will_do(password: str) -> None:
    check_new_password(password, "ivanova.mp", "k7mp-x2da-94rt", COMMON)


def test_the_list_of_common_passwords_holds_what_length_lets_pass() -> None:
    assert len(COMMON) > 150
    assert [password for password in COMMON if len(password) < PASSWORD_MIN_LENGTH] == []
