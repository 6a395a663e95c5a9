"""`python -m services.access serve | migrate | redrive` and the commands of commands.py."""

import argparse
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import grpc

from chassis import clients, log, migrate, run
from chassis.commands import add_redrive, redrive
from chassis.commands import run as run_command
from chassis.relations import EndedSession, Relation, write_ended_session, write_relation
from diary.documents.v1 import document_service_pb2_grpc
from diary.documents.v1 import relation_service_pb2 as documents_pb2
from diary.documents.v1 import relation_service_pb2_grpc as documents_grpc
from diary.journal.v1 import relation_service_pb2 as journal_pb2
from diary.journal.v1 import relation_service_pb2_grpc as journal_grpc
from diary.notify.v1 import relation_service_pb2 as notify_pb2
from diary.notify.v1 import relation_service_pb2_grpc as notify_grpc
from services.access import commands, jobs, rpc, seed
from services.access.actions.calendars import read_calendar
from services.access.actions.endings import Endings, Send
from services.access.actions.factor_keys import FactorKeys
from services.access.actions.sign_in import has_ended
from services.access.config import Settings
from services.access.consumers import Consumers

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
            journal_pb2.ApplyRelationsRequest,
        ),
        "notify": _sender(
            notify_grpc.RelationServiceStub(channel(settings.notify_address)).ApplyRelations,
            notify_pb2.ApplyRelationsRequest,
        ),
        "documents": _sender(documents_grpc.RelationServiceStub(documents).ApplyRelations, documents_pb2.ApplyRelationsRequest),
    }
    endings = Endings(frame.database, frame.clock, targets)
    factor_keys = FactorKeys(settings.keys_dir / "factor-keys.json")
    parts = rpc.parts(
        frame,
        endings,
        settings.keys_dir,
        factor_keys,
        read_calendar(settings.region_calendar),
        document_service_pb2_grpc.DocumentServiceStub(documents),
        f"{settings.portal_url.rstrip('/')}/activate",
    )
    own = [
        jobs.push_endings(frame, endings),
        jobs.forget_old(frame),
        jobs.seal_factors(frame, factor_keys),
        jobs.warn_of_endings(frame),
        jobs.count_deadlines(frame),
    ]
    return run.Service(
        parts, partial(has_ended, frame.database, frame.clock), Consumers(frame.database, frame.clock).handlers(), own
    )


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
