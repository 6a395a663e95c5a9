"""How papers of the register are signed: scans of paper, and detached signatures (Clause R22)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from chassis import auth, outbox, requests
from chassis.db import Connection
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.interceptors import Context
from chassis.quarantine import Quarantine, UnreadableError
from chassis.run import Frame
from diary.documents.v1 import document_pb2, signing_pb2
from services.documents.press.convert.bounds import OF_THE_OFFICE
from services.documents.register import store as register
from services.documents.register.convert.papers import write_document
from services.documents.register.rules import Certified, Confirmed, Document, Scanned, no_document
from services.documents.signing import rules, store
from services.documents.signing.convert import papers as convert
from services.documents.signing.convert import scans
from services.documents.signing.convert.signatures import SignatureFile, read_signatures
from services.documents.signing.rules import Mismatch

_Request = signing_pb2.UploadScanRequest | signing_pb2.AttachSignatureRequest | signing_pb2.AttachSignaturesRequest


@dataclass(frozen=True, slots=True)
class _Signing:
    """How a paper was signed, with the file that proves it and its places in the request, from 1."""

    paper: Document
    how: Scanned | Certified
    file: bytes
    places: list[int]


class SigningMethods:
    """The signing's part of DocumentService."""

    def __init__(self, frame: Frame) -> None:
        self._database = frame.database
        self._clock = frame.clock
        self._quarantine = Quarantine(OF_THE_OFFICE)

    async def UploadScan(self, request: signing_pb2.UploadScanRequest, context: Context) -> signing_pb2.UploadScanResponse:
        """Keeps the pages of each paper that is scanned whole, until the head confirms them (Clause R22)."""
        school_id, now = UUID(request.school_id), self._clock.now()
        signed = convert.read_signed_date(request.signed_date)
        if known := await self._find_outcome(request, register.OFFICE):
            return known
        try:
            pdf, marks = await self._quarantine.read(scans.read_scan, request.file)
            codes = sorted({mark.code for mark in marks if mark})
            async with self._database.school(school_id) as connection:
                plan = rules.match_scan(marks, await store.list_by_code(connection, school_id, codes))
                ids = [paper.document_id for paper, _ in plan.kept]
                originals = await store.list_originals(connection, school_id, ids)
            day = rules.check_signed_date([paper for paper, _ in plan.kept], signed, now)
            wanted = [(originals[paper.document_id], pages) for paper, pages in plan.kept]
            files = await self._quarantine.read(scans.take_signed, pdf, wanted) if wanted else []
        except UnreadableError as error:
            raise InvalidArgument("SCAN_UNREADABLE", f"no scan of 1 to {scans.MAX_PAGES} pages: {error}") from error
        found, mismatches, uploader_id = [], list(plan.mismatches), auth.caller().account_id
        for (paper, pages), file in zip(plan.kept, files, strict=True):
            places = [page.place + 1 for page in pages]
            if file is None:
                mismatches += [(place, Mismatch.ORIGINAL) for place in places]
            else:
                found.append(_Signing(paper, Scanned(now, day, uploader_id), file, places))
        return await self._keep(request, found, mismatches)

    async def ConfirmScans(
        self, request: signing_pb2.ConfirmScansRequest, context: Context
    ) -> signing_pb2.ConfirmScansResponse:
        """The papers of these scans are signed by the head's word, all or none (Clause R22)."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        ids = list({UUID(scan_id) for scan_id in request.scan_ids})
        async with self._database.school(school_id) as connection, connection.transaction():
            if not await register.works_for_school(connection, school_id, who, now, store.HEAD):
                raise no_document()
            async with requests.once(connection, self._clock, request, signing_pb2.ConfirmScansResponse) as write:
                if write.is_new:
                    signed = await store.confirm_scans(connection, school_id, ids, Confirmed(now, who.account_id))
                    if len(signed) < len(ids):
                        raise NotFound(
                            "SCAN_NOT_FOUND", "no such scan waits: another one took its place, or the paper is signed"
                        )
                    for paper in await register.list_by_ids(connection, school_id, signed):
                        await outbox.add(connection, self._clock, convert.write_signed(school_id, paper), school_id)
                    write.answer = signing_pb2.ConfirmScansResponse(
                        documents=[document_pb2.Document(document_id=str(one)) for one in signed]
                    )
            kept = [UUID(one.document_id) for one in write.answer.documents]
            shown = await register.list_by_ids(connection, school_id, kept)
        return signing_pb2.ConfirmScansResponse(documents=[write_document(paper) for paper in shown])

    async def AttachSignature(
        self, request: signing_pb2.AttachSignatureRequest, context: Context
    ) -> signing_pb2.AttachSignatureResponse:
        """Keeps a detached signature of one paper (Clause R22)."""
        school_id, now = UUID(request.school_id), self._clock.now()
        async with self._database.school(school_id) as connection:
            paper = await store.find_to_sign(connection, school_id, UUID(request.document_id), auth.caller(), now)
        if paper is None:
            raise no_document()
        outcome = await self._find_outcome(request, store.HEAD)
        if outcome is None:
            [found] = await self._read([request.signature], now)
            if found is Mismatch.NO_SIGNATURE:
                raise InvalidArgument("SIGNATURE_UNREADABLE", "no detached signature in CMS (.sig, .p7s) of one signer")
            if isinstance(found, Mismatch):
                raise InvalidArgument("SIGNATURE_INVALID", "no GOST signature that fits its certificate, in force now")
            if found.digest not in paper.hashes:
                raise InvalidArgument("SIGNATURE_OF_ANOTHER_FILE", "sign the document's file as it was downloaded")
            outcome = await self._keep(request, [_certify(paper.document, found, 1, now)], [])
        if not outcome.documents:
            raise FailedPrecondition("DOCUMENT_SIGNED", "the document was signed before; what signed it stays")
        return signing_pb2.AttachSignatureResponse(document=outcome.documents[0])

    async def AttachSignatures(
        self, request: signing_pb2.AttachSignaturesRequest, context: Context
    ) -> signing_pb2.AttachSignaturesResponse:
        """Keeps detached signatures, each of the paper whose hash it signs (Clause R22)."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        outcome = await self._find_outcome(request, store.HEAD)
        if outcome is None:
            signings, mismatches = [], []
            read = await self._read([file.content for file in request.files], now)
            async with self._database.school(school_id) as connection:
                for place, found in enumerate(read, 1):
                    if isinstance(found, Mismatch):
                        mismatches.append((place, found))
                    elif paper := await store.find_to_sign(connection, school_id, found.digest, who, now):
                        signings.append(_certify(paper.document, found, place, now))
                    else:
                        mismatches.append((place, Mismatch.UNKNOWN_DOCUMENT))
            outcome = await self._keep(request, signings, mismatches)
        for mismatch in outcome.mismatches:
            mismatch.file_name = request.files[mismatch.place - 1].name
        return signing_pb2.AttachSignaturesResponse(documents=outcome.documents, mismatches=outcome.mismatches)

    async def _read(self, files: Sequence[bytes], now: datetime) -> list[SignatureFile | Mismatch]:
        """Each file's signature, of a certificate in force now, or what is wrong with it."""
        try:
            found = await self._quarantine.read(read_signatures, files)
        except UnreadableError:
            return [Mismatch.NO_SIGNATURE] * len(files)
        return [
            one if isinstance(one, Mismatch) or one.valid_from <= now <= one.valid_to else Mismatch.SIGNATURE_INVALID
            for one in found
        ]

    async def _find_outcome(self, request: _Request, roles: Sequence[int]) -> signing_pb2.UploadScanResponse | None:
        """What became of this very request before. Raises NotFound DOCUMENT_NOT_FOUND for whom the school's papers are not."""
        school_id, who = UUID(request.school_id), auth.caller()
        async with self._database.school(school_id) as connection:
            if not await register.works_for_school(connection, school_id, who, self._clock.now(), roles):
                raise no_document()
            kept = await requests.find_answer(connection, who.account_id, request, signing_pb2.UploadScanResponse)
            return await _show(connection, school_id, kept) if kept else None

    async def _keep(
        self, request: _Request, signings: Sequence[_Signing], mismatches: Sequence[tuple[int, Mismatch]]
    ) -> signing_pb2.UploadScanResponse:
        """Keeps scans and signatures, and tells of these; what was signed meanwhile is a mismatch. The answer is kept without
        names.
        """
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        kept_ids, others = [], list(mismatches)
        async with self._database.school(school_id) as connection, connection.transaction():
            for one in signings:
                if await self._keep_one(connection, school_id, one):
                    kept_ids.append(one.paper.document_id)
                else:
                    others += [(place, Mismatch.ALREADY_SIGNED) for place in one.places]
            kept = signing_pb2.UploadScanResponse(
                documents=[document_pb2.Document(document_id=str(document_id)) for document_id in kept_ids],
                mismatches=convert.write_mismatches(sorted(others)),
            )
            await requests.keep_answer(connection, who.account_id, request, kept, now)
            return await _show(connection, school_id, kept)

    async def _keep_one(self, connection: Connection, school_id: UUID, one: _Signing) -> bool:
        if isinstance(one.how, Scanned):
            return await store.insert_scan(connection, school_id, one.paper.document_id, one.how, one.file)
        is_new = await store.insert_signature(connection, school_id, one.paper.document_id, one.how, one.file)
        if is_new:
            told = convert.write_signed(school_id, replace(one.paper, signing=one.how))
            await outbox.add(connection, self._clock, told, school_id)
        return is_new


async def _show(
    connection: Connection, school_id: UUID, kept: signing_pb2.UploadScanResponse
) -> signing_pb2.UploadScanResponse:
    """An outcome with its papers as they now stand."""
    ids = [UUID(document.document_id) for document in kept.documents]
    documents = [write_document(document) for document in await register.list_by_ids(connection, school_id, ids)]
    return signing_pb2.UploadScanResponse(documents=documents, mismatches=kept.mismatches)


def _certify(paper: Document, found: SignatureFile, place: int, now: datetime) -> _Signing:
    how = Certified(now, auth.caller().account_id, found.owner_name, found.serial_number, found.valid_from, found.valid_to)
    return _Signing(paper, how, found.content, [place])
