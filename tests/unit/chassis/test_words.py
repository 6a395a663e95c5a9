"""Russian words as papers, letters and pages have them, whatever release of CLDR gives them."""

from datetime import date, timedelta

import pytest

from chassis import words

_DAYS = [date(2026, month, 1) for month in range(1, 13)]
_MONDAY = date(2026, 11, 23)


def test_a_month_in_a_date_and_by_itself() -> None:
    assert " ".join(map(words.month_of, _DAYS)) == (
        "января февраля марта апреля мая июня июля августа сентября октября ноября декабря"
    )
    assert " ".join(map(words.month, _DAYS)) == (
        "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь"
    )


def test_a_day_of_the_week() -> None:
    week = [words.weekday(_MONDAY + timedelta(days=number)) for number in range(7)]
    assert week == ["понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"]


@pytest.mark.parametrize(
    ("numbers", "form"),
    [
        ((1, 21, 101, 1001), "отметка"),
        ((2, 3, 4, 22, 104), "отметки"),
        ((0, 5, 10, 11, 12, 14, 19, 20, 25, 111, 112, 1011), "отметок"),
    ],
)
def test_a_noun_beside_a_number(numbers: tuple[int, ...], form: str) -> None:
    assert {words.choose(number, ("отметка", "отметки", "отметок")) for number in numbers} == {form}
