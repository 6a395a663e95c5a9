"""Declarations of guardians who are informed on paper, on a sheet of their own."""

from datetime import date
from uuid import UUID

from chassis import auth, paging, requests
from chassis.clock import today
from chassis.db import Connection
from chassis.errors import NotFound
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import paper_service_pb2 as pb
from diary.access.v1 import paper_service_pb2_grpc
from services.access.people.actions.declarations import declare, end_paper_mode
from services.access.people.convert import declarations as convert
from services.access.people.rules.declarations import (
    DeclarationForm,
    Declared,
    PaperReason,
    PrintoutWay,
    check_declare_date,
    check_printout_way,
    require_declaration,
    require_own,
)
from services.access.people.rules.students import REGISTERING, require_student
from services.access.people.rules.texts import one_line
from services.access.people.store import declarations, guardianships, schools, students
from services.access.rights.rules.standing import require_place, require_session
from services.access.rights.store import accounts, relations


class PaperServicer(paper_service_pb2_grpc.PaperServiceServicer):
    """PaperService."""

    def __init__(self, frame: Frame) -> None:
        self._database = frame.database
        self._clock = frame.clock

    async def RecordPaperDeclaration(
        self, request: pb.RecordPaperDeclarationRequest, context: Context
    ) -> pb.RecordPaperDeclarationResponse:
        """Keeps a guardian's declaration under the next number, in place of the earlier one (Clause R8)."""
        school_id, student_id, who = UUID(request.school_id), UUID(request.student_id), auth.caller()
        answer = pb.RecordPaperDeclarationResponse
        async with self._database.school(school_id) as connection, connection.transaction():
            own = await self._find_own(connection, school_id, student_id, for_oneself=not request.guardian_person_id)
            async with requests.once(connection, self._clock, request, answer) as write:
                if write.is_new:
                    day = today(self._clock, await schools.get_time_zone(connection, school_id))
                    declared = await self._read(connection, request, own, day)
                    made = await declare(connection, self._clock, school_id, student_id, declared, who.account_id, day)
                    write.answer.declaration.declaration.declaration_id = str(made.declaration_id)
            kept_id = UUID(write.answer.declaration.declaration.declaration_id)
            found = require_declaration(await declarations.find_listed(connection, school_id, student_id, kept_id), own)
        return answer(declaration=convert.listed(found))

    async def RevokePaperDeclaration(
        self, request: pb.RevokePaperDeclarationRequest, context: Context
    ) -> pb.RevokePaperDeclarationResponse:
        """Ends a declaration from now on (Clause R8); one that has ended stays as it is."""
        school_id, student_id = UUID(request.school_id), UUID(request.student_id)
        declaration_id = UUID(request.declaration_id)
        async with self._database.school(school_id) as connection, connection.transaction():
            own = await self._find_own(connection, school_id, student_id)
            found = require_declaration(await declarations.find_listed(connection, school_id, student_id, declaration_id), own)
            if found.declaration.revoke_time is None:
                guardians = [found.declaration.guardian_person_id]
                await end_paper_mode(connection, self._clock, school_id, student_id, guardians)
                found = require_declaration(
                    await declarations.find_listed(connection, school_id, student_id, declaration_id), own
                )
        return pb.RevokePaperDeclarationResponse(declaration=convert.listed(found))

    async def ListPaperDeclarations(
        self, request: pb.ListPaperDeclarationsRequest, context: Context
    ) -> pb.ListPaperDeclarationsResponse:
        """Declarations about a student, the newest first: of all for staff, of the own for a guardian."""
        school_id, student_id = UUID(request.school_id), UUID(request.student_id)
        page = paging.Page(request, ("declarations", request.school_id, request.student_id), (paging.LAST_ID,))
        async with self._database.school(school_id) as connection:
            own = await self._find_own(connection, school_id, student_id)
            found = await declarations.list_listed(connection, school_id, student_id, own, *page.after, page.limit)
        shown, token = page.cut(found, lambda row: (row.declaration.declaration_id,))
        return pb.ListPaperDeclarationsResponse(declarations=[convert.listed(row) for row in shown], next_page_token=token)

    async def ListOwnPaperDeclarations(
        self, request: pb.ListOwnPaperDeclarationsRequest, context: Context
    ) -> pb.ListOwnPaperDeclarationsResponse:
        """Declarations that the caller has made in the school, the newest first (Clause R8)."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        page = paging.Page(request, ("own_declarations", request.school_id), (paging.LAST_ID,))
        async with self._database.school(school_id) as connection:
            scene = await relations.get_scene(connection, school_id, who, now)
            is_person = await accounts.is_person(connection, school_id, who.account_id)
            require_place(scene.standing, frozenset(), or_person=is_person)
            found = await declarations.list_own_declarations(connection, school_id, who.account_id, *page.after, page.limit)
        shown, token = page.cut(found, lambda row: (row.declaration.declaration_id,))
        made = [convert.own_declaration(row) for row in shown]
        return pb.ListOwnPaperDeclarationsResponse(declarations=made, next_page_token=token)

    async def _find_own(
        self, connection: Connection, school_id: UUID, student_id: UUID, *, for_oneself: bool = False
    ) -> UUID | None:
        """The caller's person, where the caller acts as the student's family; None of staff who may act for the student. Staff
        who are its family too act as staff, but for oneself.

        Raises Unauthenticated SESSION_ENDED, NotFound STUDENT_NOT_FOUND.
        """
        who, now = auth.caller(), self._clock.now()
        require_session((await relations.get_scene(connection, school_id, who, now)).standing)
        card = await students.find_student(connection, school_id, student_id, who.account_id, now)
        own = await accounts.find_own_person(connection, school_id, student_id, who.account_id, now)
        if card is not None and card.caller_roles & REGISTERING and not (own and for_oneself):
            return None
        # The student is no guardian of oneself.
        if own is None or own == student_id:
            require_student(None, REGISTERING)
        return own

    async def _read(
        self, connection: Connection, request: pb.RecordPaperDeclarationRequest, own: UUID | None, day: date
    ) -> Declared:
        """What is declared.

        Raises InvalidArgument STATEMENT_NOT_OWN, DECLARED_IN_FUTURE, PRINTOUT_WAY_NOTE_REQUIRED, NotFound PERSON_NOT_FOUND.
        """
        named = UUID(request.guardian_person_id) if request.guardian_person_id else own
        guardian_id = require_own(named, own) if named is not None and own is not None else named
        if guardian_id is None or not await guardianships.find_guardianship(
            connection, UUID(request.school_id), guardian_id, UUID(request.student_id), day
        ):
            raise NotFound("PERSON_NOT_FOUND", "no such person among the student's guardians")
        form = DeclarationForm.ELECTRONIC if own else DeclarationForm(request.form or DeclarationForm.SHEET)
        declared = day if own else check_declare_date(convert.read_declare_date(request.declare_date, day), day)
        declines, way, note = request.declines_printouts, PrintoutWay(request.printout_way), one_line(request.printout_way_note)
        check_printout_way(way, note, declines_printouts=declines)
        return Declared(guardian_id, declared, PaperReason(request.reason), declines, way, note, form)
