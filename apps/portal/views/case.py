"""A case as its page shows it: applicants, the check before granting, the log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from apps.portal.views import dates
from apps.portal.views.applications import TermView, build_term
from apps.portal.views.case_words import CHANNELS, CHECKS, KINDS, STATES, WAYS
from diary.access.v1 import application_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class ApplicantView:
    """An applicant. The two ids are of the requests that the buttons of the page would send."""

    applicant_id: str
    grant_id: str
    name: str
    relation: str
    way: str
    email: str
    term: TermView
    login: str
    handed_over: str
    is_activated: bool
    slip_request_id: str
    hand_over_request_id: str


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
class CaseView:
    """A case."""

    number: str
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
    is_granted: bool
    is_complete: bool
    grant_request_id: str


def build_case(case: pb.Application, zone: str, now: datetime, new_id: Callable[[], str]) -> CaseView:
    """The case of an answer."""
    return CaseView(
        number=case.number,
        student_id=case.student_id,
        student_name=case.student_name,
        class_name=case.class_name,
        state=STATES.get(case.state, ""),
        received=dates.moment(case.receive_time, zone),
        registered=dates.moment(case.register_time, zone),
        channel=CHANNELS.get(case.channel, ""),
        regulation=case.regulation,
        applicants=tuple(_build_applicant(applicant, zone, now, new_id) for applicant in case.applicants),
        checks=tuple(_build_check(item) for item in case.checklist),
        log=tuple(LogLine(dates.moment(entry.time, zone), entry.actor_name, _bind(entry.ground)) for entry in case.log),
        is_granted=case.state == pb.APPLICATION_STATE_GRANTED,
        is_complete=all(item.is_met for item in case.checklist),
        grant_request_id=new_id(),
    )


def _build_applicant(applicant: pb.Applicant, zone: str, now: datetime, new_id: Callable[[], str]) -> ApplicantView:
    return ApplicantView(
        applicant_id=applicant.applicant_id,
        grant_id=applicant.grant_id,
        name=applicant.display_name,
        relation=KINDS.get(applicant.guardian_kind, "сам ученик"),
        way=WAYS.get(applicant.credentials_way, ""),
        email=applicant.email,
        term=build_term([applicant], zone, now),
        login=applicant.login,
        handed_over=dates.moment(applicant.hand_over_time, zone) if applicant.HasField("hand_over_time") else "",
        is_activated=applicant.is_activated,
        slip_request_id=new_id(),
        hand_over_request_id=new_id(),
    )


def _build_check(item: pb.ChecklistItem) -> CheckView:
    title, todo = CHECKS.get(item.clause, (item.clause, ""))
    return CheckView(title, _bind(item.evidence) if item.is_met else todo, item.is_met)


def _bind(text: str) -> str:
    """The text with numbers held to their sign."""
    return text.replace("№ ", "№\u00a0")
