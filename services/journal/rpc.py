"""The RPCs of the journal."""

from collections.abc import Sequence

from chassis import projection
from chassis.run import Frame
from chassis.server import Part
from diary.journal.v1 import journal_service_pb2_grpc, relation_service_pb2_grpc
from services.journal.diary.rpc import SERVICE, DiaryServicer, add_diary_servicer
from services.journal.lessons.rpc import LessonMethods
from services.journal.marks.rpc import MarkMethods


class JournalServicer(LessonMethods, MarkMethods, journal_service_pb2_grpc.JournalServiceServicer):
    """JournalService: what teachers read and record; each wing has its methods."""


def parts(frame: Frame, cards_bytes: int) -> Sequence[Part]:
    """The servicers of the journal. `cards_bytes`: memory for encoded diary cards."""
    return [
        Part(SERVICE, add_diary_servicer, DiaryServicer(frame, cards_bytes)),
        Part(
            "diary.journal.v1.JournalService",
            journal_service_pb2_grpc.add_JournalServiceServicer_to_server,
            JournalServicer(frame),
        ),
        Part(
            "diary.journal.v1.RelationService",
            relation_service_pb2_grpc.add_RelationServiceServicer_to_server,
            projection.RelationServicer(frame),
        ),
    ]
