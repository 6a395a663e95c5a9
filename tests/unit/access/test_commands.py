"""What an operator typed wrong is told in a sentence, never by a traceback (trouble 5)."""

import argparse
import re

import pytest

from services.access import commands


def _run(*words: str) -> None:
    parser = argparse.ArgumentParser()
    commands.add_parsers(parser.add_subparsers())
    commands.print_due(parser.parse_args(["due", *words]))


@pytest.mark.parametrize("zone", ["Europe/Moscou", "", "/etc/passwd", "../UTC", "Europe", "a\0b"])
def test_a_zone_that_is_none_is_refused_by_name(zone: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _run("2026-03-17T10:00", "--zone", zone)
    assert "is no IANA time zone, such as Europe/Moscow" in capsys.readouterr().err


@pytest.mark.parametrize("received", ["0001-01-01T00:00", "9999-12-31T23:59", "9999-12-31T23:59-12:00"])
def test_an_end_of_the_calendar_is_refused(received: str) -> None:
    with pytest.raises(SystemExit) as refused:
        _run(received)
    assert isinstance(refused.value.code, str)
    assert refused.value.code


def test_a_term_is_counted_with_its_days(capsys: pytest.CaptureFixture[str]) -> None:
    _run("2026-03-17T10:00", "--zone", "Europe/Moscow")
    assert "2026" in capsys.readouterr().out


def _import_roster(*words: str) -> None:
    """Ends at the words: nothing is asked of a server."""
    parser = argparse.ArgumentParser()
    commands.add_parsers(parser.add_subparsers())
    arguments = parser.parse_args(["import-roster", *words])
    arguments.run(arguments, "postgresql://nobody@127.0.0.1:1/none")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "не указано: ZIP, --school"),
        (["a.zip"], "не указано: --school"),
        (["a.zip", "--school"], "после --school нужно значение"),
        (["a.zip", "--school", "x", "--zone", "Europe/Moscou"], "--zone: «Europe/Moscou» не часовой пояс IANA"),
        (["a.zip", "--school", "x", "--enrolled-from", "01.09.2026"], "--enrolled-from: «01.09.2026» не дата"),
        (["a.zip", "--school", "x", "--enrolment-order-date", "вчера"], "--enrolment-order-date: «вчера» не дата"),
        (["a.zip", "--school", "x", "--student-ages", "много"], "--student-ages: «много» не пара чисел"),
        (["a.zip", "--school", "x", "--move-to-year", "next"], "--move-to-year: «next» не год"),
        (["a.zip", "--school", "x", "--enrol", "1"], "--enrol можно понять по-разному: --enrolment-order-number, "),
        (["a.zip", "--school", "x", "--dry"], "лишнее: --dry"),
        (["no-such.zip", "--school", "x", "--enrolment-order-number", "1"], "список не загружен, ничего не изменено:"),
    ],
)
def test_what_is_wrong_with_an_import_is_said_in_russian(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        _import_roster(*words)
    told = capsys.readouterr().err + (refused.value.code if isinstance(refused.value.code, str) else "")
    assert told.startswith(said)
    options = r"--[a-z-]+|python -m services\.access import-roster|Europe/\w+|IANA|ZIP|no-such\.zip|next"
    assert not re.search(r"[A-Za-z]{2}", re.sub(options, "", told)), told


def test_help_of_an_import_is_russian(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _import_roster("--help")
    told = capsys.readouterr().out
    assert told.startswith("команда: python -m services.access import-roster")
    assert not re.search("usage|options|show this|positional", told)
