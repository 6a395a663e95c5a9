"""Codes as people type them from paper (trouble 14, families A1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.documents.decisions.rules import write_code
from services.documents.print_runs.rules.sheets import write_code as write_sheet_code
from services.documents.print_runs.rules.sheets import write_link as write_sheet_link
from services.documents.verifying.rules import fold_code, list_keys, read_sheet_code

CODE = "aleks-7k3m-qx4d-9p2w"


@pytest.mark.parametrize(
    "typed",
    [
        CODE.upper(),
        f"  {CODE}\n",
        CODE.replace("-", "\N{NON-BREAKING HYPHEN}"),
        CODE.replace("-", "\N{HYPHEN}"),
        CODE.replace("-", "\N{MINUS SIGN}"),
        CODE.replace("-", "\N{EN DASH}"),
        CODE.replace("-", "\N{EM DASH}"),
        CODE.replace("-", " "),
        CODE.replace("-", " - "),
        CODE.replace("-", "\N{NO-BREAK SPACE}"),
        CODE.replace("-", ""),
        f"{CODE}.",
        f"«{CODE}»,",
        "а" + CODE[1:],
        CODE.replace("x", "х").replace("k", "к").replace("m", "м").replace("p", "р").upper(),
        CODE.replace("-", "\N{SOFT HYPHEN}-"),
        "\N{ZERO WIDTH SPACE}".join(CODE),
        CODE.replace("a", "ａ"),
        f"код {CODE}",
        f"Код: {CODE}",
        f"Код документа {CODE.upper()}.",
        f"№ {CODE}",
        f"https://diary.example/verify?code={CODE}&page=2",
        f"смотрите https://diary.example/verify?page=2&code={CODE.replace('-', '%2D')}#top",
        f"diary.example/verify?code={CODE}",
    ],
)
def test_a_code_is_found_however_it_is_typed(typed: str) -> None:
    assert fold_code(typed) == fold_code(CODE)


@pytest.mark.parametrize("typed", [CODE.replace("3", "З"), CODE.replace("3", "з").upper(), f"код {CODE.replace('3', 'З')}"])
def test_letters_typed_for_digits_are_looked_for_as_digits_too(typed: str) -> None:
    assert fold_code(CODE) in list_keys(typed)


def test_a_code_of_a_school_with_such_letters_is_found_as_it_is() -> None:
    assert list_keys("БЗ-2026-52")[0] == fold_code("бз-2026-52")


_codes = st.binary(min_size=12, max_size=12).map(lambda chance: write_code("aleks", chance))


@given(_codes, _codes)
def test_codes_that_differ_are_told_apart(one: str, other: str) -> None:
    assert (fold_code(one) == fold_code(other)) == (one == other)


@given(st.from_regex(r"[a-z][a-z0-9]{1,8}(-[a-z0-9]{1,5})?", fullmatch=True), st.integers(2020, 2099), st.integers(1, 10**6))
def test_the_code_of_a_weekly_sheet_is_read_as_it_is_written(school: str, year: int, number: int) -> None:
    code = write_sheet_code(school, year, number)
    padded = write_sheet_code(school, year, number).removesuffix(str(number)) + f"{number:07}"
    of_paper = (code, code.upper(), code.replace("-", "\N{NON-BREAKING HYPHEN}"), code.replace("-", " "), f"{code}.", padded)
    for typed in (*of_paper, f"код {code}", write_sheet_link("https://diary.example", code)):
        assert read_sheet_code(fold_code(typed), fold_code(school)) == (year, number)


@pytest.mark.parametrize("key", ["bk3", "bk32026", "bk320260", "bk32026000", "bk31026", "xx3202652", "bk3202652x"])
def test_what_is_no_sheet_of_the_school_is_none(key: str) -> None:
    found = read_sheet_code(key, "bk3")
    assert found is None
