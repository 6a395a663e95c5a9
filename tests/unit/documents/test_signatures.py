"""Streebog and GOST signatures against what others made: RFC 6986's vectors, OpenSSL's GOST engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.documents.register.convert.streebog import hash_streebog
from services.documents.signing.convert.signatures import SignatureInvalidError, SignatureUnreadableError, read_signature
from tests.worlds.refusals import Head, needs_gost

# RFC 6986, 10.1: M1 and its hashes, both in the order of the standard's text, where the lowest byte stands last.
_M1 = bytes.fromhex(
    "323130393837363534333231303938373635343332313039383736353433323130393837363534333231303938373635343332313039383736353433"
    "323130"
)[::-1]
_M1_256 = bytes.fromhex("00557be5e584fd52a449b16b0251d05d27f94ab76cbaa6da890b59d8ef1e159d")[::-1]
_M1_512 = bytes.fromhex(
    "486f64c1917879417fef082b3381a4e211c324f074654c38823a7b76f830ad00fa1fbae42b1285c0352f227524bc9ab16254288dd6863dccd5b9f54a1ad0541b"
)[::-1]


def test_streebog_gives_the_hashes_of_rfc_6986() -> None:
    assert hash_streebog(_M1) == (_M1_256, _M1_512)


@needs_gost
@pytest.mark.parametrize(
    ("bits", "curve"),
    [(256, one) for one in ("A", "B", "C", "XA", "XB", "TCA", "TCB", "TCC", "TCD")] + [(512, one) for one in "ABC"],
)
def test_signatures_over_every_curve_of_the_standard_are_read(tmp_path: Path, bits: int, curve: str) -> None:
    signature = read_signature(Head(tmp_path, bits, curve).sign(b"a decision"))
    assert signature.digest == hash_streebog(b"a decision")[bits // 512]


@needs_gost
def test_no_flipped_bit_of_a_signature_passes_as_another_hash_or_owner(tmp_path: Path) -> None:
    right = Head(tmp_path).sign(b"a decision")
    known = read_signature(right)
    for place in range(0, len(right), 7):
        changed = bytearray(right)
        changed[place] ^= 1
        try:
            read = read_signature(bytes(changed))
        except (SignatureInvalidError, SignatureUnreadableError):
            continue
        # What stands outside the signed attributes, as the certificate's own signature does, is its authority's to show.
        assert read.digest == known.digest


@needs_gost
def test_a_signature_of_another_kind_of_key_is_no_gost_signature(tmp_path: Path) -> None:
    signature = Head(tmp_path, kind="rsa").sign(b"a decision")
    with pytest.raises((SignatureInvalidError, SignatureUnreadableError)):
        read_signature(signature)


@pytest.mark.parametrize("junk", [b"", b"0", b"MII", b"-----BEGIN CMS-----\n!!\n-----END", bytes(1000), b"0\x80" * 500])
def test_what_is_no_signature_is_unreadable(junk: bytes) -> None:
    with pytest.raises(SignatureUnreadableError):
        read_signature(junk)


def test_a_file_of_an_armour_and_blanks_is_told_as_fast_as_it_is_read() -> None:
    """Security H3 f: 60,000 blanks once took longer than a reader may live; the work grows with the file, not with its
    square.
    """
    with pytest.raises(SignatureUnreadableError):
        read_signature(b"-----BEGIN CMS-----" + b" " * 6_000_000)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([b"-----BEGIN CMS-----", b"-----BEGIN PKCS7-----", b"-----END", b"MII", b"=", b"\r\n", b"0\x82"]),
        ),
        max_size=20,
    ).map(b"".join)
)
def test_whatever_is_no_signature_is_told_so(file: bytes) -> None:
    with pytest.raises((SignatureUnreadableError, SignatureInvalidError)):
        read_signature(file)
