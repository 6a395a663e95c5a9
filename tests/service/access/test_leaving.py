"""Guardianships and enrolments end with everyone's access that stands on them (Clauses R6, R13)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import grpc
import pytest

from chassis.clock import SystemClock, today
from diary.access.v1 import application_pb2, application_service_pb2_grpc, roster_service_pb2_grpc
from diary.access.v1 import roster_service_pb2 as pb
from services.access.people.rules.guardianships import find_reaching
from tests.support.services import refused
from tests.worlds.access import START, ZONE, SchoolWorld, make_school
from tests.worlds.access_service import Backends
from tests.worlds.applications import filing, granting, set_birth_date

NOT_THERE = (grpc.StatusCode.NOT_FOUND, "GUARDIANSHIP_NOT_FOUND")
TODAY = today(SystemClock(), ZONE)


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return roster_service_pb2_grpc.RosterServiceStub(channel)


@pytest.fixture
def office(backends: Backends, school: SchoolWorld) -> Any:
    """Metadata of the school's admin."""
    return backends.sign_in(school.people["admin"], "admin")


def _ending(school: SchoolWorld, guardianship_id: UUID, request_id: UUID | None = None) -> pb.EndGuardianshipRequest:
    return pb.EndGuardianshipRequest(
        school_id=str(school.school_id),
        guardianship_id=str(guardianship_id),
        request_id=str(request_id or uuid4()),
        ground="решение суда от 20.11.2026 № 2-145",
    )


def _leaving(school: SchoolWorld, last_day: date, **other: str) -> pb.EndEnrolmentRequest:
    words = {
        "school_id": str(school.school_id),
        "student_id": str(school.people["anna"].person_id),
        "request_id": str(uuid4()),
        "last_date": last_day.isoformat(),
        "order_number": "31-в",
        "order_date": last_day.isoformat(),
    }
    return pb.EndEnrolmentRequest(**{**words, **other})


async def _guardianship(admin: Any, school: SchoolWorld, guardian: str) -> UUID:
    found: UUID = await admin.fetchval(
        "SELECT guardianship_id FROM guardianships WHERE guardian_person_id = $1", school.people[guardian].person_id
    )
    return found


async def _ends(backends: Backends, admin: Any, school: SchoolWorld, *keys: str) -> dict[str, set[datetime | None]]:
    """When the people's relations end, here and in every projection."""
    journal = await asyncpg.connect(backends.journal.admin_dsn)
    found: dict[str, set[datetime | None]] = {}
    schemas = ((admin, "access"), (admin, "notify"), (admin, "documents"), (journal, "documents"))
    for key in keys:
        account_id = school.people[key].account_id
        found[key] = set()
        for connection, schema in schemas:
            statement = f"SELECT valid_to_time FROM {schema}.relations WHERE account_id = $1 AND school_id = $2"
            rows = await connection.fetch(statement, account_id, school.school_id)
            found[key] |= {row["valid_to_time"] for row in rows}
    await journal.close()
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(ZONE)).astimezone(UTC)


async def test_an_ended_guardianship_ends_the_guardians_access_everywhere_and_nobody_elses(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld, office: Any
) -> None:
    """Clause R6."""
    guardianship_id = await _guardianship(admin, school, "father")
    request = _ending(school, guardianship_id)
    before = datetime.now(UTC)  # noqa: TID251
    await stub.EndGuardianship(request, metadata=office)
    [ended] = (await _ends(backends, admin, school, "father"))["father"]
    assert ended is not None
    assert ended <= before
    assert None in (await _ends(backends, admin, school, "mother"))["mother"]
    row = await admin.fetchrow("SELECT end_ground, end_time FROM grants WHERE grant_id = $1", school.grants["father"])
    assert row["end_ground"] == "guardianship_ended"
    assert row["end_time"] >= before
    validity = await admin.fetchval("SELECT validity FROM guardianships WHERE guardianship_id = $1", guardianship_id)
    assert validity.upper == TODAY
    await stub.EndGuardianship(request, metadata=office)
    assert await refused(stub.EndGuardianship(_ending(school, guardianship_id), metadata=office)) == NOT_THERE


async def test_a_trusteeship_that_was_to_follow_goes_with_the_guardianship(
    stub: Any, admin: Any, school: SchoolWorld, office: Any
) -> None:
    """Clause R6: опекун becomes попечитель at 14, unless the guardianship has ended before."""
    guardianship_id = await _guardianship(admin, school, "father")
    turns_14 = TODAY + timedelta(days=100)
    await admin.execute(
        "UPDATE guardianships SET kind = 'guardian_to_14', validity = daterange($2, $3) WHERE guardianship_id = $1",
        guardianship_id,
        START,
        turns_14,
    )
    await admin.execute(
        """
        INSERT INTO guardianships (school_id, guardian_person_id, student_id, kind, document, validity)
        SELECT school_id, guardian_person_id, student_id, 'trustee_to_18', document, daterange($2, NULL)
        FROM guardianships WHERE guardianship_id = $1
        """,
        guardianship_id,
        turns_14,
    )
    await stub.EndGuardianship(_ending(school, guardianship_id), metadata=office)
    father = school.people["father"].person_id
    rows = await admin.fetch("SELECT guardianship_id FROM guardianships WHERE guardian_person_id = $1", father)
    assert [row["guardianship_id"] for row in rows] == [guardianship_id]


async def test_what_was_of_a_guardianship_is_never_dropped(admin: Any, backends: Backends, school: SchoolWorld) -> None:
    father, anna = school.people["father"].person_id, school.people["anna"].person_id
    app = await asyncpg.connect(backends.clone.app_dsns["access"])
    await app.execute("SET ROLE diary_access_app")
    await app.execute("SELECT set_config('diary.school_id', $1, false)", str(school.school_id))
    await app.execute("SELECT access.drop_unborn_guardianships($1, $2, $3)", school.school_id, anna, father)
    await app.close()
    assert await admin.fetchval("SELECT count(*) FROM guardianships WHERE guardian_person_id = $1", father) == 1


# One of the two has another day than the server's at any moment.
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
@pytest.mark.parametrize(("days", "count"), [(0, 2), (1, 1)])
async def test_a_guardianship_begins_at_the_schools_midnight(
    admin: Any, backends: Backends, school: SchoolWorld, zone: str, days: int, count: int
) -> None:
    father, anna = school.people["father"].person_id, school.people["anna"].person_id
    await admin.execute("UPDATE schools SET time_zone = $2 WHERE school_id = $1", school.school_id, zone)
    await admin.execute(
        "UPDATE guardianships SET validity = daterange(lower(validity), lower(validity) + 1) WHERE guardian_person_id = $1",
        father,
    )
    await admin.execute(
        """
        INSERT INTO guardianships (school_id, guardian_person_id, student_id, kind, document, validity)
        SELECT school_id, guardian_person_id, student_id, 'trustee_to_18', document,
               daterange((now() AT TIME ZONE $2)::date + $3::int, NULL)
        FROM guardianships WHERE guardian_person_id = $1
        """,
        father,
        zone,
        days,
    )
    app = await asyncpg.connect(backends.clone.app_dsns["access"])
    await app.execute("SET ROLE diary_access_app")
    await app.execute("SELECT set_config('diary.school_id', $1, false)", str(school.school_id))
    await app.execute("SELECT access.drop_unborn_guardianships($1, $2, $3)", school.school_id, anna, father)
    await app.close()
    assert await admin.fetchval("SELECT count(*) FROM guardianships WHERE guardian_person_id = $1", father) == count


async def test_absent_guardianships_answer_alike(stub: Any, admin: Any, school: SchoolWorld, office: Any) -> None:
    other = await make_school(admin)
    for guardianship_id in (uuid4(), await _guardianship(admin, other, "father")):
        assert await refused(stub.EndGuardianship(_ending(school, guardianship_id), metadata=office)) == NOT_THERE


async def test_only_the_admin_ends_guardianships_and_enrolments(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    request = _ending(school, await _guardianship(admin, school, "father"))
    for key, role in (("class_teacher", "class_teacher"), ("mother", "guardian")):
        metadata = backends.sign_in(school.people[key], role)
        for call in (
            stub.EndGuardianship(request, metadata=metadata),
            stub.EndEnrolment(_leaving(school, TODAY), metadata=metadata),
        ):
            assert await refused(call) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")
    pretending = backends.sign_in(school.people["class_teacher"], "admin")
    assert await refused(stub.EndGuardianship(request, metadata=pretending)) == (grpc.StatusCode.NOT_FOUND, "SCHOOL_NOT_FOUND")


@pytest.mark.parametrize("days_ahead", [0, 20])
async def test_everyones_access_ends_at_midnight_of_the_leaving_day_in_every_service(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld, office: Any, days_ahead: int
) -> None:
    """Clause R13: valid_to does it, no job; who reads another school's child is not touched."""
    last_day = TODAY + timedelta(days=days_ahead)
    request = _leaving(school, last_day)
    await stub.EndEnrolment(request, metadata=office)
    await stub.EndEnrolment(request, metadata=office)
    end = _midnight(last_day + timedelta(days=1))
    assert await _ends(backends, admin, school, "anna", "mother", "father") == {
        "anna": {end},
        "mother": {end},
        "father": {end},
    }
    assert (await _ends(backends, admin, school, "other_mother"))["other_mother"] == {None}
    for table in ("enrolments", "placements"):
        statement = f"SELECT upper(validity) FROM {table} WHERE student_id = $1"
        assert await admin.fetchval(statement, school.people["anna"].person_id) == last_day + timedelta(days=1)


async def test_who_has_left_already_loses_access_at_once(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld, office: Any
) -> None:
    """Clause R13."""
    await stub.EndEnrolment(_leaving(school, TODAY - timedelta(days=3)), metadata=office)
    for ends in (await _ends(backends, admin, school, "anna", "mother", "father")).values():
        assert None not in ends
        assert max(end for end in ends if end) <= datetime.now(UTC)  # noqa: TID251
    rows = await admin.fetch("SELECT end_ground FROM grants WHERE student_id = $1", school.people["anna"].person_id)
    assert {row["end_ground"] for row in rows} == {"left"}


@pytest.mark.parametrize(("days", "ended"), [(-3, {"anna", "mother", "father"}), (20, set())])
async def test_whom_a_leaving_leaves_with_nothing_is_signed_out_everywhere(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld, office: Any, days: int, ended: set[str]
) -> None:
    """Clause R33; who keeps the diary until the last day stays signed in."""
    await stub.EndEnrolment(_leaving(school, TODAY + timedelta(days=days)), metadata=office)
    for schema in ("notify", "documents"):
        found = await admin.fetch(f"SELECT session_id FROM {schema}.ended_sessions")
        known = {row["session_id"] for row in found}
        assert {key for key in ("anna", "mother", "father", "admin") if school.people[key].session_id in known} == ended


async def test_an_ended_guardianship_signs_out_the_guardian_alone(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld, office: Any
) -> None:
    """Clauses R6, R33."""
    await stub.EndGuardianship(_ending(school, await _guardianship(admin, school, "father")), metadata=office)
    for key, count in (("father", 0), ("mother", 1)):
        live = "SELECT count(*) FROM sessions WHERE account_id = $1 AND end_time IS NULL"
        assert await admin.fetchval(live, school.people[key].account_id) == count


async def test_leaving_ends_study_groups_and_is_told(stub: Any, admin: Any, school: SchoolWorld, office: Any) -> None:
    group_id = await school.add_study_group("8-А", "Алгебра", "teacher", "anna")
    await stub.EndEnrolment(_leaving(school, TODAY), metadata=office)
    statement = "SELECT upper(validity) FROM study_group_members WHERE study_group_id = $1"
    assert await admin.fetchval(statement, group_id) == TODAY + timedelta(days=1)
    assert await admin.fetchval("SELECT version FROM study_groups WHERE study_group_id = $1", group_id) == 2


@pytest.mark.parametrize(
    ("last_date", "answer"),
    [
        ("2019-05-31", (grpc.StatusCode.FAILED_PRECONDITION, "PLACED_LATER")),
        ("2026-02-30", (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")),
    ],
)
async def test_a_leaving_day_that_cannot_be_is_refused(
    stub: Any, admin: Any, school: SchoolWorld, office: Any, last_date: str, answer: Any
) -> None:
    assert await refused(stub.EndEnrolment(_leaving(school, TODAY, last_date=last_date), metadata=office)) == answer
    unknown = _leaving(school, TODAY, student_id=str(uuid4()))
    assert await refused(stub.EndEnrolment(unknown, metadata=office)) == (grpc.StatusCode.FAILED_PRECONDITION, "NOT_ENROLLED")


async def test_a_mothers_access_ends_by_itself_at_24_00_of_the_18th_birthday(
    channel: grpc.aio.Channel, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Clause R6: granted with its end; the student's own has none."""
    teacher = backends.sign_in(school.people["class_teacher"], "class_teacher")
    applications = application_service_pb2_grpc.ApplicationServiceStub(channel)
    vera = await school.add_student("vera", "8-А", "Иванова", "Вера")
    born = date(TODAY.year - 14, 2, 28)
    await set_birth_date(school, vera, born)
    filed = (
        await applications.RegisterApplication(filing(school, vera, is_for_student_too=True), metadata=teacher)
    ).application
    await applications.GrantApplication(granting(school, filed.application_id), metadata=teacher)
    rows = await admin.fetch("SELECT role, valid_to_time FROM relations WHERE object_id = $1 ORDER BY role", vera.person_id)
    of_age = _midnight(find_reaching(born, 18))
    assert [(row["role"], row["valid_to_time"]) for row in rows] == [(3, None), (4, of_age)]


async def test_a_lapsed_access_is_closed_by_the_next_granting(
    channel: grpc.aio.Channel, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Clauses R12, R13: a new application gives a new access, not the one that is over."""
    teacher = backends.sign_in(school.people["class_teacher"], "class_teacher")
    await set_birth_date(school, school.people["anna"], date(TODAY.year - 14, 2, 28))
    over = datetime(2026, 1, 1, tzinfo=UTC)
    await admin.execute("UPDATE relations SET valid_to_time = $2 WHERE fact_id = $1", school.grants["mother"], over)
    applications = application_service_pb2_grpc.ApplicationServiceStub(channel)
    known = application_pb2.FiledApplicant(
        person_id=str(school.people["mother"].person_id),
        credentials_way=application_pb2.CREDENTIALS_WAY_IN_PERSON,
    )
    request = filing(school, school.people["anna"], known)
    application_id = (await applications.RegisterApplication(request, metadata=teacher)).application.application_id
    granted = await applications.GrantApplication(granting(school, application_id), metadata=teacher)
    assert granted.application.applicants[0].grant_id != str(school.grants["mother"])
    closed = await admin.fetchrow("SELECT end_ground, end_time FROM grants WHERE grant_id = $1", school.grants["mother"])
    assert tuple(closed) == ("lapsed", over)
