"""The RPCs of documents."""

from __future__ import annotations

from collections.abc import Sequence

from chassis import projection
from chassis.run import Frame
from chassis.server import Part
from diary.access.v1 import school_service_pb2_grpc
from diary.documents.v1 import document_service_pb2_grpc, relation_service_pb2_grpc
from services.documents.forms.rpc import FormMethods
from services.documents.press.actions.presses import Press
from services.documents.print_runs.rpc import PrintRunMethods, Sources
from services.documents.register.rpc import RegisterMethods
from services.documents.signing.rpc import SigningMethods
from services.documents.slips.rpc import SlipMethods
from services.documents.verifying.rpc import VerifyingMethods


class DocumentServicer(
    SlipMethods,
    PrintRunMethods,
    FormMethods,
    RegisterMethods,
    SigningMethods,
    VerifyingMethods,
    document_service_pb2_grpc.DocumentServiceServicer,
):
    """DocumentService: each wing has its methods."""

    def __init__(
        self,
        frame: Frame,
        sources: Sources,
        schools: school_service_pb2_grpc.SchoolServiceAsyncStub,
        press: Press,
        authority: bytes,
        portal_url: str,
    ) -> None:
        SlipMethods.__init__(self, press)
        PrintRunMethods.__init__(self, frame, sources, press, portal_url)
        FormMethods.__init__(self, schools)
        RegisterMethods.__init__(self, frame, press)
        SigningMethods.__init__(self, frame)
        VerifyingMethods.__init__(self, frame, authority)


def parts(
    frame: Frame,
    sources: Sources,
    schools: school_service_pb2_grpc.SchoolServiceAsyncStub,
    press: Press,
    authority: bytes,
    portal_url: str,
) -> Sequence[Part]:
    """The servicers of documents. `authority` is the certificate, in PEM, that the schools' seals are checked against."""
    return [
        Part(
            "diary.documents.v1.DocumentService",
            document_service_pb2_grpc.add_DocumentServiceServicer_to_server,
            DocumentServicer(frame, sources, schools, press, authority, portal_url),
        ),
        Part(
            "diary.documents.v1.RelationService",
            relation_service_pb2_grpc.add_RelationServiceServicer_to_server,
            projection.RelationServicer(frame),
        ),
    ]
