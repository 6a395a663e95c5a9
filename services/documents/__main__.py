"""`python -m services.documents serve | migrate | rebuild | redrive`."""

import argparse
from functools import partial
from uuid import UUID

from chassis import auth, clients, clock, migrate, relations, run
from chassis.commands import add_redrive, opened, redrive
from chassis.commands import run as run_command
from diary.access.v1 import decision_service_pb2_grpc, roster_service_pb2_grpc, school_service_pb2_grpc
from diary.journal.v1 import diary_service_pb2_grpc
from services.documents import commands, rpc
from services.documents.config import Settings
from services.documents.decisions.consumers import DecisionConsumers
from services.documents.press.actions.presses import Press
from services.documents.print_runs import jobs as print_run_jobs
from services.documents.print_runs.consumers import Consumers
from services.documents.print_runs.rpc import Sources
from services.documents.register import jobs as register_jobs
from services.documents.register.convert.seal import Sealer, read_authority


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
    families = Consumers(frame.database, frame.clock, roster, projection)
    deciding = DecisionConsumers(frame.database, frame.clock, asked, press, sealer, settings.portal_url)
    return run.Service(
        rpc.parts(
            frame,
            Sources(diary_service_pb2_grpc.DiaryServiceStub(journal), roster),
            schools,
            press,
            authority,
            settings.portal_url,
        ),
        families.handlers() | deciding.handlers(),
        [
            *projection.jobs(),
            print_run_jobs.count_deadlines(frame),
            register_jobs.count_unsigned(frame),
            print_run_jobs.learn_school_codes(frame, schools),
        ],
    )


def _read_sealer(settings: Settings) -> Sealer:
    pair = [(settings.keys_dir / name).read_bytes() for name in ("seal-ca.pem", "seal-ca.crt")]
    return Sealer(read_authority(*pair))


async def _rebuild(settings: Settings, school_id: UUID | None) -> None:
    token = auth.ServiceToken(settings.keys_dir, "documents", clock.SystemClock())
    async with (
        opened("documents", settings.database_url.get_secret_value()) as database,
        clients.connect(settings.access_address, token, seconds=30, waits=True) as access,
    ):
        rebuild = commands.Rebuild(
            database,
            school_service_pb2_grpc.SchoolServiceStub(access),
            roster_service_pb2_grpc.RosterServiceStub(access),
        )
        await (rebuild.rebuild(school_id) if school_id else rebuild.rebuild_all())


def main() -> None:
    """Reads the command and runs it."""
    parser = argparse.ArgumentParser(prog="python -m services.documents", description="The documents service of Diary.")
    chosen = parser.add_subparsers(dest="command", required=True)
    chosen.add_parser("serve", help="answer calls until SIGTERM")
    chosen.add_parser("migrate", help="make roles and schema, bring tables up to date")
    rebuild = chosen.add_parser("rebuild", help="fill relations and the paper families from access")
    rebuild.add_argument("--school", type=UUID, help="only this school's; otherwise all")
    add_redrive(chosen)
    arguments = parser.parse_args()
    settings = Settings()
    if arguments.command == "migrate":
        migrate.main(settings.admin_database_url.get_secret_value(), settings.database_url.get_secret_value(), "documents")
    elif arguments.command == "rebuild":
        run_command(_rebuild(settings, arguments.school))
    elif arguments.command == "redrive":
        run_command(redrive("documents", settings, partial(build, settings), arguments))
    else:
        run.serve("documents", settings, partial(build, settings))


if __name__ == "__main__":
    main()
