"""All that a family has filed in a school: cases, declarations for paper, what its accesses stand on (Clauses R8, R12)."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.portal import dates
from apps.portal.office import words
from apps.portal.people import informing_url, own_cases_url
from chassis.names import build_display_name
from diary.access.v1 import application_pb2, grant_pb2, paper_declaration_pb2

_PAPER = "Заявление об информировании на бумажном носителе"
_EARLIER = "Заявление, по которому открыт доступ к дневнику"
_DAY = "%Y-%m-%d"


@dataclass(frozen=True, slots=True)
class FilingRow:
    """A paper of the list. `url` is empty for one without a page of its own; `day` is what the list is ordered by, ISO 8601."""

    day: str
    url: str
    number: str
    title: str
    student_name: str
    filed: str
    state: str


@dataclass(frozen=True, slots=True)
class EndedAccess:
    """An access that its holder's own statement has ended."""

    student_name: str
    ended: str
    number: str
    url: str


def build_own_cases(
    school_id: str, person_id: str, cases: Iterable[application_pb2.Application], zone: str
) -> tuple[FilingRow, ...]:
    """The cases in which the person is an applicant; a teacher's list holds others too."""
    return tuple(
        FilingRow(
            day=f"{dates.local(case.receive_time, zone):{_DAY}}",
            url=f"{own_cases_url(school_id)}/{case.application_id}",
            number=case.number,
            title=words.title(case.kind),
            student_name=case.student_name,
            filed=f"поступило {dates.moment(case.receive_time, zone)}",
            state=words.own_state(case.kind, case.state),
        )
        for case in cases
        if person_id and any(applicant.person_id == person_id for applicant in case.applicants)
    )


def build_own_declarations(
    school_id: str, declarations: Iterable[paper_declaration_pb2.OwnPaperDeclaration], zone: str, open_ids: frozenset[str]
) -> tuple[FilingRow, ...]:
    """Declarations for paper, also those within a statement of Appendix 2 or 3, which its case shows too. `open_ids`: diaries
    that are open.
    """
    return tuple(
        FilingRow(
            day=one.declaration.declare_date,
            url=informing_url(school_id, one.student_id) if one.student_id in open_ids else "",
            number=one.declaration.number,
            title=_PAPER,
            student_name=build_display_name(one.student),
            filed=f"от\u00a0{dates.numeric(one.declaration.declare_date)}",
            state=_write_mode(one.declaration, zone),
        )
        for one in declarations
    )


def build_earlier(school_id: str, grants: Iterable[grant_pb2.OwnGrant], zone: str) -> tuple[FilingRow, ...]:
    """The applications that accesses were given by before the school kept cases here."""
    return tuple(
        FilingRow(
            day=one.grant.application_date,
            url="",
            number=one.grant.application_number,
            title=_EARLIER,
            student_name=one.grant.student_name,
            filed=f"от\u00a0{dates.numeric(one.grant.application_date)}, по записям школы",
            state=f"доступ прекращён {dates.moment(one.grant.end_time, zone)}"
            if one.grant.HasField("end_time")
            else "доступ предоставлен",
        )
        for one in grants
        if not one.has_case
    )


def order(*lists: Iterable[FilingRow]) -> list[FilingRow]:
    """One list, the newest first."""
    return sorted((row for rows in lists for row in rows), key=lambda row: row.day, reverse=True)


def find_ended(school_id: str, grants: Iterable[grant_pb2.OwnGrant], zone: str) -> tuple[EndedAccess, ...]:
    """By student the access that an own statement has ended, where none holds now and one may be asked for again (R33)."""
    newest: dict[str, grant_pb2.OwnGrant] = {}
    for one in grants:
        newest.setdefault(one.grant.student_id, one)
    return tuple(
        EndedAccess(
            student_name=one.grant.student_name,
            ended=f"{dates.local(one.grant.end_time, zone):%d.%m.%Y}",
            number=one.end_application_number,
            url=f"{own_cases_url(school_id)}/{one.end_application_id}",
        )
        for one in newest.values()
        if one.end_application_number and one.may_apply_again
    )


def _write_mode(declaration: application_pb2.PaperDeclaration, zone: str) -> str:
    if declaration.HasField("revoke_time"):
        return f"действовало до {dates.moment(declaration.revoke_time, zone)}"
    return "действует: без распечаток" if declaration.declines_printouts else "действует: распечатка раз в неделю"
