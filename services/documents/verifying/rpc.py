"""What anyone may verify, of the paper or the file in hand (Clauses R7, R22, R23)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from chassis.errors import InvalidArgument
from chassis.interceptors import Context
from chassis.quarantine import Quarantine, UnreadableError
from chassis.run import Frame
from diary.documents.v1 import document_pb2
from services.documents.press.convert.bounds import OF_STRANGERS
from services.documents.register.convert.seal import SealState, judge_seal
from services.documents.verifying import convert, store
from services.documents.verifying.rules import IssuedSheet, list_keys


class VerifyingMethods:
    """The verifying part of DocumentService."""

    def __init__(self, frame: Frame, authority: bytes) -> None:
        self._database = frame.database
        self._authority = authority
        self._quarantine = Quarantine(OF_STRANGERS)

    async def VerifyDocument(
        self, request: document_pb2.VerifyDocumentRequest, context: Context
    ) -> document_pb2.VerifyDocumentResponse:
        """Whether a paper is in the register unchanged; for a file that is not, whether it was and then was changed."""
        if [bool(request.code), bool(request.sha256), bool(request.file)].count(True) != 1:
            raise InvalidArgument("NOTHING_TO_VERIFY", "name exactly one of code, sha256 and file")
        wanted: Sequence[str | bytes] = list_keys(request.code)
        if request.sha256:
            wanted = [bytes.fromhex(request.sha256)]
        elif request.file:
            wanted = [hashlib.sha256(request.file).digest()]
        for one in wanted:
            if found := await self._find_issued(one):
                return found
        return document_pb2.VerifyDocumentResponse(verdict=await self._judge(request.file))

    async def _find_issued(self, wanted: str | bytes) -> document_pb2.VerifyDocumentResponse | None:
        """What anyone may know of a paper or a weekly sheet, by a folded code or a SHA-256."""
        async with self._database.region() as connection:
            sealed = await store.find_sealed(connection, wanted)
        if sealed is None:
            sheet = await self._find_sheet(wanted)
            return convert.write_valid_sheet(sheet) if sheet else None
        async with self._database.school(sealed.school_id) as connection:
            state, owner_name = await store.get_state(connection, sealed.school_id, sealed.document_id)
        return convert.write_valid(sealed.kind, sealed.document_date, state, owner_name, sealed.pdf_sha256)

    async def _find_sheet(self, wanted: str | bytes) -> IssuedSheet | None:
        """The weekly sheet of a folded code, or the sheets of a file's SHA-256 (Clause R7)."""
        async with self._database.region() as connection:
            if isinstance(wanted, bytes):
                places = await store.list_runs_of_file(connection, wanted)
            else:
                places = await store.list_sheets_of_code(connection, wanted)
        for place in places:
            async with self._database.school(place.school_id) as connection:
                if found := await store.find_issued(connection, place):
                    return found
        return None

    async def _judge(self, file: bytes) -> document_pb2.Verdict.ValueType:
        """Of a file that is not in the register. Reading it costs a process, so only what may bear a seal is read."""
        if b"/ByteRange" not in file:
            return document_pb2.VERDICT_UNKNOWN
        try:
            state = await self._quarantine.read(judge_seal, file, self._authority)
        except UnreadableError:
            return document_pb2.VERDICT_UNKNOWN
        return document_pb2.VERDICT_CHANGED if state is SealState.BROKEN else document_pb2.VERDICT_UNKNOWN
