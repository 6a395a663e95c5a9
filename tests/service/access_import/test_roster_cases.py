"""Lists that come in, or are refused so that a school knows what to mend: file, row or person, and how."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from chassis.clock import SetClock
from chassis.imports import ImportRefusedError
from services.access.people.rules.roles import Role
from services.access.roster.actions.imports import Report
from services.access.roster.actions.open_access import Opened, OpeningWish, open_access
from services.access.roster.convert.bundles import read_zip
from services.access.roster.rules.opening import Document, OpeningRefusedError
from services.access.roster.rules.rosters import Order, Wish
from tests.service.access_import.conftest import read_files, write_files

_CASES = Path(__file__).parents[2] / "cases/roster"
_NOVEMBER = SetClock(datetime(2026, 11, 30, 9, tzinfo=UTC))


async def _import(keeper: Any, case: str, code: str, clock: SetClock = _NOVEMBER, **said: Any) -> Report:
    return await write_files(keeper, clock, read_files(_CASES / f"{case}.zip"), Wish(code, **said))


async def _refusal(keeper: Any, case: str, code: str) -> list[str]:
    with pytest.raises(ImportRefusedError) as refused:
        await _import(keeper, case, code)
    assert await keeper.fetchval("SELECT count(*) FROM schools") == 0
    return str(refused.value).splitlines()


@pytest.mark.parametrize(
    ("case", "code", "said"),
    [
        ("04-nul-in-a-name", "N04", ["users.csv, строка 4, столбец givenName: непечатный знак; наберите ячейку заново"]),
        (
            "06-enrolment-names-another-school",
            "N06",
            [
                "enrollments.csv, строка 2, столбец schoolSourcedId: школа N06B, а класс «8-А» (classes.csv, строка 2) — другой"
                " школы; исправьте школу или класс"
            ],
        ),
        (
            "09-birth-dates-that-cannot-be",
            "N09",
            [
                "demographics.csv, строка 2, столбец birthDate: «1900-01-01»: такого года в списке школы быть не может;"
                " исправьте дату",
                "demographics.csv, строка 3, столбец birthDate: «0012-05-06»: такого года в списке школы быть не может;"
                " исправьте дату",
                "demographics.csv, строка 4, столбец birthDate: «2112-11-23»: такого года в списке школы быть не может;"
                " исправьте дату",
            ],
        ),
        (
            "10-moved-on-the-same-day",
            "N10c",
            [
                "enrollments.csv, строка 10, столбец beginDate: Ромашкин Глеб Олегович с 2026-11-15 уже в классе «8-А»"
                " (строка 2); закончите прежний класс днём раньше (endDate)"
            ],
        ),
        (
            "10-two-classes-of-one-title",
            "N10b",
            [
                "classes.csv, строка 4, столбец title: класс «8-А» уже есть в строке 2; назовите классы по-разному или"
                " оставьте один"
            ],
        ),
        (
            "12-users-that-are-not-enabled",
            "N12",
            ["users.csv, строка 8, столбец enabledUser: «maybe» не значение OneRoster 1.1; укажите true или false"],
        ),
    ],
)
async def test_what_cannot_be_is_refused_by_cell(keeper: Any, case: str, code: str, said: list[str]) -> None:
    assert await _refusal(keeper, case, code) == said


async def test_rows_of_two_schools_are_refused_for_the_other_school_too(keeper: Any) -> None:
    assert (await _refusal(keeper, "06-enrolment-names-another-school", "N06B"))[0].startswith("enrollments.csv, строка 2")


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("01-family-names-of-two-words", "N01"),
        ("05-open-end-9999-12-31", "N05"),
        ("08-any-good", "N08"),
        ("08-zip-made-by-macos", "N08"),
        ("13-student-of-one-name", "N13"),
        ("16-class-title-with-the-word", "N16"),
    ],
)
async def test_a_list_of_the_wild_comes_in_and_twice_without_a_change(keeper: Any, case: str, code: str) -> None:
    report = await _import(keeper, case, code)
    assert report.counts["students"][0] > 0
    assert await keeper.fetchval("SELECT count(*) FROM classes WHERE name ILIKE '%класс%'") == 0
    again = await _import(keeper, case, f" {code.lower()} ")
    assert {(created, changed) for created, changed, _ in again.counts.values()} == {(0, 0)}


async def test_a_school_known_under_another_code_is_not_made_twice(keeper: Any) -> None:
    await _import(keeper, "08-any-good", "first")
    with pytest.raises(ImportRefusedError, match="уже ведётся под кодом first"):
        await _import(keeper, "08-any-good", "second")
    assert await keeper.fetchval("SELECT count(*) FROM schools") == 1


async def test_another_schools_list_is_refused_in_words_for_the_office_too(keeper: Any) -> None:
    await _import(keeper, "08-any-good", "N08")
    with pytest.raises(ImportRefusedError) as refused:
        await _import(keeper, "05-open-end-9999-12-31", "N08")
    assert str(refused.value).endswith("; проверьте, список ли это вашей школы, и её код")
    assert "--" not in str(refused.value)


async def test_no_order_and_no_first_of_september_is_invented(keeper: Any) -> None:
    """Clause R10."""
    report = await _import(keeper, "08-any-good", "N08")
    rows = await keeper.fetch("SELECT order_number, order_date, lower(validity) AS first_day FROM enrolments")
    assert {tuple(row) for row in rows} == {(None, None, date(2026, 11, 30))}
    assert report.notes == [
        "зачислено без приказа: 3; доступ им не предоставить, пока не загружен список с номером и датой приказа о зачислении"
    ]
    assert await keeper.fetchval("SELECT count(*) FROM placements WHERE lower(validity) < '2026-11-30'") == 0
    report = await _import(keeper, "08-any-good", "N08", order=Order("12-у", date(2026, 8, 31)))
    rows = await keeper.fetch("SELECT order_number, order_date FROM enrolments")
    assert {tuple(row) for row in rows} == {("12-у", date(2026, 8, 31))}
    assert report.notes == []


async def test_no_operator_grants_an_access_until_the_order_is_stated(keeper: Any) -> None:
    """Clause R10: by an earlier application as by a case of this system."""

    async def open_for(person: str, role: Role | None, **documents: Document) -> Opened:
        given = {"application": None, "order": None, **documents}
        return await open_access(keeper, _NOVEMBER, OpeningWish("N08", person, role, **given))

    await _import(keeper, "08-any-good", "N08")
    await open_for("T1", Role.ADMIN, order=Document("7", date(2026, 8, 20)))
    application = Document("15", date(2026, 9, 1))
    with pytest.raises(OpeningRefusedError, match=r"--enrolment-order-number and --enrolment-order-date \(R10\)"):
        await open_for("P1", None, application=application)
    assert await keeper.fetchval("SELECT count(*) FROM grants") == 0
    await _import(keeper, "08-any-good", "N08", order=Order("12-у", date(2026, 8, 31)))
    assert len((await open_for("P1", None, application=application)).granted) == 1


async def test_the_school_may_state_from_when_its_students_are_enrolled(keeper: Any) -> None:
    await _import(keeper, "08-any-good", "N08", enrolled_from=date(2026, 9, 1))
    assert await keeper.fetchval("SELECT count(*) FROM enrolments WHERE lower(validity) <> '2026-09-01'") == 0


async def test_a_student_who_left_stays_out_and_the_list_is_taken(keeper: Any) -> None:
    """Clause R13."""
    await _import(keeper, "08-any-good", "N08", enrolled_from=date(2026, 9, 1))
    student = await keeper.fetchval("SELECT student_id FROM enrolments LIMIT 1")
    for table in ("placements", "study_group_members", "enrolments"):
        await keeper.execute(
            f"UPDATE {table} SET validity = daterange(lower(validity), '2026-11-16') WHERE student_id = $1",
            student,
        )
    report = await _import(keeper, "08-any-good", "N08")
    assert {(created, changed) for created, changed, _ in report.counts.values()} == {(0, 0)}
    assert await keeper.fetchval("SELECT max(upper(validity)) FROM enrolments WHERE student_id = $1", student) == date(
        2026, 11, 16
    )


async def test_who_is_not_enabled_has_no_post_and_no_enrolment(keeper: Any) -> None:
    files = read_files(_CASES / "12-users-that-are-not-enabled.zip")
    files["users.csv"] = files["users.csv"].replace(",maybe,", ",false,")
    report = await write_files(keeper, _NOVEMBER, files, Wish("N12"))
    assert report.counts["students"] == (3, 0, 0)
    assert report.counts["teachers"] == (1, 0, 0)
    assert report.notes[1] == (
        "без должности и зачисления, так как enabledUser=false: Бажов Тарас Ильич, Осокин Ждан, Рогозин Клим"
    )
    files["users.csv"] = files["users.csv"].replace("T1,,,true", "T1,,,false")
    await write_files(keeper, _NOVEMBER, files, Wish("N12"))
    for table in ("appointments", "study_group_teachers"):
        assert await keeper.fetchval(f"SELECT count(*) FROM {table} WHERE validity @> date '2026-11-30'") == 0


async def test_a_class_that_changes_hands_is_its_former_teachers_no_more(keeper: Any) -> None:
    """Clause R9: at once, and the other services are told; who is appointed by an order stays and is named."""
    files = read_files(_CASES / "02-move-to-another-class-before.zip")
    await write_files(keeper, _NOVEMBER, files, Wish("N02"))
    school = await keeper.fetchval("SELECT school_id FROM schools")
    person = await keeper.fetchval("SELECT entry_id FROM external_ids WHERE kind = 'person' AND external_id = 'T2'")
    account = await keeper.fetchval(
        "INSERT INTO accounts (login, create_time) VALUES ('bazhov.ti', now()) RETURNING account_id"
    )
    await keeper.execute("INSERT INTO account_people VALUES ($1, $2, $3)", account, school, person)
    await write_files(keeper, _NOVEMBER, files, Wish("N02"))
    handed = {**files, "enrollments.csv": files["enrollments.csv"].replace("H8B,N02,T2", "H8B,N02,T3")}
    handed["enrollments.csv"] = handed["enrollments.csv"].replace("G8B,N02,T2", "G8B,N02,T3")
    # Who has left the school is in its list no more.
    handed["users.csv"] = "".join(row for row in files["users.csv"].splitlines(True) if not row.startswith("T2,"))
    report = await write_files(keeper, _NOVEMBER, handed, Wish("N02"))
    assert report.counts["class teachers"][:2] == (1, 1)
    still = await keeper.fetchval(
        "SELECT count(*) FROM relations WHERE account_id = $1 AND kind IN (4, 5) AND valid_to_time > $2",
        account,
        _NOVEMBER.now(),
    )
    assert still == 0
    assert await keeper.fetchval("SELECT count(*) FROM ending_pushes") > 0
    await keeper.execute("UPDATE appointments SET order_number = '5-к', order_date = '2026-09-01' WHERE class_id IS NOT NULL")
    report = await write_files(keeper, _NOVEMBER, files, Wish("N02"))
    assert "класс 8-Б: классный руководитель по приказу № 5-к остаётся, в выгрузке — другой" in report.notes


async def test_next_years_list_changes_nothing_of_this_year(keeper: Any) -> None:
    """Clauses R13, R14: the year turns on its first day, not with a list."""
    await _import(keeper, "11-this-year", "N11")
    kept = "SELECT class_id, name, grades::text, year_id FROM classes ORDER BY class_id"
    before = [tuple(row) for row in await keeper.fetch(kept)]
    groups = "SELECT study_group_id, subject_name, group_name, validity FROM study_groups ORDER BY 1"
    taught = [tuple(row) for row in await keeper.fetch(groups)]
    await _import(keeper, "11-next-year-with-the-same-class-ids", "N11")
    after = [tuple(row) for row in await keeper.fetch(kept)]
    assert set(before) < set(after)
    assert set(taught) < {tuple(row) for row in await keeper.fetch(groups)}
    years = await keeper.fetch("SELECT name, year_id FROM school_years ORDER BY validity")
    assert [row["name"] for row in years] == ["2026/2027", "2027/2028"]
    school = await keeper.fetchval("SELECT school_id FROM schools")
    days = [date(2026, 8, 1), date(2026, 11, 30), date(2027, 8, 31), date(2027, 9, 1)]
    found = [await keeper.fetchval("SELECT current_year($1, $2)", school, day) for day in days]
    assert found == [years[0]["year_id"]] * 3 + [years[1]["year_id"]]
    previous = await keeper.fetch("SELECT previous_class_id FROM classes WHERE year_id = $1", years[1]["year_id"])
    assert {row["previous_class_id"] for row in previous} <= {row[0] for row in before}
    again = await _import(keeper, "11-next-year-with-the-same-class-ids", "N11")
    assert {(created, changed) for created, changed, _ in again.counts.values()} == {(0, 0)}
    again = await _import(keeper, "11-this-year", "N11")
    assert {(created, changed) for created, changed, _ in again.counts.values()} == {(0, 0)}


_GROUPS = """
    SELECT g.subject_name, coalesce(c.name, '') AS class_name, g.group_name
    FROM study_groups g LEFT JOIN classes c USING (school_id, class_id) ORDER BY 1, 2, 3
"""


async def test_courses_of_one_subject_are_told_apart_by_their_classes(keeper: Any) -> None:
    """Also after a student has moved: who was of the class while in the course says whose it is."""
    await _import(keeper, "02-move-to-another-class-before", "N02")
    # Nobody is in 8-Б yet: its title alone says which it is.
    assert [tuple(row) for row in await keeper.fetch(_GROUPS)] == [("Алгебра", "", "8-Б"), ("Алгебра", "8-А", "")]
    await _import(keeper, "02-move-to-another-class-from-5-December", "N02")
    assert [tuple(row) for row in await keeper.fetch(_GROUPS)] == [("Алгебра", "8-А", ""), ("Алгебра", "8-Б", "")]


async def test_a_course_that_an_earlier_import_left_without_class_gets_it_and_is_told(keeper: Any) -> None:
    case = "02-move-to-another-class-from-5-December"
    await _import(keeper, case, "N02")
    await keeper.execute("UPDATE study_groups SET class_id = NULL, group_name = '8-А алгебра'")
    events = "SELECT count(*) FROM outbox WHERE subject = 'diary.access.v1.RosterChanged'"
    before = await keeper.fetchval(events)
    report = await _import(keeper, case, "N02")
    assert report.counts["study groups"] == (0, 2, 0)
    assert [tuple(row) for row in await keeper.fetch(_GROUPS)] == [("Алгебра", "8-А", ""), ("Алгебра", "8-Б", "")]
    assert await keeper.fetchval(events) == before + 1


async def test_an_order_stated_for_the_first_time_is_new(keeper: Any) -> None:
    order = Order("12-у", date(2026, 8, 31))
    first = await _import(keeper, "02-move-to-another-class-before", "N02", order=order)
    again = await _import(keeper, "02-move-to-another-class-before", "N02", order=order)
    assert (first.counts["orders"], again.counts["orders"]) == ((3, 0, 0), (0, 0, 3))


async def test_a_contradiction_is_told_by_the_student_and_never_by_a_key(keeper: Any) -> None:
    files = read_files(_CASES / "02-move-to-another-class-before.zip")
    await write_files(keeper, _NOVEMBER, files, Wish("N02"))
    moved = {**files, "enrollments.csv": files["enrollments.csv"].replace("E1,,,H8A,", "E1,,,H8B,")}
    with pytest.raises(ImportRefusedError) as refused:
        await write_files(keeper, _NOVEMBER, moved, Wish("N02"))
    assert str(refused.value) == (
        "enrollments.csv: Ромашкин Глеб Олегович: в дневнике на эти же дни — класс «8-А»;"
        " добавьте строку прежнего класса с последним днём (endDate)"
    )


async def test_a_class_whose_title_is_taken_is_told_by_it_and_nothing_is_left_written(keeper: Any) -> None:
    files = read_files(_CASES / "08-any-good.zip")
    await write_files(keeper, _NOVEMBER, files, Wish("N08"))
    written = await keeper.fetchval("SELECT count(*) FROM outbox")
    other = {name: text.replace("H8A", "H8X").replace("Ромашкин", "Ромашков") for name, text in files.items()}
    with pytest.raises(ImportRefusedError) as refused:
        await write_files(keeper, _NOVEMBER, other, Wish("N08"))
    assert str(refused.value) == (
        "classes.csv, столбец title: класс «8-А» уже есть в этом учебном году под другим sourcedId;"
        " выгрузите список из той же системы, что и в прошлый раз, или назовите класс в выгрузке иначе"
    )
    assert await keeper.fetchval("SELECT count(*) FROM people WHERE family_name = 'Ромашков'") == 0
    assert await keeper.fetchval("SELECT count(*) FROM outbox") == written


def _damage_lzma() -> bytes:
    """The properties of the stream are no such."""
    body = _make_zip("users.csv", zipfile.ZIP_LZMA)
    at = body.index(b"users.csv") + len("users.csv") + 4
    return body[:at] + b"\xff" * 8 + body[at + 8 :]


def _damage_name() -> bytes:
    return _make_zip("ж.csv", zipfile.ZIP_STORED).replace("ж".encode(), b"\xff\xfe")


def _make_zip(name: str, compression: int) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", compression) as archive:
        archive.writestr(name, "sourcedId\n" * 100)
    return body.getvalue()


@pytest.mark.parametrize("make", [_damage_lzma, _damage_name])
def test_a_hostile_zip_is_refused_as_none(make: Callable[[], bytes]) -> None:
    with pytest.raises(ImportRefusedError, match="не читается как ZIP; пришлите целый архив без пароля"):
        read_zip("list.zip", make())


_MEASURE = """
import re, sys
from pathlib import Path
from chassis.imports import ImportRefusedError
from services.access.roster.convert.bundles import read_roster
from services.access.roster.rules.rosters import Wish
try:
    read_roster("bomb.zip", Path(sys.argv[1]).read_bytes(), Wish("N08"))
except ImportRefusedError as error:
    print(error)
# Not by getrusage: its peak is that of the process that forked this one too.
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.parametrize("padding", ["\U0001f600" + "a" * 2**23, "\U0001f600" + "x,y\n" * 2**21, "a" * 2**25])
def test_a_small_bundle_that_unpacks_to_much_takes_less_than_256_mb(tmp_path: Path, padding: str) -> None:
    files = read_files(_CASES / "08-any-good.zip")
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, text in files.items():
            archive.writestr(name, text + padding if name == "enrollments.csv" else text)
    assert bomb.stat().st_size < 65_536
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(bomb)], cwd=_CASES.parents[2], capture_output=True, text=True, check=True
    )
    said, megabytes = done.stdout.rstrip().rsplit("\n", 1)
    assert "выгрузите" in said or "кавычки" in said
    assert int(megabytes) < 256


async def test_what_the_database_refuses_leaves_nothing_written_and_names_no_constraint(keeper: Any) -> None:
    files = read_files(_CASES / "08-any-good.zip")
    await keeper.execute("ALTER TABLE people ADD CONSTRAINT people_are_no_daisies CHECK (family_name <> 'Ромашков')")
    other = {name: text.replace("Ромашкин", "Ромашков") for name, text in files.items()}
    with pytest.raises(ImportRefusedError) as refused:
        await write_files(keeper, _NOVEMBER, other, Wish("N09"))
    await keeper.execute("ALTER TABLE people DROP CONSTRAINT people_are_no_daisies")
    assert str(refused.value) == (
        "выгрузка: противоречит тому, что школа уже ведёт в дневнике; исправьте выгрузку или сведения школы и повторите"
    )
    assert await keeper.fetchval("SELECT count(*) FROM schools WHERE code = 'N09'") == 0
