"""The RPCs of notify."""

from collections.abc import Sequence

from chassis.run import Frame
from chassis.server import Part
from diary.notify.v1 import delivery_service_pb2_grpc, preference_service_pb2_grpc, relation_service_pb2_grpc
from services.notify.letters.rpc import DeliveryServicer, RelationServicer
from services.notify.preferences.rpc import PreferenceServicer


def parts(frame: Frame) -> Sequence[Part]:
    """The servicers of notify."""
    return [
        Part(
            "diary.notify.v1.RelationService",
            relation_service_pb2_grpc.add_RelationServiceServicer_to_server,
            RelationServicer(frame),
        ),
        Part(
            "diary.notify.v1.PreferenceService",
            preference_service_pb2_grpc.add_PreferenceServiceServicer_to_server,
            PreferenceServicer(frame),
        ),
        Part(
            "diary.notify.v1.DeliveryService",
            delivery_service_pb2_grpc.add_DeliveryServiceServicer_to_server,
            DeliveryServicer(frame),
        ),
    ]
