"""`python -m services.notify serve | migrate | seed | rebuild | redrive`."""

import argparse
import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from uuid import UUID

from chassis import clients, clock, migrate, projection, run
from chassis.commands import add_redrive, opened, redrive
from chassis.commands import run as run_command
from diary.access.v1 import (
    credential_service_pb2_grpc,
    decision_service_pb2_grpc,
    grant_service_pb2_grpc,
    roster_service_pb2_grpc,
)
from diary.documents.v1 import document_service_pb2_grpc
from diary.journal.v1 import diary_service_pb2_grpc
from services.notify import rpc, seed
from services.notify.channels.smtp import MailServer
from services.notify.config import Settings
from services.notify.letters.consumers import KINDS
from services.notify.letters.jobs.deliveries import Deliveries
from services.notify.news.notice import Sources
from services.notify.plan.consumers import Consumers
from services.notify.plan.rules import Channel


def build(settings: Settings, frame: run.Frame) -> run.Service:
    """Builds the service of its settings and frame."""
    access = clients.connect(settings.access_address, frame.token)
    journal = clients.connect(settings.journal_address, frame.token)
    # A paper with its scan has up to 8 MiB.
    documents = clients.connect(settings.documents_address, frame.token, seconds=5)
    roster = roster_service_pb2_grpc.RosterServiceStub(access)
    kept = projection.Projection(frame.database, frame.clock, roster, KINDS)
    news = asyncio.Event()
    sources = Sources(
        frame.database,
        frame.clock,
        credential_service_pb2_grpc.CredentialServiceStub(access),
        decision_service_pb2_grpc.DecisionServiceStub(access),
        grant_service_pb2_grpc.GrantServiceStub(access),
        document_service_pb2_grpc.DocumentServiceStub(documents),
        diary_service_pb2_grpc.DiaryServiceStub(journal),
        settings.portal_url.rstrip("/"),
    )
    server = MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_tls,
        settings.smtp_user,
        settings.smtp_password.get_secret_value(),
        settings.mail_from,
    )
    deliveries = Deliveries(frame.database, frame.clock, sources, {Channel.EMAIL: server}, news)
    consumers = Consumers(frame.database, frame.clock, news)
    return run.Service(
        rpc.parts(frame), kept.has_ended, kept.handlers() | consumers.handlers(), [*kept.jobs(), *deliveries.jobs()]
    )


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
    projection.add_rebuild(chosen)
    add_redrive(chosen)
    arguments = parser.parse_args()
    settings = Settings()
    if arguments.command == "migrate":
        migrate.main(settings.admin_database_url.get_secret_value(), settings.database_url.get_secret_value(), "notify")
    elif arguments.command == "seed":
        run_command(_seed(settings, seed.read_addresses(arguments.logins)))
    elif arguments.command == "rebuild":
        run_command(projection.rebuild("notify", settings, settings.access_address, KINDS, arguments.school))
    elif arguments.command == "redrive":
        run_command(redrive("notify", settings, partial(build, settings), arguments))
    else:
        run.serve("notify", settings, partial(build, settings))


if __name__ == "__main__":
    main()
