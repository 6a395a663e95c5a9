"""Hand-written answers about applications, first credentials, the roster and letters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.api import httpbody_pb2

from diary.access.v1 import (
    application_pb2,
    compliance_service_pb2,
    credential_service_pb2,
    deadline_pb2,
    guardianship_pb2,
    refusal_pb2,
    roster_service_pb2,
    session_pb2,
    student_pb2,
)
from diary.access.v1 import application_service_pb2 as pb
from diary.notify.v1 import preference_pb2, preference_service_pb2
from tests.worlds.neighbours import Call, Neighbours, Refusal

CLASS, CASE, MOTHER, APPLICANT, GRANT, DOCUMENT = (f"0198a000-0000-7000-8000-0000000000a{number}" for number in range(1, 7))
ONE_TIME, LETTER_TOKEN, ONE_TIME_CODE = "k7mp-x2da-94rt", "token-of-the-letter", "123456"
RECEIVED = datetime(2026, 11, 16, 8, 40, tzinfo=UTC)
# Midnight in Simferopol.
DUE = datetime(2026, 11, 18, 21, tzinfo=UTC)


class Answers:
    """Answers the RPCs of a service by the methods of their names; the others stay unanswered."""

    service: str

    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours
        neighbours.answer_by(self.service, self)

    def calls(self, method: str) -> list[Call]:
        """The calls of a method, in their order."""
        return [call for call in self._neighbours.calls if call.rpc == f"{self.service}/{method}"]

    @property
    def sent(self) -> list[Any]:
        """The requests to change something, in their order."""
        own = [call.request for call in self._neighbours.calls if call.rpc.startswith(f"{self.service}/")]
        return [request for request in own if "request_id" in request.DESCRIPTOR.fields_by_name]


class Applications(Answers):
    """One case of the mother's. `end` ends what a statement of hers ends."""

    service = "diary.access.v1.ApplicationService"

    def __init__(self, neighbours: Neighbours, student_id: str, end: Callable[[], None]) -> None:
        super().__init__(neighbours)
        self._student_id = student_id
        self._end = end
        self.kind = application_pb2.APPLICATION_KIND_APPENDIX_1
        self.person_id = MOTHER
        self.is_granted = False
        self.is_enrolled = True
        self.is_handed_over = False
        self.is_activated = False
        self.has_access = False
        self.is_access_ended = False
        self.email = ""
        self.document, self.document_end = "доверенность № 5", "2026-12-31"
        self.is_relation_shown = True
        self.known: dict[str, str] = {}
        self.is_withdrawn = False
        self.has_totp = True
        self.wrong_code = "CODE_WRONG"
        self.is_relation_proved = False
        # How often an ending is not confirmed yet; its channel asks three times before the page hears of it.
        self.unconfirmed = 0
        self.refusal: refusal_pb2.Refusal | None = None
        self.decision: refusal_pb2.DecisionPaper | None = None

    def propose(self, ground: refusal_pb2.RefusalGround.ValueType) -> None:
        """A refusal that waits for the head."""
        self.refusal = refusal_pb2.Refusal(ground=ground, evidence="заявление № 15-ЭД/2026 от 16.11.2026")
        self.refusal.propose_time.FromDatetime(RECEIVED + timedelta(hours=1))

    def sign(self) -> None:
        """The head's signature under the proposed refusal, whose paper is made."""
        assert self.refusal
        self.refusal.number, self.refusal.signer_name = "3-ЭДО/2026", "Супрун Игорь Евгеньевич"
        self.refusal.sign_time.FromDatetime(RECEIVED + timedelta(hours=2))
        self.decision = refusal_pb2.DecisionPaper(document_id=DOCUMENT)
        self.decision.issue_time.FromDatetime(RECEIVED + timedelta(hours=2))

    def bring_scan(self) -> None:
        """The paper signed by hand."""
        assert self.decision
        self.decision.signing_way = refusal_pb2.SIGNING_WAY_PAPER
        self.decision.sign_time.FromDatetime(RECEIVED + timedelta(hours=3))

    def state(self) -> application_pb2.ApplicationState.ValueType:
        """Where the case stands."""
        if self.is_granted:
            return application_pb2.APPLICATION_STATE_GRANTED
        if self.is_withdrawn:
            return application_pb2.APPLICATION_STATE_WITHDRAWN
        if self.refusal:
            return (
                application_pb2.APPLICATION_STATE_REFUSED
                if self.refusal.number
                else application_pb2.APPLICATION_STATE_REFUSAL_PROPOSED
            )
        return application_pb2.APPLICATION_STATE_REGISTERED

    def case(self) -> application_pb2.Application:
        """The case as it stands."""
        applicant = application_pb2.Applicant(
            applicant_id=APPLICANT,
            person_id=self.person_id,
            display_name="Соколова Мария Викторовна",
            guardian_kind=guardianship_pb2.GUARDIAN_KIND_MOTHER,
            credentials_way=application_pb2.CREDENTIALS_WAY_IN_PERSON,
            grant_id=GRANT if self.is_granted else "",
            login="sokolova.mv" if self.is_granted else "",
            is_activated=self.is_activated,
            has_access=self.has_access or (self.is_granted and not self.is_access_ended),
            email=self.email,
            authority_document=self.document,
            authority_end_date=self.document_end,
        )
        if self.kind == application_pb2.APPLICATION_KIND_APPENDIX_1:
            applicant.due_time.FromDatetime(DUE)
        else:
            reason = application_pb2.PAPER_REASON_DOES_NOT_WANT
            made = application_pb2.PaperDeclaration(number="15-Р/2026", declare_date="2026-11-16", reason=reason)
            applicant.paper_declaration.CopyFrom(made)
        if self.decision:
            applicant.decision.CopyFrom(self.decision)
        if self.is_granted:
            applicant.met_time.FromDatetime(RECEIVED + timedelta(hours=5))
        if self.is_handed_over:
            applicant.hand_over_time.FromDatetime(RECEIVED + timedelta(hours=6))
        case = application_pb2.Application(
            application_id=CASE,
            number="15-ЭД/2026",
            channel=application_pb2.APPLICATION_CHANNEL_CLASS_TEACHER,
            state=self.state(),
            kind=self.kind,
            refusal=self.refusal,
            regulation="приказ от 28.08.2020 № 315",
            student_id=self._student_id,
            student_name="Соколова Анна Дмитриевна",
            class_name="8-А",
            applicants=[applicant],
        )
        case.receive_time.FromDatetime(RECEIVED)
        case.register_time.FromDatetime(RECEIVED + timedelta(minutes=5))
        return case

    def whole_case(self) -> application_pb2.Application:
        """With checklist and log."""
        case = self.case()
        for clause, evidence in (
            ("R10", "приказ от 30.08.2026 № 15-у" if self.is_enrolled else ""),
            ("R11", "данные внесены, класс 8-А"),
            ("R12", "№ 15-ЭД/2026 от 16.11.2026"),
            ("R6", "Соколова Мария Викторовна — мать, <b>свидетельство</b>" if self.is_relation_shown else ""),
        ):
            case.checklist.append(application_pb2.ChecklistItem(clause=clause, is_met=bool(evidence), evidence=evidence))
        line = application_pb2.CaseLogEntry(
            actor_name="Петрова Н. И.", state=case.state, ground="подано через классного руководителя"
        )
        line.time.FromDatetime(RECEIVED)
        case.log.append(line)
        return case

    def RegisterApplication(self, request: Any) -> pb.RegisterApplicationResponse:
        for index, applicant in enumerate(request.applicants):
            is_own = request.channel == application_pb2.APPLICATION_CHANNEL_DIARY
            if not applicant.person_id and not applicant.family_name and not is_own:
                raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "APPLICANT_INCOMPLETE", f"applicants[{index}]")
            if self.known and applicant.family_name and not applicant.is_another_person:
                field = f"applicants[{index}].family_name"
                raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "APPLICANT_KNOWN", field, **self.known)
            if applicant.email == "none@such":
                raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID", f"applicants[{index}].email")
            if applicant.printout_way == application_pb2.PRINTOUT_WAY_OTHER and not applicant.printout_way_note:
                field = f"applicants[{index}].printout_way_note"
                raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "PRINTOUT_WAY_NOTE_REQUIRED", field)
        if request.kind in (application_pb2.APPLICATION_KIND_APPENDIX_2, application_pb2.APPLICATION_KIND_APPENDIX_3):
            self.kind = request.kind
            if self.unconfirmed:
                self.unconfirmed -= 1
                raise Refusal(grpc.StatusCode.UNAVAILABLE, "ENDING_PENDING")
            if not request.applicants[0].person_id:
                self._end()
        return pb.RegisterApplicationResponse(application=self.whole_case())

    def GetApplication(self, request: Any) -> pb.GetApplicationResponse:
        if request.application_id != CASE:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "APPLICATION_NOT_FOUND")
        return pb.GetApplicationResponse(application=self.whole_case())

    def ListApplications(self, request: Any) -> pb.ListApplicationsResponse:
        case = self.case()
        is_asked = request.state in (application_pb2.APPLICATION_STATE_UNSPECIFIED, case.state)
        return pb.ListApplicationsResponse(
            applications=[case] if is_asked else [], next_page_token="" if request.page_token else "next="
        )

    def GrantApplication(self, request: Any) -> pb.GrantApplicationResponse:
        if not self.is_enrolled:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "CHECKLIST_INCOMPLETE", clauses="R10")
        self.is_granted = True
        return pb.GrantApplicationResponse(application=self.whole_case())

    def ShowAuthority(self, request: Any) -> pb.ShowAuthorityResponse:
        if request.authority_document == "x":
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "AUTHORITY_DOCUMENT_INVALID", "authority_document")
        self.document, self.document_end, self.is_relation_shown = request.authority_document, request.authority_end_date, True
        return pb.ShowAuthorityResponse(application=self.whole_case())

    def RecordHandOver(self, request: Any) -> pb.RecordHandOverResponse:
        if self.decision and not self.decision.signing_way:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "DECISION_NOT_SIGNED")
        if self.decision:
            self.decision.channel = request.channel
            self.decision.deliver_time.FromDatetime(RECEIVED + timedelta(hours=4))
            self.decision.delivered_by = "Петрова Н. И."
        self.is_handed_over = True
        return pb.RecordHandOverResponse(application=self.whole_case())

    def ProposeRefusal(self, request: Any) -> pb.ProposeRefusalResponse:
        if request.ground == refusal_pb2.REFUSAL_GROUND_NOT_AN_APPLICANT and self.is_relation_proved:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "GROUND_NOT_PROVED", clause="R19")
        self.propose(request.ground)
        return pb.ProposeRefusalResponse(application=self.whole_case())

    def SignRefusals(self, request: Any) -> pb.SignRefusalsResponse:
        if not self.has_totp:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "TOTP_NOT_ENROLLED")
        if request.one_time_code != ONE_TIME_CODE:
            raise Refusal(grpc.StatusCode.UNAUTHENTICATED, self.wrong_code)
        self.sign()
        return pb.SignRefusalsResponse(applications=[self.case()])

    def WithdrawApplication(self, request: Any) -> pb.WithdrawApplicationResponse:
        if self.kind != application_pb2.APPLICATION_KIND_APPENDIX_1:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_TO_WITHDRAW")
        self.is_withdrawn = True
        return pb.WithdrawApplicationResponse(application=self.whole_case())


class Compliance(Answers):
    """The terms of a school, the earliest due first."""

    service = "diary.access.v1.ComplianceService"

    def __init__(self, neighbours: Neighbours) -> None:
        super().__init__(neighbours)
        self.deadlines: list[deadline_pb2.Deadline] = []

    def ListDeadlines(self, request: Any) -> compliance_service_pb2.ListDeadlinesResponse:
        token = "next" if not request.page_token and len(self.deadlines) > 2 else ""
        return compliance_service_pb2.ListDeadlinesResponse(deadlines=self.deadlines, next_page_token=token)


class Credentials(Answers):
    """Slips printed once a request, and one account that is activated once."""

    service = "diary.access.v1.CredentialService"

    def __init__(self, neighbours: Neighbours, issue: Any) -> None:
        super().__init__(neighbours)
        self._issue = issue
        self.printed: list[str] = []
        self.activated: list[Any] = []

    def IssueSlip(self, request: Any) -> httpbody_pb2.HttpBody:
        if request.request_id in self.printed:
            raise Refusal(grpc.StatusCode.ALREADY_EXISTS, "SLIP_ALREADY_ISSUED")
        self.printed.append(request.request_id)
        return httpbody_pb2.HttpBody(content_type="application/pdf", data=b"%PDF-1.7 slip")

    def ActivateAccount(self, request: Any) -> credential_service_pb2.ActivateAccountResponse:
        if request.login == "blocked":
            retry_time = datetime(2026, 11, 17, 9, 11, 30, tzinfo=UTC).isoformat()
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "SIGN_IN_BLOCKED", retry_time=retry_time)
        is_right = request.activation_token == LETTER_TOKEN or (request.login, request.one_time_password) == ("new", ONE_TIME)
        if not is_right or self.activated:
            raise Refusal(grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_INVALID")
        if len(request.new_password) < 10:
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "PASSWORD_TOO_WEAK")
        self.activated.append(request)
        tokens: session_pb2.SessionTokens = self._issue()
        return credential_service_pb2.ActivateAccountResponse(tokens=tokens, login="new")


class Roster(Answers):
    """One class with one student, whose mother is known."""

    service = "diary.access.v1.RosterService"

    def __init__(self, neighbours: Neighbours, student_id: str) -> None:
        super().__init__(neighbours)
        self._student = student_pb2.Student(
            student_id=student_id, display_name="Соколова Анна Дмитриевна", class_id=CLASS, class_name="8-А"
        )
        self.is_mother_known = True
        self.mondays: list[str] = []

    def ListClasses(self, request: Any) -> roster_service_pb2.ListClassesResponse:
        of_class = student_pb2.SchoolClass(class_id=CLASS, name="8-А", class_teacher_name="Петрова Нина Ивановна")
        return roster_service_pb2.ListClassesResponse(classes=[of_class])

    def ListStudents(self, request: Any) -> roster_service_pb2.ListStudentsResponse:
        if request.class_id not in ("", CLASS):
            raise Refusal(grpc.StatusCode.NOT_FOUND, "CLASS_NOT_FOUND")
        self.mondays.append(request.monday_date)
        return roster_service_pb2.ListStudentsResponse(students=[self._student])

    def GetStudent(self, request: Any) -> roster_service_pb2.GetStudentResponse:
        if request.student_id != self._student.student_id:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "STUDENT_NOT_FOUND")
        return roster_service_pb2.GetStudentResponse(student=self._student)

    def ListGuardianships(self, request: Any) -> roster_service_pb2.ListGuardianshipsResponse:
        mother = student_pb2.Guardianship(
            guardian_person_id=MOTHER, guardian_name="Соколова Мария Викторовна", kind=guardianship_pb2.GUARDIAN_KIND_MOTHER
        )
        return roster_service_pb2.ListGuardianshipsResponse(guardianships=[mother] if self.is_mother_known else [])


class Preferences(Answers):
    """Letters about one student."""

    service = "diary.notify.v1.PreferenceService"

    def __init__(self, neighbours: Neighbours, student_id: str) -> None:
        super().__init__(neighbours)
        self._student_id = student_id
        self.is_on = False
        self.email = "maria.sokolova@mail.ru"

    def GetPreferences(self, request: Any) -> preference_service_pb2.GetPreferencesResponse:
        return preference_service_pb2.GetPreferencesResponse(preferences=[self._preference()], email=self.email)

    def UpdatePreferences(self, request: Any) -> preference_service_pb2.UpdatePreferencesResponse:
        if request.is_marks_letter_on and not self.email:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "CONTACT_NOT_FOUND")
        self.is_on = request.is_marks_letter_on
        return preference_service_pb2.UpdatePreferencesResponse(preference=self._preference())

    def _preference(self) -> preference_pb2.Preference:
        return preference_pb2.Preference(student_id=self._student_id, is_marks_letter_on=self.is_on)
