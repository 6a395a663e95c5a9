"""How papers are signed: scans matched by their codes, detached GOST signatures matched by hash (R22)."""

from __future__ import annotations

import asyncio
import struct
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pypdfium2
import pytest

from chassis.clock import SystemClock
from diary.documents.v1 import document_pb2, events_pb2, signing_pb2
from diary.options.v1 import options_pb2
from services.documents.decisions.consumers import DecisionConsumers
from services.documents.press.convert.pages import join_pages
from tests.support.papers import needs_poppler
from tests.support.services import refused, refused_or_answered, sign_service
from tests.worlds.documents import Metadata, World
from tests.worlds.refusals import Head, needs_gost, photograph, refusal, scan

_UNREADABLE = (grpc.StatusCode.INVALID_ARGUMENT, "SCAN_UNREADABLE")
# Long enough for two pages.
_LONG = {"applicant_name": "Абдурахманова-Воскресенская " * 9, "student_name": "Иванов-Петров " * 15}


async def _office(world: World, role: str = "secretary") -> Metadata:
    return await world.person(role, options_pb2.RELATION_SCHOOL, world.school_id)


async def _issue(world: World, deciding: DecisionConsumers, reason: str = "LEFT", **fields: Any) -> document_pb2.Document:
    """A paper of a case of its own."""
    decision = refusal(reason, **fields)
    await deciding.on_application_decided(world.application_decided(decision))
    request = document_pb2.ListDocumentsRequest(school_id=world.school_id, application_id=decision.application_id)
    return (await world.documents.ListDocuments(request, metadata=await _office(world))).documents[0]


async def _download(world: World, document: document_pb2.Document, part: str = "ORIGINAL") -> bytes:
    request = document_pb2.DownloadDocumentRequest(
        school_id=world.school_id,
        document_id=document.document_id,
        part=document_pb2.DocumentPart.Value(f"DOCUMENT_PART_{part}"),
    )
    data: bytes = (await world.documents.DownloadDocument(request, metadata=await _office(world))).data
    return data


def _upload(world: World, file: bytes, who: Metadata, **fields: Any) -> Any:
    request = signing_pb2.UploadScanRequest(
        **{"school_id": world.school_id, "request_id": str(uuid4()), "file": file, **fields}
    )
    return world.documents.UploadScan(request, metadata=who)


def _named(answer: Any) -> list[tuple[int, str]]:
    prefix = "MISMATCH_REASON_"
    return [(one.place, signing_pb2.MismatchReason.Name(one.reason).removeprefix(prefix)) for one in answer.mismatches]


async def _told(world: World) -> list[tuple[str, str]]:
    rows = await world.query("SELECT payload FROM outbox WHERE school_id = $1 AND subject LIKE '%DocumentSigned'")
    signed = [events_pb2.DocumentSigned.FromString(row["payload"]) for row in rows]
    return [(one.document_id, document_pb2.DocumentState.Name(one.state).removeprefix("DOCUMENT_STATE_")) for one in signed]


async def _confirm(
    world: World, who: Metadata, *documents: document_pb2.Document, **fields: Any
) -> list[document_pb2.Document]:
    ids = [document.scan.scan_id for document in documents]
    request = signing_pb2.ConfirmScansRequest(
        **{"school_id": world.school_id, "request_id": str(uuid4()), "scan_ids": ids, **fields}
    )
    return list((await world.documents.ConfirmScans(request, metadata=who)).documents)


@needs_poppler
async def test_a_stack_of_papers_is_scanned_at_once_and_each_page_finds_its_paper(
    world: World, deciding: DecisionConsumers
) -> None:
    """Clause R22: many at once; pages askew, upside down and out of order; a paper of two pages among them."""
    short, long = await _issue(world, deciding), await _issue(world, deciding, "STATEMENT_TO_CANCEL", **_LONG)
    assert (short.page_count, long.page_count) == (1, 2)
    first, second = await _download(world, short), await _download(world, long)
    pages = [photograph(second, page=2), photograph(first), b"", photograph(second, page=1)]
    answer = await _upload(world, scan(*pages, turn="181deg"), await _office(world), signed_date="2026-11-20")
    assert _named(answer) == [(3, "NO_CODE")]
    assert {one.document_id: (one.state, one.scan.signed_date) for one in answer.documents} == {
        paper.document_id: (document_pb2.DOCUMENT_STATE_SCAN_UNCONFIRMED, "2026-11-20") for paper in (short, long)
    }
    assert len(pypdfium2.PdfDocument(await _download(world, short, "SCAN"))) == 1
    assert len(pypdfium2.PdfDocument(await _download(world, long, "SCAN"))) == 2
    assert await _told(world) == []
    await _confirm(world, await _office(world, "head"), *answer.documents)
    assert sorted(await _told(world)) == sorted((one.document_id, "SIGNED_ON_PAPER") for one in (short, long))


@needs_poppler
@pytest.mark.parametrize("kind", ["jpeg", "png"])
async def test_a_picture_of_one_paper_is_kept_as_pdf(world: World, deciding: DecisionConsumers, kind: str) -> None:
    paper = await _issue(world, deciding)
    picture = photograph(await _download(world, paper), kind, dpi=150)
    answer = await _upload(world, picture, await _office(world, "head"))
    assert ([one.document_id for one in answer.documents], answer.mismatches) == ([paper.document_id], [])
    assert (await _download(world, paper, "SCAN")).startswith(b"%PDF-")


@needs_poppler
async def test_nothing_is_kept_of_a_paper_of_which_a_page_lacks_nor_of_what_is_not_ours(
    world: World, deciding: DecisionConsumers
) -> None:
    long = await _issue(world, deciding, "STATEMENT_TO_CANCEL", **_LONG)
    pages = photograph(await _download(world, long), page=2)
    school_id = world.school_id
    await world.begin(str(uuid4()))
    others = photograph(await _download(world, await _issue(world, deciding)))
    world.school_id = school_id
    answer = await _upload(world, scan(pages, others), await _office(world))
    assert _named(answer) == [(1, "PAGE_MISSING"), (2, "UNKNOWN_DOCUMENT")]
    assert not answer.documents
    assert await world.query("SELECT 1 FROM scans WHERE school_id = $1") == []


@needs_poppler
@pytest.mark.parametrize("how", ["the file itself", "the file saved anew", "its picture", "its pages among others"])
async def test_the_original_that_nobody_signed_is_refused_as_a_scan(
    world: World, deciding: DecisionConsumers, how: str
) -> None:
    """Clause R22: a scan bears ink."""
    paper = await _issue(world, deciding)
    original = await _download(world, paper)
    file = {
        "the file itself": original,
        "the file saved anew": join_pages([original]),
        "its picture": photograph(original, "png", dpi=150, is_signed=False),
        "its pages among others": join_pages([_many_pages(1), original]),
    }[how]
    answer = await _upload(world, file, await _office(world))
    assert (_named(answer)[-1][1], len(answer.documents)) == ("ORIGINAL", 0)
    assert await world.query("SELECT 1 FROM scans WHERE school_id = $1") == []


@needs_poppler
async def test_a_scan_counts_when_the_head_has_confirmed_it(world: World, deciding: DecisionConsumers) -> None:
    """Clause R22: who uploaded and who confirmed stand in the register and in the event."""
    paper = await _issue(world, deciding)
    secretary = await _office(world)
    uploader = str(world.last_account_id)
    [waiting] = (await _upload(world, photograph(await _download(world, paper)), secretary)).documents
    assert (waiting.state, waiting.scan.uploader_account_id) == (document_pb2.DOCUMENT_STATE_SCAN_UNCONFIRMED, uploader)
    code = document_pb2.VerifyDocumentRequest(code=paper.code)
    assert (await world.documents.VerifyDocument(code)).state == document_pb2.DOCUMENT_STATE_AWAITS_SIGNATURE
    fetched = document_pb2.FetchDocumentRequest(school_id=world.school_id, document_id=paper.document_id)
    notify = sign_service(world.keys_dir, "notify", world.clock)
    assert (await refused(world.documents.FetchDocument(fetched, metadata=notify)))[1] == "DOCUMENT_NOT_FOUND"
    head, request_id = await _office(world, "head"), str(uuid4())
    first, again = [await _confirm(world, head, waiting, request_id=request_id) for _ in range(2)]
    assert first == again
    assert first[0].state == document_pb2.DOCUMENT_STATE_SIGNED_ON_PAPER
    assert (first[0].scan.uploader_account_id, first[0].scan.confirmer_account_id) == (uploader, str(world.last_account_id))
    assert (await world.documents.VerifyDocument(code)).state == document_pb2.DOCUMENT_STATE_SIGNED_ON_PAPER
    assert len((await world.documents.FetchDocument(fetched, metadata=notify)).scan) > 1000
    [row] = await world.query("SELECT payload FROM outbox WHERE school_id = $1 AND subject LIKE '%DocumentSigned'")
    told = events_pb2.DocumentSigned.FromString(row["payload"])
    assert (told.uploader_account_id, told.confirmer_account_id) == (uploader, str(world.last_account_id))
    assert await refused(_confirm(world, head, waiting)) == (grpc.StatusCode.NOT_FOUND, "SCAN_NOT_FOUND")


@needs_poppler
async def test_a_later_scan_takes_the_place_of_one_that_nobody_confirmed(world: World, deciding: DecisionConsumers) -> None:
    paper = await _issue(world, deciding)
    file, secretary = photograph(await _download(world, paper)), await _office(world)
    [first] = (await _upload(world, file, secretary)).documents
    [second] = (await _upload(world, file, secretary)).documents
    head = await _office(world, "head")
    assert await refused(_confirm(world, head, first)) == (grpc.StatusCode.NOT_FOUND, "SCAN_NOT_FOUND")
    assert await _told(world) == []
    assert len(await _confirm(world, head, second)) == 1


@needs_poppler
async def test_nobody_but_the_head_confirms_a_scan(world: World, deciding: DecisionConsumers) -> None:
    """Clause R22: deny tests for all others."""
    paper = await _issue(world, deciding)
    [waiting] = (await _upload(world, photograph(await _download(world, paper)), await _office(world))).documents
    for role in ("admin", "secretary"):
        assert (await refused(_confirm(world, await _office(world, role), waiting)))[0] == grpc.StatusCode.PERMISSION_DENIED
    await _office(world, "secretary")
    assert (await refused(_confirm(world, world.claim("head"), waiting)))[1] == "DOCUMENT_NOT_FOUND"
    elsewhere = await world.person("head", options_pb2.RELATION_SCHOOL, str(uuid4()))
    assert (await refused(_confirm(world, elsewhere, waiting)))[1] == "DOCUMENT_NOT_FOUND"


@needs_poppler
async def test_a_scan_is_kept_once_for_its_request_and_a_paper_signed_once(world: World, deciding: DecisionConsumers) -> None:
    paper = await _issue(world, deciding)
    file, secretary = photograph(await _download(world, paper)), await _office(world)
    request_id = str(uuid4())
    first, again = [await _upload(world, file, secretary, request_id=request_id) for _ in range(2)]
    assert first == again
    await _confirm(world, await _office(world, "head"), *first.documents)
    assert _named(await _upload(world, file, secretary)) == [(1, "ALREADY_SIGNED")]
    assert len(await _told(world)) == 1
    kept = await world.query("SELECT answer FROM requests WHERE $1::uuid IS NOT NULL")
    assert not any("Иванова".encode() in row["answer"] for row in kept)


@needs_poppler
async def test_of_two_scans_of_a_paper_one_is_confirmed(world: World, deciding: DecisionConsumers) -> None:
    paper = await _issue(world, deciding)
    file, who = photograph(await _download(world, paper)), [await _office(world), await _office(world)]
    answers = await asyncio.gather(*(_upload(world, file, one) for one in who))
    head = await _office(world, "head")
    scans_kept = [answer.documents[0] for answer in answers]
    outcomes = await asyncio.gather(*(refused_or_answered(_confirm(world, head, one)) for one in scans_kept))
    assert sorted(code.name for code, _ in outcomes) == ["NOT_FOUND", "OK"]
    assert len(await world.query("SELECT 1 FROM signings WHERE school_id = $1")) == 1


@needs_poppler
async def test_no_paper_is_signed_before_it_was_made_or_in_days_to_come(world: World, deciding: DecisionConsumers) -> None:
    paper = await _issue(world, deciding)
    file, secretary = photograph(await _download(world, paper)), await _office(world)
    for day in ("2026-11-19", "2026-11-21", "2026-02-30"):
        denied = await refused(_upload(world, file, secretary, signed_date=day))
        assert denied == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")


async def test_nobody_outside_the_office_uploads_scans(world: World, deciding: DecisionConsumers) -> None:
    elsewhere = await world.person("secretary", options_pb2.RELATION_SCHOOL, str(uuid4()))
    assert await refused(_upload(world, b"%PDF-1.7", elsewhere)) == (grpc.StatusCode.NOT_FOUND, "DOCUMENT_NOT_FOUND")
    assert (await refused(_upload(world, b"%PDF-1.7", world.teacher)))[0] == grpc.StatusCode.PERMISSION_DENIED


def _png(width: int, height: int, data: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _pdf(*objects: bytes) -> bytes:
    body = b"%PDF-1.7\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, one) for number, one in enumerate(objects, 1))
    return body + b"trailer\n<</Root 1 0 R/Size %d>>\n%%%%EOF" % (len(objects) + 1)


def _many_pages(count: int) -> bytes:
    kids = b" ".join(b"3 0 R" for _ in range(count))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
    return _pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, kids), page)


def _pixel_bomb() -> bytes:
    packed = zlib.compress(zlib.compress(b"\0" * (300 << 20), 9), 9)
    image = b"<</Type/XObject/Subtype/Image/Width 60000/Height 60000/ColorSpace/DeviceRGB/BitsPerComponent 8"
    image += b"/Filter[/FlateDecode/FlateDecode]/Length %d>>stream\n%s\nendstream" % (len(packed), packed)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>"
    drawn = b"q 595 0 0 842 0 0 cm /I Do Q"
    content = b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn)
    return _pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[3 0 R]>>", page, content, image)


_HOSTILE = {
    "no file at all": b"PK\x03\x04 a letter",
    "a header alone": b"%PDF-1.7\n",
    "a picture cut off": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "a picture of more pixels than a sheet has": _png(6000, 6000, zlib.compress(b"\0" * 6001 * 6000)),
    "a picture that is none": _png(100, 100, b"not packed"),
    "a thousand pages": _many_pages(1000),
    "no page": _pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 0/Kids[]>>"),
}


@pytest.mark.parametrize("what", _HOSTILE)
async def test_a_hostile_file_is_unreadable(world: World, what: str) -> None:
    assert await refused(_upload(world, _HOSTILE[what], await _office(world))) == _UNREADABLE


async def test_a_page_that_unpacks_without_end_is_bounded_and_the_next_scan_is_read(world: World) -> None:
    secretary = await _office(world)
    # Whatever the reader makes of it, the service stands: a page without a code, or a reader that came to its end.
    outcome = await refused_or_answered(_upload(world, _pixel_bomb(), secretary))
    assert outcome in (_UNREADABLE, (grpc.StatusCode.OK, ""))
    assert _named(await _upload(world, _many_pages(2), secretary)) == [(1, "NO_CODE"), (2, "NO_CODE")]


def _attach(world: World, document: document_pb2.Document, signature: bytes, who: Metadata, **fields: Any) -> Any:
    request = signing_pb2.AttachSignatureRequest(
        **{
            "school_id": world.school_id,
            "request_id": str(uuid4()),
            "document_id": document.document_id,
            "signature": signature,
            **fields,
        }
    )
    return world.documents.AttachSignature(request, metadata=who)


def _now(world: World) -> None:
    """OpenSSL makes certificates of the machine's own day."""
    world.clock.advance(SystemClock().now() - world.clock.now() + timedelta(minutes=5))


@needs_gost
@pytest.mark.parametrize(("bits", "curve", "form"), [(256, "A", "DER"), (256, "TCA", "PEM"), (512, "A", "DER")])
async def test_a_heads_gost_signature_made_outside_signs_the_paper(
    world: World, deciding: DecisionConsumers, tmp_path: Path, bits: int, curve: str, form: str
) -> None:
    """Clause R22: matched by hash; owner, serial number and validity are kept."""
    _now(world)
    paper = await _issue(world, deciding)
    signature = Head(tmp_path, bits, curve).sign(await _download(world, paper), form=form)
    head = await _office(world, "head")
    signed = (await _attach(world, paper, signature, head)).document
    assert signed.state == document_pb2.DOCUMENT_STATE_SIGNED_ELECTRONICALLY
    assert signed.signature.owner_name == "Супрун Ирина Евгеньевна"
    assert len(signed.signature.serial_number) >= 16
    assert signed.signature.valid_to_time.seconds - signed.signature.valid_from_time.seconds == 400 * 86400
    assert await _told(world) == [(paper.document_id, "SIGNED_ELECTRONICALLY")]
    assert len(await _download(world, paper, "SIGNATURE")) > 500
    again = await refused(_attach(world, paper, signature, head))
    assert again == (grpc.StatusCode.FAILED_PRECONDITION, "DOCUMENT_SIGNED")


@needs_gost
async def test_a_signature_of_another_file_a_broken_one_and_one_out_of_time_are_refused(
    world: World, deciding: DecisionConsumers, tmp_path: Path
) -> None:
    _now(world)
    paper, head, signer = await _issue(world, deciding), await _office(world, "head"), Head(tmp_path)
    right = signer.sign(await _download(world, paper))
    broken = right[:-1] + bytes([right[-1] ^ 1])
    bad = grpc.StatusCode.INVALID_ARGUMENT
    for signature, reason in (
        (signer.sign(b"another file"), "SIGNATURE_OF_ANOTHER_FILE"),
        (broken, "SIGNATURE_INVALID"),
        (b"0\x82 no signature", "SIGNATURE_UNREADABLE"),
        (signer.sign(await _download(world, paper), "-nodetach"), "SIGNATURE_UNREADABLE"),
        (signer.sign(await _download(world, paper), "-nocerts"), "SIGNATURE_UNREADABLE"),
    ):
        assert await refused(_attach(world, paper, signature, head)) == (bad, reason)
    world.clock.advance(timedelta(days=401))
    late = await refused(_attach(world, paper, right, await _office(world, "head")))
    assert late == (bad, "SIGNATURE_INVALID")
    assert await world.query("SELECT 1 FROM signings WHERE school_id = $1") == []


async def test_only_the_head_attaches_signatures(world: World, deciding: DecisionConsumers) -> None:
    """Clause R22: deny tests for all others."""
    paper = await _issue(world, deciding)
    for role in ("admin", "secretary"):
        assert (await refused(_attach(world, paper, b"x", await _office(world, role))))[0] == grpc.StatusCode.PERMISSION_DENIED
    await _office(world, "secretary")
    claims = world.claim("head")
    assert await refused(_attach(world, paper, b"x", claims)) == (grpc.StatusCode.NOT_FOUND, "DOCUMENT_NOT_FOUND")
    elsewhere = await world.person("head", options_pb2.RELATION_SCHOOL, str(uuid4()))
    assert await refused(_attach(world, paper, b"x", elsewhere)) == (grpc.StatusCode.NOT_FOUND, "DOCUMENT_NOT_FOUND")


@needs_gost
async def test_a_folder_of_signatures_finds_its_papers_by_hash_and_names_what_fits_none(
    world: World, deciding: DecisionConsumers, tmp_path: Path
) -> None:
    _now(world)
    papers = [await _issue(world, deciding) for _ in range(3)]
    signer, head = Head(tmp_path), await _office(world, "head")
    files = [signer.sign(await _download(world, paper)) for paper in reversed(papers)]
    files += [signer.sign(b"a letter"), b"no signature", files[0]]
    request = signing_pb2.AttachSignaturesRequest(
        school_id=world.school_id,
        request_id=str(uuid4()),
        files=[signing_pb2.SignatureFile(name=f"{number}.pdf.sig", content=file) for number, file in enumerate(files)],
    )
    answer = await world.documents.AttachSignatures(request, metadata=head)
    assert {one.document_id for one in answer.documents} == {paper.document_id for paper in papers}
    assert _named(answer) == [(4, "UNKNOWN_DOCUMENT"), (5, "NO_SIGNATURE"), (6, "ALREADY_SIGNED")]
    assert [one.file_name for one in answer.mismatches] == ["3.pdf.sig", "4.pdf.sig", "5.pdf.sig"]
    assert await world.documents.AttachSignatures(request, metadata=head) == answer
    assert len(await _told(world)) == 3
