"""access, journal and documents as notify meets them: their protos, answers by hand."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import grpc
from google.protobuf.message import Message

from chassis.clients import MESSAGE_LIMIT
from diary.access.v1 import (
    credential_service_pb2,
    decision_service_pb2,
    grant_service_pb2,
    relation_pb2,
    roster_pb2,
    roster_service_pb2,
    school_pb2,
    school_service_pb2,
)
from diary.documents.v1 import document_pb2
from diary.journal.v1 import diary_service_pb2, diary_week_pb2

Answer = Callable[[Any, Any], Awaitable[Message]]
TOKEN = "known-secret-token-of-the-tests"


class Neighbours:
    """One server for all. `wanted` are the grants whose credentials may be sent, by the address they go to; `receivers` are
    those of decisions by applicant, `endings` those of accesses by grant."""

    def __init__(self) -> None:
        self.port = 0
        self.wanted: dict[str, str] = {}
        self.marks: dict[str, diary_week_pb2.MarkForLetter] = {}
        self.relations: dict[str, relation_pb2.Relation] = {}
        self.students: dict[str, roster_pb2.RosterStudent] = {}
        self.receivers: dict[str, decision_service_pb2.GetDecisionReceiverResponse] = {}
        self.papers: dict[str, document_pb2.FetchDocumentResponse] = {}
        self.endings: dict[str, grant_service_pb2.GetGrantEndingResponse] = {}
        self.schools: list[UUID] = []
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Listens on a free port."""
        self._server = grpc.aio.server(options=[("grpc.max_send_message_length", MESSAGE_LIMIT)])
        answers: dict[str, tuple[type[Message], Answer]] = {
            "access.v1.CredentialService/RedeemDelivery": (credential_service_pb2.RedeemDeliveryRequest, self._redeem),
            "access.v1.DecisionService/GetDecisionReceiver": (
                decision_service_pb2.GetDecisionReceiverRequest,
                self._get_receiver,
            ),
            "access.v1.GrantService/GetGrantEnding": (grant_service_pb2.GetGrantEndingRequest, self._get_ending),
            "documents.v1.DocumentService/FetchDocument": (document_pb2.FetchDocumentRequest, self._fetch_document),
            "access.v1.RosterService/BatchGetRoster": (roster_service_pb2.BatchGetRosterRequest, self._get_roster),
            "access.v1.RosterService/ListRoster": (roster_service_pb2.ListRosterRequest, self._list_roster),
            "access.v1.SchoolService/ListSchools": (school_service_pb2.ListSchoolsRequest, self._list_schools),
            "journal.v1.DiaryService/BatchGetMarks": (diary_service_pb2.BatchGetMarksRequest, self._get_marks),
        }
        for path, (request_type, answer) in answers.items():
            service, method = f"diary.{path}".split("/")
            handler: grpc.RpcMethodHandler[Any, Any] = grpc.unary_unary_rpc_method_handler(
                answer, request_type.FromString, lambda made: made.SerializeToString()
            )
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()

    async def stop(self) -> None:
        """Is gone."""
        if self._server:
            await self._server.stop(None)

    async def _redeem(
        self, request: credential_service_pb2.RedeemDeliveryRequest, context: Any
    ) -> credential_service_pb2.RedeemDeliveryResponse:
        """A token for a grant that is wanted."""
        if request.grant_id not in self.wanted:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not wanted")
        answer = credential_service_pb2.RedeemDeliveryResponse(
            email=self.wanted[request.grant_id],
            activation_token=TOKEN,
            account_id="",
            school_name="Школа № 1",
            time_zone="Europe/Moscow",
            login="ivanova.mp",
            application_number="15-ЭД/2026",
            application_date="2026-11-19",
            student_called_name="Артём",
        )
        answer.expire_time.FromJsonString("2026-12-04T21:30:00Z")
        return answer

    async def _get_receiver(
        self, request: decision_service_pb2.GetDecisionReceiverRequest, context: Any
    ) -> decision_service_pb2.GetDecisionReceiverResponse:
        """An applicant who wants the decision by e-mail."""
        if request.applicant_id not in self.receivers:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not wanted")
        return self.receivers[request.applicant_id]

    async def _get_ending(
        self, request: grant_service_pb2.GetGrantEndingRequest, context: Any
    ) -> grant_service_pb2.GetGrantEndingResponse:
        """A grant that still ends so soon."""
        if request.grant_id not in self.endings:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such grant that ends")
        return self.endings[request.grant_id]

    async def _fetch_document(
        self, request: document_pb2.FetchDocumentRequest, context: Any
    ) -> document_pb2.FetchDocumentResponse:
        """A signed paper."""
        if request.document_id not in self.papers:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such paper")
        return self.papers[request.document_id]

    async def _get_marks(
        self, request: diary_service_pb2.BatchGetMarksRequest, context: Any
    ) -> diary_service_pb2.BatchGetMarksResponse:
        """The marks that stand."""
        return diary_service_pb2.BatchGetMarksResponse(
            marks=[self.marks[mark_id] for mark_id in request.mark_ids if mark_id in self.marks]
        )

    async def _get_roster(
        self, request: roster_service_pb2.BatchGetRosterRequest, context: Any
    ) -> roster_service_pb2.BatchGetRosterResponse:
        """Relations and students by id."""
        if request.kind == roster_pb2.ROSTER_KIND_STUDENT:
            entries = [roster_pb2.RosterEntry(student=self.students[key]) for key in request.ids]
        else:
            entries = [roster_pb2.RosterEntry(relation=self.relations[key]) for key in request.ids]
        return roster_service_pb2.BatchGetRosterResponse(entries=entries)

    async def _list_roster(
        self, request: roster_service_pb2.ListRosterRequest, context: Any
    ) -> roster_service_pb2.ListRosterResponse:
        """All of them, one a page."""
        students = request.kind == roster_pb2.ROSTER_KIND_STUDENT
        keys = sorted(self.students if students else self.relations)
        place = int(request.page_token or 0)
        entries = [
            roster_pb2.RosterEntry(student=self.students[key])
            if students
            else roster_pb2.RosterEntry(relation=self.relations[key])
            for key in keys[place : place + 1]
        ]
        more = str(place + 1) if place + 1 < len(keys) else ""
        return roster_service_pb2.ListRosterResponse(entries=entries, next_page_token=more)

    async def _list_schools(
        self, request: school_service_pb2.ListSchoolsRequest, context: Any
    ) -> school_service_pb2.ListSchoolsResponse:
        """All of them."""
        return school_service_pb2.ListSchoolsResponse(
            schools=[school_pb2.School(school_id=str(school_id)) for school_id in self.schools]
        )
