"""The mutation table cannot rot: each row breaks one place that is there, and names tests that are there."""

import ast
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutations import ROOT, Break, count_finds, read_table
from tests.mutations.__main__ import run_all

_TABLE = read_table()


@pytest.mark.parametrize("row", _TABLE, ids=lambda row: f"{row.area}: {row.name}")
def test_a_row_breaks_one_place_and_names_its_tests(row: Break) -> None:
    assert count_finds(row) == 1, f"what it breaks stands {count_finds(row)} times in {row.file}"
    assert row.find != row.replace
    if row.file.endswith(".py"):
        ast.parse((ROOT / row.file).read_text().replace(row.find, row.replace))
    assert row.tests
    files, words = _split(row.tests)
    texts = []
    for test in files:
        path, *names = test.split("::")
        assert (ROOT / path).exists(), f"{path} is not there"
        texts.append((ROOT / path).read_text())
        assert all(name.split("[")[0] in texts[-1] for name in names), f"{test} is not there"
    assert all(any(word in text for text in texts) for word in words), f"one of {words} is not there"


def _split(tests: Sequence[str]) -> tuple[Sequence[str], list[str]]:
    """Files and tests, and the words of the names that `-k` chooses at the end; words with capitals are of parameters."""
    if "-k" not in tests:
        return tests, []
    files, words = tests[: tests.index("-k")], tests[tests.index("-k") + 1 :]
    return files, [word for word in re.findall(r"\w+", " ".join(words)) if word.islower() and "_" in word]


def test_a_row_has_a_name_of_its_own() -> None:
    names = [(row.area, row.name) for row in _TABLE]
    assert len(set(names)) == len(names)


def test_a_break_that_no_test_notices_is_said_and_the_copy_is_mended(tmp_path: Path) -> None:
    code = "def add(a: int, b: int) -> int:\n    return a + b\n"
    (tmp_path / "sums.py").write_text(code)
    (tmp_path / "test_sums.py").write_text("from sums import add\ndef test_sum(): assert add(2, 3) == 5\n")
    (tmp_path / "test_idle.py").write_text("def test_idle(): pass\n")
    (tmp_path / "test_false.py").write_text("def test_false(): assert False\n")

    def row(name: str, test: str, find: str = "a + b") -> Break:
        return Break("sums", name, "sums.py", find, "a - b", (test,))

    rows = [
        row("noticed", "test_sums.py"),
        row("unnoticed", "test_idle.py"),
        row("always red", "test_false.py"),
        row("rotten", "test_sums.py", "a * b"),
    ]
    said = run_all(tmp_path, rows)
    assert [line.split(": ")[1:3] for line in said] == [
        ["unnoticed", "SURVIVED"],
        ["always red", "PROVES NOTHING"],
        ["rotten", "PROVES NOTHING"],
    ]
    assert (tmp_path / "sums.py").read_text() == code
