"""Classes for staff; roster entries for the projections of the other services."""

from collections.abc import Sequence
from uuid import UUID

from chassis import auth, paging, requests
from chassis.clock import today
from chassis.db import Connection
from chassis.errors import NotFound
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import roster_pb2, roster_service_pb2, roster_service_pb2_grpc, student_pb2
from services.access.people.convert.dates import read_monday
from services.access.people.convert.declarations import declaration_entry
from services.access.people.rules.roles import STAFF, Role
from services.access.people.rules.students import REGISTERING, require_student
from services.access.people.store import declarations, schools, students
from services.access.rights.actions.endings import Endings
from services.access.rights.convert.relations import relation_entry
from services.access.rights.rules.standing import require_place, require_session
from services.access.rights.store import grants, pushes, relations
from services.access.roster.actions.leaving import Leaving, Parting, end_enrolment, end_guardianship
from services.access.roster.convert import lists as convert
from services.access.roster.store import lists as roster

_MOST = 500
# An entry with the id by which pages go on.
_Entries = Sequence[tuple[UUID, roster_pb2.RosterEntry]]


class RosterServicer(roster_service_pb2_grpc.RosterServiceServicer):
    """RosterService."""

    def __init__(self, frame: Frame, endings: Endings) -> None:
        self._database = frame.database
        self._clock = frame.clock
        self._endings = endings

    async def ListClasses(
        self, request: roster_service_pb2.ListClassesRequest, context: Context
    ) -> roster_service_pb2.ListClassesResponse:
        """Classes of the current year by lowest grade and name."""
        school_id, who = UUID(request.school_id), auth.caller()
        page = paging.Page(request, ("classes", request.school_id), (0, ""))
        async with self._database.school(school_id) as connection:
            scene = await relations.get_scene(connection, school_id, who, self._clock.now())
            require_place(scene.standing, STAFF)
            found = await roster.list_class_rows(connection, school_id, scene.today, *page.after, page.limit)
        shown, token = page.cut(found, lambda row: (row.grades[0], row.name))
        return roster_service_pb2.ListClassesResponse(
            classes=[convert.school_class(row) for row in shown], next_page_token=token
        )

    async def ListStudents(
        self, request: roster_service_pb2.ListStudentsRequest, context: Context
    ) -> roster_service_pb2.ListStudentsResponse:
        """Students by name: of the school, or of the own class for a class teacher (Clause R9)."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        class_id, monday = UUID(request.class_id) if request.class_id else None, read_monday(request.monday_date)
        words = ("students", request.school_id, request.class_id, request.monday_date)
        page = paging.Page(request, words, ("", paging.FIRST_ID))
        async with self._database.school(school_id) as connection:
            scene = await relations.get_scene(connection, school_id, who, now)
            require_place(scene.standing, REGISTERING)
            if class_id and not await roster.may_list_class(connection, school_id, who.account_id, now, REGISTERING, class_id):
                raise NotFound("CLASS_NOT_FOUND", "no such class whose students the caller may see")
            found = await roster.list_listed_students(
                connection,
                school_id,
                who.account_id,
                now,
                REGISTERING,
                page.after,
                page.limit,
                class_id=class_id,
                monday=monday,
            )
        shown, token = page.cut(found, lambda row: (row.sort_key, row.student_id))
        return roster_service_pb2.ListStudentsResponse(students=[convert.student(row) for row in shown], next_page_token=token)

    async def GetStudent(
        self, request: roster_service_pb2.GetStudentRequest, context: Context
    ) -> roster_service_pb2.GetStudentResponse:
        """A student of the school, or of the own class for a class teacher (Clause R9)."""
        school_id, student_id, who, now = UUID(request.school_id), UUID(request.student_id), auth.caller(), self._clock.now()
        async with self._database.school(school_id) as connection:
            require_session((await relations.get_scene(connection, school_id, who, now)).standing)
            found = await roster.find_listed_student(connection, school_id, who.account_id, now, REGISTERING, student_id)
        if found is None:
            raise NotFound("STUDENT_NOT_FOUND", "no such student whom the caller may see")
        return roster_service_pb2.GetStudentResponse(student=convert.student(found))

    async def ListGuardianships(
        self, request: roster_service_pb2.ListGuardianshipsRequest, context: Context
    ) -> roster_service_pb2.ListGuardianshipsResponse:
        """Guardianships over a student in force today (Clause R6)."""
        school_id, student_id, who, now = UUID(request.school_id), UUID(request.student_id), auth.caller(), self._clock.now()
        page = paging.Page(request, ("guardianships", request.school_id, request.student_id), ("", paging.FIRST_ID))
        async with self._database.school(school_id) as connection:
            scene = await relations.get_scene(connection, school_id, who, now)
            require_session(scene.standing)
            card = await students.find_student(connection, school_id, student_id, who.account_id, now)
            require_student(card, REGISTERING)
            found = await roster.list_guardianships(connection, school_id, student_id, scene.today, page.after, page.limit)
        shown, token = page.cut(found, lambda row: (row.sort_key, row.guardianship_id))
        return roster_service_pb2.ListGuardianshipsResponse(
            guardianships=[convert.guardianship(row) for row in shown], next_page_token=token
        )

    async def EndGuardianship(
        self, request: roster_service_pb2.EndGuardianshipRequest, context: Context
    ) -> roster_service_pb2.EndGuardianshipResponse:
        """Ends a guardianship and the guardian's access here, then everywhere (Clause R6)."""
        school_id, who = UUID(request.school_id), auth.caller()
        async with self._database.school(school_id) as connection, connection.transaction():
            await self._require_admin(connection, school_id)
            async with requests.once(connection, self._clock, request, student_pb2.Guardianship) as write:
                if write.is_new:
                    parting = Parting(UUID(request.guardianship_id), request.ground, *convert.guardianship_end(request))
                    student_id = await end_guardianship(connection, self._clock, school_id, who.account_id, parting)
                    write.answer.student_id = str(student_id)
            student_id = UUID(write.answer.student_id)
            waiting = await pushes.list_pushes_of_student(connection, school_id, student_id)
            holders = await grants.list_accounts_of_student(connection, school_id, student_id)
        await self._endings.confirm(waiting, holders)
        return roster_service_pb2.EndGuardianshipResponse()

    async def EndEnrolment(
        self, request: roster_service_pb2.EndEnrolmentRequest, context: Context
    ) -> roster_service_pb2.EndEnrolmentResponse:
        """Ends an enrolment and everyone's access with its last day, known everywhere at OK (Clause R13)."""
        school_id, who = UUID(request.school_id), auth.caller()
        leaving = convert.leaving(request)
        async with self._database.school(school_id) as connection, connection.transaction():
            await self._require_admin(connection, school_id)
            async with requests.once(connection, self._clock, request, roster_service_pb2.EndEnrolmentResponse) as write:
                if write.is_new:
                    await end_enrolment(connection, self._clock, school_id, who.account_id, Leaving(*leaving))
            waiting = await pushes.list_pushes_of_student(connection, school_id, UUID(request.student_id))
            holders = await grants.list_accounts_of_student(connection, school_id, UUID(request.student_id))
        await self._endings.confirm(waiting, holders)
        return write.answer

    async def _require_admin(self, connection: Connection, school_id: UUID) -> None:
        who, now = auth.caller(), self._clock.now()
        scene = await relations.get_scene(connection, school_id, who, now)
        require_place(scene.standing, frozenset({Role.ADMIN}))

    async def BatchGetRoster(
        self, request: roster_service_pb2.BatchGetRosterRequest, context: Context
    ) -> roster_service_pb2.BatchGetRosterResponse:
        """Entries by kind and ids."""
        ids = [UUID(entry_id) for entry_id in request.ids]
        school_id = UUID(request.school_id)
        async with self._database.school(school_id) as connection:
            found = await self._list_entries(connection, school_id, request.kind, ids, paging.FIRST_ID, _MOST)
        return roster_service_pb2.BatchGetRosterResponse(entries=[entry for _, entry in found])

    async def ListRoster(
        self, request: roster_service_pb2.ListRosterRequest, context: Context
    ) -> roster_service_pb2.ListRosterResponse:
        """All entries of a kind, by id."""
        school_id = UUID(request.school_id)
        page = paging.Page(request, ("roster", request.school_id, str(request.kind)), (paging.FIRST_ID,))
        async with self._database.school(school_id) as connection:
            found = await self._list_entries(connection, school_id, request.kind, None, *page.after, page.limit)
        shown, token = page.cut(found, lambda row: (row[0],))
        return roster_service_pb2.ListRosterResponse(entries=[entry for _, entry in shown], next_page_token=token)

    async def _list_entries(
        self, connection: Connection, school_id: UUID, kind: int, ids: Sequence[UUID] | None, after: UUID, limit: int
    ) -> _Entries:
        if kind == roster_pb2.ROSTER_KIND_SCHOOL:
            return await self._list_school(connection, school_id, ids, after)
        if kind == roster_pb2.ROSTER_KIND_RELATION:
            found = await relations.list_relations(connection, school_id, ids, after, limit)
            return [(row.relation_id, relation_entry(row)) for row in found]
        if kind == roster_pb2.ROSTER_KIND_PAPER_DECLARATION:
            declared = await declarations.list_roster_declarations(connection, school_id, ids, after, limit)
            return [(row.declaration.declaration_id, declaration_entry(row)) for row in declared]
        zone = await schools.find_time_zone(connection, school_id)
        if zone is None:
            return []
        day = today(self._clock, zone)
        if kind == roster_pb2.ROSTER_KIND_CLASS:
            classes = await roster.list_classes(connection, school_id, ids, after, limit, day)
            return [(row.class_id, convert.class_entry(row)) for row in classes]
        if kind == roster_pb2.ROSTER_KIND_STUDENT:
            students = await roster.list_students(connection, school_id, ids, after, limit, day)
            return [(row.student_id, convert.student_entry(row)) for row in students]
        groups = await roster.list_study_groups(connection, school_id, ids, after, limit, day)
        return [(row.study_group_id, convert.study_group_entry(row)) for row in groups]

    async def _list_school(self, connection: Connection, school_id: UUID, ids: Sequence[UUID] | None, after: UUID) -> _Entries:
        """The one entry of the kind SCHOOL: the school itself."""
        if after >= school_id or (ids is not None and school_id not in ids):
            return []
        zone = await schools.find_time_zone(connection, school_id)
        row = await schools.find_roster_school(connection, school_id, today(self._clock, zone)) if zone else None
        return [(school_id, convert.school_entry(row))] if row else []
