"""The RPCs of notify."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from chassis import paging, projection, requests
from chassis.auth import caller
from chassis.db import Connection
from chassis.errors import FailedPrecondition, NotFound, Unavailable
from chassis.interceptors import Context
from chassis.relations import Relation
from chassis.run import Frame
from chassis.server import Part
from diary.notify.v1 import (
    delivery_service_pb2,
    delivery_service_pb2_grpc,
    preference_service_pb2,
    preference_service_pb2_grpc,
    relation_service_pb2,
    relation_service_pb2_grpc,
)
from services.notify.letters.convert import write_delivery, write_preference, write_preferences
from services.notify.letters.rules import Preference
from services.notify.letters.store import deliveries, queue
from services.notify.preferences import store as preferences

# Below the two seconds that access gives the call, so that it hears why.
_WAIT_SECONDS = 1.5
_LOOK_SECONDS = 0.02


class RelationServicer(projection.RelationServicer[relation_service_pb2.ApplyRelationsResponse]):
    """Keeps the projection of who may see whom; answers when no letter of an ended relation can leave any more."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, relation_service_pb2.ApplyRelationsResponse)
        self._clock = frame.clock

    async def apply(self, connection: Connection, school_id: UUID, changed: Sequence[Relation]) -> None:
        """Writes relations, and cancels what waits for those that end. In a transaction."""
        await super().apply(connection, school_id, changed)
        await queue.cancel_ended(connection, school_id, changed, self._clock.now())

    async def settle(self, school_id: UUID, ended: Sequence[Relation]) -> None:
        """Waits for letters that were taken before the ending. Raises Unavailable LETTER_BEING_SENT."""
        deadline = asyncio.get_running_loop().time() + _WAIT_SECONDS
        while True:
            async with self._database.school(school_id) as connection:
                if not await queue.is_being_sent(connection, school_id, ended, self._clock.now()):
                    return
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable("LETTER_BEING_SENT", "a letter is on its way; the relations are committed, repeat to wait")
            await asyncio.sleep(_LOOK_SECONDS)


class PreferenceServicer(preference_service_pb2_grpc.PreferenceServiceServicer):
    """Who wants to hear what."""

    def __init__(self, frame: Frame) -> None:
        self._database = frame.database
        self._clock = frame.clock

    async def GetPreferences(
        self, request: preference_service_pb2.GetPreferencesRequest, context: Context
    ) -> preference_service_pb2.GetPreferencesResponse:
        """The caller's students and address."""
        school_id = UUID(request.school_id)
        async with self._database.school(school_id) as connection:
            found = await preferences.list_preferences(connection, school_id, caller(), self._clock.now())
        if not found:
            raise NotFound("SCHOOL_NOT_FOUND", "no such school with a student of yours")
        async with self._database.region() as connection:
            email = await preferences.find_address(connection, caller().account_id)
        return write_preferences(found, email or "")

    async def UpdatePreferences(
        self, request: preference_service_pb2.UpdatePreferencesRequest, context: Context
    ) -> preference_service_pb2.UpdatePreferencesResponse:
        """Keeps the choice, once."""
        school_id, who, now = UUID(request.school_id), caller(), self._clock.now()
        preference = Preference(UUID(request.student_id), request.is_marks_letter_on)
        answer = preference_service_pb2.UpdatePreferencesResponse(preference=write_preference(preference))
        async with self._database.school(school_id) as connection, connection.transaction():
            is_mine, has_address = await preferences.find_standing(connection, school_id, who, preference.student_id, now)
            if not is_mine:
                raise NotFound("STUDENT_NOT_FOUND", "no such student whom you may see")
            if kept := await requests.find_answer(connection, who.account_id, request, type(answer)):
                return kept
            if preference.is_marks_letter_on and not has_address:
                raise FailedPrecondition("CONTACT_NOT_FOUND", "there is no address for letters; the school enters it")
            await preferences.put_preference(connection, school_id, who.account_id, preference, now)
            await requests.keep_answer(connection, who.account_id, request, answer, now)
        return answer


class DeliveryServicer(delivery_service_pb2_grpc.DeliveryServiceServicer):
    """Letters and whether they reached their receivers."""

    def __init__(self, frame: Frame) -> None:
        self._database = frame.database
        self._clock = frame.clock

    async def ListDeliveries(
        self, request: delivery_service_pb2.ListDeliveriesRequest, context: Context
    ) -> delivery_service_pb2.ListDeliveriesResponse:
        """What the caller may see, newest first."""
        school_id = UUID(request.school_id)
        page = paging.Page(request, ("deliveries", request.school_id, str(caller().account_id)), (paging.LAST_ID,))
        async with self._database.school(school_id) as connection:
            now = self._clock.now()
            found = await deliveries.list_deliveries(connection, school_id, caller(), now, *page.after, page.limit)
        if found is None:
            raise NotFound("SCHOOL_NOT_FOUND", "no such school with a place for you")
        shown, token = page.cut(found, lambda delivery: (delivery.delivery_id,))
        return delivery_service_pb2.ListDeliveriesResponse(
            deliveries=[write_delivery(delivery) for delivery in shown], next_page_token=token
        )


def parts(frame: Frame) -> Sequence[Part]:
    """The servicers of notify."""
    return [
        Part(
            "diary.notify.v1.RelationService",
            relation_service_pb2_grpc.add_RelationServiceServicer_to_server,
            RelationServicer(frame),
        ),
        Part(
            "diary.notify.v1.PreferenceService",
            preference_service_pb2_grpc.add_PreferenceServiceServicer_to_server,
            PreferenceServicer(frame),
        ),
        Part(
            "diary.notify.v1.DeliveryService",
            delivery_service_pb2_grpc.add_DeliveryServiceServicer_to_server,
            DeliveryServicer(frame),
        ),
    ]
