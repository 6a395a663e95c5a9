"""The dashboard is current, and whatever rules and panels ask for is there in a running region."""

import re
from functools import partial
from pathlib import Path

import httpx
import promql_parser as promql
import pytest
import pytest_asyncio

from deploy.dashboards.__main__ import FILE
from deploy.dashboards.render import render
from deploy.local.launcher import Launcher
from tests.charts.watching import addresses, read_panels, read_rules, watched
from tests.support.eventually import eventually
from tests.support.region import Api, Login, signed_in
from tests.support.teaching import find_school

Sample = dict[str, str]

# Prometheus makes these itself.
OF_PROMETHEUS = {"ALERTS", "up"}
SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@pytest.fixture(autouse=True)
def _packaged() -> None:
    """Dashboards need neither Helm nor packages."""


@pytest_asyncio.fixture
async def used(region: Launcher, logins: dict[str, Login]) -> Launcher:
    """A region in which a family has opened its week."""
    async with signed_in(region, logins["mother"]) as mother:
        await _open_week(mother)
    return region


async def _open_week(mother: Api) -> None:
    school = find_school(await mother.get("/v1/me"))
    student_id = school["students"][0]["studentId"]
    await mother.get(f"/v1/schools/{school['schoolId']}/students/{student_id}/diary")


async def _scrape(region: Launcher) -> dict[str, list[Sample]]:
    """The labels of all samples by metric."""
    seen: dict[str, list[Sample]] = {}
    async with httpx.AsyncClient() as client:
        for address in addresses(region).values():
            for line in (await client.get(address)).text.splitlines():
                if found := SAMPLE.match(line):
                    seen.setdefault(found[1], []).append(dict(LABEL.findall(found[2] or "")))
    return seen


def _selectors(expression: str) -> list[promql.VectorSelector]:
    found: list[promql.VectorSelector] = []

    def visit(part: promql.Expr) -> None:
        if isinstance(part, promql.VectorSelector):
            found.append(part)

    promql.walk(promql.parse(expression), pre_visit=visit)
    return found


def _selects(selector: promql.VectorSelector, sample: Sample) -> bool:
    return all(_matches(matcher, sample) for matcher in selector.matchers.matchers if matcher.name != "service")


def _matches(matcher: promql.Matcher, sample: Sample) -> bool:
    value, op = sample.get(matcher.name, ""), matcher.op
    is_like = op in (promql.MatchOp.Re, promql.MatchOp.NotRe)
    is_found = bool(re.fullmatch(matcher.value, value)) if is_like else value == matcher.value
    return is_found == (op in (promql.MatchOp.Re, promql.MatchOp.Equal))


def test_committed_dashboard_is_what_python_makes() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "run `python -m deploy.dashboards`"


def test_each_panel_has_a_place_and_queries_that_parse() -> None:
    panels = list(read_panels())
    assert len({title for title, _ in panels}) > 30
    for _, query in panels:
        assert _selectors(query), query


async def test_whatever_rules_and_panels_select_is_in_a_scrape_of_the_region(used: Launcher) -> None:
    seen, rules = await _scrape(used), read_rules()
    made = OF_PROMETHEUS | {rule["record"] for rule in rules if "record" in rule}
    for query in [rule["expr"] for rule in rules] + [query for _, query in read_panels()]:
        for selector in _selectors(query):
            if selector.name not in made:
                assert any(_selects(selector, sample) for sample in seen.get(str(selector.name), [])), str(selector)


async def test_prometheus_draws_every_panel_and_a_healthy_region_raises_no_alarm(used: Launcher, tmp_path: Path) -> None:
    async with watched(used, tmp_path) as prometheus:
        for title, query in read_panels():
            # A rate needs two scrapes; a panel of what is wrong stays empty when nothing is.
            if not query.endswith(" > 0"):
                await eventually(partial(prometheus.ask, query), seconds=20, why=f"a sample for {title}: {query}")
        for rule in await prometheus.list_rules():
            assert rule["health"] == "ok", rule
            assert rule.get("state") != "firing", rule
