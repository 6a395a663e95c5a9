"""Signed refusals, for the services that make and send their papers."""

from uuid import UUID

from chassis.errors import NotFound
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import decision_service_pb2 as pb
from diary.access.v1 import decision_service_pb2_grpc
from services.access.cases.convert import decisions as convert
from services.access.cases.rules.decisions import require_receiver
from services.access.cases.store import decisions as store
from services.access.people.store import schools


class DecisionServicer(decision_service_pb2_grpc.DecisionServiceServicer):
    """DecisionService."""

    def __init__(self, frame: Frame) -> None:
        self._database = frame.database

    async def GetDecisions(self, request: pb.GetDecisionsRequest, context: Context) -> pb.GetDecisionsResponse:
        """The applicants' copies of a refused case, for documents (Clauses R22, R23)."""
        school_id = UUID(request.school_id)
        async with self._database.school(school_id) as connection:
            found = await store.list_decisions(connection, school_id, UUID(request.application_id))
            if not found:
                raise NotFound("APPLICATION_NOT_FOUND", "no such refused case")
            school = await schools.get_detailed(connection, school_id)
        return pb.GetDecisionsResponse(decisions=[convert.decision(copy, school) for copy in found])

    async def GetDecisionReceiver(
        self, request: pb.GetDecisionReceiverRequest, context: Context
    ) -> pb.GetDecisionReceiverResponse:
        """Where the letter that notify is about to send goes (Clause R23)."""
        school_id = UUID(request.school_id)
        async with self._database.school(school_id) as connection:
            found = await store.find_receiver(connection, school_id, UUID(request.applicant_id))
        return convert.receiver(require_receiver(found))
