"""The school's seal: what it covers, whose it is, and that it stands when its certificates have ended (R22)."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.reader import PdfFileReader

from deploy.keys.keys import seal_certificate
from services.documents.decisions.convert import read_decisions, render_decision
from services.documents.decisions.rules import build_decision
from services.documents.register.convert.seal import Sealer, SealState, judge_seal, read_authority
from tests.worlds.refusals import refusal

_LONG_AGO = datetime(2012, 3, 1, tzinfo=UTC)
_SCHOOL = uuid4()
_NAMES = ("МБОУ «Александровская школа»", "Муниципальное бюджетное общеобразовательное учреждение «Александровская школа»")


def _authority(made: datetime) -> tuple[bytes, bytes]:
    """Key and certificate in PEM of an authority made at a moment."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private, seal_certificate(key, made).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def paper() -> bytes:
    """A decision before it is sealed."""
    [decision] = read_decisions([refusal()])
    return render_decision(build_decision(decision, "aleks-1"), ["https://diary.example/verify"] * 8)


def _seal(paper: bytes, authority: tuple[bytes, bytes], now: datetime) -> bytes:
    return Sealer(read_authority(*authority)).seal(paper, _SCHOOL, *_NAMES, now)


def test_a_seal_is_judged_at_its_own_moment_long_after_school_and_authority_ended(paper: bytes) -> None:
    authority = _authority(_LONG_AGO)
    sealed = _seal(paper, authority, _LONG_AGO + timedelta(days=30))
    assert x509.load_pem_x509_certificate(authority[1]).not_valid_after_utc < datetime(2023, 1, 1, tzinfo=UTC)
    assert judge_seal(sealed, authority[1]) is SealState.WHOLE


def test_another_authoritys_seal_is_none_of_ours(paper: bytes) -> None:
    ours, theirs = _authority(_LONG_AGO), _authority(_LONG_AGO)
    assert judge_seal(_seal(paper, theirs, _LONG_AGO), ours[1]) is SealState.NONE
    assert judge_seal(paper, ours[1]) is SealState.NONE


def test_no_changed_byte_leaves_a_whole_seal_over_what_is_read(paper: bytes) -> None:
    authority = _authority(_LONG_AGO)
    sealed = _seal(paper, authority, _LONG_AGO)
    hole = range(sealed.index(b"/Contents <") + 11, sealed.index(b">", sealed.index(b"/Contents <")))
    for place in range(0, len(sealed), 1511):
        if place not in hole:
            changed = bytearray(sealed)
            changed[place] ^= 1
            assert judge_seal(bytes(changed), authority[1]) is not SealState.WHOLE, place
    assert judge_seal(sealed + b"\n", authority[1]) is SealState.BROKEN


def test_a_process_keeps_a_schools_key_for_a_month_and_names_the_school_in_its_certificate(paper: bytes) -> None:
    authority = _authority(_LONG_AGO)
    sealer = Sealer(read_authority(*authority))
    times = [_LONG_AGO + timedelta(days=day) for day in (0, 29, 31)]
    sealed = [sealer.seal(paper, _SCHOOL, *_NAMES, time) for time in times]
    other = sealer.seal(paper, uuid4(), *_NAMES, _LONG_AGO)
    keys = [_certificate(one).public_key() for one in (*sealed, other)]
    assert keys[0] == keys[1]
    assert (
        len({key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo) for key in keys})
        == 3
    )
    named = _certificate(sealed[0]).subject
    assert [attribute.value for attribute in named] == list(_NAMES)


def test_a_school_with_a_long_name_is_sealed_for_and_named_whole(paper: bytes) -> None:
    """A common name holds 64 bytes, and Cyrillic takes two a letter: the organisation bears the rest."""
    names = ("МБОУ «Средняя школа № 3» г. Белокаменск", f"{_NAMES[1]} города Белокаменск Республики Крым")
    authority = _authority(_LONG_AGO)
    sealed = Sealer(read_authority(*authority)).seal(paper, _SCHOOL, *names, _LONG_AGO)
    assert judge_seal(sealed, authority[1]) is SealState.WHOLE
    [signature] = PdfFileReader(io.BytesIO(sealed)).embedded_signatures
    subject = signature.signer_cert.subject.native
    assert names[0].startswith(subject["common_name"])
    assert subject["organization_name"] == names[1]


def test_files_that_are_no_pair_say_how_to_make_one() -> None:
    one, other = _authority(_LONG_AGO), _authority(_LONG_AGO)
    with pytest.raises(ValueError, match=r"deploy\.keys make"):
        read_authority(one[0], other[1])


def _certificate(pdf: bytes) -> x509.Certificate:
    [signature] = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    return x509.load_der_x509_certificate(signature.signer_cert.dump())
