"""The schools of the region, for anyone."""

from chassis import paging
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import school_service_pb2, school_service_pb2_grpc
from services.access import convert
from services.access.store import schools


class SchoolServicer(school_service_pb2_grpc.SchoolServiceServicer):
    """SchoolService."""

    def __init__(self, frame: Frame) -> None:
        self._database = frame.database

    async def ListSchools(
        self, request: school_service_pb2.ListSchoolsRequest, context: Context
    ) -> school_service_pb2.ListSchoolsResponse:
        """Schools by code."""
        size = paging.size(request.page_size)
        words = ("schools",)
        (after,) = paging.read_token(words, request.page_token) or ("",)
        async with self._database.region() as connection:
            found = await schools.list_schools(connection, after, size + 1)
        token = paging.write_token(words, (found[size - 1].code,)) if len(found) > size else ""
        return school_service_pb2.ListSchoolsResponse(
            schools=[convert.school(row) for row in found[:size]], next_page_token=token
        )
