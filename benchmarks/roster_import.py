"""Import of lists: 15,000 people and 40,000 places in 15 bundles of OneRoster, beside COPY of the rows that came of them.

Each bundle is a school's and comes in by the operator's command, as it would. The database part is Postgres' CPU.
"""

import csv
import io
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from benchmarks import diary
from benchmarks.bench import Bench
from benchmarks.contest import Row, show_ratio
from benchmarks.cpu import Part, idle_share
from benchmarks.load import IDLE_SECONDS

_SCHOOLS, _CLASSES, _STUDENTS = 15, 40, 24
_SECONDS, _TIMES_COPY = 60, 5
_SCHOOL_TABLES = """
SELECT table_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'access' AND column_name = 'school_id' AND table_type = 'BASE TABLE'
"""
_APART = tuple(f"diary_{service}_app" for service in ("access", "journal", "notify", "documents"))


def run(bench: Bench) -> list[Row]:
    """Once: an import is minutes, not rounds."""
    running = bench.running
    postgres = Part((running.postmaster,), without=_APART)
    schools = max(1, round(_SCHOOLS * bench.share))
    environment = running.region.environment("access", with_admin=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        psycopg.connect(running.admin_dsn, autocommit=True) as database,
    ):
        bundles = [_write_bundle(Path(folder), f"bench{number}") for number in range(schools)]
        diary.settle(running)
        [idle] = idle_share([postgres], IDLE_SECONDS)
        before, began = postgres.seconds(), time.monotonic()
        for bundle in bundles:
            print(f"importing {bundle.stem} of {schools}", flush=True)
            command = [sys.executable, "-m", "services.access", "import-roster", str(bundle), "--school", bundle.stem]
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - began
        cpu = postgres.seconds() - before - idle * seconds
        [(school_ids,)] = database.execute(
            "SELECT array_agg(school_id) FROM access.schools WHERE code LIKE 'bench%'"
        ).fetchall()
        copied, rows = _copy(database, school_ids, postgres, idle)
    people = schools * _CLASSES * (_STUDENTS + 1)
    places = schools * _CLASSES * (2 * (_STUDENTS + 1) + 17)
    work, limit = "Roster import", _SECONDS * schools / _SCHOOLS
    return [
        Row(
            work,
            f"{people:,} people, {places:,} places in {seconds:.1f} s",
            goal=f"<= {limit:.0f} s",
            reached="goal" if seconds <= limit else "below",
        ),
        Row(
            work,
            f"{cpu:.2f} s of Postgres",
            f"COPY of the same {rows:,} rows",
            f"{copied:.2f} s",
            show_ratio(cpu / max(copied, 0.01)),
            f"<= {_TIMES_COPY}x",
            "goal" if cpu <= _TIMES_COPY * copied else "below",
        ),
    ]


def _write_bundle(folder: Path, code: str) -> Path:
    """A school of a thousand."""
    path = folder / f"{code}.zip"
    files = {
        "orgs": [{"sourcedId": code, "name": f"Школа {code}", "type": "school", "identifier": code, "parentSourcedId": ""}],
        "academicSessions": [
            {
                "sourcedId": "Y",
                "title": "2026/27",
                "type": "schoolYear",
                "startDate": "2026-09-01",
                "endDate": "2027-05-31",
                "schoolYear": "2027",
                "parentSourcedId": "",
            }
        ],
        "courses": [{"sourcedId": c, "title": title, "orgSourcedId": code} for c, title in _COURSES.items()],
        "classes": list(_classes(code)),
        "users": list(_users(code)),
        "enrollments": list(_enrollments(code)),
        "demographics": [{"sourcedId": s, "birthDate": "2012-03-04", "sex": "female"} for s in _students()],
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        manifest = [{"propertyName": "manifest.version", "value": "1.0"}, {"propertyName": "oneroster.version", "value": "1.1"}]
        manifest += [{"propertyName": f"file.{name}", "value": "bulk"} for name in files]
        for name, rows in {"manifest": manifest, **files}.items():
            bundle.writestr(f"{name}.csv", _csv(rows))
    return path


_COURSES = {"HR": "Класс", "ALG": "Алгебра", "FIZ": "Физика"}


def _classes(code: str) -> Iterator[dict[str, str]]:
    for number in range(_CLASSES):
        grade = number % 11 + 1
        usual = {"grades": str(grade), "schoolSourcedId": code, "termSourcedIds": "Y"}
        title = f"{grade}-{'АБВГ'[number // 11]}"
        yield {"sourcedId": f"HR{number}", "title": title, "courseSourcedId": "HR", "classType": "homeroom", **usual}
        for course in ("ALG", "FIZ"):
            of_class = {"title": f"{title} {_COURSES[course]}", "courseSourcedId": course, "classType": "scheduled"}
            yield {"sourcedId": f"{course}{number}", **of_class, **usual}


def _students() -> list[str]:
    return [f"S{number}-{place}" for number in range(_CLASSES) for place in range(_STUDENTS)]


def _users(code: str) -> Iterator[dict[str, str]]:
    usual = {"enabledUser": "true", "orgSourcedIds": code, "givenName": "Мария", "middleName": "Олеговна"}
    for number in range(_CLASSES):
        yield {"sourcedId": f"T{number}", "role": "teacher", "username": f"T{number}", "familyName": "Лещенко", **usual}
    for student in _students():
        yield {"sourcedId": student, "role": "student", "username": student, "familyName": "Ученикова", **usual}


def _enrollments(code: str) -> Iterator[dict[str, str]]:
    for number in range(_CLASSES):
        for course, members in (("HR", _STUDENTS), ("ALG", _STUDENTS), ("FIZ", 16)):
            of_class = {"classSourcedId": f"{course}{number}", "schoolSourcedId": code, "beginDate": "", "endDate": ""}
            place = f"E{course}{number}"
            yield {"sourcedId": place, "userSourcedId": f"T{number}", "role": "teacher", "primary": "true", **of_class}
            for student in range(members):
                who = {"sourcedId": f"{place}-{student}", "userSourcedId": f"S{number}-{student}", "role": "student"}
                yield {**who, **of_class}


def _csv(rows: Iterable[dict[str, str]]) -> str:
    found = list(rows)
    columns = list(dict.fromkeys(name for row in found for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()


def _copy(database: "psycopg.Connection[Any]", school_ids: list[Any], postgres: Part, idle: float) -> tuple[float, int]:
    """CPU of COPY into tables alike, with their indexes and checks; what is copied is read before."""
    tables = database.execute(_SCHOOL_TABLES).fetchall()
    spent, rows = 0.0, 0
    for (name,) in tables:
        table, alike = sql.Identifier("access", name), sql.Identifier(f"bench_{name}")
        taken = sql.SQL("COPY (SELECT * FROM {} WHERE school_id = ANY({})) TO STDOUT").format(table, sql.Literal(school_ids))
        with database.cursor().copy(taken) as copy:
            lines = b"".join(copy)
        if not lines:
            continue
        database.execute(sql.SQL("CREATE TEMPORARY TABLE {} (LIKE {} INCLUDING ALL)").format(alike, table))
        before, began = postgres.seconds(), time.monotonic()
        with database.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(alike)) as copy:
            copy.write(lines)
        spent += postgres.seconds() - before - idle * (time.monotonic() - began)
        rows += lines.count(b"\n")
    return spent, rows
