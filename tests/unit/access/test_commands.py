"""What an operator typed wrong is told in a sentence, never by a traceback (trouble 5)."""

import argparse

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
