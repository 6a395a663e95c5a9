"""RelationService: the projection of who may see whom, as access pushes it at the moment an access ends."""

from chassis import relations
from chassis.interceptors import Context
from chassis.run import Frame
from diary.journal.v1 import relation_service_pb2, relation_service_pb2_grpc


class RelationServicer(relation_service_pb2_grpc.RelationServiceServicer):
    """Keeps the projection of who may see whom."""

    def __init__(self, frame: Frame) -> None:
        self._database = frame.database

    async def ApplyRelations(
        self, request: relation_service_pb2.ApplyRelationsRequest, context: Context
    ) -> relation_service_pb2.ApplyRelationsResponse:
        """Answers when relations and ended sessions are committed."""
        await relations.apply_all(
            self._database,
            request.school_id,
            [relations.read_relation(message) for message in request.relations],
            [relations.read_ended_session(message) for message in request.ended_sessions],
        )
        return relation_service_pb2.ApplyRelationsResponse()
