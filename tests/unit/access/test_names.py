"""Names as a Russian list orders and shows them."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from services.access.people.rules.names import PersonName, build_display_name, build_short_name, build_sort_key

ALPHABET = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
words = st.text(ALPHABET, min_size=1, max_size=6)


def _place(word: str) -> list[int]:
    return [ALPHABET.index(letter) for letter in word]


@given(words, words)
def test_words_stand_in_the_order_of_the_alphabet_with_yo_after_ye(one: str, other: str) -> None:
    by_key = build_sort_key(one, "", "") < build_sort_key(other, "", "")
    assert by_key == (_place(one) < _place(other))


@given(st.tuples(words, words, words), st.tuples(words, words, words))
def test_family_names_decide_before_given_names(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    by_key = build_sort_key(*one) < build_sort_key(*other)
    assert by_key == ([_place(part) for part in one] < [_place(part) for part in other])


@given(words)
def test_case_and_composition_do_not_matter(word: str) -> None:
    assert build_sort_key(word.upper(), "", "") == build_sort_key(unicodedata.normalize("NFD", word), "", "")


def test_a_double_family_name_stands_after_its_first_part() -> None:
    assert build_sort_key("Иванова", "Яна", "") < build_sort_key("Иванова-Петрова", "Анна", "")


def test_a_name_is_shown_whole_and_short_with_or_without_patronymic() -> None:
    assert build_display_name(PersonName("Петрова", "Нина", "Ивановна")) == "Петрова Нина Ивановна"
    assert build_short_name(PersonName("Петрова", "Нина", "Ивановна")) == "Петрова Н. И."
    assert build_display_name(PersonName("Ким", "Лена", "")) == "Ким Лена"
    assert build_short_name(PersonName("Ким", "Лена", "")) == "Ким Л."
