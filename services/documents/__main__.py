"""`python -m services.documents serve | migrate`."""

import argparse

from chassis import clients, migrate, relations, run
from diary.access.v1 import decision_service_pb2_grpc, events_pb2, roster_service_pb2_grpc
from diary.journal.v1 import diary_service_pb2_grpc
from services.documents import jobs, rpc
from services.documents.actions.press import Press
from services.documents.config import Settings
from services.documents.consumers import Consumers, DecisionConsumers
from services.documents.convert.seal import Sealer, read_authority
from services.documents.rpc.print_runs import Sources


def build(settings: Settings, frame: run.Frame) -> run.Service:
    """Builds the service of its settings and frame."""
    access = clients.connect(settings.access_address, frame.token)
    journal = clients.connect(settings.journal_address, frame.token)
    roster = roster_service_pb2_grpc.RosterServiceStub(access)
    projection = relations.Projection(frame.database, frame.clock, roster)
    consumers = Consumers(frame.database, frame.clock)
    press = Press()
    authority = (settings.keys_dir / "seal-ca.crt").read_bytes()
    sealer = Sealer(read_authority((settings.keys_dir / "seal-ca.pem").read_bytes(), authority))
    asked = decision_service_pb2_grpc.DecisionServiceStub(access)
    decisions = DecisionConsumers(frame.database, frame.clock, asked, press, sealer, settings.portal_url)
    return run.Service(
        rpc.parts(frame, Sources(diary_service_pb2_grpc.DiaryServiceStub(journal), roster), press, authority),
        {
            "access": {
                events_pb2.RosterChanged.DESCRIPTOR.full_name: projection.on_roster_changed,
                **decisions.handlers(),
            },
            "journal": consumers.handlers(),
        },
        [projection.forget_ended_sessions, jobs.count_deadlines(frame), jobs.count_unsigned(frame)],
    )


def main() -> None:
    """Reads the command and runs it."""
    parser = argparse.ArgumentParser(prog="python -m services.documents", description="The documents service of Diary.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer calls until SIGTERM")
    commands.add_parser("migrate", help="make roles and schema, bring tables up to date")
    chosen = parser.parse_args().command
    settings = Settings()
    if chosen == "migrate":
        migrate.main(settings.admin_database_url.get_secret_value(), settings.database_url.get_secret_value(), "documents")
    else:
        run.serve("documents", settings, lambda frame: build(settings, frame))


if __name__ == "__main__":
    main()
