"""The register of papers: refusals become sealed papers, opened by whom they concern, verified by anyone (R22, R23)."""

from __future__ import annotations

import argparse
import hashlib
import io
import shutil
import subprocess
import zipfile
import zlib
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import pypdfium2
import pytest
from prometheus_client import REGISTRY

from chassis import commands
from chassis.db import Database
from diary.documents.v1 import document_pb2, events_pb2
from diary.options.v1 import options_pb2
from services.documents.__main__ import build
from services.documents.config import Settings
from services.documents.decisions.consumers import DecisionConsumers
from services.documents.register import store
from tests.support.backends import Clone
from tests.support.papers import needs_poppler, read_codes, read_texts
from tests.support.services import refused, sign_in, sign_service
from tests.worlds.documents import Metadata, World
from tests.worlds.refusals import refusal


async def _issue(world: World, deciding: DecisionConsumers, *decisions: Any) -> list[document_pb2.Document]:
    """The papers of one case, the oldest first, as the secretary sees them."""
    await deciding.on_application_decided(world.application_decided(*decisions))
    request = document_pb2.ListDocumentsRequest(school_id=world.school_id, application_id=decisions[0].application_id)
    secretary = await world.person("secretary", options_pb2.RELATION_SCHOOL, world.school_id)
    return list(reversed((await world.documents.ListDocuments(request, metadata=secretary)).documents))


async def _download(world: World, document: document_pb2.Document, who: Metadata, part: str = "ORIGINAL") -> bytes:
    request = document_pb2.DownloadDocumentRequest(
        school_id=world.school_id,
        document_id=document.document_id,
        part=document_pb2.DocumentPart.Value(f"DOCUMENT_PART_{part}"),
    )
    data: bytes = (await world.documents.DownloadDocument(request, metadata=who)).data
    return data


async def _verify(world: World, **asked: Any) -> document_pb2.VerifyDocumentResponse:
    answer: document_pb2.VerifyDocumentResponse = await world.documents.VerifyDocument(
        document_pb2.VerifyDocumentRequest(**asked)
    )
    return answer


async def _office(world: World, role: str = "secretary") -> Metadata:
    return await world.person(role, options_pb2.RELATION_SCHOOL, world.school_id)


async def test_papers_whose_event_was_given_up_are_made_by_redrive_once(world: World, settings: Settings) -> None:
    """Clause R23: an operator makes good what the dead event did not."""
    decision = refusal(application_id=str(uuid4()))
    event = world.application_decided(decision)
    row = event.event_id, event.school_id, event.subject, event.payload, event.fact_time
    for _ in range(2):
        await world.query("INSERT INTO dead_events VALUES ($1, $2, $3, $4, 'AioRpcError', $5, $5)", *row)
        chosen = argparse.Namespace(subject=event.subject, event=None)
        assert await commands.redrive("documents", settings, partial(build, settings), chosen, world.clock)
    request = document_pb2.ListDocumentsRequest(school_id=world.school_id, application_id=decision.application_id)
    [paper] = (await world.documents.ListDocuments(request, metadata=await _office(world))).documents
    assert paper.number == decision.number


@needs_poppler
async def test_each_applicant_of_a_refused_case_gets_a_sealed_paper_with_number_and_code(
    world: World, deciding: DecisionConsumers
) -> None:
    """Clauses R22, R23."""
    application_id = str(uuid4())
    mother = refusal(application_id=application_id)
    father = refusal(application_id=application_id, applicant_name="Иванов Сергей Олегович", number="4-ЭДО/2026")
    papers = await _issue(world, deciding, mother, father)
    assert [(paper.number, paper.addressee_name, paper.state) for paper in papers] == [
        ("3-ЭДО/2026", "Иванова Мария Петровна", document_pb2.DOCUMENT_STATE_AWAITS_SIGNATURE),
        ("4-ЭДО/2026", "Иванов Сергей Олегович", document_pb2.DOCUMENT_STATE_AWAITS_SIGNATURE),
    ]
    assert all(paper.code.startswith("aleks-") for paper in papers)
    file = await _download(world, papers[0], await _office(world))
    assert hashlib.sha256(file).hexdigest() == papers[0].pdf_sha256
    [text] = read_texts(file)
    assert "заявителю (Иванова Мария Петровна)" in " ".join(text.split())
    assert papers[0].code in text
    assert "Сергей" not in text
    assert read_codes(file) == [f"https://diary.example/verify?code={papers[0].code}&page=1"]


async def test_an_event_that_comes_again_makes_nothing_whatever_its_id(world: World, deciding: DecisionConsumers) -> None:
    decision = refusal()
    event = world.application_decided(decision)
    for again in (event, event, world.application_decided(decision)):
        await deciding.on_application_decided(again)
    assert len(await world.query("SELECT 1 FROM documents WHERE school_id = $1")) == 1
    assert len(await world.query("SELECT 1 FROM sealed_documents WHERE school_id = $1")) == 1
    told = await world.query("SELECT payload FROM outbox WHERE school_id = $1 AND subject LIKE '%DocumentIssued'")
    [issued] = [events_pb2.DocumentIssued.FromString(row["payload"]) for row in told]
    assert issued.applicant_id == decision.applicant_id


async def test_a_paper_that_is_there_is_not_made_again(world: World, deciding: DecisionConsumers) -> None:
    """The inbox is asked before the press, which takes half a second: a stream that was lost is told again."""

    def count() -> float:
        return REGISTRY.get_sample_value("diary_documents_rendered_total", {"kind": "decision"}) or 0.0

    event = world.application_decided(refusal())
    await deciding.on_application_decided(event)
    made = count()
    await deciding.on_application_decided(event)
    assert count() == made


async def test_a_paper_that_cannot_be_kept_leaves_neither_code_nor_event_nor_inbox(
    world: World, deciding: DecisionConsumers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: Any) -> None:
        raise RuntimeError("the last write")

    event = world.application_decided(refusal())
    monkeypatch.setattr("services.documents.decisions.consumers.outbox.add", breaks)
    with pytest.raises(RuntimeError):
        await deciding.on_application_decided(event)
    assert await world.query("SELECT 1 FROM documents WHERE school_id = $1") == []
    assert await world.query("SELECT 1 FROM sealed_documents WHERE school_id = $1") == []
    monkeypatch.undo()
    await deciding.on_application_decided(event)
    assert len(await world.query("SELECT 1 FROM documents WHERE school_id = $1")) == 1


async def test_a_case_that_ended_otherwise_has_no_paper(world: World, deciding: DecisionConsumers) -> None:
    for state in ("GRANTED", "WITHDRAWN"):
        await deciding.on_application_decided(world.application_decided(refusal(), state=state))
    # An event of the release before names no state; access says that the case was not refused.
    event = world.application_decided(refusal(), state="UNSPECIFIED")
    world.decisions.clear()
    await deciding.on_application_decided(event)
    assert await world.query("SELECT 1 FROM documents WHERE school_id = $1") == []


async def test_a_paper_is_opened_by_the_office_its_class_teacher_and_its_applicant_and_by_nobody_else(
    world: World, deciding: DecisionConsumers, keys_dir: Any
) -> None:
    account_id = uuid4()
    [paper] = await _issue(world, deciding, refusal(account_id=str(account_id), class_id=world.class_id))
    applicant = sign_in(keys_dir, account_id, uuid4(), "guardian", clock=world.clock)
    for who in (*[await _office(world, role) for role in ("admin", "secretary", "head")], world.teacher, applicant):
        asked = document_pb2.GetDocumentRequest(school_id=world.school_id, document_id=paper.document_id)
        assert (await world.documents.GetDocument(asked, metadata=who)).document == paper
        assert (await _download(world, paper, who)).startswith(b"%PDF-")
        assert (
            len(
                (
                    await world.documents.ListDocuments(
                        document_pb2.ListDocumentsRequest(school_id=world.school_id), metadata=who
                    )
                ).documents
            )
            == 1
        )
    other_class = await world.person("class_teacher", options_pb2.RELATION_CLASS, str(uuid4()))
    stranger = sign_in(keys_dir, uuid4(), uuid4(), "guardian", "head", clock=world.clock)
    for who in (other_class, stranger):
        absent = (grpc.StatusCode.NOT_FOUND, "DOCUMENT_NOT_FOUND")
        asked = document_pb2.GetDocumentRequest(school_id=world.school_id, document_id=paper.document_id)
        assert await refused(world.documents.GetDocument(asked, metadata=who)) == absent
        assert await refused(_download(world, paper, who)) == absent
        listed = await world.documents.ListDocuments(document_pb2.ListDocumentsRequest(school_id=world.school_id), metadata=who)
        assert not listed.documents


async def test_a_list_is_paged_newest_first_without_repeat_or_gap(world: World, deciding: DecisionConsumers) -> None:
    for number in range(5):
        await _issue(world, deciding, refusal(number=f"{number}-ЭДО/2026"))
    secretary, token, found = await _office(world), "", []
    while True:
        request = document_pb2.ListDocumentsRequest(
            school_id=world.school_id, page_size=2, page_token=token, state=document_pb2.DOCUMENT_STATE_AWAITS_SIGNATURE
        )
        answer = await world.documents.ListDocuments(request, metadata=secretary)
        found += [document.number for document in answer.documents]
        token = answer.next_page_token
        if not token:
            break
    assert found == [f"{number}-ЭДО/2026" for number in reversed(range(5))]
    signed = document_pb2.ListDocumentsRequest(school_id=world.school_id, state=document_pb2.DOCUMENT_STATE_SIGNED_ON_PAPER)
    assert not (await world.documents.ListDocuments(signed, metadata=secretary)).documents


async def test_papers_are_bundled_to_print_as_one_pdf_and_to_sign_as_a_zip_of_the_sealed_files(
    world: World, deciding: DecisionConsumers
) -> None:
    papers = [(await _issue(world, deciding, refusal()))[0] for _ in range(3)]
    secretary = await _office(world)
    ids = [paper.document_id for paper in papers]
    request = document_pb2.BundleDocumentsRequest(
        school_id=world.school_id, document_ids=ids, format=document_pb2.BUNDLE_FORMAT_PDF
    )
    answer = await world.documents.BundleDocuments(request, metadata=secretary)
    assert (answer.content_type, len(pypdfium2.PdfDocument(answer.data))) == ("application/pdf", 3)
    request.format = document_pb2.BUNDLE_FORMAT_ZIP
    with zipfile.ZipFile(io.BytesIO((await world.documents.BundleDocuments(request, metadata=secretary)).data)) as archive:
        packed = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    assert packed == {f"3-ЭДО-2026_{paper.code}.pdf": paper.pdf_sha256 for paper in papers}
    request.document_ids.append(str(uuid4()))
    absent = (grpc.StatusCode.NOT_FOUND, "DOCUMENT_NOT_FOUND")
    assert await refused(world.documents.BundleDocuments(request, metadata=secretary)) == absent


async def test_a_bundle_that_no_answer_can_hold_is_refused_before_it_is_read(
    world: World, deciding: DecisionConsumers, monkeypatch: pytest.MonkeyPatch
) -> None:
    papers = [(await _issue(world, deciding, refusal()))[0] for _ in range(2)]
    monkeypatch.setattr("services.documents.register.rpc._MAX_BUNDLE", 100_000)
    request = document_pb2.BundleDocumentsRequest(
        school_id=world.school_id, document_ids=[paper.document_id for paper in papers], format=document_pb2.BUNDLE_FORMAT_ZIP
    )
    refusal_of = await refused(world.documents.BundleDocuments(request, metadata=await _office(world)))
    assert refusal_of == (grpc.StatusCode.INVALID_ARGUMENT, "DOCUMENTS_TOO_LARGE")


async def test_anyone_verifies_a_paper_by_code_hash_or_file_and_learns_no_name(
    world: World, deciding: DecisionConsumers
) -> None:
    """Clause R22."""
    [paper] = await _issue(world, deciding, refusal())
    file = await _download(world, paper, await _office(world))
    typed = f" {paper.code.upper().replace('-', '–')} "
    for asked in ({"code": typed}, {"sha256": paper.pdf_sha256.upper()}, {"file": file}):
        answer = await _verify(world, **asked)
        assert answer == document_pb2.VerifyDocumentResponse(
            verdict=document_pb2.VERDICT_VALID,
            kind=document_pb2.DOCUMENT_KIND_REFUSAL,
            document_date="2026-11-20",
            state=document_pb2.DOCUMENT_STATE_AWAITS_SIGNATURE,
            pdf_sha256=paper.pdf_sha256,
        )
    for strange in ({"code": "aleks-0000-0000-0000"}, {"sha256": "0" * 64}, {"file": b"%PDF-1.7 of somebody else"}):
        assert await _verify(world, **strange) == document_pb2.VerifyDocumentResponse(verdict=document_pb2.VERDICT_UNKNOWN)
    for nothing in ({}, {"code": paper.code, "sha256": paper.pdf_sha256}):
        asked_nothing = refused(_verify(world, **nothing))
        assert await asked_nothing == (grpc.StatusCode.INVALID_ARGUMENT, "NOTHING_TO_VERIFY")


async def test_years_after_its_certificates_end_a_paper_is_valid_and_a_changed_one_is_not(
    world: World, deciding: DecisionConsumers
) -> None:
    """Clause R22: the signature verifies after the certificate's expiry."""
    [paper] = await _issue(world, deciding, refusal())
    file = await _download(world, paper, await _office(world))
    flipped = bytearray(file)
    flipped[file.index(b"stream\n") + 40] ^= 1
    world.clock.advance(timedelta(days=365 * 5))
    assert (await _verify(world, file=file)).verdict == document_pb2.VERDICT_VALID
    assert (await _verify(world, file=bytes(flipped))).verdict == document_pb2.VERDICT_CHANGED
    assert (await _verify(world, file=file + b"\n% added after sealing\n")).verdict == document_pb2.VERDICT_CHANGED


async def test_a_file_that_eats_memory_or_time_is_unknown_and_harms_nobody(world: World) -> None:
    bomb = zlib.compress(b"\0" * (400 << 20), 9)
    body = b"%PDF-1.7\n1 0 obj\n<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length " + str(len(bomb)).encode()
    body += b">>\nstream\n" + bomb + b"\nendstream\nendobj\n/ByteRange\n"
    assert (await _verify(world, file=body)).verdict == document_pb2.VERDICT_UNKNOWN
    assert (await _verify(world, code="aleks-0000")).verdict == document_pb2.VERDICT_UNKNOWN


@needs_poppler
@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler-utils is not installed: make setup-debian (as root)")
async def test_others_accept_the_seal_and_refuse_a_flipped_byte(
    world: World, deciding: DecisionConsumers, tmp_path: Any
) -> None:
    [paper] = await _issue(world, deciding, refusal())
    file = await _download(world, paper, await _office(world))

    def ask_poppler(content: bytes) -> str:
        (tmp_path / "paper.pdf").write_bytes(content)
        return subprocess.run(
            ["pdfsig", "-nocert", str(tmp_path / "paper.pdf")], capture_output=True, check=False
        ).stdout.decode(errors="replace")

    said = ask_poppler(file)
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    assert "Signer Certificate Common Name: МБОУ «Александровская школа»" in said
    assert "ETSI.CAdES.detached" in said
    flipped = bytearray(file)
    flipped[file.index(b"stream\n") + 40] ^= 1
    assert "Digest Mismatch" in ask_poppler(bytes(flipped))


async def test_a_signed_paper_is_fetched_by_notify_alone(world: World, deciding: DecisionConsumers, keys_dir: Any) -> None:
    [paper] = await _issue(world, deciding, refusal())
    request = document_pb2.FetchDocumentRequest(school_id=world.school_id, document_id=paper.document_id)
    absent = (grpc.StatusCode.NOT_FOUND, "DOCUMENT_NOT_FOUND")
    notify = sign_service(keys_dir, "notify", world.clock)
    assert await refused(world.documents.FetchDocument(request, metadata=notify)) == absent
    await world.query(
        "INSERT INTO signings (school_id, document_id, way, upload_time, account_id, file, signed_date)"
        " SELECT school_id, document_id, 2, now(), document_id, '%PDF-scan', current_date FROM documents WHERE school_id = $1"
    )
    fetched = await world.documents.FetchDocument(request, metadata=notify)
    assert (fetched.document.state, fetched.scan) == (document_pb2.DOCUMENT_STATE_SIGNED_ON_PAPER, b"%PDF-scan")
    assert hashlib.sha256(fetched.pdf).hexdigest() == paper.pdf_sha256
    access = sign_service(keys_dir, "access", world.clock)
    assert await refused(world.documents.FetchDocument(request, metadata=access)) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "SERVICE_NOT_ALLOWED",
    )


async def test_papers_that_wait_are_counted_over_all_schools_without_seeing_whom_they_concern(
    world: World, deciding: DecisionConsumers, clone: Clone
) -> None:
    database = await Database.connect(clone.app_dsns["documents"], "documents", size=1)
    try:
        async with database.jobs() as connection:
            before, _ = await store.count_unsigned(connection)
        await _issue(world, deciding, refusal())
        async with database.jobs() as connection:
            waiting, oldest = await store.count_unsigned(connection)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch("SELECT addressee_name FROM documents")
    finally:
        await database.close()
    assert waiting == before + 1
    assert oldest is not None


async def test_the_service_changes_and_drops_nothing_of_the_register(world: World, deciding: DecisionConsumers) -> None:
    await _issue(world, deciding, refusal())
    rows = await world.query(
        """
        SELECT t.name, r.name AS privilege FROM unnest(ARRAY['documents', 'signings', 'sealed_documents']) AS t (name),
            unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS r (name)
        WHERE $1::uuid IS NOT NULL AND (has_table_privilege('diary_documents_app', 'documents.' || t.name, r.name)
            OR has_any_column_privilege('diary_documents_app', 'documents.' || t.name, 'UPDATE'))
        """
    )
    assert rows == []
