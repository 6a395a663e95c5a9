"""Deliveries for those who may see them, and endings that wait for letters on their way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from chassis import paging, projection
from chassis.auth import caller
from chassis.db import Connection
from chassis.errors import NotFound, Unavailable
from chassis.interceptors import Context
from chassis.relations import Relation
from chassis.run import Frame
from diary.notify.v1 import delivery_service_pb2, delivery_service_pb2_grpc
from services.notify.letters.convert import write_delivery
from services.notify.letters.store import deliveries, queue

# Below the two seconds that access gives the call, so that it hears why.
_WAIT_SECONDS = 1.5
_LOOK_SECONDS = 0.02


class RelationServicer(projection.RelationServicer):
    """Keeps the projection of who may see whom; answers when no letter of an ended relation can leave any more."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame)
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
