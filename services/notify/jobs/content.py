"""What a letter holds, fetched at the moment of sending."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import grpc

from chassis.clock import Clock
from chassis.db import Database
from diary.access.v1 import credential_service_pb2, credential_service_pb2_grpc
from diary.journal.v1 import diary_service_pb2, diary_service_pb2_grpc
from services.notify.convert.letters import Words, write_credentials, write_marks
from services.notify.convert.messages import read_instant, read_taught_marks
from services.notify.rules import Kind, Taken
from services.notify.store import preferences

# The owner of the content says that there is nothing to send.
_NOT_WANTED = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND)


@dataclass(frozen=True, slots=True)
class Content:
    """A letter's receiver and words, and the secrets among them, which may be written nowhere."""

    receiver: str
    words: Words
    secrets: tuple[str, ...] = ()


class Contents:
    """Fetches contents: first credentials of access, marks of journal."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        credentials: credential_service_pb2_grpc.CredentialServiceAsyncStub,
        diary: diary_service_pb2_grpc.DiaryServiceAsyncStub,
        portal_url: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._credentials = credentials
        self._diary = diary
        self._portal_url = portal_url.rstrip("/")

    async def fetch(self, taken: Taken) -> Content | None:
        """The content, or None when there is nothing to send or nobody to send it to. Raises AioRpcError."""
        return await (self._fetch_credentials(taken) if taken.kind is Kind.CREDENTIALS else self._fetch_marks(taken))

    async def _fetch_credentials(self, taken: Taken) -> Content | None:
        """Mints the token, which lives in memory and in the letter only, and keeps the address for later letters."""
        try:
            answer = await self._credentials.RedeemDelivery(
                credential_service_pb2.RedeemDeliveryRequest(school_id=str(taken.school_id), grant_id=str(taken.grant_id))
            )
        except grpc.aio.AioRpcError as error:
            if error.code() in _NOT_WANTED:
                return None
            raise
        async with self._database.region() as connection:
            await preferences.put_address(connection, taken.account_id, answer.email, self._clock.now())
        words = write_credentials(
            answer.school_name,
            answer.activation_token,
            read_instant(answer.expire_time),
            ZoneInfo(answer.time_zone),
            self._portal_url,
        )
        return Content(answer.email, words, (answer.activation_token,))

    async def _fetch_marks(self, taken: Taken) -> Content | None:
        async with self._database.region() as connection:
            receiver = await preferences.find_address(connection, taken.account_id)
        if receiver is None or taken.student_id is None:
            return None
        answer = await self._diary.BatchGetMarks(
            diary_service_pb2.BatchGetMarksRequest(
                school_id=str(taken.school_id), mark_ids=[str(mark_id) for mark_id in taken.mark_ids]
            )
        )
        name, marks = read_taught_marks(answer, taken.student_id)
        return Content(receiver, write_marks(name, marks, self._portal_url)) if marks else None
