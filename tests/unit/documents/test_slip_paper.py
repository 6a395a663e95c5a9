"""The credential slip as paper: what stands where, and that nobody's text is ever more than text."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.documents.slips.convert import render_slips
from services.documents.slips.rules import Slip, build_page
from tests.support.papers import Page, list_fonts, needs_poppler, read_codes, read_info, read_pages, read_texts, squeeze
from tests.unit.documents.test_slip_words import SLIP

pytestmark = needs_poppler

# What the fonts of the slip have: ASCII, Russian, and the signs of Russian print.
_LETTERS = st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("АБЯабяЁё«»—№…")
_HOSTILE = [
    '#panic("broken")',
    '#read("/etc/passwd")',
    "#sys.inputs.data",
    "$ x^2 / 0 $",
    "] #pagebreak() [",
    "\\u{41} \\ \\#",
    "*жирный* _курсив_ `код`",
    "= Заголовок",
    "- пункт + пункт / пункт: да",
    "<метка> @ссылка",
    "// дальше ничего",
    "/* и тут */",
    "\"кавычки\" 'и' --- тире ~ -?",
    "<script>alert(1)</script>",
    "&amp; &#x41; <b>",
    "{{ 7*7 }} ${7*7} {% x %}",
    "'); DROP TABLE students; --",
    '","login":"другой","x":"',
    "%s %d {0} {login}",
]


def _render(*slips: Slip) -> bytes:
    return render_slips([build_page(slip) for slip in slips])


def _top_of(page: Page, word: str) -> float:
    [top] = [found.top for found in page.words if found.text == word]
    return top


def test_the_texts_stand_in_the_order_of_the_form() -> None:
    [text] = read_texts(_render(replace(SLIP, issue_number=2)))
    parts = [
        "МБОУ «Александровская школа»",
        "УВЕДОМЛЕНИЕ о предоставлении услуги «Электронный дневник»",
        "по заявлению от «16» марта 2026 г. № 15",
        "ПОВТОРНО, выдача № 2; прежний одноразовый пароль недействителен",
        "Кому: Иванова Мария Петровна",
        "Ребенок: Иванов Артём Сергеевич, 8‑А класс",
        "Ссылка: https://dnevnik.example/s/aleks",
        "Логин: ivanova-4821",
        "Одноразовый пароль: K7MR-QX4D-9TPA",
        "Действует до: 19.03.2026, 18:00",
        "Как войти в первый раз",
        "1. Откройте ссылку или наведите камеру телефона на QR-код.",
        "2. Введите логин и одноразовый пароль.",
        "3. Придумайте свой пароль — не короче 12 знаков. Одноразовый пароль после этого перестанет действовать.",
        "Важно",
        "• Логин и пароль — только для вас. У второго родителя и у ребенка свои.",
        "• Сотрудники школы никогда не спрашивают ваш пароль.",
        "• Не сохраняйте пароль на чужом компьютере. Если листок потерян, сообщите в школу: "
        "старый пароль отключат, выдадут новый.",
        "• Доступ бесплатный и действует на весь период обучения.",
        "Забыли пароль или не получается войти: Супрун И. Е., +7 (36555) 2-12-34, с 8:00 до 17:00.",
        "Не хотите пользоваться интернетом — попросите распечатки раз в неделю у классного руководителя.",
        "линия отреза",
        "КОРЕШОК (остается в школе) к заявлению от «16» марта 2026 г. № 15",
        "Ссылку, логин и одноразовый пароль для доступа к электронному журналу/дневнику МБОУ «Александровская школа» "
        "получил(а) лично.",
        "Иванова Мария Петровна Подпись « » 20 г.",
        "Выдал(а): Супрун И. Е. Подпись",
    ]
    assert squeeze(text) == squeeze("".join(parts))


@pytest.mark.parametrize("secret", [SLIP.login, SLIP.one_time_password])
def test_login_and_password_stand_once_and_above_the_tear_off_line(secret: str) -> None:
    [page] = read_pages(_render(SLIP))
    assert _top_of(page, secret) < _top_of(page, "отреза") < _top_of(page, "КОРЕШОК")


def test_the_receipt_has_neither_link_nor_login_nor_password() -> None:
    [text] = read_texts(_render(SLIP))
    _, receipt = text.split("линия отреза")
    assert [word for word in (SLIP.link, SLIP.login, SLIP.one_time_password) if word in receipt] == []
    assert "Иванова Мария Петровна" in receipt


def test_the_code_is_the_link_with_the_login_and_never_the_password() -> None:
    assert read_codes(_render(SLIP)) == [f"{SLIP.link}#/{SLIP.login}"]


def test_one_slip_is_one_page_however_long_its_texts_are() -> None:
    longest = Slip(
        school_name="Ш" * 300,
        holder_name="Очень Длинное Имя " * 16,
        student_name="Щ. " * 100,
        class_name="8" * 50,
        application_number="№" * 50,
        application_date=SLIP.application_date,
        link="https://" + "a/b-c?d=%20&" * 41,
        login="W" * 100,
        one_time_password="W-" * 50,
        password_expire_time=SLIP.password_expire_time,
        password_min_length=1000,
        class_teacher_name="Ж" * 300,
        support_phone="7" * 100,
        support_hours="с 8 " * 50,
        issue_number=2**31 - 1,
        handed_by="#[]$" * 75,
    )
    document = _render(longest)
    [page] = read_pages(document)
    [text] = read_texts(document)
    assert [word for word in page.words if word.left < 0 or word.right > page.width] == []
    assert squeeze(text).endswith("Подпись")
    for value in (longest.school_name, longest.student_name, longest.login, longest.one_time_password, longest.handed_by):
        assert squeeze(value) in squeeze(text)


@pytest.mark.parametrize("text", _HOSTILE)
def test_markup_in_a_name_is_printed_as_it_was_typed(text: str) -> None:
    slip = replace(SLIP, holder_name=text, student_name=text, school_name=text, handed_by=text, class_teacher_name=text)
    [page] = read_texts(_render(slip))
    assert squeeze(page).count(squeeze(text)) == 7


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(_LETTERS, min_size=1, max_size=80), min_size=1, max_size=6))
def test_any_text_appears_on_its_page_as_it_was_typed(names: list[str]) -> None:
    pages = read_texts(_render(*(replace(SLIP, holder_name=name, handed_by=name) for name in names)))
    assert len(pages) == len(names)
    for page, name in zip(pages, names, strict=True):
        assert f"Кому:{squeeze(name)}Ребенок:" in squeeze(page)
        assert f"Выдал(а):{squeeze(name)}" in squeeze(page)


def test_the_files_properties_name_nobody() -> None:
    info = read_info(_render(SLIP))
    assert re.search(r"^Title: +Уведомление о предоставлении услуги$", info, re.MULTILINE)
    assert "Date" not in info
    hidden = ("Иванов", "Супрун", "Александровская", SLIP.login, SLIP.one_time_password)
    assert [word for word in hidden if word in info] == []


def test_the_slip_is_set_in_the_projects_own_fonts() -> None:
    assert list_fonts(_render(SLIP)) == {"PTSerif-Regular", "PTSerif-Bold", "PTMono-Regular"}


def test_the_same_slip_gives_the_same_bytes() -> None:
    assert _render(SLIP) == _render(SLIP)


def test_nothing_of_a_rendered_slip_is_kept_in_typst() -> None:
    def render_class(number: int) -> int:
        _render(*(replace(SLIP, holder_name=f"Ученик {number}-{place}") for place in range(25)))
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4 // 1024

    megabytes = [render_class(number) for number in range(5)]
    # With its cache kept it is some 40 MB more each time.
    assert megabytes[-1] - megabytes[0] < 60


@pytest.mark.parametrize("login", ["vlasovakonstantinopolska.ea", "m" * 40, "w" * 64])
def test_no_login_is_set_over_the_code(login: str) -> None:
    """Staff A6: the square begins 104 mm from the left edge."""
    [page] = read_pages(_render(replace(SLIP, login=login)))
    # A login that is broken over lines has invisible places to break at.
    words = [replace(word, text=word.text.replace("\N{ZERO WIDTH SPACE}", "")) for word in page.words]
    letters = [word for word in words if word.text and set(word.text) <= set(login) and len(word.text) > 1]
    assert "".join(word.text for word in letters) == login
    assert max(word.right for word in letters) < page.width * 104 / 148
