"""The family's own choice: paper, the statement that ends the own access, own applications: pages over the stand-in."""

import asyncio
import re

import pytest
from httpx import AsyncClient

from diary.access.v1 import application_pb2, paper_declaration_pb2, refusal_pb2
from diary.options.v1 import options_pb2
from tests.unit.portal.standin import SCHOOL, STUDENT, StandIn, fields
from tests.unit.portal.standin_cases import CASE, DOCUMENT, MOTHER
from tests.unit.portal.standin_papers import DECLARATION, FATHER, declaration, own_grant

PAGE = f"/schools/{SCHOOL}/students/{STUDENT}/informing"
PAPER, REVOKE, STATEMENT = f"{PAGE}/paper", f"{PAGE}/paper/{DECLARATION}/revoke", f"{PAGE}/statement"
CASES = f"/schools/{SCHOOL}/my-applications"
DECLARATIONS = f"/schools/{SCHOOL}/students/{STUDENT}/declarations"


async def test_a_guardian_asks_for_printouts_and_takes_it_back(stand_in: StandIn, browser: AsyncClient) -> None:
    """Clauses R7, R8."""
    stand_in.papers.listed = [declaration(FATHER, paper_declaration_pb2.PAPER_DECLARATION_FORM_SHEET)]
    page = await browser.get(PAGE)
    # The other parent's choice is not told.
    assert "14-Р/2026" not in page.text
    answer = await browser.post(PAPER, data={**fields(page, PAPER), "reason": "1"})
    [sent] = stand_in.papers.sent
    assert (sent.guardian_person_id, sent.form, sent.reason) == ("", 0, application_pb2.PAPER_REASON_CANNOT)
    page = await browser.get(answer.headers["location"])
    assert "Заявление принято: №\u00a015-Р/2026." in page.text
    assert "распечатка результатов раз в неделю" in page.text
    answer = await browser.post(REVOKE, data=fields(page, REVOKE))
    page = await browser.get(answer.headers["location"])
    assert "Заявление отозвано." in page.text
    assert "Прежние заявления" in page.text
    assert f'action="{REVOKE}"' not in page.text


async def test_a_guardian_is_asked_how_the_printouts_are_to_be_given(stand_in: StandIn, browser: AsyncClient) -> None:
    """Families C: as on the blank; nothing is chosen before somebody does, and nothing is asked of declined printouts."""
    page = await browser.get(PAGE)
    for word in ("передавать с ребёнком", "выдавать мне лично у классного руководителя", "иное"):
        assert f"<span>{word}</span>" in page.text, word
    form = {**fields(page, PAPER), "reason": "1"}
    assert "way" not in form
    refused = await browser.post(PAPER, data={**form, "way": "3", "way_note": " "})
    assert (refused.status_code, "Напишите, как именно передавать распечатку." in refused.text) == (422, True)
    again = fields(refused, PAPER)
    assert (again["reason"], again["way"]) == ("1", "3")
    page = await browser.get(
        (await browser.post(PAPER, data={**form, "way": "3", "way_note": " через брата "})).headers["location"]
    )
    assert "распечатку передавать иначе: через брата" in page.text
    await browser.post(PAPER, data={**form, "way": "2", "way_note": "через брата"})
    await browser.post(PAPER, data={**form, "way": "2", "declines": "yes"})
    sent = [(one.printout_way, one.printout_way_note) for one in stand_in.papers.sent]
    assert sent == [(3, ""), (3, "через брата"), (2, ""), (0, "")]


async def test_the_own_statement_asks_how_the_printouts_are_to_be_given_and_no_address_holds_it(
    stand_in: StandIn, browser: AsyncClient
) -> None:
    """Clause R8."""
    assert 'name="way"' not in (await browser.get(STATEMENT)).text
    asked = await browser.get(STATEMENT, params={"step": "check", "reason": "2", "declines": "no"})
    assert "<span>передавать с ребёнком</span>" in asked.text
    refused = await browser.post(STATEMENT, data={**fields(asked, STATEMENT), "way": "3"})
    assert (refused.status_code, "Напишите, как именно передавать распечатку." in refused.text) == (422, True)
    form = fields(refused, STATEMENT)
    assert (form["reason"], form["way"]) == ("2", "3")
    answer = await browser.post(STATEMENT, data={**form, "way_note": "через брата"})
    assert answer.headers["location"] == "/farewell"
    [signer] = stand_in.applications.sent[-1].applicants
    assert (signer.printout_way, signer.printout_way_note) == (application_pb2.PRINTOUT_WAY_OTHER, "через брата")
    declined = await browser.get(STATEMENT, params={"step": "check", "reason": "2", "declines": "yes"})
    assert 'name="way"' not in declined.text


async def test_a_reason_must_be_chosen(stand_in: StandIn, browser: AsyncClient) -> None:
    form = fields(await browser.get(PAGE), PAPER)
    answer = await browser.post(PAPER, data={**form, "reason": "9"})
    assert (answer.status_code, "Выберите причину" in answer.text) == (422, True)
    answer = await browser.get(STATEMENT, params={"step": "check"})
    assert (answer.status_code, "Выберите причину" in answer.text) == (422, True)
    assert not stand_in.papers.sent


async def test_a_statement_is_told_confirmed_and_ends_with_a_farewell_after_the_session(
    stand_in: StandIn, browser: AsyncClient
) -> None:
    """Clauses R31-R33."""
    assert "Доступ ребёнка и другого родителя не изменится." in (await browser.get(STATEMENT)).text
    asked = await browser.get(STATEMENT, params={"step": "check", "reason": "2", "declines": "yes"})
    for text in ("прекратится сразу", "Доступ ребёнка и другого родителя не изменится.", "От получения распечаток также"):
        assert text in asked.text, text
    assert not stand_in.applications.sent
    answer = await browser.post(STATEMENT, data=fields(asked, STATEMENT))
    assert answer.headers["location"] == "/farewell"
    [sent] = stand_in.applications.sent
    assert (sent.kind, sent.channel) == (application_pb2.APPLICATION_KIND_APPENDIX_3, application_pb2.APPLICATION_CHANNEL_DIARY)
    [signer] = sent.applicants
    assert (signer.person_id, signer.paper_reason, signer.declines_printouts) == (
        "",
        application_pb2.PAPER_REASON_DOES_NOT_WANT,
        True,
    )
    # The session has ended with the access.
    assert not stand_in.access.tokens
    farewell = await browser.get("/farewell")
    assert (farewell.status_code, "№\u00a015-ЭД/2026" in farewell.text) == (200, True)
    assert (await browser.get(PAGE)).headers["location"].startswith("/sign-in")


async def test_a_double_click_gets_the_farewell_of_the_first_one(stand_in: StandIn, browser: AsyncClient) -> None:
    asked = await browser.get(STATEMENT, params={"step": "check", "reason": "2"})
    form = fields(asked, STATEMENT)
    answers = await asyncio.gather(*(browser.post(STATEMENT, data=form) for _ in range(3)))
    answers.append(await browser.post(STATEMENT, data=form))
    assert {answer.headers["location"] for answer in answers} == {"/farewell"}
    assert len(stand_in.applications.sent) == 1


async def test_an_ending_that_is_not_confirmed_can_be_asked_for_again_even_without_a_session(
    stand_in: StandIn, browser: AsyncClient
) -> None:
    asked = await browser.get(STATEMENT, params={"step": "check", "reason": "2"})
    stand_in.applications.unconfirmed = 3
    pending = await browser.post(STATEMENT, data=fields(asked, STATEMENT))
    assert (pending.status_code, "Заявление принято, доступ прекращён" in pending.text) == (503, True)
    form = fields(pending, STATEMENT)
    assert form["request_id"] == fields(asked, STATEMENT)["request_id"]
    stand_in.access.end_all()
    answer = await browser.post(STATEMENT, data=form)
    assert answer.headers["location"] == "/farewell"
    assert "Номер заявления сообщит классный руководитель." in (await browser.get("/farewell")).text


async def test_a_farewell_cannot_be_made_up_by_a_link(stand_in: StandIn) -> None:
    answer = await stand_in.browser().get("/farewell?number=1")
    assert answer.headers["location"] == "/"


async def test_a_student_declines_for_oneself_and_is_asked_for_no_paper(stand_in: StandIn, browser: AsyncClient) -> None:
    stand_in.access.family_role = options_pb2.ROLE_STUDENT
    stand_in.papers.listed = [declaration(MOTHER, paper_declaration_pb2.PAPER_DECLARATION_FORM_SHEET)]
    page = await browser.get(PAGE)
    assert "распечатк" not in page.text
    assert "15-Р/2026" not in page.text
    asked = await browser.get(STATEMENT, params={"step": "check"})
    assert "о моих успеваемости, посещаемости, учебных достижениях" in asked.text
    await browser.post(STATEMENT, data=fields(asked, STATEMENT))
    [sent] = stand_in.applications.sent
    assert (sent.applicants[0].person_id, sent.applicants[0].paper_reason) == ("", 0)


async def test_another_familys_child_has_no_such_pages(browser: AsyncClient) -> None:
    for path in (PAGE, STATEMENT):
        assert (await browser.get(path.replace(STUDENT, CASE))).status_code == 404


@pytest.mark.parametrize("is_signed", [False, True])
async def test_an_applicant_sees_the_own_case_and_downloads_a_signed_decision(
    stand_in: StandIn, browser: AsyncClient, is_signed: bool
) -> None:
    """Clause R23."""
    stand_in.applications.kind = application_pb2.APPLICATION_KIND_APPENDIX_3
    stand_in.applications.propose(refusal_pb2.REFUSAL_GROUND_OWN_STATEMENT)
    listed = await browser.get(CASES)
    assert f"{CASES}/{CASE}" in listed.text
    assert "на рассмотрении" in (await browser.get(f"{CASES}/{CASE}")).text
    stand_in.applications.sign()
    if is_signed:
        stand_in.applications.bring_scan()
    page = await browser.get(f"{CASES}/{CASE}")
    assert "заявление заявителя об отказе в получении услуги" in page.text
    assert (f"/documents/{DOCUMENT}" in page.text) == is_signed
    assert "Петрова Н. И." not in page.text


async def test_an_applicant_withdraws_the_own_application(stand_in: StandIn, browser: AsyncClient) -> None:
    form = fields(await browser.get(f"{CASES}/{CASE}"), f"{CASES}/{CASE}/withdraw")
    answer = await browser.post(f"{CASES}/{CASE}/withdraw", data=form)
    assert "Заявление отозвано." in (await browser.get(answer.headers["location"])).text
    assert stand_in.applications.is_withdrawn


async def test_one_list_has_every_paper_a_family_has_filed(stand_in: StandIn, browser: AsyncClient) -> None:
    """Clauses R8, R12: the case, the declaration on its own sheet, the earlier application that the access stands on."""
    await browser.post(PAPER, data={**fields(await browser.get(PAGE), PAPER), "reason": "1"})
    of_case = own_grant(STUDENT, has_case=True)
    of_case.grant.application_number = "16-ЭД/2026"
    stand_in.grants.held = [of_case, own_grant(STUDENT)]
    page = await browser.get(CASES)
    # The stand-in gives its case on two pages.
    numbers = list(dict.fromkeys(re.findall(r"№\s(\d+-[А-Я]+/\d{4})", page.text)))
    # The newest first; what is a case is named once.
    assert numbers == ["15-Р/2026", "15-ЭД/2026", "22-ЭД/2021"]
    assert "действует: распечатка раз в неделю" in page.text
    assert "от\u00a007.09.2021, по записям школы" in page.text


async def test_a_declaration_within_a_statement_is_in_the_list_of_papers_too(stand_in: StandIn, browser: AsyncClient) -> None:
    """Clause R8: who has declined looks for the paper's own number."""
    stand_in.papers.listed = [declaration(MOTHER, paper_declaration_pb2.PAPER_DECLARATION_FORM_STATEMENT)]
    page = await browser.get(CASES)
    assert "№\u00a015-Р/2026" in page.text
    assert "Заявление об информировании на бумажном носителе" in page.text


async def test_whose_statement_ended_the_access_reads_so_at_the_bookmarked_week(
    stand_in: StandIn, browser: AsyncClient
) -> None:
    """Clause R33; to anybody else it is a page that does not exist, with the same words as ever."""
    week = f"/schools/{SCHOOL}/students/{CASE}/week"
    nowhere = await browser.get(week)
    assert (nowhere.status_code, "Такой страницы нет" in nowhere.text) == (404, True)
    stand_in.grants.held = [own_grant(CASE, "315-ЭД/2026")]
    ended = await browser.get(week)
    assert ended.status_code == 403
    assert "Ваш доступ к этому дневнику прекращён 16.11.2026 по заявлению" in ended.text
    assert "315-ЭД/2026" in ended.text
    assert "Приложение №\u00a01" in ended.text
    # An act has parted them since; or the access came to its end otherwise; or it is another's.
    for held in ([own_grant(CASE, "315-ЭД/2026", may_apply_again=False)], [own_grant(CASE)], [own_grant(STUDENT, "1-ЭД/2026")]):
        stand_in.grants.held = held
        again = await browser.get(week)
        assert (again.status_code, again.text) == (404, nowhere.text)
    elsewhere = await browser.get(week.replace(SCHOOL, CASE))
    assert (elsewhere.status_code, elsewhere.text) == (404, nowhere.text)


async def test_with_no_access_left_the_first_page_says_why_and_leads_to_the_statements(
    stand_in: StandIn, browser: AsyncClient
) -> None:
    stand_in.access.has_child, stand_in.access.roles = False, []
    assert f'href="{CASES}"' in (await browser.get("/")).text
    stand_in.grants.held = [own_grant(STUDENT, "315-ЭД/2026")]
    page = await browser.get("/")
    assert (page.status_code, "прекращён 16.11.2026 по заявлению" in page.text) == (200, True)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (application_pb2.APPLICATION_KIND_APPENDIX_3, "услуга прекращена по вашему заявлению"),
        (application_pb2.APPLICATION_KIND_APPENDIX_2, "услуга не предоставляется по вашему заявлению"),
    ],
)
async def test_who_asked_to_end_the_service_does_not_read_that_it_was_refused(
    stand_in: StandIn, browser: AsyncClient, kind: application_pb2.ApplicationKind.ValueType, words: str
) -> None:
    stand_in.applications.kind = kind
    stand_in.applications.propose(refusal_pb2.REFUSAL_GROUND_OWN_STATEMENT)
    assert "на рассмотрении" in (await browser.get(CASES)).text
    stand_in.applications.sign()
    page = await browser.get(f"{CASES}/{CASE}")
    assert f"{words} (решение" in page.text
    for text in (page.text, (await browser.get(CASES)).text):
        assert words in text
        assert "отказано" not in text


async def test_cases_of_the_office_are_not_own_ones(stand_in: StandIn, browser: AsyncClient) -> None:
    stand_in.applications.person_id = FATHER
    assert "Заявлений, которые вы подали в этой школе, в дневнике нет." in (await browser.get(CASES)).text
    assert (await browser.get(f"{CASES}/{CASE}")).status_code == 404


async def test_staff_record_a_declaration_from_its_sheet_or_from_words(stand_in: StandIn, browser: AsyncClient) -> None:
    """Clauses R7, R8."""
    form = fields(await browser.get(DECLARATIONS), DECLARATIONS)
    typed = {**form, "guardian": MOTHER, "reason": "1", "form": "3"}
    await browser.post(DECLARATIONS, data={**typed, "way": "2"})
    assert stand_in.papers.sent.pop().printout_way == application_pb2.PRINTOUT_WAY_IN_PERSON
    assert "распечатку выдавать лично у классного руководителя" in (await browser.get(DECLARATIONS)).text
    typed |= {"declines": "yes", "way": "2"}
    for day, text in (("2026-11-18", "ещё не наступила"), ("17.11.2026", "Такой даты нет")):
        refused = await browser.post(DECLARATIONS, data={**typed, "declare_date": day})
        assert (refused.status_code, text in refused.text) == (422, True)
    assert fields(refused, DECLARATIONS)["guardian"] == MOTHER
    answer = await browser.post(DECLARATIONS, data={**typed, "request_id": form["request_id"]})
    sent = stand_in.papers.sent[-1]
    assert (sent.guardian_person_id, sent.form, sent.declare_date, sent.declines_printouts) == (
        MOTHER,
        paper_declaration_pb2.PAPER_DECLARATION_FORM_WORDS,
        "2026-11-17",
        True,
    )
    page = await browser.get(answer.headers["location"])
    assert "записано со слов" in page.text
    revoke = f"{DECLARATIONS}/{DECLARATION}/revoke"
    await browser.post(revoke, data=fields(page, revoke))
    assert "действовало до" in (await browser.get(DECLARATIONS)).text
