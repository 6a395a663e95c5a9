"""«Загрузка списков»: pages over the stand-in."""

import pytest
from httpx import AsyncClient

from apps.portal.asked import FILE_BYTES
from diary.access.v1 import roster_import_service_pb2 as pb
from diary.options.v1 import options_pb2
from tests.unit.portal.standin import SCHOOL, StandIn, fields
from tests.unit.portal.standin_imports import IMPORT

PAGE = f"/schools/{SCHOOL}/imports"
ONE = f"{PAGE}/{IMPORT}"
_MOVED = pb.RosterImportChange(
    number=1, what="Осокин Ждан: класс 8-А", before="с 01.09.2026", after="с 01.09.2026 по 04.12.2026"
)
_NEW = pb.RosterImportChange(number=2, what="<b>Бажов</b>", after="муж.")


@pytest.fixture
async def admin(stand_in: StandIn) -> AsyncClient:
    stand_in.access.roles = [options_pb2.ROLE_ADMIN]
    stand_in.imports.changes = [_MOVED, _NEW]
    stand_in.imports.kept.change_count = 2
    return await stand_in.signed_in()


async def test_a_file_is_sent_with_its_order_and_its_page_opens(stand_in: StandIn, admin: AsyncClient) -> None:
    form = fields(await admin.get(PAGE), PAGE)
    typed = {**form, "order_number": "12-у", "order_date": "2026-08-31"}
    answer = await admin.post(PAGE, data=typed, files={"file": ("list.zip", b"PK")})
    assert (answer.status_code, answer.headers["location"]) == (303, ONE)
    [sent] = stand_in.imports.sent
    assert (sent.file_name, sent.file, sent.request_id) == ("list.zip", b"PK", form["request_id"])
    assert (sent.enrolment_order_number, sent.enrolment_order_date, sent.enrolled_from_date) == ("12-у", "2026-08-31", "")


async def test_the_form_says_whom_a_list_may_replace(admin: AsyncClient) -> None:
    said = "но если класс или группу список отдаёт другому учителю, прежний перестаёт их вести."
    assert said in (await admin.get(PAGE)).text


async def test_without_a_file_or_with_one_too_large_nothing_is_sent_and_what_was_typed_stays(
    stand_in: StandIn, admin: AsyncClient
) -> None:
    form = {**fields(await admin.get(PAGE), PAGE), "order_number": "12-у"}
    missing = await admin.post(PAGE, data=form, files={"file": ("list.zip", b"")})
    assert (missing.status_code, "Выберите файл выгрузки." in missing.text) == (422, True)
    assert fields(missing, PAGE)["order_number"] == "12-у"
    large = await admin.post(PAGE, data=form, files={"file": ("list.zip", b"x" * (FILE_BYTES + 1))})
    assert (large.status_code, "больше 7 мегабайт" in large.text) == (413, True)
    assert stand_in.imports.sent == []


async def test_an_order_by_halves_is_told_in_the_form(stand_in: StandIn, admin: AsyncClient) -> None:
    stand_in.imports.refusal = "ENROLMENT_ORDER_INVALID"
    form = fields(await admin.get(PAGE), PAGE)
    refused = await admin.post(PAGE, data=form, files={"file": ("list.zip", b"PK")})
    assert refused.status_code == 422
    assert "Укажите и номер, и дату приказа о зачислении" in refused.text


async def test_a_plan_is_shown_line_by_line_and_confirmed_whole_or_by_its_lines(stand_in: StandIn, admin: AsyncClient) -> None:
    page = await admin.get(ONE)
    assert "Проверьте изменения" in page.text
    assert "с 01.09.2026 → с 01.09.2026 по 04.12.2026" in page.text
    assert "&lt;b&gt;Бажов" in page.text
    assert 'http-equiv="refresh"' not in page.text
    # Enter in a checkbox presses the first of them.
    assert page.text.index("Внести отмеченные") < page.text.index("Внести все изменения")
    form = fields(page, f"{ONE}/confirm")
    nothing = await admin.post(f"{ONE}/confirm", data={"request_id": form["request_id"], "what": "lines"})
    assert (nothing.status_code, "Отметьте хотя бы одну строку." in nothing.text) == (422, True)
    assert (await admin.post(f"{ONE}/confirm", data={**form, "line": ["2"], "what": "lines"})).headers["location"] == ONE
    assert (await admin.post(f"{ONE}/confirm", data={**form, "line": ["1", "2"], "what": "all"})).headers["location"] == ONE
    assert [[line.number for line in sent.lines] for sent in stand_in.imports.sent] == [[2], []]
    assert (await admin.post(f"{ONE}/confirm", data={**form, "line": ["x"], "what": "lines"})).status_code == 400


async def test_a_plan_of_more_lines_than_a_page_is_confirmed_whole_alone(stand_in: StandIn, admin: AsyncClient) -> None:
    stand_in.imports.changes = [pb.RosterImportChange(number=n + 1, what="x", after="y") for n in range(501)]
    stand_in.imports.kept.change_count = 501
    page = (await admin.get(ONE)).text
    assert "501 строка" in page.replace("\u00a0", " ")
    assert "Следующие строки" in page
    assert "Внести все изменения" in page
    assert "Внести отмеченные" not in page


async def test_a_plan_is_given_up_and_a_second_word_is_told(stand_in: StandIn, admin: AsyncClient) -> None:
    form = fields(await admin.get(ONE), f"{ONE}/cancel")
    assert (await admin.post(f"{ONE}/cancel", data=form)).headers["location"] == ONE
    stand_in.imports.refusal = "IMPORT_NOT_PLANNED"
    told = await admin.post(f"{ONE}/cancel", data=form)
    assert (told.status_code, "уже подтверждена или отменена" in told.text) == (422, True)
    stand_in.imports.kept.state = pb.ROSTER_IMPORT_STATE_CONFIRMED
    told = await admin.post(f"{ONE}/cancel", data=form)
    assert f'<meta http-equiv="refresh" content="3; url={ONE}">' in told.text


async def test_work_under_way_shows_its_steps_and_asks_again_by_itself(stand_in: StandIn, admin: AsyncClient) -> None:
    stand_in.imports.kept.state = pb.ROSTER_IMPORT_STATE_CONFIRMED
    stand_in.imports.kept.steps_done, stand_in.imports.kept.steps_total = 2, 6
    page = (await admin.get(ONE)).text
    assert "шаг 2 из 6" in page
    assert 'http-equiv="refresh"' in page
    assert f'action="{ONE}/confirm"' not in page
    assert "Внести" not in page


async def test_an_end_is_told_by_what_was_done_or_what_stands_in_the_way(stand_in: StandIn, admin: AsyncClient) -> None:
    stand_in.imports.kept.state = pb.ROSTER_IMPORT_STATE_DONE
    stand_in.imports.kept.summary.append("ученики: новых 1, изменено 0, без изменений 2")
    done = (await admin.get(ONE)).text
    assert "ученики: новых 1, изменено 0, без изменений 2" in done
    assert "не внесено" in done
    chosen = pb.RosterImportChange(number=1, what="Осокин Ждан: класс 8-А", after="с 01.09.2026", is_chosen=True)
    stand_in.imports.changes = [chosen]
    problem = pb.RosterImportProblem(file="users.csv", row=4, column="role", what="не роль", mend="исправьте")
    refused = pb.RosterImport(import_id=IMPORT, file_name="list.zip", state=pb.ROSTER_IMPORT_STATE_REFUSED, problems=[problem])
    stand_in.imports.kept = refused
    told = (await admin.get(ONE)).text
    assert "Ничего не изменено" in told
    assert "не внесено" in told, "nothing of it was, whatever was chosen"
    assert "<b>users.csv, строка 4, столбец role</b>: не роль." in told


async def test_the_page_is_the_administrators_alone(stand_in: StandIn) -> None:
    stand_in.access.roles = [options_pb2.ROLE_SECRETARY]
    secretary = await stand_in.signed_in()
    assert (await secretary.get(PAGE)).status_code == 403
    assert "Загрузка списков" not in (await secretary.get("/")).text
