"""`python -m services.access serve | migrate | redrive` and the commands of commands.py."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import grpc

from chassis import clients, log, migrate, run
from chassis.auth import Signer
from chassis.commands import add_redrive, redrive
from chassis.commands import run as run_command
from chassis.imports.jobs import carry_imports, forget_imports
from chassis.relations import EndedSession, Relation, write_ended_session, write_relation
from chassis.server import Part
from diary.access.v1 import (
    application_service_pb2_grpc,
    compliance_service_pb2_grpc,
    credential_service_pb2_grpc,
    decision_service_pb2_grpc,
    grant_service_pb2_grpc,
    paper_service_pb2_grpc,
    relation_pb2,
    roster_import_service_pb2_grpc,
    roster_service_pb2_grpc,
    school_service_pb2_grpc,
    session_service_pb2_grpc,
)
from diary.documents.v1 import document_service_pb2_grpc
from diary.documents.v1 import relation_service_pb2_grpc as documents_grpc
from diary.journal.v1 import relation_service_pb2_grpc as journal_grpc
from diary.notify.v1 import relation_service_pb2_grpc as notify_grpc
from services.access import commands, seed
from services.access.cases.actions.calendars import read_calendar
from services.access.cases.consumers import Consumers as CaseConsumers
from services.access.cases.rpc.applications import ApplicationServicer
from services.access.cases.rpc.credentials import CredentialServicer
from services.access.cases.rpc.decisions import DecisionServicer
from services.access.cases.rpc.papers import PaperServicer
from services.access.config import Settings
from services.access.oversight.consumers import Consumers as DeadlineConsumers
from services.access.oversight.jobs import count_deadlines
from services.access.oversight.rpc.compliance import ComplianceServicer
from services.access.oversight.rpc.schools import SchoolServicer
from services.access.rights import jobs
from services.access.rights.actions.endings import Endings, Send
from services.access.rights.actions.factor_keys import FactorKeys
from services.access.rights.actions.passwords import Passwords
from services.access.rights.actions.second_factor import SecondFactors
from services.access.rights.actions.sign_in import Sessions, SignInAttempts, has_ended
from services.access.rights.rpc.grants import GrantServicer
from services.access.rights.rpc.sessions import SessionServicer
from services.access.roster.actions.imports import ONEROSTER
from services.access.roster.rpc.imports import RosterImportServicer
from services.access.roster.rpc.lists import RosterServicer

# An ending is confirmed or called pending within five seconds.
_PUSH_SECONDS = 4.0


def build(settings: Settings, frame: run.Frame) -> run.Service:
    """Builds the service of its settings and frame."""

    def channel(address: str) -> grpc.aio.Channel:
        return clients.connect(address, frame.token)

    documents = channel(settings.documents_address)
    targets = {
        "journal": _sender(
            journal_grpc.RelationServiceStub(channel(settings.journal_address)).ApplyRelations,
            relation_pb2.ApplyRelationsRequest,
        ),
        "notify": _sender(
            notify_grpc.RelationServiceStub(channel(settings.notify_address)).ApplyRelations,
            relation_pb2.ApplyRelationsRequest,
        ),
        "documents": _sender(documents_grpc.RelationServiceStub(documents).ApplyRelations, relation_pb2.ApplyRelationsRequest),
    }
    endings = Endings(frame.database, frame.clock, targets)
    factor_keys = FactorKeys(settings.keys_dir / "factor-keys.json")
    parts = _build_parts(settings, frame, endings, factor_keys, document_service_pb2_grpc.DocumentServiceStub(documents))
    own = [
        jobs.push_endings(frame, endings),
        jobs.forget_old(frame),
        jobs.seal_factors(frame, factor_keys),
        jobs.warn_of_endings(frame),
        count_deadlines(frame),
        carry_imports(frame, [ONEROSTER]),
        forget_imports(frame),
    ]
    heard = [CaseConsumers(frame.database, frame.clock), DeadlineConsumers(frame.database, frame.clock)]
    return run.Service(
        parts,
        partial(has_ended, frame.database, frame.clock),
        {subject: each for one in heard for subject, each in one.handlers().items()},
        own,
    )


def _build_parts(
    settings: Settings,
    frame: run.Frame,
    endings: Endings,
    factor_keys: FactorKeys,
    documents: document_service_pb2_grpc.DocumentServiceAsyncStub,
) -> Sequence[Part]:
    """The servicers of access."""
    begun = Sessions(frame, Signer(settings.keys_dir / "token.pem", "token-", frame.clock))
    attempts, passwords = SignInAttempts(frame.database, frame.clock), Passwords()
    factors = SecondFactors(frame.database, frame.clock, factor_keys)
    sessions = SessionServicer(frame, endings, begun, attempts, passwords, factors)
    link = f"{settings.portal_url.rstrip('/')}/activate"
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
            "diary.access.v1.RosterImportService",
            roster_import_service_pb2_grpc.add_RosterImportServiceServicer_to_server,
            RosterImportServicer(frame),
        ),
        Part(
            "diary.access.v1.SchoolService",
            school_service_pb2_grpc.add_SchoolServiceServicer_to_server,
            SchoolServicer(frame),
        ),
        Part(
            "diary.access.v1.ApplicationService",
            application_service_pb2_grpc.add_ApplicationServiceServicer_to_server,
            ApplicationServicer(frame, read_calendar(settings.region_calendar), endings, factors),
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
            CredentialServicer(frame, begun, attempts, passwords, documents, link),
        ),
    ]


def _sender(call: Callable[..., Awaitable[Any]], request_type: type[Any]) -> Send:
    """Sends endings by one service's ApplyRelations; the three services' requests are alike."""

    async def send(school_id: UUID | None, relations: Sequence[Relation], sessions: Sequence[EndedSession]) -> bool:
        request = request_type(
            school_id=str(school_id or ""),
            relations=[write_relation(relation) for relation in relations],
            ended_sessions=[write_ended_session(session) for session in sessions],
        )
        try:
            # Waits while a service restarts rather than failing at its closed port.
            await call(request, timeout=_PUSH_SECONDS, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            log.logger().warning("push_failed", request=request.DESCRIPTOR.full_name, code=error.code().name)
            return False
        return True

    return send


def main() -> None:
    """Reads the command and runs it."""
    parser = argparse.ArgumentParser(prog="python -m services.access", description="The access service of Diary.")
    parsers = parser.add_subparsers(dest="command", required=True)
    parsers.add_parser("serve", help="answer calls until SIGTERM")
    parsers.add_parser("migrate", help="make roles and schema, bring tables up to date")
    seed.add_parser(parsers)
    add_redrive(parsers)
    commands.add_parsers(parsers)
    arguments = parser.parse_args()
    if arguments.command == "due":
        commands.print_due(arguments)
        return
    settings = Settings()
    admin_dsn = settings.admin_database_url.get_secret_value()
    if arguments.command == "serve":
        run.serve("access", settings, partial(build, settings))
    elif arguments.command == "redrive":
        run_command(redrive("access", settings, partial(build, settings), arguments))
    elif arguments.command == "migrate":
        migrate.main(admin_dsn, settings.database_url.get_secret_value(), "access")
    else:
        arguments.run(arguments, admin_dsn)


if __name__ == "__main__":
    main()
