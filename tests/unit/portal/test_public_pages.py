"""Pages without a sign-in, the details of a school, and for whom weeks are printed: pages over the stand-in."""

import pytest
from httpx import AsyncClient

from apps.portal.asked import FILE_BYTES
from apps.portal.public.views import build_verdict
from diary.documents.v1 import document_pb2, print_run_pb2
from diary.options.v1 import options_pb2
from tests.unit.portal.standin import SCHOOL, STUDENT, StandIn, fields
from tests.unit.portal.standin_cases import CLASS
from tests.unit.portal.standin_papers import CODE

DETAILS = f"/schools/{SCHOOL}/details"
PRINTOUTS = f"/schools/{SCHOOL}/classes/{CLASS}/printouts"


@pytest.mark.parametrize(
    ("code", "text"),
    [(CODE, "Решение есть в реестре школы"), ("ALEK-X", "Документ не найден"), ("x" * 200, "Документ не найден")],
)
async def test_anybody_verifies_a_paper_by_its_code(stand_in: StandIn, code: str, text: str) -> None:
    """Clause R22."""
    answer = await stand_in.browser().get("/verify", params={"code": code})
    assert (answer.status_code, text in answer.text) == (200, True)
    assert ("17.11.2026" in answer.text) == (code == CODE)


@pytest.mark.parametrize(
    ("content", "status", "text"),
    [
        (b"%PDF-1.7 decision", 200, "с тех пор он не изменён"),
        (b"%PDF-1.7 changed", 200, "Документ изменён"),
        (b"%PDF-1.7 another", 200, "среди решений и еженедельных листов"),
        (b"", 422, "Выберите файл документа."),
        (bytes(FILE_BYTES + 1), 413, "Файл больше 7 мегабайт."),
    ],
)
async def test_anybody_verifies_a_paper_by_its_file(stand_in: StandIn, content: bytes, status: int, text: str) -> None:
    browser = stand_in.browser()
    assert "Проверка документа" in (await browser.get("/verify")).text
    answer = await browser.post("/verify", files={"file": ("решение.pdf", content, "application/pdf")})
    assert (answer.status_code, text in answer.text) == (status, True)
    assert "Соколова" not in answer.text


@pytest.mark.parametrize(
    ("answer", "said", "unsaid"),
    [
        (
            document_pb2.VerifyDocumentResponse(state=document_pb2.DOCUMENT_STATE_AWAITS_SIGNATURE),
            "Проект решения, не подписан",
            "подлинн",
        ),
        (
            document_pb2.VerifyDocumentResponse(state=document_pb2.DOCUMENT_STATE_SCAN_UNCONFIRMED),
            "Проект решения, не подписан",
            "на бумаге",
        ),
        (
            document_pb2.VerifyDocumentResponse(state=document_pb2.DOCUMENT_STATE_SIGNED_ON_PAPER),
            "директор подтвердил его",
            "Проект",
        ),
        (
            document_pb2.VerifyDocumentResponse(
                state=document_pb2.DOCUMENT_STATE_SIGNED_ELECTRONICALLY, signature_owner_name="Вася Пупкин"
            ),
            "подпись приложена: владелец сертификата Вася Пупкин, не проверялась",
            "директор",
        ),
        (
            document_pb2.VerifyDocumentResponse(
                kind=document_pb2.DOCUMENT_KIND_WEEKLY_SHEET,
                sheet_number=52,
                monday_date="2026-11-23",
                school_name="«Школа № 3»",
            ),
            "Еженедельный лист № 52, неделя 23–29 ноября 2026, подготовлен школой «Школа № 3»",
            "подпис",
        ),
        (
            document_pb2.VerifyDocumentResponse(
                kind=document_pb2.DOCUMENT_KIND_WEEKLY_SHEET, monday_date="2026-11-23", school_name="«Школа № 3»"
            ),
            "Еженедельные листы, неделя 23–29 ноября 2026, подготовлены школой «Школа № 3»",
            "подпис",
        ),
        (
            document_pb2.VerifyDocumentResponse(verdict=document_pb2.VERDICT_UNKNOWN),
            "Среди решений и еженедельных листов",
            "не выдавал",
        ),
        (document_pb2.VerifyDocumentResponse(verdict=document_pb2.VERDICT_CHANGED), "отметка системы, защищающая", "печать"),
    ],
)
def test_a_verdict_says_what_was_checked_and_nothing_more(
    answer: document_pb2.VerifyDocumentResponse, said: str, unsaid: str
) -> None:
    """Clauses R7, R22; adoption 0.8, families A1."""
    told = document_pb2.VerifyDocumentResponse(
        verdict=document_pb2.VERDICT_VALID, kind=document_pb2.DOCUMENT_KIND_REFUSAL, document_date="2026-11-17", pdf_sha256="ab"
    )
    told.MergeFrom(answer)
    shown = build_verdict(told, is_by_file=False)
    words = " ".join((shown.title, shown.text, shown.signed)).replace("\xa0", " ")
    assert said in words
    assert unsaid not in words


async def test_blank_forms_are_open_to_everybody(stand_in: StandIn) -> None:
    """Clauses R30, R31."""
    browser = stand_in.browser()
    form = await browser.get(f"/schools/{SCHOOL}/forms/appendix-3")
    assert (form.content[:4], form.headers["content-type"]) == (b"%PDF", "application/pdf")
    assert (await browser.get(f"/schools/{SCHOOL}/forms/appendix-9")).status_code == 404


async def test_a_schools_details_are_saved_and_what_another_saved_meanwhile_is_shown(stand_in: StandIn) -> None:
    stand_in.access.roles = [options_pb2.ROLE_ADMIN]
    browser = await stand_in.signed_in()
    form = fields(await browser.get(DETAILS), DETAILS)
    assert form["phone"] == "+7 000 000-00-00"
    stand_in.schools.etag, stand_in.schools.details.phone = "another", "+7 111 111-11-11"
    stale = await browser.post(DETAILS, data={**form, "phone": "+7 222 222-22-22"})
    assert stale.status_code == 409
    assert "изменено тем временем другим сотрудником или вами" in stale.text
    assert "сейчас в дневнике: +7 111 111-11-11" in stale.text
    again = fields(stale, DETAILS)
    assert again["phone"] == "+7 222 222-22-22"
    answer = await browser.post(DETAILS, data=again)
    assert answer.headers["location"] == DETAILS
    assert (stand_in.schools.details.phone, stand_in.schools.details.founder) == ("+7 222 222-22-22", "Управление образования")


async def test_a_school_records_the_order_of_its_regulation(stand_in: StandIn) -> None:
    """Clause R1: the dates that do not fit are named, what was typed stays."""
    stand_in.access.roles = [options_pb2.ROLE_ADMIN]
    browser = await stand_in.signed_in()
    page = await browser.get(DETAILS)
    assert "решение об отказе подписать нельзя" in page.text
    form = fields(page, f"{DETAILS}/regulation")
    typed = {**form, "title": "Регламент услуги", "order_number": "213", "order_date": "2024-08-28"}
    wrong = await browser.post(f"{DETAILS}/regulation", data={**typed, "valid_from_date": "2024-08-01"})
    assert wrong.status_code == 422
    assert "Проверьте: с какого дня действует." in wrong.text
    again = fields(wrong, f"{DETAILS}/regulation")
    assert again["title"] == "Регламент услуги"
    await browser.post(f"{DETAILS}/regulation", data={**again, "valid_from_date": "2024-09-01"})
    shown = await browser.get(DETAILS)
    assert "Регламент внесён." in shown.text
    assert "приказ от\u00a028.08.2024 №\u00a0213, действует с\u00a001.09.2024" in shown.text


async def test_only_admin_and_head_change_the_details(browser: AsyncClient) -> None:
    assert (await browser.get(DETAILS)).status_code == 403


async def test_weeks_are_printed_for_paper_families_unless_others_are_chosen(stand_in: StandIn, browser: AsyncClient) -> None:
    """Clauses R7, R8."""
    form = fields(await browser.get(PRINTOUTS), PRINTOUTS)
    assert form["whose"] == "paper"
    refused = await browser.post(PRINTOUTS, data=form)
    assert (refused.status_code, "никого не информируют на бумаге" in refused.text) == (422, True)
    everybody = await browser.post(PRINTOUTS, data={**fields(refused, PRINTOUTS), "whose": "all"})
    assert everybody.status_code == 303
    nobody = await browser.post(PRINTOUTS, data={**form, "whose": "chosen"})
    assert (nobody.status_code, "хотя бы одного ученика" in nobody.text) == (422, True)
    await browser.post(PRINTOUTS, data={**form, "whose": "chosen", "student": STUDENT})
    of_paper, of_all, of_chosen = stand_in.documents.sent
    assert of_paper.audience == print_run_pb2.PRINT_AUDIENCE_PAPER_FAMILIES
    assert (of_all.audience, list(of_all.students)) == (print_run_pb2.PRINT_AUDIENCE_UNSPECIFIED, [])
    assert [student.student_id for student in of_chosen.students] == [STUDENT]
