"""The form of Appendix 1 from paper, and what was typed into it (Clause R29)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from apps.portal.numbers import read_number
from diary.access.v1 import application_pb2
from diary.access.v1 import application_service_pb2 as pb

# In a field of whom to choose: a person whom the school does not know yet. An empty field: no applicant.
NEW = "new"
_APPLICANTS = 2


@dataclass(frozen=True, slots=True)
class ApplicantFields:
    """An applicant as typed. `who` is a person's id, `new`, or empty; the names and the kind are of a new one. `known_id`
    is who has that name beside the student already, `known_number` the case that names them; `is_another` says it is not they.
    """

    who: str = ""
    family_name: str = ""
    given_name: str = ""
    patronymic: str = ""
    kind: str = ""
    document: str = ""
    document_date: str = ""
    document_end: str = ""
    email: str = ""
    way: str = str(application_pb2.CREDENTIALS_WAY_IN_PERSON)
    known_id: str = ""
    known_number: str = ""
    is_another: str = ""

    @property
    def typed_name(self) -> str:
        """The name as typed."""
        return " ".join(filter(None, (self.family_name, self.given_name, self.patronymic)))

    def to_message(self) -> application_pb2.FiledApplicant:
        """The applicant of the request; names typed for a new person are left out where a known one is chosen."""
        message = application_pb2.FiledApplicant(
            authority_document=self.document,
            authority_date=self.document_date,
            authority_end_date=self.document_end,
            email=self.email,
            credentials_way=application_pb2.CREDENTIALS_WAY_EMAIL
            if self.way == str(application_pb2.CREDENTIALS_WAY_EMAIL)
            else application_pb2.CREDENTIALS_WAY_IN_PERSON,
        )
        if self.who in (NEW, self.known_id):
            message.guardian_kind = read_number(self.kind)  # type: ignore[assignment]  # a number of the enum, or refused as none
        if self.who != NEW:
            message.person_id = self.who
            return message
        message.family_name, message.given_name, message.patronymic = self.family_name, self.given_name, self.patronymic
        message.is_another_person = bool(self.is_another)
        return message


@dataclass(frozen=True, slots=True)
class ApplicationForm:
    """Fields as they stand in the form."""

    channel: str
    received_date: str
    received_time: str
    applicants: Sequence[ApplicantFields]
    is_for_student_too: bool
    request_id: str

    def to_request(self, school_id: str, student_id: str, zone: str) -> pb.RegisterApplicationRequest:
        """The request. Raises ValueError when the date or time is none."""
        received = datetime.fromisoformat(f"{self.received_date}T{self.received_time}").replace(tzinfo=ZoneInfo(zone))
        request = pb.RegisterApplicationRequest(
            school_id=school_id,
            request_id=self.request_id,
            student_id=student_id,
            channel=read_number(self.channel),  # type: ignore[arg-type]
            applicants=[applicant.to_message() for applicant in self.applicants if applicant.who],
            is_for_student_too=self.is_for_student_too,
        )
        request.receive_time.FromDatetime(received)
        return request

    def again(self, request_id: str) -> "ApplicationForm":
        """The same words to be sent as another request."""
        return replace(self, request_id=request_id)


def empty_form(
    channel: application_pb2.ApplicationChannel.ValueType, now: datetime, is_nobody_known: bool, request_id: str
) -> ApplicationForm:
    """A form received `now`, in the school's zone; without known guardians the first applicant is a new person."""
    first = ApplicantFields(who=NEW if is_nobody_known else "")
    date, time = f"{now:%Y-%m-%d}", f"{now:%H:%M}"
    return ApplicationForm(str(channel), date, time, (first, ApplicantFields()), False, request_id)


def read_application_form(form: Mapping[str, str]) -> ApplicationForm:
    """Reads the posted fields."""
    return ApplicationForm(
        channel=form.get("channel", ""),
        received_date=form.get("received_date", ""),
        received_time=form.get("received_time", ""),
        applicants=tuple(_read_applicant(form, number) for number in range(1, _APPLICANTS + 1)),
        is_for_student_too="is_for_student_too" in form,
        request_id=form.get("request_id", ""),
    )


def name_applicant(field_paths: Sequence[str], form: ApplicationForm) -> str:
    """«Заявитель 2: » when a refusal is about a field of that applicant; empty when it is about the whole form."""
    number = find_applicant(field_paths, form)
    return f"Заявитель {number}: " if number else ""


def find_applicant(field_paths: Sequence[str], form: ApplicationForm) -> int:
    """The number in the form of the applicant whom a refusal is about; 0 when it is about the whole form."""
    filed = [number for number, applicant in enumerate(form.applicants, start=1) if applicant.who]
    for position, number in enumerate(filed):
        if any(path.startswith(f"applicants[{position}]") for path in field_paths):
            return number
    return 0


def show_known(form: ApplicationForm, field_paths: Sequence[str], metadata: Mapping[str, str]) -> ApplicationForm:
    """The form that offers whom the school knows by the name of a new applicant (APPLICANT_KNOWN)."""
    known = {"known_id": metadata.get("person_id", ""), "known_number": metadata.get("number", "")}
    number = find_applicant(field_paths, form)
    return replace(
        form,
        applicants=[replace(one, **known) if place == number else one for place, one in enumerate(form.applicants, start=1)],
    )


def _read_applicant(form: Mapping[str, str], number: int) -> ApplicantFields:
    typed = {field.name: form.get(f"applicant{number}.{field.name}", "").strip() for field in fields(ApplicantFields)}
    return ApplicantFields(**typed)
