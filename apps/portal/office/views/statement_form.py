"""The form of a statement of Appendix 2 or 3 from paper, and what was typed into it (Clauses R30-R33)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from apps.portal.numbers import read_number
from apps.portal.office.views.case import write_printout_way
from apps.portal.office.views.informing import set_printout_way
from apps.portal.office.words import KINDS, PAPER_REASONS, STATEMENTS
from diary.access.v1 import application_pb2
from diary.access.v1 import application_service_pb2 as pb
from diary.access.v1.student_pb2 import Guardianship, Student

NEW = "new"
_SIGNERS = 2
_DOES_NOT_WANT = str(application_pb2.PAPER_REASON_DOES_NOT_WANT)


@dataclass(frozen=True, slots=True)
class SignerFields:
    """Who signed, as typed. `who` is a person's id, `new`, or empty; the names and the kind are of a new person. `known_id`
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
    reason: str = _DOES_NOT_WANT
    declines: str = ""
    way: str = ""
    way_note: str = ""
    known_id: str = ""
    known_number: str = ""
    is_another: str = ""

    @property
    def typed_name(self) -> str:
        """The name as typed."""
        return " ".join(filter(None, (self.family_name, self.given_name, self.patronymic)))

    def to_message(self, student_id: str) -> application_pb2.FiledApplicant:
        """The signer of the request. The student begins no paper mode."""
        message = application_pb2.FiledApplicant(
            credentials_way=application_pb2.CREDENTIALS_WAY_IN_PERSON,
            authority_document=self.document,
            authority_date=self.document_date,
            authority_end_date=self.document_end,
        )
        if self.who in (NEW, self.known_id):
            message.guardian_kind = read_number(self.kind)  # type: ignore[assignment]  # a number of the enum, or refused as none
        if self.who == NEW:
            message.family_name, message.given_name, message.patronymic = self.family_name, self.given_name, self.patronymic
            message.is_another_person = bool(self.is_another)
        else:
            message.person_id = self.who
        if self.who != student_id:
            message.paper_reason = read_number(self.reason)  # type: ignore[assignment]
            message.declines_printouts = bool(self.declines)
            set_printout_way(message, self.way, self.way_note)
        return message


@dataclass(frozen=True, slots=True)
class StatementForm:
    """Fields as they stand in the form."""

    kind: str
    channel: str
    received_date: str
    received_time: str
    signers: Sequence[SignerFields]
    request_id: str

    def to_request(self, school_id: str, student_id: str, zone: str) -> pb.RegisterApplicationRequest:
        """The request. Raises ValueError when the date or time is none."""
        received = datetime.fromisoformat(f"{self.received_date}T{self.received_time}").replace(tzinfo=ZoneInfo(zone))
        request = pb.RegisterApplicationRequest(
            school_id=school_id,
            request_id=self.request_id,
            student_id=student_id,
            channel=read_number(self.channel),  # type: ignore[arg-type]
            applicants=[signer.to_message(student_id) for signer in self.signers if signer.who],
            kind=read_kind(self.kind),
        )
        request.receive_time.FromDatetime(received)
        return request

    def again(self, request_id: str) -> "StatementForm":
        """The same words to be sent as another request."""
        return replace(self, request_id=request_id)

    def to_fields(self) -> tuple[tuple[str, str], ...]:
        """Names and values that say all of it again, for a page that only asks to confirm."""
        of_all = [(name, getattr(self, name)) for name in ("kind", "channel", "received_date", "received_time", "request_id")]
        of_signers = [
            (f"signer{number}.{field.name}", getattr(signer, field.name))
            for number, signer in enumerate(self.signers, start=1)
            if signer.who
            for field in fields(SignerFields)
        ]
        return tuple((name, value) for name, value in (*of_all, *of_signers) if value)


@dataclass(frozen=True, slots=True)
class SignerView:
    """A signer as the page to confirm names it; `printouts` is how the signer is informed further, empty of the student."""

    name: str
    relation: str
    printouts: str


def empty_statement(
    kind: application_pb2.ApplicationKind.ValueType,
    channel: application_pb2.ApplicationChannel.ValueType,
    now: datetime,
    is_nobody_known: bool,
    request_id: str,
) -> StatementForm:
    """A form received `now`, in the school's zone; without known guardians the first signer is a new person."""
    first = SignerFields(who=NEW if is_nobody_known else "")
    return StatementForm(str(kind), str(channel), f"{now:%Y-%m-%d}", f"{now:%H:%M}", (first, SignerFields()), request_id)


def read_statement_form(form: Mapping[str, str]) -> StatementForm:
    """Reads the posted fields."""
    return StatementForm(
        kind=form.get("kind", ""),
        channel=form.get("channel", ""),
        received_date=form.get("received_date", ""),
        received_time=form.get("received_time", ""),
        signers=tuple(_read_signer(form, number) for number in range(1, _SIGNERS + 1)),
        request_id=form.get("request_id", ""),
    )


def read_kind(text: str) -> application_pb2.ApplicationKind.ValueType:
    """The kind of a statement. Raises ValueError for another."""
    kind = read_number(text)
    if kind not in STATEMENTS:
        raise ValueError(f"{text!r} is no kind of a statement")
    return kind  # type: ignore[return-value]  # one of the two


def name_signer(field_paths: Sequence[str], form: StatementForm) -> str:
    """«Подписавший 2: » when a refusal is about a field of that signer; empty when it is about the whole form."""
    number = find_signer(field_paths, form)
    return f"Подписавший {number}: " if number else ""


def find_signer(field_paths: Sequence[str], form: StatementForm) -> int:
    """The number in the form of the signer whom a refusal is about; 0 when it is about the whole form."""
    filed = [number for number, signer in enumerate(form.signers, start=1) if signer.who]
    for position, number in enumerate(filed):
        if any(path.startswith(f"applicants[{position}]") for path in field_paths):
            return number
    return 0


def show_known(form: StatementForm, field_paths: Sequence[str], metadata: Mapping[str, str]) -> StatementForm:
    """The form that offers whom the school knows by the name of a new signer (APPLICANT_KNOWN)."""
    known = {"known_id": metadata.get("person_id", ""), "known_number": metadata.get("number", "")}
    number = find_signer(field_paths, form)
    return replace(
        form, signers=[replace(one, **known) if place == number else one for place, one in enumerate(form.signers, start=1)]
    )


def find_mistake(form: StatementForm) -> str:
    """What is to be mended before the statement can be looked at; empty when nothing is."""
    signed = [signer for signer in form.signers if signer.who]
    if not signed:
        return "Выберите, кто подписал заявление."
    known = [signer.who for signer in signed if signer.who != NEW]
    if len(set(known)) < len(known):
        return "Один и тот же человек выбран дважды: оставьте его один раз."
    for number, signer in enumerate(form.signers, start=1):
        if signer.who in (NEW, signer.known_id or NEW) and not (signer.family_name and read_number(signer.kind)):
            return f"Подписавший {number}: укажите фамилию и кем он приходится ребёнку."
        if read_number(signer.way) == application_pb2.PRINTOUT_WAY_OTHER and not (signer.way_note or signer.declines):
            return f"Подписавший {number}: напишите, как именно передавать распечатку."
    return ""


def build_signers(form: StatementForm, student: Student, guardianships: Sequence[Guardianship]) -> tuple[SignerView, ...]:
    """Who signed, by name."""
    known = {one.guardian_person_id: (one.guardian_name, KINDS.get(one.kind, "")) for one in guardianships}
    known[student.student_id] = (student.display_name, "сам ученик")
    return tuple(_build_signer(signer, student, known) for signer in form.signers if signer.who)


def _build_signer(signer: SignerFields, student: Student, known: Mapping[str, tuple[str, str]]) -> SignerView:
    if signer.who in (NEW, signer.known_id):
        name = signer.typed_name
        relation = KINDS.get(read_number(signer.kind), "")  # type: ignore[call-overload]
    else:
        name, relation = known.get(signer.who, ("", ""))
    if signer.who == student.student_id:
        return SignerView(name, relation, "")
    reason = PAPER_REASONS.get(read_number(signer.reason), "")  # type: ignore[call-overload]
    if signer.declines:
        return SignerView(name, relation, "распечатки печататься не будут: заявитель отказался и от них")
    way = write_printout_way(read_number(signer.way), signer.way_note)  # type: ignore[arg-type]
    return SignerView(name, relation, f"распечатка раз в неделю (причина: {reason}){f', {way}' if way else ''}")


def _read_signer(form: Mapping[str, str], number: int) -> SignerFields:
    typed = {field.name: form.get(f"signer{number}.{field.name}", "").strip() for field in fields(SignerFields)}
    return SignerFields(**typed)
