"""Names by their parts: a family name of two words, a given name of two, a single name."""

import pytest

from chassis.names import (
    PersonName,
    build_display_name,
    build_list_name,
    build_short_name,
    build_signed_name,
    find_called_name,
)

_KHASAN = PersonName("Аль Хасан", "Омар", "Рашидович")


@pytest.mark.parametrize(
    ("name", "signed", "short"),
    [
        (PersonName("Супрун", "Ирина", "Евгеньевна"), "И. Е. Супрун", "Супрун И. Е."),
        (PersonName("Мамедов", "Али", "Вагиф оглы"), "А. В. Мамедов", "Мамедов А. В."),
        (PersonName("Ли", "Сян", ""), "С. Ли", "Ли С."),
        (_KHASAN, "О. Р. Аль Хасан", "Аль Хасан О. Р."),
        (PersonName("де ла Крус", "Хуан Карлос", ""), "Х. К. де ла Крус", "де ла Крус Х. К."),
        (PersonName("Мадонна", "", ""), "Мадонна", "Мадонна"),
    ],
)
def test_initials_stand_for_given_names_and_never_for_a_family_name(name: PersonName, signed: str, short: str) -> None:
    assert build_signed_name(name) == signed
    assert build_short_name(name) == short


def test_a_person_is_called_by_the_given_name_or_the_only_one() -> None:
    assert find_called_name(_KHASAN) == "Омар"
    assert find_called_name(PersonName("Хуан", "", "")) == "Хуан"


def test_a_list_shows_family_name_and_given_name_whole() -> None:
    assert build_list_name(_KHASAN) == "Аль Хасан Омар"
    assert build_display_name(_KHASAN) == "Аль Хасан Омар Рашидович"
