"""`python -m services.documents serve | migrate | rebuild | make-papers`."""

import argparse
import asyncio
from uuid import UUID, uuid4

from chassis import auth, clients, clock, events, migrate, relations, run
from chassis.db import Database
from diary.access.v1 import (
    application_service_pb2,
    decision_service_pb2_grpc,
    events_pb2,
    roster_service_pb2_grpc,
    school_service_pb2_grpc,
)
from diary.journal.v1 import diary_service_pb2_grpc
from services.documents import commands, jobs, rpc
from services.documents.actions.press import Press
from services.documents.config import Settings
from services.documents.consumers.decisions import DecisionConsumers
from services.documents.consumers.paper_families import Consumers
from services.documents.convert.seal import Sealer, read_authority
from services.documents.rpc.print_runs import Sources


def build(settings: Settings, frame: run.Frame) -> run.Service:
    """Builds the service of its settings and frame."""
    access = clients.connect(settings.access_address, frame.token)
    journal = clients.connect(settings.journal_address, frame.token)
    roster = roster_service_pb2_grpc.RosterServiceStub(access)
    schools = school_service_pb2_grpc.SchoolServiceStub(access)
    projection = relations.Projection(frame.database, frame.clock, roster)
    press = Press()
    authority = (settings.keys_dir / "seal-ca.crt").read_bytes()
    sealer = _read_sealer(settings)
    asked = decision_service_pb2_grpc.DecisionServiceStub(access)
    handlers = Consumers(frame.database, frame.clock, roster, projection).handlers()
    handlers["access"] |= DecisionConsumers(frame.database, frame.clock, asked, press, sealer, settings.portal_url).handlers()
    return run.Service(
        rpc.parts(
            frame,
            Sources(diary_service_pb2_grpc.DiaryServiceStub(journal), roster),
            schools,
            press,
            authority,
            settings.portal_url,
        ),
        handlers,
        [
            projection.forget_ended_sessions,
            jobs.count_deadlines(frame),
            jobs.count_unsigned(frame),
            jobs.learn_school_codes(frame, schools),
        ],
    )


def _read_sealer(settings: Settings) -> Sealer:
    pair = [(settings.keys_dir / name).read_bytes() for name in ("seal-ca.pem", "seal-ca.crt")]
    return Sealer(read_authority(*pair))


async def make_papers(settings: Settings, school_id: str, application_id: str) -> None:
    """Makes the papers of a refused case whose event was given up; those that are there stay as they are."""
    now = clock.SystemClock()
    database = await Database.connect(settings.database_url.get_secret_value(), "documents", size=1)
    token = auth.ServiceToken(settings.keys_dir, "documents", now)
    decided = events_pb2.ApplicationDecided(
        school_id=school_id, application_id=application_id, state=application_service_pb2.APPLICATION_STATE_REFUSED
    )
    subject = decided.DESCRIPTOR.full_name
    async with clients.connect(settings.access_address, token, seconds=30) as access:
        asked = decision_service_pb2_grpc.DecisionServiceStub(access)
        consumers = DecisionConsumers(database, now, asked, Press(), _read_sealer(settings), settings.portal_url)
        event = events.Event(uuid4(), subject, UUID(school_id), now.now(), decided.SerializeToString())
        await consumers.on_application_decided(event)
    await database.close()


async def _rebuild(settings: Settings, school: str | None) -> None:
    database = await Database.connect(settings.database_url.get_secret_value(), "documents", size=1)
    token = auth.ServiceToken(settings.keys_dir, "documents", clock.SystemClock())
    async with clients.connect(settings.access_address, token, seconds=30) as access:
        rebuild = commands.Rebuild(
            database,
            school_service_pb2_grpc.SchoolServiceStub(access),
            roster_service_pb2_grpc.RosterServiceStub(access),
        )
        await (rebuild.rebuild(UUID(school)) if school else rebuild.rebuild_all())
    await database.close()


def main() -> None:
    """Reads the command and runs it."""
    parser = argparse.ArgumentParser(prog="python -m services.documents", description="The documents service of Diary.")
    chosen = parser.add_subparsers(dest="command", required=True)
    chosen.add_parser("serve", help="answer calls until SIGTERM")
    chosen.add_parser("migrate", help="make roles and schema, bring tables up to date")
    rebuild = chosen.add_parser("rebuild", help="fill relations and the paper families from access")
    rebuild.add_argument("--school", help="only this school's; otherwise all")
    papers = chosen.add_parser("make-papers", help="make the papers of a refused case whose event is dead")
    papers.add_argument("--school", required=True, help="id of the school, as the dead event has it")
    papers.add_argument("--application", required=True, help="id of the case, as the dead event has it")
    arguments = parser.parse_args()
    settings = Settings()
    if arguments.command == "migrate":
        migrate.main(settings.admin_database_url.get_secret_value(), settings.database_url.get_secret_value(), "documents")
    elif arguments.command == "rebuild":
        asyncio.run(_rebuild(settings, arguments.school))
    elif arguments.command == "make-papers":
        asyncio.run(make_papers(settings, arguments.school, arguments.application))
    else:
        run.serve("documents", settings, lambda frame: build(settings, frame))


if __name__ == "__main__":
    main()
