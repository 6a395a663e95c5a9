"""Blank forms in words and on paper (Clauses R8, R30, R31, sections 2 to 4 of the forms)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.documents.forms.convert import render_form
from services.documents.forms.rules import FORMS, FormSchool, build_form
from tests.support.papers import needs_poppler, read_pages, read_texts, squeeze

SCHOOL = FormSchool("МБОУ «Александровская школа»", "Директору", "Супрун И. Е.")


def _print(kind: str, school: FormSchool = SCHOOL) -> str:
    [page] = read_texts(render_form(build_form(FORMS[kind], school)))
    return " ".join(page.replace("\xa0", " ").split())


@needs_poppler
def test_appendix_2_says_the_approved_text() -> None:
    text = _print("appendix-2")
    for part in (
        "Приложение № 2 к Регламенту предоставления услуги «Электронный дневник»",
        'Прошу (просим) не предоставлять мне (нам) услугу по доступу к сервису "Электронный журнал/дневник", входящему в '
        "информационную систему школы, для получения информации об успеваемости, посещаемости, учебных достижениях "
        "несовершеннолетнего ребенка (дочери, сына)",
        "обучающегося МБОУ «Александровская школа».",
    ):
        assert part in text
    assert text.count("Родитель") == 2
    assert "Доступ заявителя прекращен" not in text


@needs_poppler
def test_appendix_3_says_the_text_of_the_model_set() -> None:
    text = squeeze(_print("appendix-3"))
    words = 'через сервис "Электронный журнал/дневник", входящего в информационную систему школы.'
    assert squeeze(words) in text
    assert squeeze("Доступ заявителя прекращен") in text


@needs_poppler
def test_a_form_without_the_heads_name_has_a_line_and_a_position() -> None:
    text = _print("paper", FormSchool("Школа № 1", "", ""))
    assert text.startswith("Директору Школа № 1 от")


@needs_poppler
def test_the_sheet_of_choice_can_be_refused_too() -> None:
    text = _print("paper")
    assert "От получения распечаток также отказываюсь." in text
    assert "заявление можно отозвать в любое время" in text


@needs_poppler
@pytest.mark.parametrize("kind", FORMS)
def test_a_form_is_one_page_however_long_the_name_is(kind: str) -> None:
    name = "Муниципальное бюджетное общеобразовательное учреждение " * 6
    [page] = read_pages(render_form(build_form(FORMS[kind], FormSchool(name, "Директору " * 9, "Супрун И. Е. " * 7))))
    assert max(word.bottom for word in page.words) < page.height
    assert max(word.right for word in page.words) < page.width


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(sorted(FORMS)), st.text(max_size=60))
def test_any_name_of_a_school_can_be_printed(kind: str, name: str) -> None:
    assert render_form(build_form(FORMS[kind], FormSchool(name, name, name))).startswith(b"%PDF-")


@needs_poppler
def test_nothing_in_a_name_is_taken_for_a_mark() -> None:
    assert "Школа ____ {line} ☐ #x" in _print("appendix-2", FormSchool("Школа ____ {line} ☐ #x", "", ""))
