"""Lists of the office at 4,000 cases: a page's CPU, in access and Postgres, beside that of one page of one index."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any
from uuid import UUID

import grpc
import psycopg

from benchmarks.bench import Bench
from benchmarks.contest import Row, show_ratio
from benchmarks.cpu import Part, idle_share
from benchmarks.diary import Headers, Running, bearer, new_signer, open_session
from benchmarks.load import IDLE_SECONDS
from chassis.auth import Signer
from diary.access.v1 import application_service_pb2, compliance_service_pb2, roster_service_pb2
from diary.access.v1.application_service_pb2_grpc import ApplicationServiceStub
from diary.access.v1.compliance_service_pb2_grpc import ComplianceServiceStub
from diary.access.v1.roster_service_pb2_grpc import RosterServiceStub

CASES, PAGE = 4_000, 50
# Of a round: CPU is told in hundredths of a second.
_PAGES, _BARE_PAGES = 40, 800
_GOAL_MS = 10
_IDLE = ("journal", "notify", "documents")

_ADMIN = """
SELECT school_id, account_id FROM access.relations r
WHERE kind = 6 AND role = 10 AND coalesce(valid_to_time, 'infinity') > now()
ORDER BY (SELECT count(*) FROM access.students s WHERE s.school_id = r.school_id) DESC LIMIT 1
"""
# Nineteen of twenty are decided, as in a school's tenth year.
_CROWD = """
WITH students AS (
    SELECT row_number() OVER () AS n, count(*) OVER () AS count, g.*
    FROM (SELECT DISTINCT ON (student_id) student_id, guardian_person_id, guardianship_id FROM access.guardianships
          WHERE school_id = %(school_id)s ORDER BY student_id, guardianship_id) g
), cases AS (
    INSERT INTO access.applications (school_id, year, number, student_id, regulation_id, channel, state, receive_time,
                                     register_time, start_time, decide_time)
    SELECT %(school_id)s, 2026, 100000 + k, s.student_id,
           (SELECT regulation_id FROM access.regulation_versions WHERE school_id = %(school_id)s LIMIT 1), 1, q.state, q.time,
           q.time, q.time, CASE WHEN q.state IN (3, 5, 6) THEN q.time END
    FROM generate_series(1, %(cases)s) k JOIN students s ON s.n = 1 + k %% s.count
    CROSS JOIN LATERAL (
        SELECT now() - k * interval '1 hour' AS time,
               CASE WHEN k %% 20 = 0 THEN (ARRAY[1, 2, 4])[1 + k / 20 %% 3] ELSE (ARRAY[3, 5, 6])[1 + k %% 3] END AS state
    ) q
    RETURNING application_id, student_id, start_time, state
), filed AS (
    INSERT INTO access.applicants (school_id, application_id, place, person_id, guardianship_id, guardian_kind, credentials_way)
    SELECT %(school_id)s, c.application_id, 1, s.guardian_person_id, s.guardianship_id, 'mother', 1
    FROM cases c JOIN students s USING (student_id)
    RETURNING applicant_id, application_id
)
INSERT INTO access.deadlines (school_id, clause, subject_id, start_time, due_time, met_time, evidence)
SELECT %(school_id)s, 'R15', f.applicant_id, c.start_time, date_trunc('day', c.start_time) + interval '3 days',
       CASE WHEN c.state IN (3, 5, 6) THEN c.start_time END, CASE WHEN c.state IN (3, 5, 6) THEN 'e' ELSE '' END
FROM filed f JOIN cases c USING (application_id)
"""
_BARE = """
SELECT due_time, application_id FROM access.applications
WHERE school_id = %s AND (due_time, application_id) > (%s, %s) ORDER BY due_time, application_id LIMIT %s
"""


@dataclass(frozen=True)
class Office:
    """A school with its cases, and its admin signed in."""

    school_id: str
    account_id: str
    session_id: str
    signer: Signer
    students: int

    def headers(self) -> Headers:
        """A token of five minutes from now."""
        return bearer(self.signer, self.account_id, "admin", self.session_id)


def run(bench: Bench) -> list[Row]:
    """Fills a school's office and pages through its lists, each in turn with the bare index."""
    running = bench.running
    access = Part((running.pids["access"], running.postmaster), without=tuple(f"diary_{name}_app" for name in _IDLE))
    postgres = Part((running.postmaster,), without=access.without)
    with (
        psycopg.connect(running.admin_dsn, autocommit=True) as database,
        grpc.insecure_channel(running.region.address("access")) as channel,
    ):
        office = _fill(database, running)
        print(f"lists of the office: {CASES:,} cases, {office.students:,} students", flush=True)
        lists = {
            "ListApplications": _pages(
                ApplicationServiceStub(channel).ListApplications, application_service_pb2.ListApplicationsRequest, office
            ),
            "ListStudents": _pages(RosterServiceStub(channel).ListStudents, roster_service_pb2.ListStudentsRequest, office),
            "ListDeadlines": _pages(
                ComplianceServiceStub(channel).ListDeadlines, compliance_service_pb2.ListDeadlinesRequest, office
            ),
        }
        bare = _bare_pages(database, UUID(office.school_id))
        return [_compare(name, pages, bare, access, postgres, bench.rounds) for name, pages in lists.items()]


def _fill(database: "psycopg.Connection[tuple[Any, ...]]", running: Running) -> Office:
    row = database.execute(_ADMIN).fetchone()
    if row is None:
        raise SystemExit("benchmark: no school of the region has an admin")
    school_id, account_id = row
    with database.transaction():
        database.execute("SET LOCAL search_path = access")
        database.execute(_CROWD, {"school_id": school_id, "cases": CASES})
        students = database.execute("SELECT count(*) FROM students WHERE school_id = %s", (school_id,)).fetchone()
    database.execute("ANALYZE access.applications, access.applicants, access.deadlines")
    assert students is not None
    session = open_session(database, str(account_id))
    return Office(str(school_id), str(account_id), session, new_signer(running), students[0])


def _pages(method: Callable[..., Any], request: Callable[..., Any], office: Office) -> Iterator[None]:
    """Page after page of a list, from its beginning again at its end."""
    while True:
        headers, token = office.headers(), ""
        while True:
            answer = method(request(school_id=office.school_id, page_size=PAGE, page_token=token), metadata=headers, timeout=30)
            yield
            token = answer.next_page_token
            if not token:
                break


def _bare_pages(database: "psycopg.Connection[tuple[Any, ...]]", school_id: UUID) -> Iterator[None]:
    while True:
        key = datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0)
        while rows := database.execute(_BARE, (school_id, *key, PAGE + 1), prepare=True).fetchall():
            yield
            key = rows[-1]


def _compare(name: str, pages: Iterator[None], bare: Iterator[None], access: Part, postgres: Part, rounds: int) -> Row:
    _measure(pages, PAGE // 5, access)  # Plans and memory of a first use.
    ours, limit = [], []
    for number in range(rounds):
        # A B, B A, ...: what disturbs the machine disturbs both alike.
        for side in ("AB", "BA")[number % 2]:
            if side == "A":
                ours.append(_measure(pages, _PAGES, access))
            else:
                limit.append(_measure(bare, _BARE_PAGES, postgres))
    cpu, waited = (median(values) for values in zip(*ours, strict=True))
    theirs = median(one for one, _ in limit)
    print(f"  {name}: {cpu:.2f} ms of CPU a page, waited {waited:.1f} ms; the index alone {theirs:.2f} ms", flush=True)
    return Row(
        "Lists of the office",
        f"{name} {cpu:.2f} ms",
        "one page of one index",
        f"{theirs:.2f} ms",
        show_ratio(median(our / one for (our, _), (one, _) in zip(ours, limit, strict=True))),
        f"<= {_GOAL_MS} ms",
        "goal" if cpu <= _GOAL_MS else "below",
    )


def _measure(pages: Iterator[None], count: int, part: Part) -> tuple[float, float]:
    """CPU and time of a page, in milliseconds."""
    [idle] = idle_share([part], IDLE_SECONDS)
    before, start = part.seconds(), time.monotonic()
    for _ in itertools.islice(pages, count):
        pass
    seconds = time.monotonic() - start
    return (part.seconds() - before - seconds * idle) / count * 1e3, seconds / count * 1e3
