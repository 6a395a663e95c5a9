"""A case as its page shows it: applicants, the check before granting, the refusal, the log."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from apps.portal import dates
from apps.portal.office import words
from apps.portal.office.views.applications import TermView, build_term
from apps.portal.office.views.decisions import DecisionView, RefusalView, build_decision, build_refusal
from diary.access.v1 import application_pb2, guardianship_pb2

_OPEN = frozenset(
    {
        application_pb2.APPLICATION_STATE_REGISTERED,
        application_pb2.APPLICATION_STATE_WAITS_FOR_ENROLMENT,
        application_pb2.APPLICATION_STATE_REFUSAL_PROPOSED,
    }
)


@dataclass(frozen=True, slots=True)
class ApplicantView:
    """An applicant. The ids of requests are of those that the buttons of the page would send. `may_show`: a document is needed
    yet; `is_document_over`: the one shown holds no longer.
    """

    applicant_id: str
    person_id: str
    grant_id: str
    name: str
    relation: str
    way: str
    email: str
    term: TermView
    login: str
    handed_over: str
    is_activated: bool
    has_access: bool
    document: str
    is_document_over: bool
    declaration: str
    decision: DecisionView | None
    may_show: bool
    slip_request_id: str
    hand_over_request_id: str
    authority_request_id: str


@dataclass(frozen=True, slots=True)
class CheckView:
    """A line of the check: what must hold, and the fact it holds by or what to do."""

    title: str
    text: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the log."""

    time: str
    actor: str
    ground: str


@dataclass(frozen=True, slots=True)
class GroundChoice:
    """A ground that can be right for the case: its number, its words, when it is right."""

    value: int
    text: str
    hint: str


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case. `may_be_refused`, `may_be_withdrawn`: its state and kind allow it, whoever looks."""

    number: str
    title: str
    student_id: str
    student_name: str
    class_name: str
    state: str
    received: str
    registered: str
    channel: str
    regulation: str
    applicants: tuple[ApplicantView, ...]
    checks: tuple[CheckView, ...]
    log: tuple[LogLine, ...]
    refusal: RefusalView | None
    grounds: tuple[GroundChoice, ...]
    is_statement: bool
    is_open: bool
    is_granted: bool
    is_refused: bool
    is_complete: bool
    has_slips_to_give: bool
    may_be_withdrawn: bool
    grant_request_id: str
    refusal_request_id: str
    withdraw_request_id: str


def build_case(
    case: application_pb2.Application, school_id: str, zone: str, now: datetime, new_id: Callable[[], str]
) -> CaseView:
    """The case of an answer."""
    is_statement, is_open = words.is_statement(case.kind), case.state in _OPEN
    lacks_relation = any(item.clause == "R6" and not item.is_met for item in case.checklist)
    applicants = tuple(
        _build_applicant(school_id, applicant, zone, now, new_id, may_show=is_open and not is_statement and lacks_relation)
        for applicant in case.applicants
    )
    is_document_over = any(applicant.is_document_over for applicant in applicants)
    return CaseView(
        number=case.number,
        title=words.title(case.kind),
        student_id=case.student_id,
        student_name=case.student_name,
        class_name=case.class_name,
        state=words.STATES.get(case.state, ""),
        received=dates.moment(case.receive_time, zone),
        registered=dates.moment(case.register_time, zone),
        channel=words.CHANNELS.get(case.channel, ""),
        regulation=case.regulation,
        applicants=applicants,
        checks=() if is_statement else tuple(_build_check(item, is_document_over=is_document_over) for item in case.checklist),
        log=tuple(LogLine(dates.moment(entry.time, zone), entry.actor_name, _bind(entry.ground)) for entry in case.log),
        refusal=build_refusal(case, zone),
        grounds=tuple(
            GroundChoice(ground, words.GROUNDS[ground], words.GROUND_HINTS[ground]) for ground in words.grounds_for(case.kind)
        ),
        is_statement=is_statement,
        is_open=is_open,
        is_granted=case.state == application_pb2.APPLICATION_STATE_GRANTED,
        is_refused=case.state == application_pb2.APPLICATION_STATE_REFUSED,
        is_complete=bool(case.checklist) and all(item.is_met for item in case.checklist),
        has_slips_to_give=any(not applicant.is_activated for applicant in case.applicants),
        may_be_withdrawn=is_open and not is_statement,
        grant_request_id=new_id(),
        refusal_request_id=new_id(),
        withdraw_request_id=new_id(),
    )


def write_declaration(declaration: application_pb2.PaperDeclaration) -> str:
    """«№ 15-Р/2026 от 20.11.2026, причина: нежелание пользоваться электронным дневником; распечатки не нужны»; in place of the
    last part how they are to be given, where that was said.
    """
    reason = words.PAPER_REASONS.get(declaration.reason, "")
    way = write_printout_way(declaration.printout_way, declaration.printout_way_note)
    printouts = "распечатки не нужны" if declaration.declines_printouts else f"распечатку {way}" if way else ""
    on = f" от\u00a0{dates.numeric(declaration.declare_date)}" if declaration.declare_date else ""
    why = f", причина: {reason}" if reason else ""
    return f"{_bind(f'№ {declaration.number}')}{on}{why}{f'; {printouts}' if printouts else ''}"


def write_printout_way(way: application_pb2.PrintoutWay.ValueType, note: str) -> str:
    """«передавать с ребёнком», «передавать иначе: бабушке»; empty where nothing was said."""
    if way == application_pb2.PRINTOUT_WAY_OTHER:
        return f"передавать иначе: {note}"
    return words.PRINTOUT_WAYS.get(way, "")


def _build_applicant(
    school_id: str, applicant: application_pb2.Applicant, zone: str, now: datetime, new_id: Callable[[], str], *, may_show: bool
) -> ApplicantView:
    end, today = applicant.authority_end_date, now.astimezone(ZoneInfo(zone)).date()
    is_over = bool(end) and date.fromisoformat(end) < today
    return ApplicantView(
        applicant_id=applicant.applicant_id,
        person_id=applicant.person_id,
        grant_id=applicant.grant_id,
        name=applicant.display_name,
        relation=words.KINDS.get(applicant.guardian_kind, "сам ученик"),
        way=words.WAYS.get(applicant.credentials_way, ""),
        email=applicant.email,
        term=build_term([applicant], zone, now),
        login=applicant.login,
        handed_over=dates.moment(applicant.hand_over_time, zone) if applicant.HasField("hand_over_time") else "",
        is_activated=applicant.is_activated,
        has_access=applicant.has_access,
        document=_write_authority(applicant, is_over=is_over),
        is_document_over=is_over,
        declaration=write_declaration(applicant.paper_declaration) if applicant.HasField("paper_declaration") else "",
        decision=build_decision(school_id, applicant, zone),
        may_show=may_show and applicant.guardian_kind != guardianship_pb2.GUARDIAN_KIND_UNSPECIFIED,
        slip_request_id=new_id(),
        hand_over_request_id=new_id(),
        authority_request_id=new_id(),
    )


def _write_authority(applicant: application_pb2.Applicant, *, is_over: bool) -> str:
    """The document that was shown, and until when it holds or held."""
    if not applicant.authority_end_date:
        return _bind(applicant.authority_document)
    last = dates.numeric(applicant.authority_end_date)
    return f"{_bind(applicant.authority_document)}, {'срок истёк' if is_over else 'действует по'}\u00a0{last}"


def _build_check(item: application_pb2.ChecklistItem, *, is_document_over: bool) -> CheckView:
    title, todo = words.CHECKS.get(item.clause, ("Условие регламента", ""))
    if item.clause == "R6" and is_document_over:
        todo = words.DOCUMENT_OVER
    return CheckView(title, _bind(item.evidence) if item.is_met else todo, item.is_met)


def _bind(text: str) -> str:
    """The text with numbers of papers held to their sign and whole."""
    return re.sub(r"(\d)-(ЭДО?|Р)/", "\\1\u2011\\2/", text.replace("№ ", "№\u00a0"))
