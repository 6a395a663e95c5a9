"""A OneRoster 1.1 bundle is read whole, or refused by file, row and column with the mend."""

from collections.abc import Mapping
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.imports import ImportRefusedError
from services.access.roster.rules.bundle import Bundle
from services.access.roster.rules.oneroster import read_bundle
from services.access.roster.rules.rosters import Wish, build_roster, name_class
from services.access.roster.rules.times import Period, clip_periods, merge_periods

FILES = {
    "manifest.csv": "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\n"
    + "".join(f"file.{name},bulk\n" for name in ("academicSessions", "orgs", "courses", "classes", "users", "enrollments")),
    "academicSessions.csv": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n"
    "y,,,2025/26,schoolYear,2025-09-01,2026-05-26,,2026\n"
    "t1,,,I,term,2025-09-01,2025-12-31,y,2026\n"
    "t2,,,II,term,2026-01-01,2026-05-26,y,2026\n",
    "orgs.csv": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\ns,,,Школа,school,77,\n",
    "courses.csv": "sourcedId,status,dateLastModified,title\nalg,,,Алгебра\n",
    "classes.csv": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classType,schoolSourcedId,termSourcedIds\n"
    'g,,,8-А алгебра,08,alg,scheduled,s,"t1,t2"\n'
    "h,,,8-А,08,alg,homeroom,s,y\n",
    "users.csv": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,givenName,familyName,middleName\n"
    "p,,,true,s,student,Артём,Соловьёв,Андреевич\n"
    "q,,,true,s,teacher,Наталья,Петрова,Ивановна\n",
    "enrollments.csv": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,beginDate,endDate\n"
    "1,,,g,s,p,student,2025-09-01,2025-12-31\n"
    "2,,,g,s,p,student,2026-01-01,2026-05-26\n"
    "3,,,g,s,q,teacher,,\n"
    "4,,,h,s,p,student,,\n"
    "5,,,h,s,q,teacher,,\n",
}


def _with(**texts: str | None) -> dict[str, str]:
    files: dict[str, str | None] = {**FILES, **{f"{name}.csv": text for name, text in texts.items()}}
    return {name: text for name, text in files.items() if text is not None}


def _refusal(files: Mapping[str, str]) -> list[str]:
    with pytest.raises(ImportRefusedError) as refused:
        build_roster(read_bundle(files), Wish("s"))
    return str(refused.value).splitlines()


def _edit(name: str, old: str, new: str) -> dict[str, str]:
    assert old in FILES[f"{name}.csv"]
    return _with(**{name: FILES[f"{name}.csv"].replace(old, new)})


def test_a_whole_bundle_is_read() -> None:
    bundle: Bundle = read_bundle(FILES)
    roster = build_roster(bundle, Wish("s"))
    assert [of_class.name for of_class in roster.classes] == ["8-А"]
    assert [(group.class_id, group.subject_name, group.group_name) for group in roster.groups] == [("h", "Алгебра", "")]
    assert roster.students == {"p": date(2025, 9, 1)}
    assert roster.teachers == ["q"]


def test_terms_that_touch_become_one_time() -> None:
    roster = build_roster(read_bundle(FILES), Wish("s"))
    assert roster.members == [Period("g", "p", date(2025, 9, 1), date(2026, 5, 27))]
    assert roster.teachings == [Period("g", "q", date(2025, 9, 1), date(2026, 5, 27))]


def test_a_homeroom_gives_placements_and_a_class_teacher() -> None:
    roster = build_roster(read_bundle(FILES), Wish("s"))
    assert [period.person_id for period in roster.placements] == ["p"]
    assert [period.person_id for period in roster.class_teachers] == ["q"]


@given(year=st.integers(2000, 2100))
def test_a_moved_year_keeps_days_of_the_week_and_begins_in_the_wanted_year(year: int) -> None:
    roster = build_roster(read_bundle(FILES), Wish("s", year))
    assert abs((roster.year.first_day - date(year, 9, 1)).days) <= 3
    assert roster.year.first_day.weekday() == date(2025, 9, 1).weekday()
    assert roster.year.end_day - roster.year.first_day == date(2026, 5, 27) - date(2025, 9, 1)


@given(
    st.lists(
        st.tuples(st.integers(1, 300), st.integers(1, 60)).map(
            lambda t: Period("g", "p", date.fromordinal(738000 + t[0]), date.fromordinal(738000 + t[0] + t[1]))
        ),
        min_size=1,
    )
)
def test_merged_times_cover_the_same_days_and_never_touch(periods: list[Period]) -> None:
    merged = merge_periods(periods)

    def days(of: list[Period]) -> set[int]:
        return {day for p in of for day in range(p.first_day.toordinal(), p.end_day.toordinal())}

    assert days(merged) == days(periods)
    assert all(one.end_day < following.first_day for one, following in pairwise(merged))


def test_a_bundle_of_1_2_is_refused_with_one_sentence() -> None:
    assert _refusal(_edit("manifest", "oneroster.version,1.1", "oneroster.version,1.2")) == [
        "manifest.csv, столбец oneroster.version: выгрузка OneRoster 1.2; выгрузите в OneRoster 1.1"
    ]


def test_a_delta_is_refused() -> None:
    assert _refusal(_edit("manifest", "file.users,bulk", "file.users,delta")) == [
        "manifest.csv, столбец file.users: users содержит только изменения (delta); выгрузите список целиком (bulk)"
    ]


def test_a_row_to_be_deleted_is_refused() -> None:
    assert _refusal(_edit("users", "p,,,true", "p,tobedeleted,2026-01-01,true")) == [
        "users.csv, строка 2, столбец status: «tobedeleted» бывает только в выгрузке изменений; выгрузите список целиком (bulk)"
    ]


def test_a_file_that_the_manifest_promises_must_be_there() -> None:
    assert _refusal(_with(users=None)) == ["users.csv: назван в manifest.csv, а в архиве его нет; выгрузите список заново"]


def test_a_file_of_no_oneroster_is_refused() -> None:
    assert _refusal({**FILES, "roles.csv": ""}) == ["roles.csv: не файл OneRoster 1.1; уберите его из архива"]


def test_all_problems_are_named_at_once_by_row_and_column() -> None:
    users = FILES["users.csv"].replace("student,Артём,Соловьёв", "pupil,Артём,")
    enrollments = FILES["enrollments.csv"].replace("2026-01-01,2026-05-26", "2026-01-01,26.05.2026")
    refused = _refusal(_with(users=users, enrollments=enrollments))
    assert [line.partition(":")[0] for line in refused] == [
        "users.csv, строка 2, столбец role",
        "users.csv, строка 2, столбец familyName",
        "enrollments.csv, строка 3, столбец endDate",
    ]
    assert refused[2].endswith("«26.05.2026» не дата; запишите в виде 2026-09-01")


def test_a_row_with_too_many_cells_is_refused_but_empty_ones_past_the_header_are_not() -> None:
    assert _refusal(_edit("courses", "alg,,,Алгебра", "alg,,,Алгебра,8-А"))[0] == (
        "courses.csv, строка 2: ячеек не 4, как в заголовке; возьмите в кавычки ячейки с запятыми"
    )
    assert read_bundle(_edit("courses", "alg,,,Алгебра", "alg,,,Алгебра,,")).courses == {"alg": "Алгебра"}


def test_an_id_given_twice_is_refused() -> None:
    assert _refusal(_with(courses=FILES["courses.csv"] + "alg,,,Геометрия\n")) == [
        "courses.csv, строка 3, столбец sourcedId: «alg» уже есть в строке 2; у каждой строки он свой"
    ]


def test_a_student_who_is_a_teacher_in_users_is_refused() -> None:
    assert _refusal(_edit("enrollments", "1,,,g,s,p,student", "1,,,g,s,q,student")) == [
        "enrollments.csv, строка 2, столбец role: student, а в users.csv (строка 3) Петрова Наталья Ивановна — teacher;"
        " исправьте одно из двух"
    ]


def test_two_schools_need_a_code() -> None:
    orgs = FILES["orgs.csv"] + "s2,,,Вторая,school,78,\n"
    bundle = read_bundle(_with(orgs=orgs))
    assert build_roster(bundle, Wish(" 77 ")).school_external_id == "s"
    with pytest.raises(ImportRefusedError) as refused:
        build_roster(bundle, Wish("x"))
    assert str(refused.value) == (
        "orgs.csv, столбец sourcedId: школ в выгрузке: 2 (s, s2), и ни одной с кодом x;"
        " выгрузите список одной школы или укажите её код"
    )


@given(name=st.sampled_from(sorted(FILES)), cut=st.integers(0, 400), junk=st.text(max_size=20))
def test_a_damaged_file_is_read_or_refused_and_never_breaks_the_reader(name: str, cut: int, junk: str) -> None:
    text = FILES[name]
    damaged = text[: cut % len(text)] + junk + text[cut % len(text) + 3 :]
    try:
        build_roster(read_bundle({**FILES, name: damaged}), Wish("s"))
    except ImportRefusedError:
        return


def test_a_day_is_stated_by_rows_or_not_at_all() -> None:
    """Clause R10: the first of September is nobody's guess."""
    silent = FILES["enrollments.csv"].replace("2025-09-01,2025-12-31", ",2025-12-31").replace("2026-01-01,2026-05-26", ",")
    assert build_roster(read_bundle(_with(enrollments=silent)), Wish("s")).students == {"p": None}


@pytest.mark.parametrize(
    ("first", "end", "placed"),
    [
        (date(2025, 10, 12), None, [(date(2025, 10, 12), date(2026, 6, 1))]),
        (date(2025, 9, 1), date(2025, 11, 16), [(date(2025, 9, 1), date(2025, 11, 16))]),
        (date(2026, 7, 1), None, []),
    ],
)
def test_nobody_is_placed_before_coming_or_after_leaving(
    first: date, end: date | None, placed: list[tuple[date, date]]
) -> None:
    """Clauses R10, R13."""
    clipped = clip_periods([Period("h", "p", date(2025, 9, 1), date(2026, 6, 1))], {"p": [(first, end)]})
    assert [(period.first_day, period.end_day) for period in clipped] == placed


@pytest.mark.parametrize(
    ("title", "name"), [("8А класс", "8А"), ("Класс 8-Б", "8-Б"), ("8-А", "8-А"), ("Классный", "Классный")]
)
def test_a_class_is_named_without_the_noun(title: str, name: str) -> None:
    assert name_class(title) == name


def test_words_for_a_sex_are_read_or_refused() -> None:
    header = "sourcedId,birthDate,sex\n"
    manifest = FILES["manifest.csv"] + "file.demographics,bulk\n"
    for word, sex in (("Male", "male"), ("Ж", "female"), ("мужской", "male"), ("", None)):
        files = _with(manifest=manifest, demographics=f"{header}p,2012-03-04,{word}\n")
        assert read_bundle(files).users["p"].birth.gender == sex
    assert _refusal(_with(manifest=manifest, demographics=f"{header}p,2012-03-04,x\n")) == [
        "demographics.csv, строка 2, столбец sex: «x» не пол; укажите male, female или оставьте пустым"
    ]


def test_a_grade_of_many_digits_is_none() -> None:
    text = FILES["classes.csv"].replace("h,,,8-А,08", f'h,,,8-А,"{"9" * 5000},08"')
    assert read_bundle(_with(classes=text)).classes["h"].grades == (8,)


def test_invisible_letters_of_a_name_are_dropped() -> None:
    assert read_bundle(_edit("users", "Соловьёв", "Соло\u00adвьёв\u200b")).users["p"].family_name == "Соловьёв"
