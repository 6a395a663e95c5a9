"""The head's page of refusals and signed papers, and the second factor: pages over the stand-in (Clause R22)."""

import pytest
from httpx import AsyncClient, Response

from apps.portal.asked import FILE_BYTES
from diary.access.v1 import application_pb2, refusal_pb2
from diary.access.v1 import application_service_pb2 as access_pb
from diary.options.v1 import options_pb2
from tests.unit.portal.standin import ORIGIN, SCHOOL, SECRET, StandIn, fields
from tests.unit.portal.standin_cases import CASE, DOCUMENT, ONE_TIME_CODE
from tests.unit.portal.standin_papers import RUN, SCAN

PAGE = f"/schools/{SCHOOL}/refusals"
FACTOR = "/account/second-factor"


@pytest.fixture
async def head(stand_in: StandIn) -> AsyncClient:
    stand_in.access.roles = [options_pb2.ROLE_HEAD]
    stand_in.applications.kind = application_pb2.APPLICATION_KIND_APPENDIX_3
    stand_in.applications.propose(refusal_pb2.REFUSAL_GROUND_OWN_STATEMENT)
    return await stand_in.signed_in()


async def test_the_head_signs_all_that_are_on_with_one_code(stand_in: StandIn, head: AsyncClient) -> None:
    page = await head.get(PAGE)
    assert "заявление заявителя об отказе в получении услуги" in page.text
    form = fields(page, f"{PAGE}/sign")
    assert form["application"] == CASE
    answer = await head.post(f"{PAGE}/sign", data={**form, "code": "123 456"})
    assert answer.headers["location"] == PAGE
    [sent] = [one for one in stand_in.applications.sent if isinstance(one, access_pb.SignRefusalsRequest)]
    assert (list(sent.application_ids), sent.one_time_code, sent.request_id) == ([CASE], ONE_TIME_CODE, form["request_id"])
    after = await head.get(answer.headers["location"])
    assert "Подписано: 1\u00a0отказ" in after.text
    assert "Сейчас подписывать нечего." in after.text


async def test_a_wrong_code_leaves_the_head_signed_in_and_what_was_chosen_chosen(head: AsyncClient) -> None:
    form = fields(await head.get(PAGE), f"{PAGE}/sign")
    refused = await head.post(f"{PAGE}/sign", data={**form, "code": "654321"})
    assert refused.status_code == 422
    assert "Ничего не подписано. Код неверный" in refused.text
    assert "654321" not in refused.text
    assert fields(refused, f"{PAGE}/sign")["application"] == CASE
    assert fields(refused, f"{PAGE}/sign")["request_id"] != form["request_id"]


async def test_whom_wrong_codes_have_signed_out_is_told_so_and_comes_back_to_the_page(
    stand_in: StandIn, head: AsyncClient
) -> None:
    form = fields(await head.get(PAGE), f"{PAGE}/sign")
    stand_in.applications.wrong_code = "SESSION_ENDED_BY_CODES"
    headers = {"referer": f"{ORIGIN}{PAGE}"}
    sent_on = await head.post(f"{PAGE}/sign", data={**form, "code": "654321"}, headers=headers)
    assert sent_on.status_code == 307
    told = await head.post(sent_on.headers["location"], data={**form, "code": "654321"}, headers=headers)
    assert "Пять неверных кодов подряд" in told.text
    assert fields(told, "/sign-in")["next"] == PAGE
    assert "diary_refresh" not in head.cookies


async def test_without_a_second_factor_the_page_leads_to_it(stand_in: StandIn, head: AsyncClient) -> None:
    stand_in.applications.has_totp = False
    form = fields(await head.get(PAGE), f"{PAGE}/sign")
    refused = await head.post(f"{PAGE}/sign", data={**form, "code": ONE_TIME_CODE})
    assert "Сначала подключите второй фактор" in refused.text
    assert (
        f'role="alert">Ничего не подписано. Сначала подключите второй фактор: без него решение не подписать. <a href="{FACTOR}"'
        in (refused.text)
    )


@pytest.mark.parametrize(("typed", "text"), [({"code": "12"}, "шесть цифр"), ({"application": ""}, "хотя бы один отказ")])
async def test_nothing_is_sent_without_a_code_and_a_refusal(
    stand_in: StandIn, head: AsyncClient, typed: dict[str, str], text: str
) -> None:
    form = {**fields(await head.get(PAGE), f"{PAGE}/sign"), "code": ONE_TIME_CODE, **typed}
    answer = await head.post(f"{PAGE}/sign", data={name: value for name, value in form.items() if value})
    assert (answer.status_code, text in answer.text) == (422, True)
    assert not [one for one in stand_in.applications.sent if isinstance(one, access_pb.SignRefusalsRequest)]


@pytest.mark.parametrize(
    ("format_", "kind", "ending"), [("pdf", "application/pdf", ".pdf"), ("zip", "application/zip", ".zip")]
)
async def test_decisions_are_downloaded_together_to_print_and_to_sign(
    head: AsyncClient, format_: str, kind: str, ending: str
) -> None:
    form = fields(await head.get(PAGE), f"{PAGE}/bundle")
    file = await head.post(f"{PAGE}/bundle", data={**form, "format": format_})
    assert (file.headers["content-type"], ending in file.headers["content-disposition"]) == (kind, True)


async def test_too_many_decisions_at_once_are_told_in_words(stand_in: StandIn, head: AsyncClient) -> None:
    form = fields(await head.get(PAGE), f"{PAGE}/bundle")
    stand_in.documents.is_too_large = True
    refused = await head.post(f"{PAGE}/bundle", data={**form, "format": "pdf"})
    assert (refused.status_code, "не помещаются в один файл" in refused.text) == (422, True)
    none = await head.post(f"{PAGE}/bundle", data={"format": "pdf"})
    assert "Отметьте хотя бы одно решение." in none.text


async def _upload(browser: AsyncClient, content: bytes) -> Response:
    form = fields(await browser.get(PAGE), f"{PAGE}/scan")
    return await browser.post(f"{PAGE}/scan", data=form, files={"file": ("C:\\scans\\скан.pdf", content, "application/pdf")})


@pytest.mark.parametrize("role", [options_pb2.ROLE_HEAD, options_pb2.ROLE_SECRETARY, options_pb2.ROLE_ADMIN])
async def test_a_scan_is_kept_and_pages_that_match_nothing_are_named(
    stand_in: StandIn, role: options_pb2.Role.ValueType
) -> None:
    stand_in.access.roles = [role]
    browser = await stand_in.signed_in()
    page = await browser.get(PAGE)
    is_head = role == options_pb2.ROLE_HEAD
    assert ("ждут вашего решения" in page.text, f'action="{PAGE}/signatures"' in page.text) == (is_head, is_head)
    answer = await _upload(browser, b"%PDF-1.7 scan")
    assert "Загружено сканов: 1 (№\u00a03-ЭДО/2026)." in answer.text
    assert "Сканы ждут подтверждения директора" in answer.text
    assert (f'action="{PAGE}/confirm"' in answer.text, "Подтвердить отмеченные" in answer.text) == (True, is_head)
    assert "<b>Страница\u00a02</b>: на странице не читается QR-код" in answer.text
    assert "Решений, которые ждут подписи на бумаге или файла подписи, нет." in answer.text
    [sent] = stand_in.documents.sent
    assert (sent.file, sent.signed_date) == (b"%PDF-1.7 scan", "2026-11-17")


@pytest.mark.parametrize(
    ("content", "status", "text"),
    [
        (b"", 422, "Выберите файл скана."),
        (b"GIF89a", 422, "Подойдёт PDF, JPEG или PNG"),
        (b"%PDF" + bytes(FILE_BYTES), 413, "Файл больше 7 мегабайт."),
    ],
)
async def test_a_file_that_is_no_scan_says_what_to_do(head: AsyncClient, content: bytes, status: int, text: str) -> None:
    answer = await _upload(head, content)
    assert (answer.status_code, text in answer.text) == (status, True)


async def test_the_head_confirms_a_scan_and_only_then_the_decision_is_signed(stand_in: StandIn, head: AsyncClient) -> None:
    """Clause R22."""
    page = await _upload(head, b"%PDF-1.7 scan")
    form = fields(page, f"{PAGE}/confirm")
    nothing = await head.post(f"{PAGE}/confirm", data={"request_id": form["request_id"]})
    assert (nothing.status_code, "Отметьте хотя бы один скан." in nothing.text) == (422, True)
    answer = await head.post(f"{PAGE}/confirm", data={**form, "scan": SCAN})
    assert "Подписано решений: 1 (№\u00a03-ЭДО/2026)." in answer.text
    assert list(stand_in.documents.sent[-1].scan_ids) == [SCAN]
    stale = await head.post(f"{PAGE}/confirm", data={**form, "scan": RUN})
    assert "уже не ждёт подтверждения" in stale.text


async def test_signature_files_find_their_decision_and_others_are_named(stand_in: StandIn, head: AsyncClient) -> None:
    form = fields(await head.get(PAGE), f"{PAGE}/signatures")
    files = [("files", ("a.sig", b"of the decision", "")), ("files", ("<b>.sig", b"of another", ""))]
    answer = await head.post(f"{PAGE}/signatures", data=form, files=files)
    assert "Подписи приложены к решениям: 1 (№\u00a03-ЭДО/2026)." in answer.text
    assert "<b>&lt;b&gt;.sig</b>: подписан не тот файл" in answer.text
    [sent] = stand_in.documents.sent
    assert [file.name for file in sent.files] == ["a.sig", "<b>.sig"]
    too_large = await head.post(f"{PAGE}/signatures", data=form, files=[("files", ("big.sig", bytes(70_000), ""))])
    assert "больше 64 килобайт" in too_large.text


async def test_files_are_read_again_when_the_session_was_renewed(stand_in: StandIn, head: AsyncClient) -> None:
    form = fields(await head.get(PAGE), f"{PAGE}/scan")
    stand_in.access.tokens.clear()
    answer = await head.post(f"{PAGE}/scan", data=form, files={"file": ("a.pdf", b"%PDF-1.7 scan", "application/pdf")})
    assert "Загружено сканов: 1" in answer.text
    assert stand_in.documents.sent[-1].file == b"%PDF-1.7 scan"


async def test_who_neither_signs_nor_brings_papers_has_no_such_page(browser: AsyncClient) -> None:
    assert (await browser.get(PAGE)).status_code == 403


async def test_a_secret_is_shown_once_as_a_code_and_as_text_and_confirmed(stand_in: StandIn, head: AsyncClient) -> None:
    form = fields(await head.get(FACTOR), FACTOR)
    wrong = await head.post(FACTOR, data={**form, "password": "wrong"})
    assert (wrong.status_code, "Пароль не подошёл." in wrong.text) == (422, True)
    shown = await head.post(FACTOR, data={**form, "password": "right"})
    assert "<svg" in shown.text
    assert " ".join(SECRET[start : start + 4] for start in range(0, 32, 4)) in shown.text
    assert SECRET not in str(shown.url)
    refused = await head.post(f"{FACTOR}/confirm", data={**fields(shown, f"{FACTOR}/confirm"), "code": "654321"})
    assert (refused.status_code, "Код неверный" in refused.text) == (422, True)
    assert SECRET[:4] not in refused.text
    answer = await head.post(f"{FACTOR}/confirm", data={**fields(refused, f"{FACTOR}/confirm"), "code": ONE_TIME_CODE})
    assert answer.headers["location"] == FACTOR
    assert PAGE in (await head.get(answer.headers["location"])).text
    again = await head.post(FACTOR, data={**form, "password": "right"})
    assert "Второй фактор уже подключён." in again.text
    assert stand_in.access.has_totp


async def test_who_has_a_second_factor_is_not_asked_to_begin_one(stand_in: StandIn, head: AsyncClient) -> None:
    assert "Получить ключ" in (await head.get(FACTOR)).text
    assert "Нет приложения с кодами?" in (await head.get(PAGE)).text
    stand_in.access.has_totp = True
    other = await stand_in.signed_in()
    page = await other.get(FACTOR)
    assert "Второй фактор уже подключён." in page.text
    assert "Получить ключ" not in page.text
    assert "Нет приложения с кодами?" not in (await other.get(PAGE)).text


async def test_a_decision_alone_is_downloaded_from_the_list(head: AsyncClient) -> None:
    assert f'href="/schools/{SCHOOL}/documents/{DOCUMENT}"' in (await head.get(PAGE)).text
