"""A refusal, and the applicant's copy of it as a paper: how it was signed, how it reached the applicant (Clauses R22, R23)."""

from dataclasses import dataclass

from apps.portal import dates
from apps.portal.office.words import DELIVERIES, GROUNDS, SIGNINGS
from apps.portal.people import document_url
from diary.access.v1 import application_pb2, refusal_pb2


@dataclass(frozen=True, slots=True)
class RefusalView:
    """A refusal; number and signer are empty before the signature."""

    ground: str
    evidence: str
    proposed: str
    number: str
    signed: str
    signer: str


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A copy; addresses of files that do not exist are empty, and so is `delivered` before it was given."""

    url: str
    scan_url: str
    signature_url: str
    signed: str
    delivered: str


def build_refusal(case: application_pb2.Application, zone: str) -> RefusalView | None:
    """The refusal of a case that has one."""
    if not case.HasField("refusal"):
        return None
    refusal = case.refusal
    return RefusalView(
        ground=GROUNDS.get(refusal.ground, ""),
        evidence=refusal.evidence.replace("№ ", "№\u00a0"),
        proposed=dates.moment(refusal.propose_time, zone),
        number=refusal.number,
        signed=dates.moment(refusal.sign_time, zone) if refusal.HasField("sign_time") else "",
        signer=refusal.signer_name,
    )


def build_decision(school_id: str, applicant: application_pb2.Applicant, zone: str) -> DecisionView | None:
    """The applicant's copy; None until its paper is made."""
    if not applicant.HasField("decision"):
        return None
    paper = applicant.decision
    url, way = document_url(school_id, paper.document_id), paper.signing_way
    signed = f"{SIGNINGS[way]} {dates.moment(paper.sign_time, zone)}" if way in SIGNINGS else ""
    delivered = ""
    if paper.HasField("deliver_time"):
        by = f", {paper.delivered_by}" if paper.delivered_by else ""
        delivered = f"{DELIVERIES.get(paper.channel, '')} {dates.moment(paper.deliver_time, zone)}{by}".strip()
    return DecisionView(
        url=url,
        scan_url=f"{url}/scan" if way == refusal_pb2.SIGNING_WAY_PAPER else "",
        signature_url=f"{url}/signature" if way == refusal_pb2.SIGNING_WAY_ELECTRONIC else "",
        signed=signed,
        delivered=delivered,
    )
