"""Applications, the case, first sign-in and letters: pages over the stand-in."""

import re
from datetime import UTC, datetime

import pytest
from httpx import AsyncClient

from chassis.clock import SetClock
from diary.access.v1 import application_pb2, guardianship_pb2, refusal_pb2
from diary.options.v1 import options_pb2
from tests.unit.portal.standin import SCHOOL, STUDENT, StandIn, fields, portal
from tests.unit.portal.standin_cases import APPLICANT, CASE, CLASS, GRANT, LETTER_TOKEN, MOTHER, ONE_TIME

LIST = f"/schools/{SCHOOL}/applications"
NEW, FORM, PAGE = f"{LIST}/new", f"{LIST}/new/{STUDENT}", f"{LIST}/{CASE}"
NOTICES = f"/schools/{SCHOOL}/students/{STUDENT}/notices"
OWN = "три слова подряд"


async def test_the_list_shows_number_child_class_term_and_state(browser: AsyncClient) -> None:
    answer = await browser.get(LIST)
    for text in ("15-ЭД/2026", "Соколова Анна Дмитриевна", "8-А", "до\u00a018.11.2026\u00a024:00", "зарегистрировано"):
        assert text in answer.text, text
    assert "16.11.2026\u00a011:40" in answer.text
    assert "просрочено" not in answer.text


async def test_an_overdue_application_is_marked(stand_in: StandIn) -> None:
    async with portal(SetClock(datetime(2026, 11, 18, 21, tzinfo=UTC))) as late:
        answer = await (await late.signed_in()).get(LIST)
    assert "просрочено" in answer.text


async def test_filters_ask_for_their_state_and_others_are_no_page(stand_in: StandIn, browser: AsyncClient) -> None:
    for word in ("", "waiting", "granted", "all"):
        answer = await browser.get(LIST, params={"state": word, "page": "t"})
        assert answer.status_code == 200
    assert [call.request.state for call in stand_in.applications.calls("ListApplications")] == [1, 2, 3, 0]
    assert {call.request.page_token for call in stand_in.applications.calls("ListApplications")} == {"t"}
    assert (await browser.get(LIST, params={"state": "x"})).status_code == 404


async def test_a_class_teacher_begins_with_the_own_students_an_admin_with_classes(
    stand_in: StandIn, browser: AsyncClient
) -> None:
    assert FORM in (await browser.get(NEW)).text
    stand_in.access.roles = [options_pb2.ROLE_ADMIN]
    admin = await stand_in.signed_in()
    assert f"{NEW}?class={CLASS}" in (await admin.get(NEW)).text
    assert FORM in (await admin.get(f"{NEW}?class={CLASS}")).text
    assert FORM not in (await admin.get(f"{NEW}?class=none")).text


async def test_another_class_and_another_student_are_pages_that_do_not_exist(browser: AsyncClient) -> None:
    answers = [await browser.get(path) for path in (f"{NEW}?class={SCHOOL}", f"{NEW}/{SCHOOL}", f"{LIST}/{SCHOOL}")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


async def test_an_application_of_a_known_guardian_and_a_new_one_is_registered(stand_in: StandIn, browser: AsyncClient) -> None:
    form = fields(await browser.get(FORM), FORM)
    assert (form["received_date"], form["received_time"]) == ("2026-11-17", "12:00")
    typed = {
        **form,
        "received_date": "2026-11-16",
        "received_time": "11:40",
        "applicant1.who": MOTHER,
        "applicant1.email": "m@mail.ru",
        "applicant1.way": "2",
        "applicant2.who": "new",
        "applicant2.family_name": " Соколов ",
        "applicant2.given_name": "Дмитрий",
        "applicant2.kind": "2",
        "applicant2.document": "свидетельство о рождении I-АЯ № 1",
        "applicant2.document_date": "2015-01-01",
        "applicant2.document_end": "2027-01-01",
        "is_for_student_too": "yes",
    }
    answer = await browser.post(FORM, data=typed)
    assert answer.headers["location"] == PAGE
    [sent] = stand_in.applications.sent
    assert sent.receive_time.ToDatetime(UTC) == datetime(2026, 11, 16, 8, 40, tzinfo=UTC)
    assert (sent.channel, sent.is_for_student_too) == (application_pb2.APPLICATION_CHANNEL_CLASS_TEACHER, True)
    mother, father = sent.applicants
    assert (mother.person_id, mother.email, mother.credentials_way) == (
        MOTHER,
        "m@mail.ru",
        application_pb2.CREDENTIALS_WAY_EMAIL,
    )
    assert (father.person_id, father.family_name, father.guardian_kind) == (
        "",
        "Соколов",
        guardianship_pb2.GUARDIAN_KIND_FATHER,
    )
    assert father.credentials_way == application_pb2.CREDENTIALS_WAY_IN_PERSON
    assert (father.authority_date, father.authority_end_date) == ("2015-01-01", "2027-01-01")


async def test_a_wrong_field_is_named_in_russian(stand_in: StandIn, browser: AsyncClient) -> None:
    form = fields(await browser.get(FORM), FORM)
    answer = await browser.post(FORM, data={**form, "applicant1.who": MOTHER, "applicant1.email": "none@such"})
    assert "Заявитель 1: Проверьте электронную почту: в адресе нужны знак @ и имя сервера с точкой" in answer.text


async def test_who_enters_with_an_own_password_is_said_to_have_access_and_gets_nothing(
    stand_in: StandIn, browser: AsyncClient
) -> None:
    stand_in.applications.is_activated = stand_in.applications.has_access = True
    page = await browser.get(PAGE)
    assert "доступ к дневнику этого ученика уже есть" in page.text
    assert "доверенность №\u00a05, действует по\u00a031.12.2026" in page.text
    await browser.post(f"{PAGE}/grant", data=fields(page, f"{PAGE}/grant"))
    granted = await browser.get(PAGE)
    assert "Выдавать ничего не нужно" in granted.text
    assert "Осталось выдать" not in granted.text


async def test_a_family_at_the_offices_address_sees_its_own_cases(stand_in: StandIn) -> None:
    stand_in.access.roles = [options_pb2.ROLE_GUARDIAN]
    parent = await stand_in.signed_in()
    own = f"/schools/{SCHOOL}/my-applications"
    for path, there in ((LIST, own), (PAGE, f"{own}/{CASE}")):
        answer = await parent.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, there)
    assert not stand_in.applications.sent


async def test_every_students_paper_declarations_are_a_click_away(browser: AsyncClient) -> None:
    assert f"/schools/{SCHOOL}/students/{STUDENT}/declarations" in (await browser.get(NEW)).text


async def test_a_refused_application_keeps_what_was_typed_and_names_the_applicant(
    stand_in: StandIn, browser: AsyncClient
) -> None:
    form = fields(await browser.get(FORM), FORM)
    typed = {**form, "applicant1.who": MOTHER, "applicant2.who": "new", "applicant2.given_name": "Дмитрий"}
    answer = await browser.post(FORM, data=typed)
    assert answer.status_code == 422
    assert "Заявитель 2: Укажите фамилию" in answer.text
    again = fields(answer, FORM)
    assert (again["applicant1.who"], again["applicant2.given_name"]) == (MOTHER, "Дмитрий")
    assert again["request_id"] != form["request_id"]


@pytest.mark.parametrize(("field", "value"), [("received_date", "2026-13-01"), ("received_time", ""), ("applicant1.who", "")])
async def test_a_date_that_is_none_and_nobody_as_applicant_are_told_in_the_form(
    stand_in: StandIn, browser: AsyncClient, field: str, value: str
) -> None:
    form = fields(await browser.get(FORM), FORM)
    answer = await browser.post(FORM, data={**form, "applicant1.who": MOTHER, field: value})
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)
    assert not stand_in.applications.sent


async def test_the_case_shows_check_log_and_no_markup_of_others(browser: AsyncClient) -> None:
    answer = await browser.get(PAGE)
    for text in ("Дело по заявлению", "Обучающийся зачислен", "приказ от 30.08.2026 №\u00a015-у", "мать", "Петрова Н. И."):
        assert text in answer.text, text
    assert "&lt;b&gt;свидетельство" in answer.text
    assert "Напечатать" not in answer.text


async def test_a_document_that_lacks_is_noted_in_the_case(stand_in: StandIn, browser: AsyncClient) -> None:
    """Clause R6."""
    assert f'action="{PAGE}/authorities"' not in (await browser.get(PAGE)).text
    stand_in.applications.is_relation_shown, stand_in.applications.document = False, ""
    stand_in.applications.document_end = ""
    page = await browser.get(PAGE)
    form = fields(page, f"{PAGE}/authorities")
    wrong = await browser.post(f"{PAGE}/authorities", data={**form, "document": "x"})
    assert (wrong.status_code, "Укажите вид документа" in wrong.text) == (422, True)
    typed = {**form, "document": " паспорт № 7 ", "document_date": "2026-01-15", "document_end": "2026-12-31"}
    answer = await browser.post(f"{PAGE}/authorities", data=typed)
    sent = stand_in.applications.sent[-1]
    assert (sent.applicant_id, sent.authority_document) == (APPLICANT, "паспорт № 7")
    assert (sent.authority_date, sent.authority_end_date) == ("2026-01-15", "2026-12-31")
    page = await browser.get(answer.headers["location"])
    assert "Документ внесён в дело." in page.text
    assert "паспорт №\u00a07, действует по\u00a031.12.2026" in page.text


async def test_who_is_known_by_the_same_name_is_offered_in_the_form(stand_in: StandIn, browser: AsyncClient) -> None:
    """Decision 0121: the person who is there, or another one of the same name."""
    stand_in.applications.known = {"person_id": CASE, "number": "14-ЭД/2026"}
    form = fields(await browser.get(FORM), FORM)
    name = {"applicant1.family_name": "Соколова", "applicant1.given_name": "Мария", "applicant1.kind": "1"}
    refused = await browser.post(FORM, data={**form, **name, "applicant1.who": "new"})
    assert (refused.status_code, "Заявитель 1: Человек с таким именем уже записан" in refused.text) == (422, True)
    assert "уже заявитель по делу" in refused.text
    again = fields(refused, FORM)
    assert (again["applicant1.known_id"], again["applicant1.known_number"]) == (CASE, "14-ЭД/2026")
    assert f'name="applicant1.who" value="{CASE}"' in refused.text
    await browser.post(FORM, data={**again, "applicant1.who": CASE, "applicant1.kind": "1"})
    [same] = stand_in.applications.sent[-1].applicants
    assert (same.person_id, same.family_name, same.guardian_kind) == (CASE, "", guardianship_pb2.GUARDIAN_KIND_MOTHER)
    await browser.post(FORM, data={**again, "applicant1.is_another": "yes"})
    [other] = stand_in.applications.sent[-1].applicants
    assert (other.person_id, other.family_name, other.is_another_person) == ("", "Соколова", True)


async def test_a_case_says_of_each_state_what_is_true_in_it(stand_in: StandIn, browser: AsyncClient) -> None:
    cases = stand_in.applications
    cases.email, cases.document_end, cases.is_relation_shown = "m@mail.ru", "2026-11-16", False
    page = (await browser.get(PAGE)).text
    assert "<dd>выдать лично</dd>" in page
    assert "<dt>Электронная почта</dt><dd>m@mail.ru</dd>" in page
    assert "доверенность №\u00a05, срок истёк\u00a016.11.2026" in page
    assert "Срок действия документа истёк." in page
    cases.propose(refusal_pb2.REFUSAL_GROUND_NOT_AN_APPLICANT)
    assert "ждёт подписи директора</dd>" in (await browser.get(PAGE)).text
    cases.is_withdrawn = True
    withdrawn = (await browser.get(PAGE)).text
    assert "не подписан: отозвано заявителем</dd>" in withdrawn
    for amiss in ("ждёт подписи", "<dt>Срок</dt>", "выдать лично", "Проверка перед предоставлением"):
        assert amiss not in withdrawn, amiss
    cases.is_withdrawn = False
    cases.sign()
    refused = (await browser.get(PAGE)).text
    assert "лист решения ещё не подписан" in refused
    for amiss in ("ждёт подписи", "выдать лично", "Внести"):
        assert amiss not in refused, amiss
    cases.is_granted = cases.is_access_ended = True
    assert "<dt>Доступ</dt><dd>прекращён</dd>" in (await browser.get(PAGE)).text


async def test_a_number_is_held_to_its_sign_but_in_what_was_typed(stand_in: StandIn, browser: AsyncClient) -> None:
    stand_in.applications.document = "справка № 5"
    assert not re.search(r"№ ", re.sub(r"<[^>]*>", "", (await browser.get(PAGE)).text))
    form = fields(await browser.get(FORM), FORM)
    page = await browser.post(FORM, data={**form, "applicant1.who": "new", "applicant1.document": "справка № 5"})
    assert fields(page, FORM)["applicant1.document"] == "справка № 5"


async def test_granting_opens_the_way_to_slips(stand_in: StandIn, browser: AsyncClient) -> None:
    form = fields(await browser.get(PAGE), f"{PAGE}/grant")
    for _ in range(2):
        answer = await browser.post(f"{PAGE}/grant", data=form)
        assert answer.headers["location"] == PAGE
    first, again = stand_in.applications.sent
    assert first == again
    page = await browser.get(PAGE)
    for text in ("sokolova.mv", "Напечатать памятку доступа", "Выдано, расписка получена", "ещё не входил(а)"):
        assert text in page.text, text


async def test_what_lacks_is_told_and_the_button_is_away(stand_in: StandIn, browser: AsyncClient) -> None:
    form = fields(await browser.get(PAGE), f"{PAGE}/grant")
    stand_in.applications.is_enrolled = False
    answer = await browser.post(f"{PAGE}/grant", data=form)
    assert answer.status_code == 422
    assert "не все условия проверки выполнены" in answer.text
    assert "Нет действующего приказа о зачислении." in answer.text
    assert f'action="{PAGE}/grant"' not in answer.text


@pytest.mark.parametrize(
    ("role", "has_slip", "has_hand_over"),
    [(options_pb2.ROLE_ADMIN, True, True), (options_pb2.ROLE_SECRETARY, False, True), (options_pb2.ROLE_HEAD, False, False)],
)
async def test_buttons_are_those_of_the_role(
    stand_in: StandIn, role: options_pb2.Role.ValueType, has_slip: bool, has_hand_over: bool
) -> None:
    stand_in.access.roles = [role]
    stand_in.applications.is_granted = True
    page = await (await stand_in.signed_in()).get(PAGE)
    assert (f'action="{PAGE}/slips"' in page.text, f'action="{PAGE}/hand-overs"' in page.text) == (has_slip, has_hand_over)


async def test_a_slip_is_downloaded_once_and_a_second_click_prints_nothing(stand_in: StandIn, browser: AsyncClient) -> None:
    """Clause R25."""
    stand_in.applications.is_granted = True
    form = fields(await browser.get(PAGE), f"{PAGE}/slips")
    assert form["grant_id"] == GRANT
    slip = await browser.post(f"{PAGE}/slips", data=form)
    assert (slip.status_code, slip.headers["content-type"], slip.content[:4]) == (200, "application/pdf", b"%PDF")
    assert slip.headers["content-disposition"].startswith("attachment")
    assert slip.headers["cache-control"] == "no-store"
    again = await browser.post(f"{PAGE}/slips", data=form)
    assert again.status_code == 409
    assert "Эта памятка уже напечатана." in again.text
    assert "Напечатать новую памятку" in again.text
    assert stand_in.credentials.printed == [form["request_id"]]
    anew = await browser.post(f"{PAGE}/slips", data=fields(again, f"{PAGE}/slips"))
    assert anew.content[:4] == b"%PDF"


async def test_a_hand_over_is_recorded_and_its_button_gone(stand_in: StandIn, browser: AsyncClient) -> None:
    stand_in.applications.is_granted = True
    form = fields(await browser.get(PAGE), f"{PAGE}/hand-overs")
    answer = await browser.post(f"{PAGE}/hand-overs", data=form)
    assert answer.headers["location"] == PAGE
    assert stand_in.applications.sent[0].applicant_id == APPLICANT
    page = await browser.get(answer.headers["location"])
    assert "расписка получена</dd>" in page.text
    assert f'action="{PAGE}/hand-overs"' not in page.text


async def test_whoever_has_signed_in_gets_no_slip(stand_in: StandIn, browser: AsyncClient) -> None:
    stand_in.applications.is_granted = stand_in.applications.is_activated = True
    page = await browser.get(PAGE)
    assert "вход выполнен" in page.text
    assert "Напечатать" not in page.text


async def test_a_one_time_password_becomes_an_own_one_and_leads_to_the_first_week(stand_in: StandIn) -> None:
    browser = stand_in.browser()
    page = await browser.get("/activate")
    assert "Не короче 10 знаков" in page.text
    typed = {**fields(page, "/activate"), "login": " new ", "one_time_password": ONE_TIME}
    answer = await browser.post("/activate", data={**typed, "new_password": OWN, "repeated": OWN})
    assert answer.headers["location"] == "/"
    stand_in.access.roles = []
    week = (await browser.get("/")).headers["location"]
    assert week.endswith("/week")
    assert "Добро пожаловать!" in (await browser.get(week)).text
    assert stand_in.credentials.activated[0].activation_token == ""


@pytest.mark.parametrize("pasted", [LETTER_TOKEN, f" https://diary.test/activate#{LETTER_TOKEN} "])
async def test_the_code_of_a_letter_is_taken_alone_or_with_its_link(stand_in: StandIn, pasted: str) -> None:
    form = {"by": "letter", "token": pasted, "new_password": OWN, "repeated": OWN}
    answer = await stand_in.browser().post("/activate", data=form)
    assert answer.headers["location"] == "/"
    assert stand_in.credentials.activated[0].activation_token == LETTER_TOKEN


@pytest.mark.parametrize(
    ("typed", "status", "text"),
    [
        ({"one_time_password": "wrong"}, 422, "не подошли"),
        ({"one_time_password": ""}, 422, "Введите логин и одноразовый пароль"),
        ({"by": "letter", "token": ""}, 422, "Вставьте код из письма."),
        ({"repeated": "другие слова подряд"}, 422, "Пароли не совпали."),
        ({"new_password": "коротко", "repeated": "коротко"}, 422, "Пароль слишком простой."),
        ({"login": "blocked"}, 429, "Попробуйте через 12\u00a0минут."),
    ],
)
async def test_a_refused_activation_says_why_and_shows_no_own_password(
    stand_in: StandIn, typed: dict[str, str], status: int, text: str
) -> None:
    right = {"by": "slip", "login": "new", "one_time_password": ONE_TIME, "new_password": OWN, "repeated": OWN}
    sent = {**right, **typed}
    answer = await stand_in.browser().post("/activate", data=sent)
    assert answer.status_code == status
    assert text in answer.text
    assert sent["new_password"] not in answer.text
    assert "set-cookie" not in answer.headers
    assert fields(answer, "/activate")["one_time_password"] == sent["one_time_password"]


async def test_a_one_time_password_at_the_sign_in_page_opens_the_first_sign_in(stand_in: StandIn) -> None:
    answer = await stand_in.browser().post("/sign-in", data={"login": "new", "password": ONE_TIME})
    assert "Это одноразовый пароль." in answer.text
    form = fields(answer, "/activate")
    assert (form["login"], form["one_time_password"]) == ("new", "")
    assert ONE_TIME not in answer.text


async def test_letters_are_switched_on_and_off_and_the_address_is_masked(stand_in: StandIn, browser: AsyncClient) -> None:
    page = await browser.get("/notices")
    assert "m•••a@mail.ru" in page.text
    assert stand_in.preferences.email not in page.text
    assert "выключено" in page.text
    answer = await browser.post(NOTICES, data={**fields(page, NOTICES), "on": "yes"})
    assert answer.headers["location"] == "/notices"
    assert stand_in.preferences.is_on
    page = await browser.get("/notices")
    await browser.post(NOTICES, data={**fields(page, NOTICES), "on": "no"})
    assert not stand_in.preferences.is_on


async def test_without_an_address_the_page_says_what_to_do(stand_in: StandIn, browser: AsyncClient) -> None:
    form = fields(await browser.get("/notices"), NOTICES)
    stand_in.preferences.email = ""
    page = await browser.get("/notices")
    assert "его называют в заявлении о предоставлении доступа" in page.text
    assert ">Включить<" not in page.text
    refused = await browser.post(NOTICES, data={**form, "on": "yes"})
    assert refused.status_code == 422
    assert "Адреса для писем нет." in refused.text
