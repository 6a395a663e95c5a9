"""Letters as they are written: words, headers, and names that try to be more than names."""

from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.channels.convert import build_message, write_address
from services.notify.news.convert import Words
from services.notify.news.kinds.access_ends import Ending, EndingCause
from services.notify.news.kinds.access_ends import write as write_ending
from services.notify.news.kinds.credentials import FirstSignIn
from services.notify.news.kinds.credentials import write as write_credentials
from services.notify.news.kinds.decision import SignedDecision
from services.notify.news.kinds.decision import write as write_decision
from services.notify.news.kinds.marks import TaughtMark, write_week_url
from services.notify.news.kinds.marks import write as write_marks
from services.notify.news.rules import find_last_day, name_file, one_line

DELIVERY = UUID("0190b0a0-0000-7000-8000-000000000001")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PORTAL = "https://diary.example"
ALGEBRA = TaughtMark(date(2026, 11, 19), "Алгебра", 5, "контрольная работа", "Квадратные уравнения", False)

DECISION = SignedDecision(
    "3-ЭДО/2026", "Школа № 1", "15-ЭД/2026", date(2026, 11, 19), b"%PDF-1.7\r\n.\n\x00\xff", b"scan", b"\x30\x82"
)
ENDING = Ending(EndingCause.OF_AGE, date(2026, 12, 26), "Мария", "Школа № 1", "Петрова Анна Сергеевна", True, False)


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
    letter = send(write_marks("Мария", [ALGEBRA], PORTAL))
    assert letter["Subject"] == "Мария: новая отметка"
    assert "19 ноября, Алгебра: 5 (контрольная работа, Квадратные уравнения)" in part(letter, "plain")
    assert "Квадратные уравнения" in part(letter, "html")


def test_the_plain_text_gives_each_mark_a_line() -> None:
    marks = [ALGEBRA, TaughtMark(date(2026, 11, 20), "Химия", 4, "", "", True)]
    assert write_marks("Мария", marks, PORTAL).text.split("\n")[:6] == [
        "Мария: новые отметки",
        "",
        "19 ноября, Алгебра: 5 (контрольная работа, Квадратные уравнения)",
        "20 ноября, Химия: 4 (исправлена)",
        "",
        "Открыть дневник: https://diary.example",
    ]


def test_a_correction_says_what_the_mark_was_and_why_it_was_changed() -> None:
    changed = TaughtMark(date(2026, 11, 19), "Алгебра", 3, "", "", True, 4, "ошибка при проверке.")
    letter = send(write_marks("Мария", [changed], PORTAL))
    for kind in ("plain", "html"):
        assert "Было 4, стало 3." in part(letter, kind)
        assert "Причина: ошибка при проверке." in part(letter, kind)
    again = send(write_marks("Мария", [replace(changed, previous_value=0, reason="")], PORTAL))
    assert "Было" not in part(again, "plain")
    assert "Причина" not in part(again, "plain")
    several = write_marks("Мария", [changed, ALGEBRA], PORTAL).text
    assert "Алгебра: 3 (исправлена, было 4)" in several


def test_a_letter_of_marks_speaks_of_what_exists() -> None:
    letter = send(write_marks("Мария", [ALGEBRA, ALGEBRA], PORTAL))
    assert letter["Subject"] == "Мария: новые отметки"
    assert "на момент отправки" in part(letter, "plain")
    assert "на странице «Уведомления»" in part(letter, "plain").replace("\n", " ")


def test_the_page_of_marks_is_the_childs_week_and_day() -> None:
    school, student = UUID(int=1), UUID(int=2)
    url = write_week_url(PORTAL, school, student, date(2027, 1, 1))
    assert url == f"{PORTAL}/schools/{school}/students/{student}/week?week=2026-W53#d2027-01-01"


def test_a_single_changed_mark_is_told_as_a_correction() -> None:
    changed = TaughtMark(date(2026, 11, 19), "Алгебра", 4, "", "", True)
    letter = send(write_marks("Мария", [changed], PORTAL))
    assert letter["Subject"] == "Исправлена отметка: Алгебра, 19 ноября"
    assert "исправлена отметка" in part(letter, "plain")


def test_a_letter_of_credentials_is_the_document_of_the_access() -> None:
    """Clause R26: the application, the child, the login, the link; the token stands in its fragment."""
    expires = datetime(2026, 12, 4, 21, 30, tzinfo=UTC)
    first = FirstSignIn(
        "Школа № 1", "15-ЭД/2026", date(2026, 11, 19), "Артём", "ivanova.mp", "tok-123", expires, ZoneInfo("Europe/Moscow")
    )
    letter = send(write_credentials(first, PORTAL))
    assert letter["Subject"] == "Доступ к электронному дневнику открыт, заявление № 15-ЭД/2026"
    for kind in ("plain", "html"):
        text = part(letter, kind)
        assert "по заявлению от 19 ноября 2026 г. № 15-ЭД/2026" in text
        assert "ребёнок: Артём" in text
        assert f"{PORTAL}/activate#tok-123/ivanova.mp" in text
        assert "5 декабря 2026 г., 00:30, её можно использовать один раз" in text
    assert "Ваш логин: ivanova.mp" in part(letter, "plain")
    assert "tok-123" not in repr(first)


def test_the_message_id_is_the_deliverys_and_holds_no_name() -> None:
    words = write_marks("Мария", [ALGEBRA], PORTAL)
    assert send(words)["Message-ID"] == send(words)["Message-ID"] == f"<{DELIVERY}@school.example>"


def test_letters_ask_for_nothing_from_elsewhere() -> None:
    html = part(send(write_marks("Мария", [ALGEBRA], PORTAL)), "html")
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


def test_a_domain_in_cyrillic_is_written_in_ascii() -> None:
    assert write_address("anna@почта.рф") == "anna@xn--80a1acny.xn--p1ai"


@pytest.mark.parametrize("address", ["анна@mail.ru", "a@b\r\nBcc: c@d", "a b@c.ru", "nobody", "", "a@b,c@d", "<a@b.ru>"])
def test_an_address_that_smtp_cannot_take_is_refused(address: str) -> None:
    with pytest.raises(ValueError):
        write_address(address)


def test_a_decision_brings_its_files_byte_for_byte_under_names_in_cyrillic() -> None:
    letter = send(write_decision(DECISION, PORTAL))
    assert letter["Subject"] == "Решение по заявлению № 15-ЭД/2026"
    assert [
        (part.get_filename(), part.get_content_type(), part.get_payload(decode=True)) for part in letter.iter_attachments()
    ] == [
        ("Решение 3-ЭДО-2026.pdf", "application/pdf", DECISION.pdf),
        ("Решение 3-ЭДО-2026 скан.pdf", "application/pdf", b"scan"),
        ("Решение 3-ЭДО-2026.pdf.sig", "application/octet-stream", b"\x30\x82"),
    ]


def test_a_decisions_file_names_go_out_in_ascii_as_rfc_2231_asks() -> None:
    raw = build_message(write_decision(DECISION, PORTAL), "diary@school.example", "anna@mail.example", DELIVERY, NOW)
    assert raw.isascii()
    assert raw.count(b"filename*=utf-8''%D0%A0%D0%B5%D1%88%D0%B5%D0%BD%D0%B8%D0%B5%203-") == 3
    # RFC 5322: shall not exceed 78, must not exceed 998.
    assert max(len(line) for line in raw.split(b"\r\n") if b"filename*" not in line) <= 78
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


def test_files_have_a_short_name_in_ascii_for_programs_that_know_no_rfc_2231() -> None:
    letter = send(write_decision(DECISION, PORTAL))
    names = [part["Content-Type"].params["name"] for part in letter.iter_attachments()]
    assert names == ["decision.pdf", "decision-scan.pdf", "decision.pdf.sig"]


def test_a_decision_says_what_is_attached_and_how_to_check_it() -> None:
    on_paper = send(write_decision(replace(DECISION, signature=b""), PORTAL))
    electronic = send(write_decision(replace(DECISION, scan=b""), PORTAL))
    for letter, words in ((on_paper, "скан-копия решения"), (electronic, "электронная подпись руководителя")):
        for kind in ("plain", "html"):
            assert words in part(letter, kind)
            assert f"{PORTAL}/verify" in part(letter, kind)
            assert "порядок обжалования" in part(letter, kind)
    assert "программа проверки подписи" not in part(on_paper, "plain")
    assert "скан-копия" not in part(electronic, "plain")


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("3-ЭДО/2026", "Решение 3-ЭДО-2026"),
        ("../../etc\\x", "Решение ..-..-etc-x"),
        ("1\r\nBcc: a@b", "Решение 1 Bcc- a@b"),
        ('"<|>?*', "Решение ------"),
    ],
)
def test_a_number_becomes_a_name_that_every_system_can_keep(number: str, name: str) -> None:
    assert name_file(number) == name


def test_the_coming_of_age_is_told_to_both_in_the_words_of_the_form() -> None:
    """Clause R6."""
    words = (
        "26 декабря 2026 г. исполнится 18 лет. По регламенту школы доступ родителей к электронному дневнику в этот день "
        "прекращается (в 24:00). Если Мария согласен (согласна) сохранить доступ, ему (ей) нужно подписать согласие в дневнике "
        "или у классного руководителя."
    )
    for ending in (ENDING, replace(ENDING, is_to_holder=False)):
        letter = send(write_ending(ending, PORTAL))
        assert letter["Subject"] == "Доступ родителей прекратится 26 декабря 2026 г."
        for kind in ("plain", "html"):
            assert words in part(letter, kind)
            assert ("Петрова Анна Сергеевна" in part(letter, kind)) is not ending.is_to_holder


@pytest.mark.parametrize(
    ("cause", "is_to_holder", "is_of_student", "words"),
    [
        (EndingCause.AUTHORITY, True, False, "на основании которых вам дан доступ"),
        (EndingCause.AUTHORITY, False, False, "доступ представителя к вашему электронному дневнику"),
        (EndingCause.LEAVING, True, False, "Мария: 26 декабря 2026 г. — последний день обучения"),
        (EndingCause.LEAVING, True, True, "26 декабря 2026 г. — ваш последний день обучения"),
        (EndingCause.LEAVING, False, False, "доступ родителей (законных представителей) к вашему"),
    ],
)
def test_each_is_told_of_an_end_in_words_that_fit(
    cause: EndingCause, is_to_holder: bool, is_of_student: bool, words: str
) -> None:
    ending = replace(ENDING, cause=cause, is_to_holder=is_to_holder, is_of_student=is_of_student)
    letter = send(write_ending(ending, PORTAL))
    assert letter["Subject"] == "Доступ к дневнику прекратится 26 декабря 2026 г."
    for kind in ("plain", "html"):
        assert words in part(letter, kind)
        assert "в этот день прекращается (в 24:00)" in part(letter, kind)
        assert "18 лет" not in part(letter, kind)


def test_a_hostile_name_in_a_warning_is_inert() -> None:
    name = one_line("<b>Мария</b>\r\n\r\n{{ 7*7 }}")
    html = part(send(write_ending(replace(ENDING, student_name=name, holder_name=name, is_to_holder=False), PORTAL)), "html")
    assert "<b>" not in html
    assert "&lt;b&gt;Мария&lt;/b&gt; {{ 7*7 }}" in html


@pytest.mark.parametrize(
    ("end_time", "zone", "day"),
    [
        ("2026-12-26T21:00:00+00:00", "Europe/Simferopol", date(2026, 12, 26)),
        ("2026-12-26T21:00:01+00:00", "Europe/Simferopol", date(2026, 12, 27)),
        ("2026-12-26T14:00:00+00:00", "Asia/Vladivostok", date(2026, 12, 26)),
    ],
)
def test_the_last_day_is_the_one_that_ends_at_midnight(end_time: str, zone: str, day: date) -> None:
    assert find_last_day(datetime.fromisoformat(end_time), ZoneInfo(zone)) == day
