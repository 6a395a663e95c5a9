"""The RPCs of access."""

from collections.abc import Sequence
from pathlib import Path

from chassis.auth import Signer
from chassis.run import Frame
from chassis.server import Part
from diary.access.v1 import (
    grant_service_pb2_grpc,
    roster_service_pb2_grpc,
    school_service_pb2_grpc,
    session_service_pb2_grpc,
)
from services.access.actions.endings import Endings
from services.access.actions.passwords import PasswordChecker
from services.access.rpc.grants import GrantServicer
from services.access.rpc.roster import RosterServicer
from services.access.rpc.schools import SchoolServicer
from services.access.rpc.sessions import SessionServicer


def parts(frame: Frame, endings: Endings, keys_dir: Path) -> Sequence[Part]:
    """The servicers of access."""
    signer = Signer(keys_dir / "token.pem", "token-", frame.clock)
    sessions = SessionServicer(frame, endings, signer, PasswordChecker())
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
            RosterServicer(frame),
        ),
        Part(
            "diary.access.v1.SchoolService",
            school_service_pb2_grpc.add_SchoolServiceServicer_to_server,
            SchoolServicer(frame),
        ),
    ]
