"""The OneRoster bundle of others becomes a school: all of it or nothing, and twice without a change."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from chassis.clock import SystemClock
from chassis.imports import ImportRefusedError
from services.access.roster.actions.imports import Report
from services.access.roster.rules.rosters import Wish
from tests.service.access_import.conftest import MakeZip, read_files, write_files

TABLES = (
    *("schools", "school_years", "people", "students", "enrolments", "appointments", "study_groups"),
    *("study_group_members", "study_group_teachers", "external_ids", "outbox"),
)


async def _import(keeper: Any, path: Path, code: str = "gb") -> Report:
    return await write_files(keeper, SystemClock(), read_files(path), Wish(code, 2026))


async def _rows(admin: Any) -> dict[str, list[str]]:
    return {table: sorted(str(dict(row)) for row in await admin.fetch(f"SELECT * FROM {table}")) for table in TABLES}


async def test_the_bundle_becomes_a_school(admin: Any, keeper: Any, make_zip: MakeZip) -> None:
    report = await _import(keeper, make_zip())
    assert report.counts["people"] == (10, 0, 0)
    assert report.counts["students"] == (8, 0, 0)
    assert report.counts["members"] == (20, 0, 0)
    school = await admin.fetchrow("SELECT code, name, current_year_id FROM schools")
    assert (school["code"], school["name"]) == ("gb", "Grand Bend High School")
    assert school["current_year_id"] is not None
    assert await admin.fetchval("SELECT count(*) FROM enrolments WHERE validity @> date '2026-11-23'") == 8
    born = await admin.fetchrow("SELECT birth_date, gender FROM people WHERE family_name = 'Archer'")
    assert (born["birth_date"], born["gender"]) == (date(1997, 5, 30), "female")


async def test_a_year_moved_keeps_its_days_of_the_week(admin: Any, keeper: Any, make_zip: MakeZip) -> None:
    await _import(keeper, make_zip())
    rows = await admin.fetch("SELECT DISTINCT lower(validity) AS first, upper(validity) - 1 AS last FROM study_group_teachers")
    periods = sorted((row["first"], row["last"]) for row in rows)
    assert periods == [(date(2026, 8, 17), date(2026, 12, 18)), (date(2027, 1, 4), date(2027, 5, 28))]
    there = [(date(2020, 8, 17), date(2020, 12, 18)), (date(2021, 1, 4), date(2021, 5, 28))]
    assert [[day.weekday() for day in period] for period in periods] == [[d.weekday() for d in p] for p in there]


async def test_a_second_import_changes_nothing(admin: Any, keeper: Any, make_zip: MakeZip) -> None:
    await _import(keeper, make_zip())
    before = await _rows(admin)
    report = await _import(keeper, make_zip())
    assert {kind: (created, changed) for kind, (created, changed, _) in report.counts.items()} == dict.fromkeys(
        report.counts, (0, 0)
    )
    assert await _rows(admin) == before


async def test_a_changed_name_is_one_change_with_its_event(admin: Any, keeper: Any, make_zip: MakeZip) -> None:
    await _import(keeper, make_zip())
    events = await admin.fetchval("SELECT count(*) FROM outbox")
    renamed = make_zip(lambda name, text: text.replace(",Larry,Mahoney,", ",Larry,Mahony,") if name == "users.csv" else text)
    report = await _import(keeper, renamed)
    assert report.counts["people"] == (0, 1, 9)
    versions = await admin.fetch("SELECT version FROM students")
    assert sorted(row["version"] for row in versions) == [1] * 7 + [2]
    assert await admin.fetchval("SELECT count(*) FROM outbox") == events + 1


async def test_a_term_that_ends_earlier_moves_the_same_period(admin: Any, keeper: Any, make_zip: MakeZip) -> None:
    await _import(keeper, make_zip())
    text = "604863,student,,2020-08-17,2020-12-"
    shorter = make_zip(lambda name, given: given.replace(f"{text}18", f"{text}11") if name == "enrollments.csv" else given)
    report = await _import(keeper, shorter)
    assert report.counts["members"] == (0, 2, 18)
    assert await admin.fetchval("SELECT count(*) FROM study_group_members") == 20
    groups = await admin.fetch("SELECT version FROM study_groups")
    assert [row["version"] for row in groups] == [2, 2]


async def test_a_broken_row_in_the_middle_leaves_nothing_written(admin: Any, keeper: Any, make_zip: MakeZip) -> None:
    before = await _rows(admin)
    broken = make_zip(lambda name, text: text.replace("605015,student,,2020", "999,student,,2O20"))
    with pytest.raises(ImportRefusedError) as refused:
        await _import(keeper, broken)
    assert str(refused.value).splitlines()[:2] == [
        "enrollments.csv, строка 11, столбец beginDate: «2O20-08-17» не дата; запишите в виде 2026-09-01",
        "enrollments.csv, строка 11, столбец userSourcedId: «999» нет в users.csv; добавьте его туда или исправьте",
    ]
    assert await _rows(admin) == before


async def test_another_schools_bundle_is_refused_for_the_code(keeper: Any, make_zip: MakeZip) -> None:
    await _import(keeper, make_zip())
    other = make_zip(lambda name, text: text.replace("255901001", "255901002"))
    with pytest.raises(ImportRefusedError, match="ведётся школа 255901001, а не 255901002"):
        await _import(keeper, other)
