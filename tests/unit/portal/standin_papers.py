"""Hand-written answers about papers: documents, paper declarations, what a school's papers say."""

from __future__ import annotations

from typing import Any

import grpc
from google.api import httpbody_pb2

from diary.access.v1 import (
    application_pb2,
    grant_pb2,
    grant_service_pb2,
    paper_declaration_pb2,
    paper_service_pb2,
    school_pb2,
    school_service_pb2,
)
from diary.access.v1.person_name_pb2 import PersonName
from diary.documents.v1 import document_pb2, print_run_pb2, signing_pb2
from tests.unit.portal.standin_cases import APPLICANT, CASE, DOCUMENT, MOTHER, RECEIVED, Answers
from tests.worlds.neighbours import Neighbours, Refusal

FATHER, DECLARATION, RUN, SCAN = (f"0198a000-0000-7000-8000-0000000000b{number}" for number in range(1, 5))
CODE = "ALEK-7K2M-9QXT"


class Documents(Answers):
    """One decision that waits for its signature."""

    service = "diary.documents.v1.DocumentService"

    def __init__(self, neighbours: Neighbours) -> None:
        super().__init__(neighbours)
        self.state = document_pb2.DOCUMENT_STATE_AWAITS_SIGNATURE
        self.has_paper_families = False
        self.is_too_large = False

    def document(self) -> document_pb2.Document:
        """The decision as it stands."""
        document = document_pb2.Document(
            document_id=DOCUMENT,
            kind=document_pb2.DOCUMENT_KIND_REFUSAL,
            number="3-ЭДО/2026",
            document_date="2026-11-17",
            addressee_name="Соколова Мария Викторовна",
            application_id=CASE,
            applicant_id=APPLICANT,
            code=CODE,
            pdf_sha256="ab" * 32,
            state=self.state,
        )
        document.create_time.FromDatetime(RECEIVED)
        if self.state in (document_pb2.DOCUMENT_STATE_SCAN_UNCONFIRMED, document_pb2.DOCUMENT_STATE_SIGNED_ON_PAPER):
            document.scan.scan_id, document.scan.signed_date = SCAN, "2026-11-17"
        return document

    def ListDocuments(self, request: Any) -> document_pb2.ListDocumentsResponse:
        is_asked = request.state in (document_pb2.DOCUMENT_STATE_UNSPECIFIED, self.state)
        return document_pb2.ListDocumentsResponse(documents=[self.document()] if is_asked else [])

    def DownloadDocument(self, request: Any) -> httpbody_pb2.HttpBody:
        if request.document_id != DOCUMENT:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "DOCUMENT_NOT_FOUND")
        if request.part == document_pb2.DOCUMENT_PART_SIGNATURE:
            return httpbody_pb2.HttpBody(content_type="application/octet-stream", data=b"signature")
        return httpbody_pb2.HttpBody(content_type="application/pdf", data=b"%PDF-1.7 decision")

    def BundleDocuments(self, request: Any) -> httpbody_pb2.HttpBody:
        if self.is_too_large:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "DOCUMENTS_TOO_LARGE")
        if request.format == document_pb2.BUNDLE_FORMAT_ZIP:
            return httpbody_pb2.HttpBody(content_type="application/zip", data=b"PK")
        return httpbody_pb2.HttpBody(content_type="application/pdf", data=b"%PDF-1.7 bundle")

    def UploadScan(self, request: Any) -> signing_pb2.UploadScanResponse:
        if not request.file.startswith(b"%PDF"):
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "SCAN_UNREADABLE")
        self.state = document_pb2.DOCUMENT_STATE_SCAN_UNCONFIRMED
        amiss = signing_pb2.Mismatch(place=2, reason=signing_pb2.MISMATCH_REASON_NO_CODE)
        return signing_pb2.UploadScanResponse(documents=[self.document()], mismatches=[amiss])

    def ConfirmScans(self, request: Any) -> signing_pb2.ConfirmScansResponse:
        if list(request.scan_ids) != [SCAN]:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "SCAN_NOT_FOUND")
        self.state = document_pb2.DOCUMENT_STATE_SIGNED_ON_PAPER
        return signing_pb2.ConfirmScansResponse(documents=[self.document()])

    def AttachSignatures(self, request: Any) -> signing_pb2.AttachSignaturesResponse:
        mismatches = [
            signing_pb2.Mismatch(place=place, file_name=file.name, reason=signing_pb2.MISMATCH_REASON_UNKNOWN_DOCUMENT)
            for place, file in enumerate(request.files, start=1)
            if file.content != b"of the decision"
        ]
        if len(mismatches) < len(request.files):
            self.state = document_pb2.DOCUMENT_STATE_SIGNED_ELECTRONICALLY
        is_kept = self.state == document_pb2.DOCUMENT_STATE_SIGNED_ELECTRONICALLY
        return signing_pb2.AttachSignaturesResponse(documents=[self.document()] if is_kept else [], mismatches=mismatches)

    def VerifyDocument(self, request: Any) -> document_pb2.VerifyDocumentResponse:
        if request.file == b"%PDF-1.7 changed":
            return document_pb2.VerifyDocumentResponse(verdict=document_pb2.VERDICT_CHANGED)
        if request.code != CODE and request.file != b"%PDF-1.7 decision":
            return document_pb2.VerifyDocumentResponse(verdict=document_pb2.VERDICT_UNKNOWN)
        return document_pb2.VerifyDocumentResponse(
            verdict=document_pb2.VERDICT_VALID,
            kind=document_pb2.DOCUMENT_KIND_REFUSAL,
            document_date="2026-11-17",
            state=document_pb2.DOCUMENT_STATE_SIGNED_ON_PAPER,
            pdf_sha256="ab" * 32,
        )

    def RenderForm(self, request: Any) -> httpbody_pb2.HttpBody:
        if request.kind not in ("appendix-2", "appendix-3", "student-statement", "paper"):
            raise Refusal(grpc.StatusCode.NOT_FOUND, "FORM_NOT_FOUND")
        return httpbody_pb2.HttpBody(content_type="application/pdf", data=b"%PDF-1.7 form")

    def ListPrintRuns(self, request: Any) -> print_run_pb2.ListPrintRunsResponse:
        return print_run_pb2.ListPrintRunsResponse()

    def PrepareWeeklyPrintouts(self, request: Any) -> print_run_pb2.PrepareWeeklyPrintoutsResponse:
        if request.audience == print_run_pb2.PRINT_AUDIENCE_PAPER_FAMILIES and not self.has_paper_families:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "NO_PAPER_FAMILIES")
        return print_run_pb2.PrepareWeeklyPrintoutsResponse(print_run=print_run_pb2.PrintRun(print_run_id=RUN))


class Papers(Answers):
    """Declarations of the mother and the father about one student, newest first."""

    service = "diary.access.v1.PaperService"

    def __init__(self, neighbours: Neighbours, student_id: str) -> None:
        super().__init__(neighbours)
        self._student_id = student_id
        self.listed: list[paper_declaration_pb2.ListedPaperDeclaration] = []

    def ListPaperDeclarations(self, request: Any) -> paper_service_pb2.ListPaperDeclarationsResponse:
        return paper_service_pb2.ListPaperDeclarationsResponse(declarations=self.listed)

    def ListOwnPaperDeclarations(self, request: Any) -> paper_service_pb2.ListOwnPaperDeclarationsResponse:
        own = [
            paper_declaration_pb2.OwnPaperDeclaration(
                declaration=one.declaration,
                form=one.form,
                student_id=self._student_id,
                student=PersonName(family_name="Соколова", given_name="Анна", patronymic="Дмитриевна"),
            )
            for one in self.listed
            if one.guardian_person_id == MOTHER
        ]
        return paper_service_pb2.ListOwnPaperDeclarationsResponse(declarations=own)

    def RecordPaperDeclaration(self, request: Any) -> paper_service_pb2.RecordPaperDeclarationResponse:
        if request.declare_date > "2026-11-17":
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "DECLARED_IN_FUTURE", "declare_date")
        if request.printout_way == application_pb2.PRINTOUT_WAY_OTHER and not request.printout_way_note:
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "PRINTOUT_WAY_NOTE_REQUIRED", "printout_way_note")
        listed = declaration(request.guardian_person_id or MOTHER, request.form, request.declines_printouts)
        listed.declaration.printout_way = request.printout_way
        listed.declaration.printout_way_note = request.printout_way_note
        self.listed.insert(0, listed)
        return paper_service_pb2.RecordPaperDeclarationResponse(declaration=listed)

    def RevokePaperDeclaration(self, request: Any) -> paper_service_pb2.RevokePaperDeclarationResponse:
        for one in self.listed:
            if one.declaration.declaration_id == request.declaration_id:
                one.declaration.revoke_time.FromDatetime(RECEIVED)
                return paper_service_pb2.RevokePaperDeclarationResponse(declaration=one)
        raise Refusal(grpc.StatusCode.NOT_FOUND, "PAPER_DECLARATION_NOT_FOUND")


def declaration(person_id: str, form: Any, declines: bool = False) -> paper_declaration_pb2.ListedPaperDeclaration:
    """A declaration in force."""
    is_mothers = person_id == MOTHER
    return paper_declaration_pb2.ListedPaperDeclaration(
        declaration=application_pb2.PaperDeclaration(
            declaration_id=DECLARATION,
            number="15-Р/2026" if is_mothers else "14-Р/2026",
            declare_date="2026-11-17",
            reason=application_pb2.PAPER_REASON_DOES_NOT_WANT,
            declines_printouts=declines,
        ),
        guardian_person_id=person_id,
        guardian_name="Соколова Мария Викторовна" if is_mothers else "Соколов Дмитрий Олегович",
        form=form or paper_declaration_pb2.PAPER_DECLARATION_FORM_ELECTRONIC,
    )


class Grants(Answers):
    """The mother's own accesses, the newest first; of strangers none."""

    service = "diary.access.v1.GrantService"

    def __init__(self, neighbours: Neighbours) -> None:
        super().__init__(neighbours)
        self.held: list[grant_pb2.OwnGrant] = []

    def ListOwnGrants(self, request: Any) -> grant_service_pb2.ListOwnGrantsResponse:
        wanted = [one for one in self.held if request.student_id in ("", one.grant.student_id)]
        return grant_service_pb2.ListOwnGrantsResponse(grants=wanted)


def own_grant(student_id: str, statement: str = "", **changes: Any) -> grant_pb2.OwnGrant:
    """An access by an earlier application on paper; ended where a statement is named."""
    made = grant_pb2.OwnGrant(
        grant=grant_pb2.Grant(
            student_id=student_id,
            student_name="Соколова Анна Дмитриевна",
            application_number="22-ЭД/2021",
            application_date="2021-09-07",
        ),
        may_apply_again=True,
        end_application_number=statement,
        end_application_id=CASE if statement else "",
    )
    if statement:
        made.grant.end_time.FromDatetime(RECEIVED)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


class Schools(Answers):
    """One school whose details two may change."""

    service = "diary.access.v1.SchoolService"

    def __init__(self, neighbours: Neighbours) -> None:
        super().__init__(neighbours)
        self.etag = "1"
        self.regulation: school_pb2.Regulation | None = None
        self.details = school_pb2.SchoolDetails(phone="+7 000 000-00-00", founder="Управление образования")

    def GetSchool(self, request: Any) -> school_service_pb2.GetSchoolResponse:
        school = school_pb2.School(school_id=request.school_id, name="Школа", full_name="Школа имени всех")
        return school_service_pb2.GetSchoolResponse(
            school=school, details=self.details, etag=self.etag, regulation=self.regulation
        )

    def AdoptRegulation(self, request: Any) -> school_service_pb2.AdoptRegulationResponse:
        if request.valid_from_date < request.order_date:
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID", "valid_from_date")
        names = ("title", "order_number", "order_date", "valid_from_date")
        self.regulation = school_pb2.Regulation(**{name: getattr(request, name) for name in names})
        return school_service_pb2.AdoptRegulationResponse(regulation=self.regulation)

    def UpdateSchool(self, request: Any) -> school_service_pb2.UpdateSchoolResponse:
        if request.etag != self.etag:
            raise Refusal(grpc.StatusCode.ABORTED, "ETAG_STALE")
        self.details, self.etag = request.details, f"{self.etag}1"
        return school_service_pb2.UpdateSchoolResponse(details=self.details, etag=self.etag)
