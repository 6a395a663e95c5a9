"""One list of all deadlines of a school: access's own, other owners' by event, accesses that end by themselves."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from prometheus_client import REGISTRY

from chassis import run
from chassis.clock import SystemClock
from chassis.db import Database
from chassis.events import Event
from diary.access.v1 import application_service_pb2_grpc, compliance_service_pb2_grpc, deadline_pb2, events_pb2
from diary.access.v1 import compliance_service_pb2 as pb
from services.access.oversight import jobs
from services.access.oversight.consumers import Consumers
from services.access.oversight.store import count_open_deadlines
from tests.support.services import refused
from tests.worlds.access import SchoolWorld, make_school
from tests.worlds.access_service import Backends
from tests.worlds.applications import add_vera, filing, granting

CLOCK = SystemClock()


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return compliance_service_pb2_grpc.ComplianceServiceStub(channel)


@pytest.fixture
def office(backends: Backends, school: SchoolWorld) -> Any:
    return backends.sign_in(school.people["admin"], "admin")


async def _list(stub: Any, school: SchoolWorld, metadata: Any, **other: Any) -> list[deadline_pb2.Deadline]:
    request = pb.ListDeadlinesRequest(school_id=str(school.school_id), **other)
    return list((await stub.ListDeadlines(request, metadata=metadata)).deadlines)


async def _tell(
    backends: Backends,
    school: SchoolWorld,
    subject_id: str,
    due: datetime,
    told: datetime,
    met: datetime | None = None,
    clause: str = "R7",
    *,
    is_void: bool = False,
) -> None:
    """A deadline of documents as its event brings it."""
    message = events_pb2.DeadlineChanged(school_id=str(school.school_id), clause=clause, subject_id=subject_id, is_void=is_void)
    message.start_time.FromDatetime(due - timedelta(days=7))
    message.due_time.FromDatetime(due)
    if met is not None:
        message.met_time.FromDatetime(met)
        message.evidence_id = "run"
    database = await Database.connect(backends.clone.app_dsns["access"], "access", size=1)
    subject = "diary.documents.v1.DeadlineChanged"
    handle = Consumers(database, CLOCK).handlers()[subject]
    await handle(Event(uuid4(), subject, school.school_id, told, message.SerializeToString()))
    await database.close()


async def test_the_gauge_of_a_clause_falls_when_its_last_deadline_is_met(backends: Backends, school: SchoolWorld) -> None:
    """An alert that is fired by a met deadline would fire until the restart."""

    def overdue(clause: str) -> float:
        return REGISTRY.get_sample_value("diary_deadline_overdue", {"clause": clause}) or 0.0

    now, subject_id = CLOCK.now(), str(uuid4())
    # R16 stays overdue, so that rows keep coming.
    await _tell(backends, school, str(uuid4()), now - timedelta(days=1), now, clause="R16")
    await _tell(backends, school, subject_id, now - timedelta(days=1), now, clause="R18")
    database = await Database.connect(backends.clone.app_dsns["access"], "access", size=1)
    nothing: Any = None
    counting = jobs.count_deadlines(run.Frame(CLOCK, database, nothing, nothing))
    await counting.work()
    assert overdue("R16") == overdue("R18") == 1
    await _tell(backends, school, subject_id, now - timedelta(days=1), now + timedelta(seconds=1), now, clause="R18")
    await counting.work()
    assert (overdue("R16"), overdue("R18")) == (1, 0)
    await database.close()


async def test_an_applicants_deadline_is_listed_and_met_with_its_evidence(
    stub: Any, channel: grpc.aio.Channel, backends: Backends, school: SchoolWorld, office: Any
) -> None:
    """Clause R15."""
    vera = await add_vera(school)
    applications = application_service_pb2_grpc.ApplicationServiceStub(channel)
    filed = (await applications.RegisterApplication(filing(school, vera), metadata=office)).application
    [listed] = await _list(stub, school, office, clause="R15")
    assert (listed.subject_id, listed.due_time) == (filed.applicants[0].applicant_id, filed.applicants[0].due_time)
    assert listed.application_id == filed.application_id
    assert not listed.HasField("met_time")
    await applications.GrantApplication(granting(school, filed.application_id), metadata=office)
    [met] = await _list(stub, school, office, clause="R15")
    assert met.state == deadline_pb2.DEADLINE_STATE_MET_IN_TIME
    assert met.evidence_id.startswith("grant ")
    assert await _list(stub, school, office, clause="R15", is_open_only=True) == []


async def test_deadlines_of_other_owners_come_by_event_and_a_late_one_changes_nothing(
    stub: Any, backends: Backends, school: SchoolWorld, office: Any
) -> None:
    """Clause R7: order is not promised, the later fact counts."""
    now = CLOCK.now()
    due = now + timedelta(hours=12)
    await _tell(backends, school, "8-А 2026-W47", due, now, met=now)
    await _tell(backends, school, "8-А 2026-W47", due, now - timedelta(minutes=1))
    await _tell(backends, school, "8-Б 2026-W47", due - timedelta(days=1), now)
    found = [(one.subject_id, one.state, one.evidence_id) for one in await _list(stub, school, office)]
    assert found == [
        ("8-Б 2026-W47", deadline_pb2.DEADLINE_STATE_OVERDUE, ""),
        ("8-А 2026-W47", deadline_pb2.DEADLINE_STATE_MET_IN_TIME, "run"),
    ]


async def test_an_access_that_ends_by_itself_is_told_30_days_before(
    stub: Any, admin: Any, school: SchoolWorld, office: Any
) -> None:
    """Clause R6."""
    ends = "UPDATE relations SET valid_to_time = $2 WHERE fact_id = $1"
    await admin.execute(ends, school.grants["mother"], CLOCK.now() + timedelta(days=29))
    await admin.execute(ends, school.grants["father"], CLOCK.now() + timedelta(days=31))
    [listed] = await _list(stub, school, office)
    assert (listed.clause, listed.subject_id) == ("R6", str(school.grants["mother"]))
    assert listed.state == deadline_pb2.DEADLINE_STATE_WARNED


async def test_deadlines_are_paged_by_due_time(stub: Any, backends: Backends, school: SchoolWorld, office: Any) -> None:
    now = CLOCK.now()
    for number in (3, 1, 2):
        await _tell(backends, school, f"8-А {number}", now + timedelta(days=number), now)
    seen, token = [], ""
    while True:
        request = pb.ListDeadlinesRequest(school_id=str(school.school_id), page_size=2, page_token=token)
        page = await stub.ListDeadlines(request, metadata=office)
        seen += [one.subject_id for one in page.deadlines]
        token = page.next_page_token
        if not token:
            break
    assert seen == ["8-А 1", "8-А 2", "8-А 3"]


async def test_admin_and_head_read_the_deadlines_of_their_school_only(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld, office: Any
) -> None:
    await add_vera(school)
    other = await make_school(admin)
    await _tell(backends, other, "8-А", CLOCK.now(), CLOCK.now())
    for key, role in (("admin", "admin"), ("head", "head")):
        assert await _list(stub, school, backends.sign_in(school.people[key], role)) == []
    request = pb.ListDeadlinesRequest(school_id=str(other.school_id))
    assert await refused(stub.ListDeadlines(request, metadata=office)) == (grpc.StatusCode.NOT_FOUND, "SCHOOL_NOT_FOUND")
    teacher = backends.sign_in(school.people["class_teacher"], "class_teacher")
    assert await refused(stub.ListDeadlines(request, metadata=teacher)) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "ROLE_NOT_ALLOWED",
    )


async def test_deadlines_of_all_owners_are_counted(backends: Backends, admin: Any, school: SchoolWorld) -> None:
    await _tell(backends, school, "8-А", datetime(2026, 1, 1, tzinfo=UTC), CLOCK.now())
    database = await Database.connect(backends.clone.app_dsns["access"], "access", size=1)
    async with database.jobs() as connection:
        counts = {
            clause: (is_open, overdue) for clause, is_open, overdue in await count_open_deadlines(connection, CLOCK.now())
        }
    await database.close()
    open_, overdue = counts["R7"]
    assert open_ >= overdue >= 1


async def test_a_term_that_never_was_is_neither_listed_nor_counted_and_may_begin_anew(
    backends: Backends, stub: Any, school: SchoolWorld, office: Any
) -> None:
    """Staff A4: documents takes back what it had begun by mistake; an older event does not bring it back."""
    now, subject_id = CLOCK.now(), str(uuid4())
    due = now - timedelta(days=1)
    await _tell(backends, school, subject_id, due, now)
    assert [one.subject_id for one in await _list(stub, school, office)] == [subject_id]
    await _tell(backends, school, subject_id, due, now + timedelta(seconds=2), is_void=True)
    await _tell(backends, school, subject_id, due, now + timedelta(seconds=1))
    assert await _list(stub, school, office) == []
    await _tell(backends, school, subject_id, due, now + timedelta(seconds=3))
    assert len(await _list(stub, school, office)) == 1
