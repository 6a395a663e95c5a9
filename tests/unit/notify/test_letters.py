"""Letters as they are written: words, headers, and names that try to be more than names."""

from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.convert.letters import Words, build_message, write_address, write_credentials, write_marks
from services.notify.rules import TaughtMark, first_name, one_line

DELIVERY = UUID("0190b0a0-0000-7000-8000-000000000001")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PORTAL = "https://diary.example"
ALGEBRA = TaughtMark(date(2026, 11, 19), "Алгебра", 5, "контрольная работа", "Квадратные уравнения", False)


def read(letter: bytes) -> EmailMessage:
    message = message_from_bytes(letter, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def part(letter: EmailMessage, kind: str) -> str:
    body = letter.get_body((kind,))
    assert isinstance(body, EmailMessage)
    return str(body.get_content())


def send(words: Words) -> EmailMessage:
    return read(build_message(words, "diary@school.example", "anna@mail.example", DELIVERY, NOW))


def test_a_letter_of_marks_names_child_subject_and_mark() -> None:
    letter = send(write_marks("Петрова Мария Ивановна", [ALGEBRA], PORTAL))
    assert letter["Subject"] == "Мария: новые отметки"
    assert "19 ноября, Алгебра: 5 (контрольная работа, Квадратные уравнения)" in part(letter, "plain")
    assert "Квадратные уравнения" in part(letter, "html")


def test_the_plain_text_gives_each_mark_a_line() -> None:
    marks = [ALGEBRA, TaughtMark(date(2026, 11, 20), "Химия", 4, "", "", True)]
    assert write_marks("Петрова Мария", marks, PORTAL).text.split("\n")[:6] == [
        "Мария: новые отметки",
        "",
        "19 ноября, Алгебра: 5 (контрольная работа, Квадратные уравнения)",
        "20 ноября, Химия: 4 (исправлена)",
        "",
        "Открыть дневник: https://diary.example",
    ]


def test_a_single_changed_mark_is_told_as_a_correction() -> None:
    changed = TaughtMark(date(2026, 11, 19), "Алгебра", 4, "", "", True)
    letter = send(write_marks("Петрова Мария", [changed], PORTAL))
    assert letter["Subject"] == "Исправлена отметка: Алгебра, 19 ноября"
    assert "исправлена отметка" in part(letter, "plain")


def test_a_letter_of_credentials_holds_the_link_with_the_token_in_its_fragment() -> None:
    expires = datetime(2026, 12, 4, 21, 30, tzinfo=UTC)
    letter = send(write_credentials("Школа № 1", "tok-123", expires, ZoneInfo("Europe/Moscow"), PORTAL))
    assert letter["Subject"] == "Доступ к электронному дневнику готов"
    for kind in ("plain", "html"):
        assert f"{PORTAL}/activate#tok-123" in part(letter, kind)
        assert "5 декабря 2026 г., 00:30" in part(letter, kind)


def test_the_message_id_is_the_deliverys_and_holds_no_name() -> None:
    words = write_marks("Петрова Мария", [ALGEBRA], PORTAL)
    assert send(words)["Message-ID"] == send(words)["Message-ID"] == f"<{DELIVERY}@school.example>"


def test_letters_ask_for_nothing_from_elsewhere() -> None:
    html = part(send(write_marks("Петрова Мария", [ALGEBRA], PORTAL)), "html")
    assert "<img" not in html
    assert "src=" not in html
    assert "<script" not in html


@pytest.mark.parametrize(
    "name",
    [
        "Иванов\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>",
        "Иванов \u202eяиraM\u2028X-Header: 1",
        "Иванов {{ 7*7 }} {% include 'x' %}",
        "Иванов <b>\"'&</b> \x00\x1b[31m",
    ],
)
def test_a_hostile_name_is_inert(name: str) -> None:
    mark = TaughtMark(date(2026, 11, 19), one_line(name), 5, one_line(name), one_line(name), False)
    letter = send(write_marks(name, [mark], PORTAL))
    assert letter["Bcc"] is None
    assert letter["X-Header"] is None
    assert set(letter.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"
    }  # fmt: skip
    assert "<script>" not in part(letter, "html")
    assert '<b>"' not in part(letter, "html")
    assert "49" not in letter["Subject"]


@given(st.text(max_size=300), st.text(max_size=100))
def test_any_name_makes_a_letter_of_seven_bits_with_one_subject(name: str, topic: str) -> None:
    mark = TaughtMark(date(2026, 11, 19), one_line(name), 5, "", one_line(topic), False)
    raw = build_message(write_marks(name, [mark], PORTAL), "diary@school.example", "anna@mail.example", DELIVERY, NOW)
    assert raw.isascii()
    head = raw.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].decode()
    names = [line.partition(":")[0] for line in head.split("\n") if not line.startswith((" ", "\t"))]
    assert sorted(names) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
    )


@pytest.mark.parametrize(
    ("display_name", "expected"),
    [("Петрова Мария Ивановна", "Мария"), ("Петрова Мария", "Мария"), ("Мария", "Мария"), ("", "")],
)
def test_the_first_name_is_the_second_word(display_name: str, expected: str) -> None:
    assert first_name(display_name) == expected


def test_a_domain_in_cyrillic_is_written_in_ascii() -> None:
    assert write_address("anna@почта.рф") == "anna@xn--80a1acny.xn--p1ai"


@pytest.mark.parametrize("address", ["анна@mail.ru", "a@b\r\nBcc: c@d", "a b@c.ru", "nobody", "", "a@b,c@d", "<a@b.ru>"])
def test_an_address_that_smtp_cannot_take_is_refused(address: str) -> None:
    with pytest.raises(ValueError):
        write_address(address)
