"""How the regulation is kept."""

from uuid import UUID

from chassis import auth, paging
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import compliance_service_pb2 as pb
from diary.access.v1 import compliance_service_pb2_grpc
from services.access.oversight import convert
from services.access.oversight import store as deadlines
from services.access.oversight.rules import READING
from services.access.rights.rules.grants import END_WARNING
from services.access.rights.rules.standing import require_place
from services.access.rights.store import relations


class ComplianceServicer(compliance_service_pb2_grpc.ComplianceServiceServicer):
    """ComplianceService."""

    def __init__(self, frame: Frame) -> None:
        self._database = frame.database
        self._clock = frame.clock

    async def ListDeadlines(self, request: pb.ListDeadlinesRequest, context: Context) -> pb.ListDeadlinesResponse:
        """Deadlines of all owners, and accesses that end by themselves within 30 days (Clauses R6, R7, R13, R15)."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        words = ("deadlines", request.school_id, request.clause, str(request.is_open_only))
        page = paging.Page(request, words, (paging.LONG_AGO, ""))
        async with self._database.school(school_id) as connection:
            scene = await relations.get_scene(connection, school_id, who, now)
            require_place(scene.standing, READING)
            found = await deadlines.list_deadlines(
                connection, school_id, request.clause, request.is_open_only, now, now + END_WARNING, page.after, page.limit
            )
        shown, token = page.cut(found, lambda listed: (listed.due_time, f"{listed.subject_id} {listed.clause}"))
        return pb.ListDeadlinesResponse(deadlines=[convert.deadline(listed, now) for listed in shown], next_page_token=token)
