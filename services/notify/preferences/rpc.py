"""Who wants to hear what."""

from __future__ import annotations

from uuid import UUID

from chassis import requests
from chassis.auth import caller
from chassis.errors import FailedPrecondition, NotFound
from chassis.interceptors import Context
from chassis.run import Frame
from diary.notify.v1 import preference_service_pb2, preference_service_pb2_grpc
from services.notify.preferences import store
from services.notify.preferences.convert import write_preference, write_preferences
from services.notify.preferences.rules import Preference


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
            found = await store.list_preferences(connection, school_id, caller(), self._clock.now())
        if not found:
            raise NotFound("SCHOOL_NOT_FOUND", "no such school with a student of yours")
        async with self._database.region() as connection:
            email = await store.find_address(connection, caller().account_id)
        return write_preferences(found, email or "")

    async def UpdatePreferences(
        self, request: preference_service_pb2.UpdatePreferencesRequest, context: Context
    ) -> preference_service_pb2.UpdatePreferencesResponse:
        """Keeps the choice, once."""
        school_id, who, now = UUID(request.school_id), caller(), self._clock.now()
        preference = Preference(UUID(request.student_id), request.is_marks_letter_on)
        answer = preference_service_pb2.UpdatePreferencesResponse
        async with self._database.school(school_id) as connection, connection.transaction():
            is_mine, has_address = await store.find_standing(connection, school_id, who, preference.student_id, now)
            if not is_mine:
                raise NotFound("STUDENT_NOT_FOUND", "no such student whom you may see")
            async with requests.once(connection, self._clock, request, answer) as write:
                if write.is_new:
                    if preference.is_marks_letter_on and not has_address:
                        raise FailedPrecondition("CONTACT_NOT_FOUND", "there is no address for letters; the school enters it")
                    await store.put_preference(connection, school_id, who.account_id, preference, now)
                    write.answer = answer(preference=write_preference(preference))
        return write.answer
