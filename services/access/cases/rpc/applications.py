"""Applications for access: registering, reading, granting, handing over."""

from collections import defaultdict
from dataclasses import replace
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import auth, paging, requests
from chassis.calendar import WorkingCalendar
from chassis.db import Connection
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import application_service_pb2 as pb
from diary.access.v1 import application_service_pb2_grpc
from services.access.cases.actions.decision_papers import note_given
from services.access.cases.actions.filing import Filing, register, show_authority
from services.access.cases.actions.granting import grant_case
from services.access.cases.actions.refusing import propose, sign, withdraw
from services.access.cases.convert import applications as convert
from services.access.cases.convert.decisions import show_papers
from services.access.cases.rules import applications as rules
from services.access.cases.rules import filing as filing_rules
from services.access.cases.rules.applications import Applicant, Case, State
from services.access.cases.rules.decisions import DecisionChannel, require_ready
from services.access.cases.rules.refusals import RefusalGround, require_proposed, require_undecided
from services.access.cases.rules.statements import ApplicationKind
from services.access.cases.store import applicants, case_log, decisions, refusals
from services.access.cases.store import applications as store
from services.access.people.rules.roles import Role
from services.access.people.rules.students import REGISTERING, require_student
from services.access.people.store import declarations, students
from services.access.rights.actions.endings import Endings
from services.access.rights.actions.second_factor import SecondFactors
from services.access.rights.rules.grants import GRANTING
from services.access.rights.rules.standing import Scene, require_place, require_session
from services.access.rights.store import accounts, grants, pushes, relations


class ApplicationServicer(application_service_pb2_grpc.ApplicationServiceServicer):
    """ApplicationService."""

    def __init__(self, frame: Frame, calendar: WorkingCalendar, endings: Endings, factors: SecondFactors) -> None:
        self._database = frame.database
        self._clock = frame.clock
        self._calendar = calendar
        self._endings = endings
        self._factors = factors

    async def RegisterApplication(
        self, request: pb.RegisterApplicationRequest, context: Context
    ) -> pb.RegisterApplicationResponse:
        """Registers a case with a term for each applicant (Clauses R1, R2, R12, R15, R29), or a statement, whose signers'
        access has ended everywhere at OK (Clauses R30-R33).
        """
        school_id = UUID(request.school_id)
        async with self._database.school(school_id) as connection, connection.transaction():
            await applicants.lock_registering(connection, school_id, UUID(request.student_id))
            scene = await relations.get_scene(connection, school_id, auth.caller(), self._clock.now())
            # Asked first: a family's own statement has ended the relation, and the session, by which it came.
            async with requests.once(connection, self._clock, request, pb.RegisterApplicationResponse) as write:
                if write.is_new:
                    require_session(scene.standing)
                    filing = await self._read_filing(connection, request, scene.zone)
                    registered = await register(connection, self._clock, self._calendar, scene.zone, filing)
                    write.answer.application.application_id = str(registered)
            application_id = UUID(write.answer.application.application_id)
            case = await self._read(connection, scene, application_id, REGISTERING, or_own=True)
            waiting = await pushes.list_pushes_of_statement(connection, school_id, case.application_id)
            declined = await grants.list_accounts_ended_by(connection, school_id, case.application_id)
            answer = pb.RegisterApplicationResponse(application=await self._answer(connection, scene, case))
        await self._endings.confirm(waiting, declined)
        return answer

    async def _read_filing(self, connection: Connection, request: pb.RegisterApplicationRequest, zone: ZoneInfo) -> Filing:
        """What is registered, by staff or the family itself. Raises NotFound STUDENT_NOT_FOUND and what rules.filing raises."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        student_id = UUID(request.student_id)
        card = await students.find_student(connection, school_id, student_id, who.account_id, now)
        own = await accounts.find_own_person(connection, school_id, student_id, who.account_id, now)
        is_staff = card is not None and bool(card.caller_roles & REGISTERING)
        is_family = own is not None and (request.channel == pb.APPLICATION_CHANNEL_DIARY or not is_staff)
        student = card if is_family and card is not None else require_student(card, REGISTERING)
        filing_rules.check_channel(request.channel, is_family=is_family)
        kind = ApplicationKind(request.kind or ApplicationKind.APPENDIX_1)
        received = filing_rules.check_received(convert.read_receive_time(request, now), now)
        filed = [convert.filed_applicant(message) for message in request.applicants]
        channel = request.channel
        if is_family and own is not None:
            filed, channel, received = filing_rules.take_own_statement(filed, kind, own), pb.APPLICATION_CHANNEL_DIARY, now
        if kind is not ApplicationKind.APPENDIX_1:
            filing_rules.check_statement(filed, student, request.is_for_student_too, now.astimezone(zone).date())
        day = now.astimezone(zone).date()
        planned = filing_rules.plan_applicants(filed, student, request.is_for_student_too, day)
        return Filing(kind, school_id, who.account_id, student, planned, channel, received)

    async def GetApplication(self, request: pb.GetApplicationRequest, context: Context) -> pb.GetApplicationResponse:
        """A case with its checklist and log."""
        school_id = UUID(request.school_id)
        async with self._database.school(school_id) as connection:
            scene = await self._enter(connection, school_id)
            case = await self._read(connection, scene, UUID(request.application_id), rules.READING, or_own=True)
            return pb.GetApplicationResponse(application=await self._answer(connection, scene, case))

    async def ListApplications(self, request: pb.ListApplicationsRequest, context: Context) -> pb.ListApplicationsResponse:
        """Cases that the caller may open, the earliest due first."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        words = ("applications", request.school_id, str(request.state))
        page = paging.Page(request, words, (paging.LONG_AGO, paging.FIRST_ID))
        async with self._database.school(school_id) as connection:
            scene = await relations.get_scene(connection, school_id, who, now)
            require_place(
                scene.standing, rules.READING, or_person=await accounts.is_person(connection, school_id, who.account_id)
            )
            is_own_only = not scene.standing.school_roles & rules.READING
            found = await store.list_cases(
                connection,
                school_id,
                who.account_id,
                now,
                rules.READING,
                request.state,
                page.after,
                page.limit,
                is_own_only=is_own_only,
            )
            shown, token = page.cut(found, lambda row: (row[1], row[0].application_id))
            cases = await self._with_applicants(connection, scene, [case for case, _ in shown])
            answers = await self._answer_list(connection, scene, cases)
        return pb.ListApplicationsResponse(applications=answers, next_page_token=token)

    async def GrantApplication(self, request: pb.GrantApplicationRequest, context: Context) -> pb.GrantApplicationResponse:
        """Grants access to every applicant: class teacher of the own class, or admin (Clauses R9-R12)."""
        school_id, who, application_id = UUID(request.school_id), auth.caller(), UUID(request.application_id)
        async with self._database.school(school_id) as connection, connection.transaction():
            scene = await self._enter(connection, school_id)
            await store.lock_case(connection, school_id, application_id)
            case = await self._read(connection, scene, application_id, GRANTING)
            async with requests.once(connection, self._clock, request, pb.GrantApplicationResponse) as write:
                if write.is_new:
                    rules.require_grantable(case)
                    checklist = rules.build_checklist(case, scene.today)
                    rules.require_complete(checklist)
                    await grant_case(connection, self._clock, school_id, case, checklist, who.account_id)
                    write.answer.application.application_id = request.application_id
                    case = await self._read(connection, scene, application_id, GRANTING)
            return pb.GrantApplicationResponse(application=await self._answer(connection, scene, case))

    async def ProposeRefusal(self, request: pb.ProposeRefusalRequest, context: Context) -> pb.ProposeRefusalResponse:
        """Proposes a refusal by one of the three grounds, its evidence noted (Clauses R19-R21)."""
        school_id, who, application_id = UUID(request.school_id), auth.caller(), UUID(request.application_id)
        now = self._clock.now()
        async with self._database.school(school_id) as connection, connection.transaction():
            scene = await self._enter(connection, school_id)
            await store.lock_case(connection, school_id, application_id)
            case = await self._read(connection, scene, application_id, GRANTING)
            async with requests.once(connection, self._clock, request, pb.ProposeRefusalResponse) as write:
                if write.is_new:
                    require_undecided(case)
                    await propose(connection, school_id, case, RefusalGround(request.ground), who.account_id, now, scene.zone)
                    write.answer.application.application_id = request.application_id
                    case = await self._read(connection, scene, application_id, GRANTING)
            return pb.ProposeRefusalResponse(application=await self._answer(connection, scene, case))

    async def SignRefusals(self, request: pb.SignRefusalsRequest, context: Context) -> pb.SignRefusalsResponse:
        """The head signs proposed refusals, the second factor asked again; all or none (Clause R22)."""
        school_id, who = UUID(request.school_id), auth.caller()
        ids = sorted({UUID(application_id) for application_id in request.application_ids})
        async with self._database.school(school_id) as connection:
            scene = await relations.get_scene(connection, school_id, who, self._clock.now())
            require_place(scene.standing, rules.SIGNING)
            known = await requests.find_answer(connection, who.account_id, request, pb.SignRefusalsResponse)
        if known is None:
            asked = requests.digest(request)
            await self._factors.ask_again(who.session_id, who.account_id, request.one_time_code, asked)
            await self._sign(school_id, request, ids)
        async with self._database.school(school_id) as connection:
            cases = await self._read_all(connection, scene, ids, rules.SIGNING)
            signed = await refusals.list_refusals(connection, school_id, ids)
        now = self._clock.now()
        return pb.SignRefusalsResponse(
            applications=[convert.refused_application(case, signed[case.application_id], now) for case in cases]
        )

    async def _sign(self, school_id: UUID, request: pb.SignRefusalsRequest, ids: list[UUID]) -> None:
        """Locks all cases in the order of their ids before the first number is taken; of two equal requests at once the
        second then finds the answer of the first.
        """
        who = auth.caller()
        async with self._database.school(school_id) as connection, connection.transaction():
            scene = await self._enter(connection, school_id)
            await store.lock_cases(connection, school_id, ids)
            async with requests.once(connection, self._clock, request, pb.SignRefusalsResponse) as write:
                if write.is_new:
                    cases = await self._read_all(connection, scene, ids, rules.SIGNING)
                    proposed = await refusals.list_refusals(connection, school_id, ids)
                    signed = [(case, require_proposed(case, proposed.get(case.application_id))) for case in cases]
                    await sign(connection, self._clock, school_id, signed, who.account_id, scene.zone)

    async def WithdrawApplication(
        self, request: pb.WithdrawApplicationRequest, context: Context
    ) -> pb.WithdrawApplicationResponse:
        """Ends an undecided application as its applicant wishes, who says so here or at the school (Clause R24)."""
        school_id, who, application_id = UUID(request.school_id), auth.caller(), UUID(request.application_id)
        async with self._database.school(school_id) as connection, connection.transaction():
            scene = await self._enter(connection, school_id)
            await store.lock_case(connection, school_id, application_id)
            case = await self._read(connection, scene, application_id, REGISTERING, or_own=True)
            async with requests.once(connection, self._clock, request, pb.WithdrawApplicationResponse) as write:
                if write.is_new:
                    rules.require_withdrawable(case)
                    await withdraw(connection, self._clock, school_id, case, who.account_id)
                    write.answer.application.application_id = request.application_id
                    case = await self._read(connection, scene, application_id, REGISTERING, or_own=True)
            return pb.WithdrawApplicationResponse(application=await self._answer(connection, scene, case))

    async def RecordHandOver(self, request: pb.RecordHandOverRequest, context: Context) -> pb.RecordHandOverResponse:
        """Notes that an applicant's last slip was handed over and its receipt signed (Clause R25), or a refusal given (R23)."""
        school_id, application_id = UUID(request.school_id), UUID(request.application_id)
        async with self._database.school(school_id) as connection, connection.transaction():
            scene = await self._enter(connection, school_id)
            await store.lock_case(connection, school_id, application_id)
            case = await self._read(connection, scene, application_id, REGISTERING)
            async with requests.once(connection, self._clock, request, pb.RecordHandOverResponse) as write:
                if write.is_new:
                    if case.state is State.REFUSED:
                        await self._give_decision(connection, school_id, request)
                    else:
                        await self._hand_over_slip(connection, school_id, case, UUID(request.applicant_id))
                    write.answer.application.application_id = request.application_id
                    case = await self._read(connection, scene, application_id, REGISTERING)
            return pb.RecordHandOverResponse(application=await self._answer(connection, scene, case))

    async def _hand_over_slip(self, connection: Connection, school_id: UUID, case: Case, applicant_id: UUID) -> None:
        account_id, now = auth.caller().account_id, self._clock.now()
        applicant = rules.find_slip_to_hand_over(case, applicant_id)
        await applicants.hand_over(connection, school_id, applicant_id, account_id, now)
        await store.touch_case(connection, school_id, case.application_id)
        ground = f"памятка доступа выдана, расписка получена: {rules.write_applicant(applicant)}"
        await case_log.insert_log_entry(connection, school_id, case.application_id, account_id, State.GRANTED, ground, now)

    async def _give_decision(self, connection: Connection, school_id: UUID, request: pb.RecordHandOverRequest) -> None:
        papers = await decisions.list_papers(connection, school_id, [UUID(request.application_id)])
        paper = require_ready(papers.get(UUID(request.applicant_id)))
        channel = DecisionChannel(request.channel or DecisionChannel.IN_PERSON)
        await note_given(connection, school_id, paper.document_id, channel, auth.caller().account_id, self._clock.now())

    async def ShowAuthority(self, request: pb.ShowAuthorityRequest, context: Context) -> pb.ShowAuthorityResponse:
        """Records the document that an applicant shows after the registration (Clause R6)."""
        school_id, who, application_id = UUID(request.school_id), auth.caller(), UUID(request.application_id)
        now = self._clock.now()
        async with self._database.school(school_id) as connection, connection.transaction():
            scene = await self._enter(connection, school_id)
            await store.lock_case(connection, school_id, application_id)
            case = await self._read(connection, scene, application_id, REGISTERING)
            async with requests.once(connection, self._clock, request, pb.ShowAuthorityResponse) as write:
                if write.is_new:
                    applicant = rules.require_showing(case, UUID(request.applicant_id))
                    shown = filing_rules.clean_authority(applicant.kind, convert.shown_authority(request), scene.today)
                    await show_authority(connection, school_id, case, applicant, shown, who.account_id, now)
                    write.answer.application.application_id = request.application_id
                    case = await self._read(connection, scene, application_id, REGISTERING)
            return pb.ShowAuthorityResponse(application=await self._answer(connection, scene, case))

    async def _enter(self, connection: Connection, school_id: UUID) -> Scene:
        """What the call asks first. Raises Unauthenticated SESSION_ENDED."""
        scene = await relations.get_scene(connection, school_id, auth.caller(), self._clock.now())
        require_session(scene.standing)
        return scene

    async def _read(
        self,
        connection: Connection,
        scene: Scene,
        application_id: UUID,
        roles: frozenset[Role],
        *,
        or_own: bool = False,
    ) -> Case:
        """The case with its applicants. Raises NotFound APPLICATION_NOT_FOUND."""
        found = await store.find_case(connection, scene.school_id, application_id, auth.caller().account_id, self._clock.now())
        [case] = await self._with_applicants(connection, scene, [rules.require_case(found, roles, or_own=or_own)])
        return case

    async def _read_all(self, connection: Connection, scene: Scene, ids: list[UUID], roles: frozenset[Role]) -> list[Case]:
        """Cases with their applicants in the order of ids. Raises NotFound APPLICATION_NOT_FOUND for one that is not theirs."""
        found = await store.list_cases_by_id(connection, scene.school_id, ids, auth.caller().account_id, self._clock.now())
        return await self._with_applicants(
            connection, scene, [rules.require_case(found.get(application_id), roles) for application_id in ids]
        )

    async def _with_applicants(self, connection: Connection, scene: Scene, cases: list[Case]) -> list[Case]:
        by_case: dict[UUID, list[Applicant]] = defaultdict(list)
        ids, now = [case.application_id for case in cases], self._clock.now()
        for applicant in await applicants.list_applicants(connection, scene.school_id, ids, scene.today, now):
            by_case[applicant.application_id].append(applicant)
        return [replace(case, applicants=by_case[case.application_id]) for case in cases]

    async def _answer(self, connection: Connection, scene: Scene, case: Case) -> pb.Application:
        log = await case_log.list_log(connection, scene.school_id, case.application_id)
        declared = await declarations.list_declarations(connection, scene.school_id, case.application_id)
        refusal = (await refusals.list_refusals(connection, scene.school_id, [case.application_id])).get(case.application_id)
        papers = await decisions.list_papers(connection, scene.school_id, [case.application_id])
        checklist = rules.build_checklist(case, scene.today)
        message = convert.whole_application(case, checklist, log, declared, refusal, self._clock.now())
        [shown] = await self._show(connection, scene, [(case, show_papers(message, papers))])
        return shown

    async def _answer_list(self, connection: Connection, scene: Scene, cases: list[Case]) -> list[pb.Application]:
        ids, now = [case.application_id for case in cases], self._clock.now()
        known = await refusals.list_refusals(connection, scene.school_id, ids)
        papers = await decisions.list_papers(connection, scene.school_id, ids)
        messages = [convert.refused_application(case, known.get(case.application_id), now) for case in cases]
        whole = [(case, show_papers(message, papers)) for case, message in zip(cases, messages, strict=True)]
        return await self._show(connection, scene, whole)

    async def _show(
        self, connection: Connection, scene: Scene, whole: list[tuple[Case, pb.Application]]
    ) -> list[pb.Application]:
        """The cases as their caller may see them: whole for staff, the own part for an applicant."""
        if all(case.student.caller_roles & rules.READING for case, _ in whole):
            return [message for _, message in whole]
        own = await accounts.get_person_id(connection, scene.school_id, auth.caller().account_id)
        return [
            message
            if case.student.caller_roles & rules.READING
            else convert.own_application(message, own, is_child_told=rules.may_tell_of_child(case, own, scene.today))
            for case, message in whole
        ]
