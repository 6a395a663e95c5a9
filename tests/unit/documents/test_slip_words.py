"""The words of the credential slip, and how they are read from protobuf."""

import unicodedata
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from diary.documents.v1 import form_pb2
from services.documents.press.rules.text import print_moment, print_text
from services.documents.slips import rules as slips
from services.documents.slips.convert import read_slips
from tests.support.papers import squeeze

_ZONE = ZoneInfo("Europe/Simferopol")
SLIP = slips.Slip(
    school_name="МБОУ «Александровская школа»",
    holder_name="Иванова Мария Петровна",
    student_name="Иванов Артём Сергеевич",
    class_name="8-А",
    application_number="15",
    application_date=date(2026, 3, 16),
    link="https://dnevnik.example/s/aleks",
    login="ivanova-4821",
    one_time_password="K7MR-QX4D-9TPA",
    password_expire_time=datetime(2026, 3, 19, 18, 0, tzinfo=_ZONE),
    password_min_length=12,
    class_teacher_name="Супрун И. Е.",
    support_phone="+7 (36555) 2-12-34",
    support_hours="с 8:00 до 17:00",
    issue_number=1,
    handed_by="Супрун И. Е.",
)


def test_the_application_is_named_by_its_date_in_words_and_its_number() -> None:
    assert slips.build_page(SLIP).application == "от «16»\xa0марта\xa02026\xa0г. №\xa015"


def test_the_end_of_the_password_is_told_to_the_minute_before_it() -> None:
    late = replace(SLIP, password_expire_time=datetime(2026, 3, 9, 8, 4, 59, 999999, tzinfo=_ZONE))
    assert slips.build_page(late).valid_until == "09.03.2026,\xa008:04"


def test_the_student_stands_with_the_class() -> None:
    assert slips.build_page(SLIP).student == "Иванов Артём Сергеевич, 8‑А\xa0класс"


def test_a_students_own_slip_has_no_line_of_the_child() -> None:
    assert slips.build_page(replace(SLIP, student_name="")).student == ""


def test_a_first_slip_says_nothing_of_a_repeat() -> None:
    assert slips.build_page(SLIP).reissue == ""


def test_a_repeated_slip_says_which_issue_it_is() -> None:
    words = "ПОВТОРНО, выдача №\xa03; прежний одноразовый пароль недействителен"
    assert slips.build_page(replace(SLIP, issue_number=3)).reissue == words


@pytest.mark.parametrize(
    ("least", "words"), [(8, "8\xa0знаков"), (11, "11\xa0знаков"), (21, "21\xa0знака"), (111, "111\xa0знаков")]
)
def test_the_length_of_a_password_stands_in_the_genitive(least: int, words: str) -> None:
    assert slips.build_page(replace(SLIP, password_min_length=least)).password_length == words


@pytest.mark.parametrize(
    ("teacher", "phone", "hours", "words"),
    [
        ("Супрун И. Е.", "2-12-34", "с 8 до 17", "Супрун\xa0И.\xa0Е., 2-12-34, с 8 до 17"),
        ("", "2-12-34", "", "2-12-34"),
        ("", "", " ", "обратитесь в школу"),
    ],
)
def test_what_is_not_known_of_the_contacts_is_left_out(teacher: str, phone: str, hours: str, words: str) -> None:
    slip = replace(SLIP, class_teacher_name=teacher, support_phone=phone, support_hours=hours)
    assert slips.build_page(slip).contacts == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("И. Е. Супрун", "И.\xa0Е.\xa0Супрун"),
        ("Супрун И. Е.", "Супрун\xa0И.\xa0Е."),
        ("Школа № 15", "Школа №\xa015"),
        ("Иванова Мария Петровна", "Иванова Мария Петровна"),
    ],
)
def test_initials_and_numbers_are_not_torn_from_their_word(text: str, words: str) -> None:
    assert print_text(text) == words


def test_characters_that_turn_or_hide_text_are_not_printed() -> None:
    assert print_text(" Ива\u202eнова\x00\r\n\tМария\u2066 \u200b") == "Иванова Мария"


@given(st.text(max_size=200))
def test_printed_text_is_one_line_that_keeps_every_visible_character(text: str) -> None:
    visible = [c for c in text if unicodedata.category(c)[0] != "C"]
    printed = print_text(text)
    assert squeeze(printed) == squeeze("".join(visible))
    assert printed == printed.strip()
    assert printed.splitlines() in ([], [printed])
    assert max((len(run) for run in printed.replace("-", " ").replace("\u200b", " ").split(" ")), default=0) < 30


def test_the_secret_is_in_no_representation() -> None:
    assert SLIP.one_time_password not in repr(SLIP) + repr(slips.build_page(SLIP))


def _message(zone: str = "Europe/Simferopol", day: str = "2026-03-16", seconds: int = 0) -> form_pb2.Slip:
    expire = Timestamp(seconds=seconds) if seconds else Timestamp()
    if not seconds:
        expire.FromJsonString("2026-03-19T15:00:00Z")
    return form_pb2.Slip(application_date=day, time_zone=zone, password_expire_time=expire)


def test_the_time_is_told_in_the_schools_zone() -> None:
    [simferopol, kamchatka] = read_slips([_message(), _message("Asia/Kamchatka")])
    assert print_moment(simferopol.password_expire_time) == "19.03.2026,\xa018:00"
    assert print_moment(kamchatka.password_expire_time) == "20.03.2026,\xa003:00"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Europe", "../../etc/passwd", "a\0b", "x" * 100])
def test_a_zone_that_does_not_exist_is_named(zone: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^REQUEST_INVALID: slips\[1\]\.time_zone: "):
        read_slips([_message(), _message(zone)])


def test_a_day_that_does_not_exist_is_named() -> None:
    with pytest.raises(InvalidArgument, match=r"^REQUEST_INVALID: slips\[0\]\.application_date: "):
        read_slips([_message(day="2026-02-30")])


@pytest.mark.parametrize("seconds", [2**62, -(2**62), 253_402_300_799])
def test_a_time_that_does_not_exist_is_named(seconds: int) -> None:
    with pytest.raises(InvalidArgument, match=r"^REQUEST_INVALID: slips\[0\]\.password_expire_time: "):
        read_slips([_message(seconds=seconds)])
