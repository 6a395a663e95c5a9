"""The paper of a refusal: what it says for each of the seven reasons, and how it looks (R19-R23)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.documents.decisions.convert import read_decisions, render_decision
from services.documents.decisions.rules import CODE_BYTES, Decision, build_decision, write_code, write_link
from tests.support.papers import needs_poppler, read_codes, read_pages, read_texts, squeeze
from tests.worlds.refusals import REASONS, refusal

_CODE = "aleks-7k3m-qx4d-9p2w"
_LINKS = [write_link("https://diary.example", _CODE, page) for page in range(1, 9)]
_GROUNDS = {
    "NOT_AN_APPLICANT": "запрос подан лицом, не относящимся к заявителям, предусмотренным настоящим Регламентом",
    "NOT_A_STUDENT": "лицо, получение информации о текущей успеваемости и посещаемости которого запрашивается заявителем, не"
    " является обучающимся МБОУ «Александровская школа»",
    "OWN_STATEMENT": "заявление заявителя об отказе в получении услуги",
}
_EXPLAINED = {
    "RELATION_NOT_PROVED": "в школе отсутствуют сведения, подтверждающие, что заявитель является родителем",
    "STUDENT_OF_AGE": "Обучающийся достиг 18 лет «3» ноября 2026 г.; согласие обучающегося",
    "AUTHORITY_ENDED": "Полномочия заявителя прекращены.",
    "NOT_ENROLLED": "По данным учета обучающихся на 20.11.2026, 13:59 указанное лицо среди обучающихся школы не значится.",
    "LEFT": "Обучение завершено «30» июня 2026 г., приказ № 45‑у.",
    "STATEMENT_NOT_TO_PROVIDE": "Заявление по форме Приложения № 2 от «18» ноября 2026 г. № 15‑ЭД/2026.",
    "STATEMENT_TO_CANCEL": "Предоставление информации через сервис прекращено 18.11.2026, 10:00.",
}


def _decision(reason: str = "RELATION_NOT_PROVED") -> Decision:
    return read_decisions([refusal(reason)])[0]


def _paper(decision: Decision) -> bytes:
    return render_decision(build_decision(decision, _CODE), _LINKS)


def _words(decision: Decision) -> str:
    """All the text of the paper on one line, as a reader reads it."""
    return " ".join(" ".join(read_texts(_paper(decision))).replace("\xa0", " ").split())


@needs_poppler
@pytest.mark.parametrize("reason", REASONS)
def test_a_paper_names_exactly_its_ground_the_reason_the_ways_of_appeal_and_the_next_steps(reason: str) -> None:
    """Clauses R19-R23; the closed list."""
    words = squeeze(_words(_decision(reason)))
    ground = REASONS[reason][0]
    assert [name for name, text in _GROUNDS.items() if squeeze(f"Причина отказа: {text}.") in words] == [ground]
    assert [name for name, text in _EXPLAINED.items() if squeeze(text) in words] in (
        [reason],
        # Who has left is not among the students either.
        *([["NOT_ENROLLED", "LEFT"]] if reason == "LEFT" else []),
    )
    for text in (
        "отказать в предоставлении услуги «Электронный дневник» (доступ к сервису «Электронный журнал/дневник») заявителю"
        " (Иванова Мария Петровна) в отношении",
        "об отмене" if reason == "STATEMENT_TO_CANCEL" else "о",
        "на основании раздела «Отказ в предоставлении услуги» Регламента предоставления услуги «Электронный дневник»",
        "утвержденного приказом МБОУ «Александровская школа» от «28» августа 2020 г. № 213 решено:",
        "руководителю МБОУ «Александровская школа» — письменно, лично или почтой по адресу:"
        " 297000, Республика Крым, с. Александровка,",
        "(статья 45 Федерального закона от 29.12.2012 № 273-ФЗ",
        "учредителю (Администрация Красногвардейского района Республики Крым, пгт Красногвардейское,"
        " ул. Тельмана, д. 7, +7 (36556)"
        " 2-00-00);",
        "в прокуратуру или в суд",
        "Письменное обращение рассматривается в течение 30 дней со дня регистрации.",
        "Вы вправе" if ground != "NOT_A_STUDENT" else "подайте новое заявление с указанием приказа о зачислении",
        "И. Е. Супрун",
        "Исполнитель: Петрова Нина Ивановна, тел. +7 (36556) 2-12-12",
        "Решение получил(а):",
    ):
        assert squeeze(text) in words, text
    for text in ("о отмене", "судебн", "по адресу school@", "печат", "ё", "-ЭД"):
        assert text not in _words(_decision(reason)).replace("Артём", ""), text


@pytest.mark.parametrize(
    ("told", "printed"),
    [
        ("срок действия доверенности истёк 25.11.2026", "Срок действия доверенности истек 25.11.2026."),
        (
            "полномочия заявителя прекращены актом суда от 01.11.2026 № 2-15",
            "Полномочия заявителя прекращены актом суда от 01.11.2026 № 2‑15.",
        ),
        ("", "Полномочия заявителя прекращены."),
    ],
)
def test_how_an_authority_ended_is_printed_as_access_has_recorded_it(told: str, printed: str) -> None:
    """Clause R19: no act is named that the school does not have."""
    page = build_decision(replace(_decision("AUTHORITY_ENDED"), authority_ending=told), _CODE)
    assert [line.replace("\xa0", " ") for line in page.explanation] == [printed]


@needs_poppler
def test_one_without_a_proved_relation_reads_nothing_of_the_child_even_if_access_tells() -> None:
    """Clause R19."""
    told = replace(_decision(), student_name="Иванов Артём Сергеевич", class_name="8-А")
    words = _words(told)
    assert "в отношении лица, указанного в заявлении." in words
    assert "Артём" not in words
    assert "8-А" not in words


@pytest.mark.parametrize(
    ("changed", "said", "unsaid"),
    [
        ({"paper_number": "4-Б/2026"}, "распечатки результатов (заявление № 4‑Б/2026)", "заявитель отказался"),
        (
            {"paper_number": "4-Б/2026", "declines_printouts": True},
            "От получения распечаток заявитель отказался.",
            "не реже одного раза в неделю",
        ),
        ({}, "(Приложение № 1)", "распечат"),
        ({"is_own_statement_of_student": True}, "Решение касается только заявителя.", "Приложение"),
        (
            {"is_own_statement_of_student": True, "keeps_guardian_access": True},
            "заявителя: доступ родителей (законных представителей) сохраняется.",
            "Приложение",
        ),
        ({}, "Решение касается только заявителя.", "сохраняется"),
        ({"keeps_student_access": True}, "заявителя: доступ обучающегося сохраняется.", "другого родителя"),
        (
            {"keeps_student_access": True, "keeps_guardian_access": True},
            "доступ обучающегося и другого родителя (законного представителя) сохраняется.",
            "доступ родителей",
        ),
    ],
)
def test_what_follows_an_own_statement_is_said_as_it_is(changed: dict[str, object], said: str, unsaid: str) -> None:
    """Clause R21."""
    page = build_decision(replace(_decision("STATEMENT_NOT_TO_PROVIDE"), **changed), _CODE)  # type: ignore[arg-type]
    steps = " ".join(page.next_steps).replace("\xa0", " ")
    assert said in steps
    assert unsaid not in steps


def test_a_regulation_without_an_order_or_of_another_title_is_named_in_the_right_case() -> None:
    model = replace(_decision(), regulation_order_number="", regulation_order_date=None)
    assert build_decision(model, _CODE).considered.endswith("о результатах обучения)")
    other = build_decision(replace(_decision(), regulation_title="Порядок школы"), _CODE).considered
    assert "услуги» Регламента «Порядок школы», утвержденного" in other


@needs_poppler
@pytest.mark.parametrize("reason", REASONS)
def test_usual_names_take_one_page_with_its_code_in_the_lower_right_corner(reason: str) -> None:
    pdf = _paper(_decision(reason))
    assert len(read_pages(pdf)) == 1
    assert read_codes(pdf) == [f"https://diary.example/verify?code={_CODE}&page=1"]
    assert _CODE in read_texts(pdf)[0]


@needs_poppler
def test_names_as_long_as_fields_take_two_pages_and_the_signature_never_stands_alone() -> None:
    long = replace(
        _decision("STATEMENT_TO_CANCEL"),
        applicant_name="Абдурахманова-Воскресенская " * 9,
        student_name="Оченьдлиннаяфамилиябезпробелов" * 9,
    )
    pdf = _paper(long)
    first, second = read_texts(pdf)
    assert "Порядок обжалования." not in first
    assert "Порядок обжалования." in second
    assert "И. Е. Супрун" in second.replace("\xa0", " ")
    assert "страница 2 из 2" in second.replace("\xa0", " ")
    for page in read_pages(pdf):
        assert all(word.left > 0 and word.right < page.width and word.bottom < page.height for word in page.words)


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=120), st.text(max_size=120))
@needs_poppler
def test_no_text_of_a_person_is_markup_or_breaks_the_page(applicant: str, student: str) -> None:
    decision = replace(_decision("LEFT"), applicant_name=f"#panic() {applicant}", student_name=f"$x$ *b* {student}")
    words = _words(decision)
    assert "#panic()" in words
    assert "$x$ *b*" in words


def test_codes_begin_with_the_schools_and_have_no_letters_that_are_confused() -> None:
    codes = {write_code("aleks", uuid4().bytes[:CODE_BYTES].ljust(CODE_BYTES, b"\0")) for _ in range(200)}
    assert len(codes) == 200
    assert not set("".join(code.removeprefix("aleks-") for code in codes)) & set("ilou")


def test_a_local_date_is_the_schools_not_the_servers() -> None:
    message = refusal()
    message.decide_time.FromDatetime(datetime(2026, 11, 20, 22, 30, tzinfo=UTC))
    [decision] = read_decisions([message])
    assert build_decision(decision, _CODE).date.replace("\xa0", " ") == "«21» ноября 2026 г."
