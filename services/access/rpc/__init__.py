"""The RPCs of access."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chassis.auth import Signer
from chassis.calendar import WorkingCalendar
from chassis.run import Frame
from chassis.server import Part
from diary.access.v1 import (
    application_service_pb2_grpc,
    compliance_service_pb2_grpc,
    credential_service_pb2_grpc,
    decision_service_pb2_grpc,
    grant_service_pb2_grpc,
    paper_service_pb2_grpc,
    roster_service_pb2_grpc,
    school_service_pb2_grpc,
    session_service_pb2_grpc,
)
from diary.documents.v1 import document_service_pb2_grpc
from services.access.actions.endings import Endings
from services.access.actions.factor_keys import FactorKeys
from services.access.actions.passwords import Passwords
from services.access.actions.second_factor import SecondFactors
from services.access.actions.sign_in import Sessions, SignInAttempts
from services.access.rpc.applications import ApplicationServicer
from services.access.rpc.compliance import ComplianceServicer
from services.access.rpc.credentials import CredentialServicer
from services.access.rpc.decisions import DecisionServicer
from services.access.rpc.grants import GrantServicer
from services.access.rpc.papers import PaperServicer
from services.access.rpc.roster import RosterServicer
from services.access.rpc.schools import SchoolServicer
from services.access.rpc.sessions import SessionServicer


def parts(
    frame: Frame,
    endings: Endings,
    keys_dir: Path,
    factor_keys: FactorKeys,
    calendar: WorkingCalendar,
    documents: document_service_pb2_grpc.DocumentServiceAsyncStub,
    activation_link: str,
) -> Sequence[Part]:
    """The servicers of access."""
    begun = Sessions(frame, Signer(keys_dir / "token.pem", "token-", frame.clock))
    attempts, passwords = SignInAttempts(frame.database, frame.clock), Passwords()
    factors = SecondFactors(frame.database, frame.clock, factor_keys)
    sessions = SessionServicer(frame, endings, begun, attempts, passwords, factors)
    return [
        Part("diary.access.v1.SessionService", session_service_pb2_grpc.add_SessionServiceServicer_to_server, sessions),
        Part(
            "diary.access.v1.GrantService",
            grant_service_pb2_grpc.add_GrantServiceServicer_to_server,
            GrantServicer(frame, endings),
        ),
        Part(
            "diary.access.v1.RosterService",
            roster_service_pb2_grpc.add_RosterServiceServicer_to_server,
            RosterServicer(frame, endings),
        ),
        Part(
            "diary.access.v1.SchoolService",
            school_service_pb2_grpc.add_SchoolServiceServicer_to_server,
            SchoolServicer(frame),
        ),
        Part(
            "diary.access.v1.ApplicationService",
            application_service_pb2_grpc.add_ApplicationServiceServicer_to_server,
            ApplicationServicer(frame, calendar, endings, factors),
        ),
        Part(
            "diary.access.v1.PaperService",
            paper_service_pb2_grpc.add_PaperServiceServicer_to_server,
            PaperServicer(frame),
        ),
        Part(
            "diary.access.v1.DecisionService",
            decision_service_pb2_grpc.add_DecisionServiceServicer_to_server,
            DecisionServicer(frame),
        ),
        Part(
            "diary.access.v1.ComplianceService",
            compliance_service_pb2_grpc.add_ComplianceServiceServicer_to_server,
            ComplianceServicer(frame),
        ),
        Part(
            "diary.access.v1.CredentialService",
            credential_service_pb2_grpc.add_CredentialServiceServicer_to_server,
            CredentialServicer(frame, begun, attempts, passwords, documents, activation_link),
        ),
    ]
