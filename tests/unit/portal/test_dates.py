from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.portal import dates
from apps.portal.words import count


@given(st.dates(date(2000, 1, 3), date(2100, 12, 31)))
def test_the_week_of_a_day_begins_with_its_monday(day: date) -> None:
    assert dates.parse_week(dates.week_of(day)) == dates.monday_of(day)


@pytest.mark.parametrize(
    "week", ["2026-W54", "2025-W53", "2026-W00", "2026-48", "0000-W01", "9999-W52", "2026-W٤٨", "", "x-W1"]
)
def test_what_is_no_week_is_refused(week: str) -> None:
    with pytest.raises(ValueError):
        dates.parse_week(week)


def test_a_year_of_53_weeks_has_its_last_one() -> None:
    assert dates.parse_week("2026-W53") == date(2026, 12, 28)


@pytest.mark.parametrize(
    ("monday", "label"),
    [
        (date(2026, 11, 23), "23–29 ноября 2026"),
        (date(2026, 11, 30), "30 ноября – 6 декабря 2026"),
        (date(2026, 12, 28), "28 декабря 2026 – 3 января 2027"),
    ],
)
def test_a_week_is_named_as_people_say_it(monday: date, label: str) -> None:
    assert dates.week_label(monday).replace("\u00a0", " ") == label


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1 отметка"), (2, "2 отметки"), (5, "5 отметок"), (11, "11 отметок"), (21, "21 отметка"), (112, "112 отметок")],
)
def test_counts_agree_with_their_noun(number: int, text: str) -> None:
    assert count(number, ("отметка", "отметки", "отметок")).replace("\u00a0", " ") == text
