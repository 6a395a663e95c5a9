"""A page of papers and of print runs touches its page: 4,000 papers and 1,920 runs of ten sheets, as the product asks."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from chassis.auth import NOBODY
from chassis.db import Database
from chassis.paging import LAST_ID
from services.documents.print_runs.store import runs as print_runs
from services.documents.register import store as documents
from services.documents.register.rules import State
from tests.support.backends import Clone, PostgresServer
from tests.support.plans import explain

PAGE, RUNS = 51, 11
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
MONDAY = date(2026, 11, 16)
# What a row of a page may cost in rows and in pages of the buffer cache; a run has ten sheets.
ROWS, BUFFERS = 8, 16
RUN_ROWS, RUN_BUFFERS = 60, 150


@dataclass
class Crowded:
    """A school in its tenth year."""

    database: Database
    admin_dsn: str
    school_id: UUID
    account: dict[str, UUID]
    class_id: UUID


PAPERS = """
INSERT INTO documents (school_id, document_id, kind, number, document_date, time_zone, addressee_name, application_id,
                       applicant_id, account_id, class_id, code, page_count, create_time, pdf, pdf_sha256, pdf_streebog256,
                       pdf_streebog512)
SELECT $1::uuid, uuidv7(), 1, k || '-о', '2026-11-01', 'Europe/Simferopol', 'А', gen_random_uuid(), gen_random_uuid(),
       CASE WHEN k % 400 = 7 THEN $2::uuid ELSE gen_random_uuid() END,
       CASE WHEN k % 48 = 0 THEN $3::uuid ELSE md5((k % 48)::text)::uuid END,
       k::text, 1, $4, p.pdf, sha256(p.pdf), sha256(p.pdf), sha512(p.pdf)
FROM generate_series(1, 4000) k CROSS JOIN LATERAL (SELECT convert_to($1::uuid || '-' || k, 'UTF8') AS pdf) p
"""
SIGNED = """
INSERT INTO signings (school_id, document_id, way, upload_time, account_id, file, signed_date)
SELECT school_id, document_id, 2, $2, gen_random_uuid(), '', '2026-11-02' FROM documents
WHERE school_id = $1 AND number NOT LIKE '%0-о'
"""
SCANNED = """
INSERT INTO scans (school_id, document_id, upload_time, account_id, signed_date, file)
SELECT school_id, document_id, $2, gen_random_uuid(), '2026-11-02', '' FROM documents
WHERE school_id = $1 AND (number NOT LIKE '%0-о' OR number LIKE '%20-о')
"""
PRINTED = """
WITH runs AS (
    INSERT INTO print_runs (school_id, class_id, class_name, monday_date, time_zone, account_id, create_time, pdf, pdf_sha256)
    SELECT $1::uuid, CASE WHEN c = 0 THEN $2::uuid ELSE md5(c::text)::uuid END, 'c', $3::date - 7 * w, 'Europe/Simferopol',
           gen_random_uuid(), $4, p.pdf, sha256(p.pdf)
    FROM generate_series(0, 47) c, generate_series(0, 39) w
    CROSS JOIN LATERAL (SELECT convert_to($1::uuid || c::text || '-' || w, 'UTF8') AS pdf) p
    RETURNING print_run_id, class_id
), sheets AS (
    INSERT INTO printouts (school_id, print_run_id, student_id, list_number, student_name, year, sheet_number,
                           declaration_number)
    SELECT $1, print_run_id, md5(class_id::text || n)::uuid, n, 'А', 2026, row_number() OVER (), '1'
    FROM runs, generate_series(1, 10) n RETURNING print_run_id, student_id
)
INSERT INTO hand_overs (school_id, print_run_id, student_id, guardian_person_id, channel, handed_date, note, is_receipted,
                        account_id, record_time)
SELECT $1, print_run_id, student_id, '00000000-0000-0000-0000-000000000000', 1, $3, '', true, gen_random_uuid(), $4 FROM sheets
"""


@pytest_asyncio.fixture(scope="module")
async def clone(postgres: PostgresServer) -> Clone:
    """documents alone."""
    return await postgres.clone(["documents"])


@pytest_asyncio.fixture(scope="module")
async def crowded(clone: Clone) -> AsyncIterator[Crowded]:
    """The school, and its neighbour of the same size behind the wall."""
    admin = await asyncpg.connect(clone.admin_dsn, server_settings={"search_path": "documents"})
    for _ in range(2):
        school_id, class_id = uuid4(), uuid4()
        account = {name: uuid4() for name in ("admin", "teacher", "mother", "stranger")}
        for kind, of, role, who in ((6, school_id, 10, "admin"), (4, class_id, 6, "teacher")):
            await admin.execute(
                """
                INSERT INTO relations (school_id, relation_id, kind, object_id, account_id, role, version, valid_from_time)
                VALUES ($1, gen_random_uuid(), $2, $3, $4, $5, 1, '2025-09-01')
                """,
                school_id,
                kind,
                of,
                account[who],
                role,
            )
        await admin.execute(PAPERS, school_id, account["mother"], class_id, NOW)
        await admin.execute(SCANNED, school_id, NOW)
        await admin.execute(SIGNED, school_id, NOW)
        await admin.execute(PRINTED, school_id, class_id, MONDAY, NOW)
    await admin.execute("VACUUM ANALYZE")
    await admin.close()
    database = await Database.connect(clone.app_dsns["documents"], "documents", size=1)
    yield Crowded(database, clone.admin_dsn, school_id, account, class_id)
    await database.close()


def _papers(of: Crowded, who: str, state: State | None, connection: Any, before: UUID = LAST_ID) -> Awaitable[Any]:
    caller = replace(NOBODY, account_id=of.account[who], session_id=uuid4())
    return documents.list_documents(
        connection, of.school_id, caller, NOW, application_id=None, state=state, before=before, limit=PAGE
    )


@pytest.mark.parametrize("state", [None, *State])
@pytest.mark.parametrize("who", ["admin", "teacher", "mother"])
async def test_a_page_of_papers_touches_its_page(crowded: Crowded, who: str, state: State | None) -> None:
    async with crowded.database.school(crowded.school_id) as connection:
        touched = await explain(connection, lambda c: _papers(crowded, who, state, c))
    assert touched.rows <= ROWS * PAGE, touched
    assert touched.buffers <= BUFFERS * PAGE, touched


@pytest.mark.parametrize("monday", [None, MONDAY])
async def test_a_page_of_print_runs_touches_its_page(crowded: Crowded, monday: date | None) -> None:
    async with crowded.database.school(crowded.school_id) as connection:
        call: Callable[[Any], Awaitable[Any]] = lambda c: print_runs.list_runs(  # noqa: E731 - asked twice
            c, crowded.school_id, crowded.class_id, monday, LAST_ID, RUNS
        )
        found = await call(connection)
        touched = await explain(connection, call)
    assert len(found) == (1 if monday else RUNS)
    assert touched.rows <= RUN_ROWS * RUNS, touched
    assert touched.buffers <= RUN_BUFFERS * RUNS, touched


async def test_pages_of_papers_are_all_that_one_may_open_by_how_they_stand(crowded: Crowded, clone: Clone) -> None:
    """Clause R22: what waits for the head's word is in no other list."""
    admin = await asyncpg.connect(clone.admin_dsn, server_settings={"search_path": "documents"})
    async with crowded.database.school(crowded.school_id) as connection:
        for who, whose in (
            ("admin", "true"),
            ("teacher", "class_id = $2"),
            ("mother", "d.account_id = $2"),
            ("stranger", "false"),
        ):
            mine = crowded.class_id if who == "teacher" else crowded.account[who]
            for state in (None, *State):
                wanted = await admin.fetch(
                    f"""
                    SELECT d.document_id FROM documents d
                    LEFT JOIN signings s USING (school_id, document_id) LEFT JOIN scans c USING (school_id, document_id)
                    WHERE d.school_id = $1 AND {whose} AND ($2::uuid IS NOT NULL)
                      AND ($3::int IS NULL OR $3 = coalesce(s.way, CASE WHEN c.scan_id IS NOT NULL THEN 4 ELSE 1 END))
                    ORDER BY 1 DESC
                    """,
                    crowded.school_id,
                    mine,
                    state,
                )
                found, before = [], LAST_ID
                while page := await _papers(crowded, who, state, connection, before):
                    found += [document.document_id for document in page]
                    before = found[-1]
                assert found == [row["document_id"] for row in wanted], (who, state)
    await admin.close()


async def test_an_ended_session_lists_no_papers(crowded: Crowded, clone: Clone) -> None:
    caller = replace(NOBODY, account_id=crowded.account["admin"], session_id=uuid4())
    admin = await asyncpg.connect(clone.admin_dsn)
    await admin.execute("INSERT INTO documents.ended_sessions VALUES ($1, $2)", caller.session_id, NOW)
    await admin.close()
    async with crowded.database.school(crowded.school_id) as connection:
        found = await documents.list_documents(
            connection, crowded.school_id, caller, NOW, application_id=None, state=None, before=LAST_ID, limit=PAGE
        )
    assert found == []
