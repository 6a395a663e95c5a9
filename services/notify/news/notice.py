"""What a letter holds, fetched at the moment of sending."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import grpc

from chassis.clock import Clock
from chassis.db import Database
from diary.access.v1 import (
    credential_service_pb2,
    credential_service_pb2_grpc,
    decision_service_pb2,
    decision_service_pb2_grpc,
    grant_service_pb2,
    grant_service_pb2_grpc,
)
from diary.documents.v1 import document_service_pb2, document_service_pb2_grpc
from diary.journal.v1 import diary_service_pb2, diary_service_pb2_grpc
from services.notify.channels.convert import Words, write_credentials, write_decision, write_ending, write_marks, write_week_url
from services.notify.letters.convert import read_decision, read_ending, read_first_sign_in, read_taught_marks
from services.notify.letters.rules import Kind, Taken
from services.notify.letters.store import deliveries
from services.notify.preferences import store as preferences

# The owner of the content says that there is nothing to send.
_NOT_WANTED = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND)
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Content:
    """A letter's receiver and words, and the secrets among them, which may be written nowhere."""

    receiver: str
    words: Words
    secrets: tuple[str, ...] = ()


class Contents:
    """Fetches contents: of access credentials, endings and receivers of decisions, of documents papers, of journal marks."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        credentials: credential_service_pb2_grpc.CredentialServiceAsyncStub,
        decisions: decision_service_pb2_grpc.DecisionServiceAsyncStub,
        grants: grant_service_pb2_grpc.GrantServiceAsyncStub,
        documents: document_service_pb2_grpc.DocumentServiceAsyncStub,
        diary: diary_service_pb2_grpc.DiaryServiceAsyncStub,
        portal_url: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._credentials = credentials
        self._decisions = decisions
        self._grants = grants
        self._documents = documents
        self._diary = diary
        self._portal_url = portal_url.rstrip("/")

    async def fetch(self, taken: Taken) -> Content | None:
        """The content, or None when there is nothing to send or nobody to send it to. Raises AioRpcError."""
        match taken.kind:
            case Kind.CREDENTIALS:
                return await self._fetch_credentials(taken)
            case Kind.MARKS:
                return await self._fetch_marks(taken)
            case Kind.DECISION:
                return await self._fetch_decision(taken)
            case Kind.ACCESS_ENDS:
                return await self._fetch_ending(taken)

    async def _fetch_credentials(self, taken: Taken) -> Content | None:
        """Mints the token, which lives in memory and in the letter only, and keeps the address for later letters."""
        assert taken.account_id is not None
        answer = await _ask(
            self._credentials.RedeemDelivery(
                credential_service_pb2.RedeemDeliveryRequest(school_id=str(taken.school_id), grant_id=str(taken.grant_id))
            )
        )
        if answer is None:
            return None
        async with self._database.region() as connection:
            await preferences.put_address(connection, taken.account_id, answer.email, self._clock.now())
        words = write_credentials(read_first_sign_in(answer), self._portal_url)
        return Content(answer.email, words, (answer.activation_token,))

    async def _fetch_decision(self, taken: Taken) -> Content | None:
        """The paper with the head's signature (R23); a paper that documents does not give is an error, not unwanted."""
        receiver = await _ask(
            self._decisions.GetDecisionReceiver(
                decision_service_pb2.GetDecisionReceiverRequest(
                    school_id=str(taken.school_id), applicant_id=str(taken.applicant_id)
                )
            )
        )
        if receiver is None:
            return None
        class_id = UUID(receiver.class_id) if receiver.class_id else None
        async with self._database.school(taken.school_id) as connection:
            await deliveries.put_class(connection, taken.school_id, taken.delivery_id, class_id)
        fetched = await self._documents.FetchDocument(
            document_service_pb2.FetchDocumentRequest(school_id=str(taken.school_id), document_id=str(taken.document_id))
        )
        return Content(receiver.email, write_decision(read_decision(receiver, fetched), self._portal_url))

    async def _fetch_ending(self, taken: Taken) -> Content | None:
        """What access says of the ending now (R6, R13)."""
        assert taken.account_id is not None
        receiver = await self._find_address(taken.account_id)
        if receiver is None:
            return None
        answer = await _ask(
            self._grants.GetGrantEnding(
                grant_service_pb2.GetGrantEndingRequest(school_id=str(taken.school_id), grant_id=str(taken.grant_id))
            )
        )
        if answer is None:
            return None
        return Content(receiver, write_ending(read_ending(answer, taken.account_id), self._portal_url))

    async def _fetch_marks(self, taken: Taken) -> Content | None:
        assert taken.account_id is not None
        assert taken.student_id is not None
        receiver = await self._find_address(taken.account_id)
        if receiver is None:
            return None
        answer = await self._diary.BatchGetMarks(
            diary_service_pb2.BatchGetMarksRequest(
                school_id=str(taken.school_id), mark_ids=[str(mark_id) for mark_id in taken.mark_ids]
            )
        )
        name, marks = read_taught_marks(answer, taken.student_id)
        if not marks:
            return None
        page = write_week_url(self._portal_url, taken.school_id, taken.student_id, marks[0].lesson_day)
        return Content(receiver, write_marks(name, marks, page))

    async def _find_address(self, account_id: UUID) -> str | None:
        async with self._database.region() as connection:
            return await preferences.find_address(connection, account_id)


async def _ask(call: Awaitable[_Answer]) -> _Answer | None:
    """The owner's answer; None when it says that there is nothing to send."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        if error.code() in _NOT_WANTED:
            return None
        raise
