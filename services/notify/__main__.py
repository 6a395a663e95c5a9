"""`python -m services.notify serve | migrate | seed | rebuild | redrive`."""

import argparse
import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from uuid import UUID

from chassis import auth, clients, clock, migrate, relations, run
from chassis.commands import add_redrive, opened, redrive
from chassis.commands import run as run_command
from diary.access.v1 import (
    credential_service_pb2_grpc,
    decision_service_pb2_grpc,
    grant_service_pb2_grpc,
    roster_service_pb2_grpc,
    school_service_pb2_grpc,
)
from diary.documents.v1 import document_service_pb2_grpc
from diary.journal.v1 import diary_service_pb2_grpc
from services.notify import commands, rpc, seed
from services.notify.config import Settings
from services.notify.consumers import Consumers
from services.notify.jobs.content import Contents
from services.notify.jobs.deliveries import Deliveries
from services.notify.jobs.smtp import MailServer


def build(settings: Settings, frame: run.Frame) -> run.Service:
    """Builds the service of its settings and frame."""
    access = clients.connect(settings.access_address, frame.token)
    journal = clients.connect(settings.journal_address, frame.token)
    # A paper with its scan has up to 8 MiB.
    documents = clients.connect(settings.documents_address, frame.token, seconds=5)
    roster = roster_service_pb2_grpc.RosterServiceStub(access)
    projection = relations.Projection(frame.database, frame.clock, roster)
    news = asyncio.Event()
    contents = Contents(
        frame.database,
        frame.clock,
        credential_service_pb2_grpc.CredentialServiceStub(access),
        decision_service_pb2_grpc.DecisionServiceStub(access),
        grant_service_pb2_grpc.GrantServiceStub(access),
        document_service_pb2_grpc.DocumentServiceStub(documents),
        diary_service_pb2_grpc.DiaryServiceStub(journal),
        settings.portal_url,
    )
    server = MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_tls,
        settings.smtp_user,
        settings.smtp_password.get_secret_value(),
        settings.mail_from,
    )
    deliveries = Deliveries(frame.database, frame.clock, contents, server, news)
    consumers = Consumers(frame.database, frame.clock, roster, projection, news)
    return run.Service(rpc.parts(frame), consumers.handlers(), [*projection.jobs(), *deliveries.jobs()])


async def _rebuild(settings: Settings, school_id: UUID | None) -> None:
    token = auth.ServiceToken(settings.keys_dir, "notify", clock.SystemClock())
    async with (
        opened("notify", settings.database_url.get_secret_value()) as database,
        clients.connect(settings.access_address, token, seconds=30, waits=True) as access,
    ):
        rebuild = commands.Rebuild(
            database,
            school_service_pb2_grpc.SchoolServiceStub(access),
            roster_service_pb2_grpc.RosterServiceStub(access),
        )
        await (rebuild.rebuild(school_id) if school_id else rebuild.rebuild_all())


async def _seed(settings: Settings, addresses: Mapping[UUID, str]) -> None:
    async with opened("notify", settings.database_url.get_secret_value()) as database:
        await seed.seed(database, addresses, clock.SystemClock())


def main() -> None:
    """Reads the command and runs it."""
    parser = argparse.ArgumentParser(prog="python -m services.notify", description="The notify service of Diary.")
    chosen = parser.add_subparsers(dest="command", required=True)
    chosen.add_parser("serve", help="answer calls and send letters until SIGTERM")
    chosen.add_parser("migrate", help="make roles and schema, bring tables up to date")
    seeding = chosen.add_parser("seed", help="keep the addresses of a generated region's families that are shown")
    seeding.add_argument("--logins", type=Path, required=True, metavar="FILE", help="as access's seed wrote it")
    rebuild = chosen.add_parser("rebuild", help="fill relations and students' classes from access")
    rebuild.add_argument("--school", type=UUID, help="only this school's; otherwise all")
    add_redrive(chosen)
    arguments = parser.parse_args()
    settings = Settings()
    if arguments.command == "migrate":
        migrate.main(settings.admin_database_url.get_secret_value(), settings.database_url.get_secret_value(), "notify")
    elif arguments.command == "seed":
        run_command(_seed(settings, seed.read_addresses(arguments.logins)))
    elif arguments.command == "rebuild":
        run_command(_rebuild(settings, arguments.school))
    elif arguments.command == "redrive":
        run_command(redrive("notify", settings, partial(build, settings), arguments))
    else:
        run.serve("notify", settings, partial(build, settings))


if __name__ == "__main__":
    main()
