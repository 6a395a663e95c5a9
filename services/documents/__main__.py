"""`python -m services.documents serve | migrate | rebuild | redrive`."""

import argparse
from functools import partial

from chassis import clients, migrate, projection, run
from chassis.commands import add_redrive, redrive
from chassis.commands import run as run_command
from chassis.deadlines.counting import count_deadlines
from diary.access.v1 import decision_service_pb2_grpc, roster_service_pb2_grpc, school_service_pb2_grpc
from diary.journal.v1 import diary_service_pb2_grpc
from services.documents import rpc
from services.documents.config import Settings
from services.documents.decisions.consumers import DecisionConsumers
from services.documents.press.actions.presses import Press
from services.documents.print_runs import jobs as print_run_jobs
from services.documents.print_runs.consumers import KINDS, Consumers
from services.documents.print_runs.rpc import Sources
from services.documents.print_runs.rules.runs import CLAUSE
from services.documents.register import jobs as register_jobs
from services.documents.register.convert.seal import Sealer, read_authority


def build(settings: Settings, frame: run.Frame) -> run.Service:
    """Builds the service of its settings and frame."""
    access = clients.connect(settings.access_address, frame.token)
    journal = clients.connect(settings.journal_address, frame.token)
    roster = roster_service_pb2_grpc.RosterServiceStub(access)
    schools = school_service_pb2_grpc.SchoolServiceStub(access)
    kept = projection.Projection(frame.database, frame.clock, roster, KINDS)
    press = Press()
    authority = (settings.keys_dir / "seal-ca.crt").read_bytes()
    sealer = _read_sealer(settings)
    asked = decision_service_pb2_grpc.DecisionServiceStub(access)
    families = Consumers(frame.database, frame.clock, kept)
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
        kept.has_ended,
        families.handlers() | deciding.handlers(),
        [
            *kept.jobs(),
            count_deadlines(frame, CLAUSE),
            register_jobs.count_unsigned(frame),
            print_run_jobs.learn_school_codes(frame, schools),
        ],
    )


def _read_sealer(settings: Settings) -> Sealer:
    pair = [(settings.keys_dir / name).read_bytes() for name in ("seal-ca.pem", "seal-ca.crt")]
    return Sealer(read_authority(*pair))


def main() -> None:
    """Reads the command and runs it."""
    parser = argparse.ArgumentParser(prog="python -m services.documents", description="The documents service of Diary.")
    chosen = parser.add_subparsers(dest="command", required=True)
    chosen.add_parser("serve", help="answer calls until SIGTERM")
    chosen.add_parser("migrate", help="make roles and schema, bring tables up to date")
    projection.add_rebuild(chosen)
    add_redrive(chosen)
    arguments = parser.parse_args()
    settings = Settings()
    if arguments.command == "migrate":
        migrate.main(settings.admin_database_url.get_secret_value(), settings.database_url.get_secret_value(), "documents")
    elif arguments.command == "rebuild":
        run_command(projection.rebuild("documents", settings, settings.access_address, KINDS, arguments.school))
    elif arguments.command == "redrive":
        run_command(redrive("documents", settings, partial(build, settings), arguments))
    else:
        run.serve("documents", settings, partial(build, settings))


if __name__ == "__main__":
    main()
