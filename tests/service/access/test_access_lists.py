"""A page of a list touches its page: 4,000 cases, 1,200 students and their families, read as the app at the school's door."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from chassis.db import Database
from chassis.paging import FIRST_ID, LAST_ID, LONG_AGO
from services.access.cases.rules.applications import READING
from services.access.cases.store import applicants, applications
from services.access.oversight import store as deadlines
from services.access.people.rules.roles import Role
from services.access.people.rules.students import REGISTERING
from services.access.people.store import declarations, schools, students
from services.access.rights.store import grants, relations
from services.access.roster.store import lists as roster
from tests.support.backends import Clone, PostgresServer
from tests.support.plans import explain
from tests.worlds.access import END, GRANTED, START, SchoolWorld, connect, make_school

PAGE = 51
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
# What a row of a page may cost in rows of tables (its card, names, classes) and in pages of the buffer cache.
ROWS, BUFFERS = 12, 40
# A class counts its students and a study group tells its members: 25 each.
MEMBERS = {"classes": 25, "roster of study groups": 25}


@dataclass
class Crowded:
    """A school in its tenth year, and the accounts that look at it."""

    world: SchoolWorld
    database: Database
    class_id: UUID

    def account(self, key: str) -> UUID:
        return self.world.people[key].account_id


@pytest_asyncio.fixture(scope="module")
async def clone(postgres: PostgresServer) -> Clone:
    """access alone."""
    return await postgres.clone(["access"])


@pytest_asyncio.fixture(scope="module")
async def crowded(clone: Clone) -> AsyncIterator[Crowded]:
    """The school, and its neighbour of the same size behind the wall."""
    admin = await connect(clone.admin_dsn)
    for _ in range(2):
        world = await make_school(admin)
        await _crowd(admin, world)
    await admin.execute("VACUUM ANALYZE")
    database = await Database.connect(clone.app_dsns["access"], "access", size=1)
    yield Crowded(world, database, world.classes["8-А"])
    await database.close()
    await admin.close()


async def _crowd(admin: Any, world: SchoolWorld) -> None:
    school_id, year_id = world.school_id, world.year_id
    await admin.execute(
        """
        INSERT INTO classes (school_id, year_id, name, grades)
        SELECT $1, $2, 'c' || n, ARRAY[1 + n % 11]::smallint[] FROM generate_series(1, 46) n
        """,
        school_id,
        year_id,
    )
    await admin.execute(
        """
        CREATE TEMPORARY TABLE crowd AS
        SELECT n, uuidv7() AS person_id,
               (SELECT array_agg(class_id ORDER BY class_id) FROM classes WHERE school_id = '{school}') AS classes
        FROM generate_series(1, 3000) n
        """.replace("{school}", str(school_id))
    )
    # The first 1,200 are students, every sixth of whom has left; the next 1,200 their mothers.
    for statement in (
        """
        INSERT INTO people (school_id, person_id, family_name, given_name, sort_key, birth_date)
        SELECT $1, person_id, 'Ф' || n, 'И', md5(n::text), '2014-01-01' FROM crowd
        """,
        "INSERT INTO students (school_id, student_id) SELECT $1, person_id FROM crowd WHERE n <= 1200",
        """
        INSERT INTO enrolments (school_id, student_id, order_number, order_date, validity)
        SELECT $1, person_id, '1-у', $2::date, daterange($2::date, CASE WHEN n % 6 = 0 THEN $2::date + 30 END)
        FROM crowd WHERE n <= 1200
        """,
        """
        INSERT INTO placements (school_id, student_id, class_id, validity)
        SELECT $1, person_id, classes[1 + n % 48], daterange($2::date, CASE WHEN n % 6 = 0 THEN $2::date + 30 END)
        FROM crowd WHERE n <= 1200
        """,
        """
        INSERT INTO guardianships (school_id, guardian_person_id, student_id, kind, document, validity)
        SELECT $1, m.person_id, c.person_id, 'mother', 'I-АЯ', daterange($2, NULL)
        FROM crowd c JOIN crowd m ON m.n = c.n + 1200 WHERE c.n <= 1200
        """,
    ):
        await admin.execute(statement, school_id, *([START] if "$2" in statement else []))
    # 4,000 cases: nineteen of twenty decided, the others in every state that waits.
    await admin.execute(
        """
        WITH version AS (
            INSERT INTO regulation_versions (school_id, title, valid_from) VALUES ($1, 'Регламент', '2020-01-01')
            RETURNING regulation_id
        ), cases AS (
            INSERT INTO applications (school_id, year, number, student_id, regulation_id, channel, state, receive_time,
                                      register_time, start_time, decide_time)
            SELECT $1, 2026, k, c.person_id, regulation_id, 1, q.state, q.time, q.time, q.time,
                   CASE WHEN q.state IN (3, 5, 6) THEN q.time END
            FROM version, generate_series(1, 4000) k JOIN crowd c ON c.n = 1 + k % 1200
            CROSS JOIN LATERAL (
                SELECT $2::timestamptz + k * interval '1 hour' AS time,
                       CASE WHEN k % 20 = 0 THEN (ARRAY[1, 2, 4])[1 + k / 20 % 3] ELSE (ARRAY[3, 5, 6])[1 + k % 3] END AS state
            ) q
            RETURNING application_id, student_id, start_time, state
        ), filed AS (
            INSERT INTO applicants (school_id, application_id, place, person_id, guardianship_id, guardian_kind,
                                    credentials_way)
            SELECT $1, s.application_id, 1, g.guardian_person_id, g.guardianship_id, 'mother', 1
            FROM cases s JOIN guardianships g ON g.school_id = $1 AND g.student_id = s.student_id
            RETURNING applicant_id, application_id
        )
        INSERT INTO deadlines (school_id, clause, subject_id, start_time, due_time, met_time, evidence)
        SELECT $1, 'R15', f.applicant_id, s.start_time, date_trunc('day', s.start_time) + interval '3 days',
               CASE WHEN s.state IN (3, 5, 6) THEN s.start_time END, CASE WHEN s.state IN (3, 5, 6) THEN 'e' ELSE '' END
        FROM filed f JOIN cases s USING (application_id)
        """,
        school_id,
        GRANTED,
    )
    await admin.execute(
        """
        INSERT INTO known_deadlines (school_id, clause, subject_id, start_time, due_time, met_time, fact_time)
        SELECT $1, CASE WHEN k % 3 = 0 THEN 'R16' ELSE 'R7' END, uuidv7()::text, $2,
               $2::timestamptz + k / 48 * interval '7 days', CASE WHEN k % 20 > 0 THEN $2::timestamptz END, $2
        FROM generate_series(1, 4000) k
        """,
        school_id,
        GRANTED,
    )
    # Every mother sees her child; a third of the accesses end within the month.
    await admin.execute(
        """
        WITH made AS (
            INSERT INTO accounts (login, create_time)
            SELECT 'm' || n || '-' || right($1::uuid::text, 8), $2 FROM crowd WHERE n BETWEEN 1201 AND 2400
            RETURNING account_id, login
        ), held AS (
            INSERT INTO account_people (account_id, school_id, person_id)
            SELECT m.account_id, $1, c.person_id FROM made m JOIN crowd c ON m.login
                 = 'm' || c.n || '-' || right($1::uuid::text, 8)
            RETURNING account_id, person_id
        ), given AS (
            INSERT INTO grants (school_id, student_id, account_id, holder_person_id, role, guardianship_id, application_number,
                                application_date, granted_by_account_id, granted_by_role, grant_time)
            SELECT $1, g.student_id, h.account_id, h.person_id, 4, g.guardianship_id, '1', '2025-09-01', $3, 10, $2
            FROM held h JOIN guardianships g ON g.school_id = $1 AND g.guardian_person_id = h.person_id
            RETURNING grant_id, student_id, account_id
        )
        INSERT INTO relations (school_id, fact_id, kind, object_id, account_id, role, valid_from_time, valid_to_time)
        SELECT $1, grant_id, 3, student_id, account_id, 4, $2,
               CASE WHEN row_number() OVER () % 3 = 0 THEN $4::timestamptz END FROM given
        """,
        school_id,
        GRANTED,
        world.people["admin"].account_id,
        NOW + timedelta(days=20),
    )
    # The mothers of every fourth have declared for paper each year.
    await admin.execute(
        """
        INSERT INTO paper_declarations (school_id, student_id, guardian_person_id, year, number, declare_date, reason,
                                        declines_printouts, printout_way, printout_way_note, form, recorded_by_account_id,
                                        revoke_time)
        SELECT $1, g.student_id, g.guardian_person_id, 2016 + y, row_number() OVER (PARTITION BY y), make_date(2016 + y, 9, 1),
               1, false, 0, '', 2, $2, CASE WHEN y < 10 THEN $3::timestamptz END
        FROM (SELECT *, row_number() OVER () AS n FROM guardianships WHERE school_id = $1) g, generate_series(1, 10) y
        WHERE g.n % 3 = 0
        """,
        school_id,
        world.people["admin"].account_id,
        GRANTED,
    )
    await admin.execute(
        """
        WITH groups AS (
            INSERT INTO study_groups (school_id, year_id, class_id, subject_name, validity)
            SELECT $1, $2, class_id, 'П' || n, daterange($3, $4)
            FROM classes, generate_series(1, 84) n WHERE school_id = $1 RETURNING study_group_id, class_id
        )
        INSERT INTO study_group_members (school_id, study_group_id, student_id, validity)
        SELECT $1, s.study_group_id, p.student_id, daterange($3, NULL)
        FROM groups s JOIN placements p ON p.school_id = $1 AND p.class_id = s.class_id AND upper_inf(p.validity)
        """,
        school_id,
        year_id,
        START,
        END,
    )
    await admin.execute("DROP TABLE crowd")


def _cases(key: str, state: int, *, is_own_only: bool = False, after: datetime = LONG_AGO) -> "List":
    return lambda of, c: applications.list_cases(
        c, of.world.school_id, of.account(key), NOW, READING, state, (after, FIRST_ID), PAGE, is_own_only=is_own_only
    )


def _deadlines(clause: str, *, is_open_only: bool, after: datetime = LONG_AGO) -> "List":
    return lambda of, c: deadlines.list_deadlines(
        c, of.world.school_id, clause, is_open_only, NOW, NOW + timedelta(days=30), (after, ""), PAGE
    )


def _students(key: str, after: str = "", *, is_class: bool = False) -> "List":
    return lambda of, c: roster.list_listed_students(
        c,
        of.world.school_id,
        of.account(key),
        NOW,
        REGISTERING,
        (after, FIRST_ID),
        PAGE,
        class_id=of.class_id if is_class else None,
    )


def _roster(read: Callable[..., Awaitable[Any]], ids: list[UUID] | None, *today: date) -> "List":
    return lambda of, c: read(c, of.world.school_id, ids, FIRST_ID, PAGE, *today)


List = Callable[[Crowded, Any], Awaitable[Any]]
HALFWAY = GRANTED + timedelta(hours=2000)
LISTS: dict[str, List] = {
    **{f"cases of state {state}, admin": _cases("admin", state) for state in range(7)},
    **{f"cases of state {state}, class teacher": _cases("class_teacher", state) for state in (0, 1, 3)},
    "cases, admin, a later page": _cases("admin", 0, after=HALFWAY),
    "cases of state 3, admin, a later page": _cases("admin", 3, after=HALFWAY),
    "own cases": _cases("mother", 0, is_own_only=True),
    "students, admin": _students("admin"),
    "students, admin, a later page": _students("admin", "8"),
    "students of a class, admin": _students("admin", is_class=True),
    "students, class teacher": _students("class_teacher"),
    "grants, admin": lambda of, c: grants.list_grants(c, of.world.school_id, of.account("admin"), NOW, None, FIRST_ID, PAGE),
    "grants, class teacher": lambda of, c: grants.list_grants(
        c, of.world.school_id, of.account("class_teacher"), NOW, None, FIRST_ID, PAGE
    ),
    "grants, mother": lambda of, c: grants.list_grants(c, of.world.school_id, of.account("mother"), NOW, None, FIRST_ID, PAGE),
    "grants of a student, admin": lambda of, c: grants.list_grants(
        c, of.world.school_id, of.account("admin"), NOW, of.world.people["anna"].person_id, FIRST_ID, PAGE
    ),
    "guardianships": lambda of, c: roster.list_guardianships(
        c, of.world.school_id, of.world.people["anna"].person_id, NOW.date(), ("", FIRST_ID), PAGE
    ),
    **{
        f"{'open ' if is_open_only else ''}deadlines {clause}": _deadlines(clause, is_open_only=is_open_only)
        for clause in ("", "R15", "R7", "R16", "R6")
        for is_open_only in (False, True)
    },
    "deadlines, a later page": _deadlines("", is_open_only=False, after=HALFWAY),
    "classes": lambda of, c: roster.list_class_rows(c, of.world.school_id, NOW.date(), 0, "", PAGE),
    "declarations of a student": lambda of, c: declarations.list_listed(
        c, of.world.school_id, of.world.people["anna"].person_id, None, LAST_ID, PAGE
    ),
    **{
        f"roster of {name}{', by ids' if ids else ''}": _roster(read, ids, *today)
        for name, read, today in (
            ("classes", roster.list_classes, (NOW.date(),)),
            ("students", roster.list_students, (NOW.date(),)),
            ("study groups", roster.list_study_groups, (NOW.date(),)),
            ("relations", relations.list_relations, ()),
            ("declarations", declarations.list_roster_declarations, ()),
        )
        for ids in (None, [UUID(int=place) for place in range(1, PAGE)])
    },
}


CHANGED_CLASS = """
INSERT INTO placements (school_id, student_id, class_id, validity) VALUES ($1, $2, $3, daterange('2026-12-01', NULL))
"""


async def test_a_class_has_the_students_whose_card_names_it(crowded: Crowded) -> None:
    """Clause R9: roles, cards and lists of a class are of one rule, on any day, for those who move and those who come."""
    world = crowded.world
    async with crowded.database.school(world.school_id) as connection:
        for day in (NOW, NOW + timedelta(days=40), GRANTED - timedelta(days=3650)):
            apart = await connection.fetch(
                """
                SELECT t.student_id, c.class_id FROM students t CROSS JOIN LATERAL student_card($1, t.student_id, $2) c
                WHERE c.class_id IS NOT NULL
                EXCEPT
                SELECT s.student_id, c.class_id FROM classes c CROSS JOIN LATERAL students_of_class($1, c.class_id, $2) s
                """,
                world.school_id,
                day,
            )
            assert apart == []


async def test_who_may_grant_for_one_who_comes_tomorrow_may_list_and_revoke_it_today(crowded: Crowded) -> None:
    """Clause R9: the class teacher of the class that a student enters next."""
    world, admin = crowded.world, crowded.world.connection
    student = await world.add_person("newcomer", "Новиков", "Ян")
    await admin.execute("INSERT INTO students (school_id, student_id) VALUES ($1, $2)", world.school_id, student.person_id)
    await admin.execute(
        """
        INSERT INTO enrolments (school_id, student_id, order_number, order_date, validity)
        VALUES ($1, $2, '2-у', '2026-11-20', daterange('2026-12-01', NULL))
        """,
        world.school_id,
        student.person_id,
    )
    await admin.execute(CHANGED_CLASS, world.school_id, student.person_id, crowded.class_id)
    grant_id = await world.grant("newcomer", "newcomer")
    teacher, other = crowded.account("class_teacher"), crowded.account("other_class_teacher")
    async with crowded.database.school(world.school_id) as connection:
        for account_id, is_theirs in ((teacher, True), (other, False)):
            asked = (connection, world.school_id, account_id, NOW)
            card = await students.find_student(connection, world.school_id, student.person_id, account_id, NOW)
            assert card is not None
            assert bool(card.caller_roles & {Role.CLASS_TEACHER}) is is_theirs
            listed = await grants.list_grants(*asked, None, FIRST_ID, 500)
            of_student = await grants.list_grants(*asked, student.person_id, FIRST_ID, 500)
            assert (grant_id in {grant.grant_id for grant in listed}) is is_theirs
            assert ([grant.grant_id for grant in of_student] == [grant_id]) is is_theirs
            async with connection.transaction():
                assert (await grants.lock_grant_to_revoke(*asked, grant_id) is not None) is is_theirs


@pytest.mark.parametrize("key", ["admin", "class_teacher", "mother"])
async def test_pages_of_cases_are_the_whole_list_in_order(crowded: Crowded, key: str) -> None:
    async with crowded.database.school(crowded.world.school_id) as connection:
        asked = (connection, crowded.world.school_id, crowded.account(key), NOW, READING)
        for state in (0, 1, 2, 4):
            whole = await applications.list_cases(*asked, state, (LONG_AGO, FIRST_ID), 9999, is_own_only=False)
            keys = [(due, case.application_id) for case, due in whole]
            assert keys == sorted(keys)
            after, paged = (LONG_AGO, FIRST_ID), []
            while page := await applications.list_cases(*asked, state, after, 300, is_own_only=False):
                after = (page[-1][1], page[-1][0].application_id)
                paged += [case.application_id for case, _ in page]
            assert paged == [case.application_id for case, _ in whole]
            assert state == 0 or {case.state for case, _ in whole} <= {state}


async def test_the_due_time_of_a_case_is_that_of_its_first_deadline(crowded: Crowded) -> None:
    """Clause R15."""
    wrong = await crowded.world.connection.fetchval(
        """
        SELECT count(*) FROM applications a WHERE a.due_time <> (
            SELECT coalesce(min(d.due_time), '9999-01-01T00:00:00Z') FROM applicants m
            JOIN deadlines d ON d.school_id = m.school_id AND d.clause = 'R15' AND d.subject_id = m.applicant_id
            WHERE m.school_id = a.school_id AND m.application_id = a.application_id)
        """
    )
    assert wrong == 0


@pytest.mark.parametrize("name", LISTS)
async def test_a_page_touches_its_page(crowded: Crowded, name: str) -> None:
    async with crowded.database.school(crowded.world.school_id) as connection:
        touched = await explain(connection, lambda c: LISTS[name](crowded, c))
    assert touched.rows <= (ROWS + MEMBERS.get(name, 0)) * PAGE, touched
    assert touched.buffers <= BUFFERS * PAGE, touched


async def test_the_applicants_of_a_page_of_cases_touch_their_own_rows(crowded: Crowded) -> None:
    school_id = crowded.world.school_id
    async with crowded.database.school(school_id) as connection:
        found = await connection.fetch("SELECT application_id FROM applications ORDER BY due_time LIMIT $1", PAGE)
        cases = [row["application_id"] for row in found]
        assert len(await applicants.list_applicants(connection, school_id, cases, NOW.date(), NOW)) >= PAGE
        touched = await explain(connection, lambda c: applicants.list_applicants(c, school_id, cases, NOW.date(), NOW))
    assert touched.rows <= ROWS * PAGE, touched
    assert touched.buffers <= BUFFERS * PAGE, touched


async def test_a_page_of_schools_touches_its_page(crowded: Crowded) -> None:
    admin = crowded.world.connection
    await admin.execute(
        """
        INSERT INTO schools (code, name, full_name, time_zone)
        SELECT 's' || k, 'Школа № ' || k, 'Школа № ' || k, 'Europe/Moscow' FROM generate_series(1, 4000) k
        """
    )
    await admin.execute("ANALYZE schools")
    async with crowded.database.region() as connection:
        page = await schools.list_schools(connection, "s2", PAGE)
        touched = await explain(connection, lambda c: schools.list_schools(c, "s2", PAGE))
    assert len(page) == PAGE
    assert [school.code for school in page] == sorted(school.code for school in page)
    assert touched.scanned == frozenset()
    assert touched.buffers <= 3 * PAGE, touched
