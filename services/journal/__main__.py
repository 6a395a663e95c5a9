"""`python -m services.journal serve | migrate | seed | rebuild | redrive | verify-history`."""

import argparse
from datetime import date
from functools import partial
from uuid import UUID

from chassis import clients, migrate, projection, run
from chassis.clock import SystemClock
from chassis.commands import add_redrive, redrive
from chassis.commands import run as run_command
from diary.access.v1 import roster_service_pb2_grpc
from services.journal import commands, rpc, seed
from services.journal.config import Settings
from services.journal.roster.consumers import KINDS
from services.journal.seed.copies import copy_schools


def build(settings: Settings, frame: run.Frame) -> run.Service:
    """Builds the service of its settings and frame."""
    roster = roster_service_pb2_grpc.RosterServiceStub(clients.connect(settings.access_address, frame.token))
    kept = projection.Projection(frame.database, frame.clock, roster, KINDS)
    return run.Service(
        rpc.parts(frame, settings.cards_megabytes * 1024 * 1024),
        kept.has_ended,
        kept.handlers(),
        kept.jobs(),
    )


def main() -> None:
    """Reads the command and runs it."""
    arguments = _parser().parse_args()
    settings = Settings()
    admin_dsn, app_dsn = settings.admin_database_url.get_secret_value(), settings.database_url.get_secret_value()
    match arguments.command:
        case "migrate":
            migrate.main(admin_dsn, app_dsn, "journal")
        case "serve":
            run.serve("journal", settings, partial(build, settings))
        case "seed" if arguments.copies is not None:
            run_command(copy_schools(admin_dsn, arguments.copies))
        case "seed":
            run_command(projection.rebuild("journal", settings, settings.access_address, KINDS, None))
            run_command(seed.seed(admin_dsn, SystemClock(), arguments.seed, arguments.until))
        case "rebuild":
            run_command(projection.rebuild("journal", settings, settings.access_address, KINDS, arguments.school))
        case "redrive":
            run_command(redrive("journal", settings, partial(build, settings), arguments))
        case "verify-history":
            run_command(commands.verify_history(admin_dsn, arguments.school))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.journal", description="The journal service of Diary.")
    parsers = parser.add_subparsers(dest="command", required=True)
    parsers.add_parser("serve", help="answer calls until SIGTERM")
    parsers.add_parser("migrate", help="make roles and schema, bring tables up to date")
    seeding = parsers.add_parser("seed", help="rebuild all schools, then make their year up to today; access must serve")
    seeding.add_argument("--seed", type=int, default=1, help="the same seed gives the same rows (1)")
    seeding.add_argument("--until", type=date.fromisoformat, metavar="DATE", help="first day not held yet (today)")
    seeding.add_argument(
        "--copies",
        type=int,
        metavar="N",
        help="for benchmarks of growth, instead: N copies of each school in the journal alone",
    )
    for size in ("--schools", "--students"):
        seeding.add_argument(size, type=int, help="as given to access, whose roster tells the size")
    projection.add_rebuild(parsers)
    add_redrive(parsers)
    verify = parsers.add_parser("verify-history", help="recompute the chains of marks and name the first row that does not fit")
    verify.add_argument("--school", type=UUID, help="id of one school; all by default")
    return parser


if __name__ == "__main__":
    main()
