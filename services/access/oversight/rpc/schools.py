"""The schools of the region, what their papers say of them, and the regulation that they adopt."""

from uuid import UUID

from chassis import auth, paging, requests
from chassis.clock import today
from chassis.errors import AlreadyExists
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import school_service_pb2, school_service_pb2_grpc
from services.access.cases.store import applications
from services.access.people.convert import schools as details
from services.access.people.rules.regulations import adopt, write_regulation
from services.access.people.rules.schools import EDITING, check_details, require_current
from services.access.people.store import regulations, schools
from services.access.rights.rules.standing import require_place
from services.access.rights.store import relations


class SchoolServicer(school_service_pb2_grpc.SchoolServiceServicer):
    """SchoolService."""

    def __init__(self, frame: Frame) -> None:
        self._database = frame.database
        self._clock = frame.clock

    async def ListSchools(
        self, request: school_service_pb2.ListSchoolsRequest, context: Context
    ) -> school_service_pb2.ListSchoolsResponse:
        """Schools by code."""
        page = paging.Page(request, ("schools",), ("",))
        async with self._database.region() as connection:
            found = await schools.list_schools(connection, *page.after, page.limit)
        shown, token = page.cut(found, lambda row: (row.code,))
        return school_service_pb2.ListSchoolsResponse(schools=[details.school(row) for row in shown], next_page_token=token)

    async def GetSchool(
        self, request: school_service_pb2.GetSchoolRequest, context: Context
    ) -> school_service_pb2.GetSchoolResponse:
        """What the papers of a school say of it, and its regulation of today (Clause R1)."""
        school_id = UUID(request.school_id)
        async with self._database.school(school_id) as connection:
            found = await schools.get_detailed(connection, school_id)
            adopted = await regulations.find_adopted(connection, school_id, today(self._clock, found.school.time_zone))
            return details.write_school(found, adopted)

    async def UpdateSchool(
        self, request: school_service_pb2.UpdateSchoolRequest, context: Context
    ) -> school_service_pb2.UpdateSchoolResponse:
        """Replaces what the papers of the school say of it, as the writer saw it."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        async with self._database.school(school_id) as connection, connection.transaction():
            scene = await relations.get_scene(connection, school_id, who, now)
            require_place(scene.standing, EDITING)
            # The head's name stays out of the kept answer: a repeat reads the school again.
            async with requests.once(connection, self._clock, request, school_service_pb2.UpdateSchoolResponse) as write:
                if write.is_new:
                    said = check_details(details.read_details(request.details))
                    require_current(await schools.lock_detailed(connection, school_id), request.etag)
                    await schools.save_details(connection, school_id, said)
            return details.write_updated(await schools.get_detailed(connection, school_id))

    async def AdoptRegulation(
        self, request: school_service_pb2.AdoptRegulationRequest, context: Context
    ) -> school_service_pb2.AdoptRegulationResponse:
        """Keeps a version by the school's order; undecided cases of its days are judged by it (Clause R1)."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        async with self._database.school(school_id) as connection, connection.transaction():
            scene = await relations.get_scene(connection, school_id, who, now)
            require_place(scene.standing, EDITING)
            async with requests.once(connection, self._clock, request, school_service_pb2.AdoptRegulationResponse) as write:
                if write.is_new:
                    adopted = adopt(details.read_regulation(request), scene.today)
                    if not await regulations.insert_regulation(connection, school_id, adopted):
                        raise AlreadyExists("REGULATION_KNOWN", "a version with the same first day is recorded")
                    ground = f"заявление рассматривается по регламенту школы: {write_regulation(adopted)}"
                    await applications.judge_by_adopted(connection, school_id, adopted, who.account_id, ground, now)
                    write.answer = school_service_pb2.AdoptRegulationResponse(regulation=details.write_adopted(adopted))
            return write.answer
