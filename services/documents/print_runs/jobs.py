"""What goes by time: schools' codes are learnt."""

from __future__ import annotations

from chassis.jobs import Job
from chassis.run import Frame
from diary.access.v1 import school_service_pb2, school_service_pb2_grpc
from services.documents.print_runs.convert.roster import read_school_code
from services.documents.print_runs.store import paper_families

_LEARN_SECONDS = 600
_PAGE = 500


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
