"""Logins made of names (Clause R25)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.access.people.rules.names import PersonName
from services.access.rights.rules.logins import build_login, choose_login, transliterate

CYRILLIC = st.text("абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ", min_size=1, max_size=40)
ANYTHING = st.text(max_size=40)
NAMES = st.builds(PersonName, ANYTHING, ANYTHING, ANYTHING)


@pytest.mark.parametrize(
    ("name", "login"),
    [
        (PersonName("Иванова", "Мария", "Петровна"), "ivanova.mp"),
        (PersonName("Соловьёва", "Юлия", ""), "soloveva.y"),
        (PersonName("Щербак-Жуков", "Жан", "Оглы"), "scherbakzhukov.zo"),
        (PersonName("Власова-Константинопольская", "Елена", "Андреевна"), "vlasova.ea"),
        (PersonName("Константинопольский", "Пётр", "Ильич"), "konstantinopolsk.pi"),
        (PersonName("O’Нил", "Éва", ""), "onil.e"),
        (PersonName("李", "明", ""), "semya"),
        (PersonName("Прун", "", ""), "prun"),
    ],
)
def test_a_login_is_family_name_and_initials(name: PersonName, login: str) -> None:
    assert build_login(name) == login


@given(NAMES)
def test_any_name_gives_a_login_that_can_be_typed(name: PersonName) -> None:
    assert re.fullmatch(r"[a-z]{1,16}(\.[a-z]{1,2})?", build_login(name))


@given(CYRILLIC)
def test_a_cyrillic_word_becomes_small_latin_letters_whatever_its_case(word: str) -> None:
    assert re.fullmatch(r"[a-z]*", transliterate(word))
    assert transliterate(word) == transliterate(word.upper()) == transliterate(word.lower())


@given(NAMES, st.sets(st.integers(1, 12)))
def test_a_chosen_login_is_free_and_has_the_lowest_number(name: PersonName, used: set[int]) -> None:
    wished = build_login(name)
    taken = {wished if number == 1 else f"{wished}{number}" for number in used}
    login = choose_login(name, taken)
    assert login not in taken
    free = min(set(range(1, 14)) - used)
    assert login == (wished if free == 1 else f"{wished}{free}")


@given(st.lists(NAMES, max_size=30))
def test_logins_chosen_one_after_another_are_all_different(names: list[PersonName]) -> None:
    taken: set[str] = set()
    for name in names:
        taken.add(choose_login(name, taken))
    assert len(taken) == len(names)
