"""Statements of Appendix 2 and 3 from paper, and refusals in the case: pages over the stand-in."""

import pytest
from httpx import AsyncClient

from diary.access.v1 import application_pb2, guardianship_pb2, refusal_pb2
from diary.options.v1 import options_pb2
from tests.unit.portal.standin import SCHOOL, STUDENT, StandIn, fields
from tests.unit.portal.standin_cases import APPLICANT, CASE, DOCUMENT, MOTHER

LIST = f"/schools/{SCHOOL}/applications"
FORM, PAGE = f"{LIST}/new/{STUDENT}", f"{LIST}/{CASE}"
STATEMENT = f"{FORM}/statement"
PAPER = f"/schools/{SCHOOL}/documents/{DOCUMENT}"


async def test_a_new_application_asks_first_what_it_is(browser: AsyncClient) -> None:
    page = await browser.get(FORM)
    assert f'href="{STATEMENT}?kind=2"' in page.text
    statement = await browser.get(f"{STATEMENT}?kind=3")
    assert "Заявление об отмене предоставления информации (Приложение №\u00a03)" in statement.text
    for kind in ("appendix-3", "paper", "student-statement"):
        assert f"/schools/{SCHOOL}/forms/{kind}" in statement.text
    assert {(await browser.get(f"{STATEMENT}?kind={kind}")).status_code for kind in ("1", "x", "")} == {404}


async def test_a_statement_is_registered_after_it_was_said_whose_access_ends(stand_in: StandIn, browser: AsyncClient) -> None:
    """Clauses R8, R30-R33."""
    form = fields(await browser.get(f"{STATEMENT}?kind=3"), STATEMENT)
    typed = {
        **form,
        "received_date": "2026-11-16",
        "received_time": "11:40",
        "signer1.who": MOTHER,
        "signer1.reason": "1",
        "signer1.way": "3",
        "signer1.way_note": "через брата",
        "signer2.who": "new",
        "signer2.family_name": "Соколов",
        "signer2.given_name": "Дмитрий",
        "signer2.kind": "2",
        "signer2.declines": "yes",
    }
    asked = await browser.post(STATEMENT, data=typed)
    assert asked.status_code == 200
    for text in (
        "Соколова Мария Викторовна",
        "Соколов Дмитрий",
        "(причина: невозможность пользоваться электронным дневником), передавать иначе: через брата",
        "отказался и от них",
        "Не изменится",
    ):
        assert text in asked.text, text
    assert not stand_in.applications.sent
    answer = await browser.post(STATEMENT, data={**fields(asked, STATEMENT), "step": "register"})
    assert answer.headers["location"] == PAGE
    [sent] = stand_in.applications.sent
    assert (sent.kind, sent.request_id) == (application_pb2.APPLICATION_KIND_APPENDIX_3, form["request_id"])
    mother, father = sent.applicants
    assert (mother.person_id, mother.paper_reason, mother.declines_printouts) == (
        MOTHER,
        application_pb2.PAPER_REASON_CANNOT,
        False,
    )
    assert (mother.printout_way, mother.printout_way_note) == (application_pb2.PRINTOUT_WAY_OTHER, "через брата")
    assert (father.family_name, father.guardian_kind, father.declines_printouts) == (
        "Соколов",
        guardianship_pb2.GUARDIAN_KIND_FATHER,
        True,
    )
    page = await browser.get(answer.headers["location"])
    assert "Доступ подписавших прекращён" in page.text
    assert "№\u00a015\u2011Р/2026 от\u00a016.11.2026, причина: нежелание пользоваться электронным дневником" in page.text
    assert "Проверка перед предоставлением доступа" not in page.text
    assert "Отозвать заявление" not in page.text


async def test_a_student_signs_for_oneself_and_begins_no_paper_mode(stand_in: StandIn, browser: AsyncClient) -> None:
    form = fields(await browser.get(f"{STATEMENT}?kind=2"), STATEMENT)
    asked = await browser.post(STATEMENT, data={**form, "signer1.who": STUDENT})
    assert "Доступ остальных: родителей (законных представителей)" in asked.text
    await browser.post(STATEMENT, data={**fields(asked, STATEMENT), "step": "register"})
    [sent] = stand_in.applications.sent
    assert (sent.applicants[0].person_id, sent.applicants[0].paper_reason) == (STUDENT, 0)


async def test_what_was_typed_comes_back_to_be_mended(browser: AsyncClient) -> None:
    form = fields(await browser.get(f"{STATEMENT}?kind=3"), STATEMENT)
    asked = await browser.post(STATEMENT, data={**form, "signer1.who": MOTHER, "signer1.declines": "yes"})
    again = fields(await browser.post(STATEMENT, data={**fields(asked, STATEMENT), "step": "edit"}), STATEMENT)
    assert (again["signer1.who"], again["signer1.declines"], again["request_id"]) == (MOTHER, "yes", form["request_id"])


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ({}, "Выберите, кто подписал заявление."),
        ({"signer1.who": MOTHER, "signer2.who": MOTHER}, "выбран дважды"),
        ({"signer1.who": "new", "signer1.family_name": "Соколов"}, "Подписавший 1: укажите"),
        ({"signer1.who": MOTHER, "received_date": "2026-13-01"}, "Такой даты нет"),
        ({"signer1.who": MOTHER, "signer1.way": "3"}, "Подписавший 1: напишите, как именно передавать распечатку."),
    ],
)
async def test_a_mistake_is_told_before_anything_is_registered(
    stand_in: StandIn, browser: AsyncClient, typed: dict[str, str], text: str
) -> None:
    form = fields(await browser.get(f"{STATEMENT}?kind=3"), STATEMENT)
    answer = await browser.post(STATEMENT, data={**form, **typed, "step": "register"})
    assert (answer.status_code, text in answer.text) == (422, True)
    assert not stand_in.applications.sent


async def test_an_ending_that_is_not_confirmed_is_said_and_asked_for_again_by_the_same_request(
    stand_in: StandIn, browser: AsyncClient
) -> None:
    form = fields(await browser.get(f"{STATEMENT}?kind=3"), STATEMENT)
    # The channel itself asks three times.
    stand_in.applications.unconfirmed = 3
    pending = await browser.post(STATEMENT, data={**form, "signer1.who": MOTHER, "step": "register"})
    assert pending.status_code == 503
    assert "Заявление зарегистрировано, доступ прекращён" in pending.text
    assert "Проверить ещё раз" in pending.text
    again = await browser.post(STATEMENT, data={**fields(pending, STATEMENT), "step": "register"})
    assert again.headers["location"] == PAGE
    assert {request.request_id for request in stand_in.applications.sent} == {form["request_id"]}


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (application_pb2.APPLICATION_KIND_APPENDIX_1, "не относящимся к заявителям", "об отказе в получении услуги"),
        (application_pb2.APPLICATION_KIND_APPENDIX_3, "об отказе в получении услуги", "не относящимся к заявителям"),
    ],
)
async def test_only_grounds_that_can_be_right_are_offered(
    stand_in: StandIn, browser: AsyncClient, kind: application_pb2.ApplicationKind.ValueType, right: str, wrong: str
) -> None:
    """Clauses R19-R21."""
    stand_in.applications.kind = kind
    page = await browser.get(PAGE)
    assert right in page.text
    assert wrong not in page.text


async def test_a_refusal_is_proposed_and_one_that_is_not_proved_is_told_in_words(
    stand_in: StandIn, browser: AsyncClient
) -> None:
    form = fields(await browser.get(PAGE), f"{PAGE}/refusal")
    stand_in.applications.is_relation_proved = True
    refused = await browser.post(f"{PAGE}/refusal", data={**form, "ground": "1"})
    assert refused.status_code == 422
    assert "родство или полномочия хотя бы одного заявителя подтверждены" in refused.text
    assert (await browser.post(f"{PAGE}/refusal", data={**form, "ground": "9"})).status_code == 422
    answer = await browser.post(f"{PAGE}/refusal", data={**fields(refused, f"{PAGE}/refusal"), "ground": "2"})
    assert answer.headers["location"] == PAGE
    page = await browser.get(answer.headers["location"])
    assert "отказ ждёт подписи" in page.text
    assert "заявление №\u00a015-ЭД/2026" in page.text
    assert "R20" not in page.text


async def test_a_signed_decision_is_downloaded_and_handed_over(stand_in: StandIn, browser: AsyncClient) -> None:
    """Clauses R22, R23."""
    stand_in.applications.propose(refusal_pb2.REFUSAL_GROUND_NOT_A_STUDENT)
    stand_in.applications.sign()
    unsigned = await browser.get(PAGE)
    assert "лист решения ещё не подписан" in unsigned.text
    assert f'action="{PAGE}/hand-overs"' not in unsigned.text
    early = await browser.post(f"{PAGE}/hand-overs", data={"applicant_id": APPLICANT, "request_id": CASE, "channel": "1"})
    assert (early.status_code, "нет подписи директора" in early.text) == (422, True)
    stand_in.applications.bring_scan()
    page = await browser.get(PAGE)
    assert "№\u00a03-ЭДО/2026" in page.text
    assert "подписано на бумаге, скан подтверждён директором" in page.text
    for part in ("", "/scan"):
        file = await browser.get(f"{PAPER}{part}")
        assert (file.content[:4], file.headers["content-type"]) == (b"%PDF", "application/pdf")
        assert file.headers["content-disposition"].startswith("attachment")
        assert "Соколова" not in file.headers["content-disposition"]
    assert (await browser.get(PAPER.replace(DOCUMENT, CASE))).status_code == 404
    form = fields(page, f"{PAGE}/hand-overs")
    assert form["channel"] == "1"
    answer = await browser.post(f"{PAGE}/hand-overs", data={**form, "channel": "3"})
    assert stand_in.applications.sent[-1].channel == refusal_pb2.DECISION_CHANNEL_POST
    after = await browser.get(answer.headers["location"])
    assert "почтой 16.11.2026" in after.text
    assert f'action="{PAGE}/hand-overs"' not in after.text


async def test_a_paper_that_is_not_made_yet_is_waited_for(stand_in: StandIn, browser: AsyncClient) -> None:
    stand_in.applications.propose(refusal_pb2.REFUSAL_GROUND_NOT_A_STUDENT)
    stand_in.applications.sign()
    stand_in.applications.decision = None
    assert "оформляется" in (await browser.get(PAGE)).text


async def test_an_application_is_withdrawn_once_it_is_confirmed(stand_in: StandIn, browser: AsyncClient) -> None:
    """Clause R24."""
    form = fields(await browser.get(PAGE), f"{PAGE}/withdraw")
    answer = await browser.post(f"{PAGE}/withdraw", data=form)
    page = await browser.get(answer.headers["location"])
    assert "отозвано заявителем" in page.text
    for gone in ("withdraw", "grant", "refusal"):
        assert f'action="{PAGE}/{gone}"' not in page.text
    stand_in.applications.kind = application_pb2.APPLICATION_KIND_APPENDIX_3
    refused = await browser.post(f"{PAGE}/withdraw", data=form)
    assert (refused.status_code, "уже подействовало" in refused.text) == (422, True)


async def test_who_only_reads_cases_is_offered_no_refusal(stand_in: StandIn) -> None:
    for role, may_withdraw in ((options_pb2.ROLE_HEAD, False), (options_pb2.ROLE_SECRETARY, True)):
        stand_in.access.roles = [role]
        page = await (await stand_in.signed_in()).get(PAGE)
        assert f'action="{PAGE}/refusal"' not in page.text
        assert (f'action="{PAGE}/withdraw"' in page.text) == may_withdraw
