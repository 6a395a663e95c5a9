"""«Соблюдение сроков»: a breach is seen by who answers for it, and nobody is called late with an end that comes by itself."""

from datetime import UTC, datetime

import pytest
from httpx import AsyncClient

from diary.access.v1 import deadline_pb2
from diary.options.v1 import options_pb2
from tests.unit.portal.standin import SCHOOL, StandIn

PAGE = f"/schools/{SCHOOL}/deadlines"


def _deadline(clause: str, state: deadline_pb2.DeadlineState.ValueType, *, is_met: bool = False) -> deadline_pb2.Deadline:
    one = deadline_pb2.Deadline(clause=clause, subject_id="x", state=state)
    one.start_time.FromDatetime(datetime(2026, 11, 16, 9, tzinfo=UTC))
    one.due_time.FromDatetime(datetime(2026, 11, 18, 21, tzinfo=UTC))
    if is_met:
        one.met_time.FromDatetime(datetime(2026, 11, 19, 8, tzinfo=UTC))
    return one


@pytest.fixture
async def head(stand_in: StandIn) -> AsyncClient:
    stand_in.access.roles = [options_pb2.ROLE_HEAD]
    return await stand_in.signed_in()


def _asked(stand_in: StandIn) -> list[tuple[str, bool]]:
    requests = [call.request for call in stand_in.compliance.calls("ListDeadlines")]
    return [(request.clause, request.is_open_only) for request in requests]


async def test_an_overdue_term_stands_out_and_leads_to_where_it_is_kept(stand_in: StandIn, head: AsyncClient) -> None:
    stand_in.compliance.deadlines = [
        _deadline("R15", deadline_pb2.DEADLINE_STATE_OVERDUE),
        _deadline("R7", deadline_pb2.DEADLINE_STATE_WARNED),
        _deadline("R13", deadline_pb2.DEADLINE_STATE_WARNED),
    ]
    page = await head.get(PAGE)
    assert page.status_code == 200
    assert page.text.count('class="late"') == page.text.count("просрочено") == 1
    assert f'<a href="/schools/{SCHOOL}/applications">Заявления</a>' in page.text
    assert f'<a href="/schools/{SCHOOL}/printouts">Печать за неделю</a>' in page.text
    assert "Доступ закончится сам: конец обучения" in page.text
    assert page.text.count("срок близко") == 1
    assert f'href="{PAGE}?page=next"' in page.text
    assert _asked(stand_in) == [("", True)]


async def test_a_term_of_an_application_leads_to_its_case(stand_in: StandIn, head: AsyncClient) -> None:
    term = _deadline("R15", deadline_pb2.DEADLINE_STATE_OVERDUE)
    term.application_id = "0197f3a0-0000-7000-8000-000000000001"
    stand_in.compliance.deadlines = [term]
    page = await head.get(PAGE)
    assert f'<a href="/schools/{SCHOOL}/applications/{term.application_id}">Дело по заявлению</a>' in page.text


async def test_terms_are_shown_by_clause_and_with_those_that_are_met(stand_in: StandIn, head: AsyncClient) -> None:
    stand_in.compliance.deadlines = [_deadline("R15", deadline_pb2.DEADLINE_STATE_MET_LATE, is_met=True)]
    await head.get(f"{PAGE}?clause=R15")
    page = await head.get(f"{PAGE}?met=1")
    assert "исполнено с опозданием" in page.text
    assert "19.11.2026" in page.text
    assert _asked(stand_in) == [("R15", True), ("", False)]
    assert (await head.get(f"{PAGE}?clause=R99")).status_code == 404


async def test_without_open_terms_the_page_says_so_and_the_menu_has_it(head: AsyncClient) -> None:
    page = await head.get(PAGE)
    assert "Неисполненных сроков нет." in page.text
    assert f'href="{PAGE}" aria-current="page"' in page.text


async def test_a_teachers_menu_has_no_page_of_terms(stand_in: StandIn) -> None:
    stand_in.access.roles = [options_pb2.ROLE_TEACHER]
    teacher = await stand_in.signed_in()
    assert PAGE not in (await teacher.get("/notices")).text
