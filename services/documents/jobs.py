"""What documents does by time."""

from __future__ import annotations

from prometheus_client import Gauge

from chassis import metrics
from chassis.jobs import Job
from chassis.run import Frame
from diary.access.v1 import school_service_pb2, school_service_pb2_grpc
from services.documents.convert.roster import read_school_code
from services.documents.rules.print_runs import CLAUSE
from services.documents.store import deadlines, documents, paper_families

_COUNT_SECONDS = 15
_LEARN_SECONDS = 600
_PAGE = 500

_unsigned = Gauge("diary_documents_unsigned", "Papers that wait for the head's signature")
_unsigned_seconds = Gauge("diary_documents_unsigned_seconds", "For how long the oldest of them has waited")


def count_deadlines(frame: Frame) -> Job:
    """Shows how many deadlines are open and overdue, by clause (Clause R7)."""
    shown = metrics.OpenDeadlines(CLAUSE)

    async def count() -> None:
        async with frame.database.jobs() as connection:
            shown.show(await deadlines.count_open_deadlines(connection, frame.clock.now()))

    return Job("count_deadlines", _COUNT_SECONDS, count)


def learn_school_codes(frame: Frame, schools: school_service_pb2_grpc.SchoolServiceAsyncStub) -> Job:
    """Keeps which school a code begins with, so that sheets printed long ago are verified too (Clause R7)."""

    async def learn() -> None:
        token = ""
        while True:
            page = await schools.ListSchools(school_service_pb2.ListSchoolsRequest(page_size=_PAGE, page_token=token))
            async with frame.database.region() as connection:
                await paper_families.put_school_codes(connection, [read_school_code(school) for school in page.schools])
            if not (token := page.next_page_token):
                break

    return Job("learn_school_codes", _LEARN_SECONDS, learn)


def count_unsigned(frame: Frame) -> Job:
    """Shows how many papers of all schools wait for a signature, and for how long (Clause R22)."""

    async def count() -> None:
        async with frame.database.jobs() as connection:
            waiting, oldest = await documents.count_unsigned(connection)
        _unsigned.set(waiting)
        _unsigned_seconds.set((frame.clock.now() - oldest).total_seconds() if oldest else 0)

    return Job("count_unsigned", _COUNT_SECONDS, count)
