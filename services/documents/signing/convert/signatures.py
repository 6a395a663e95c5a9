"""Detached signatures of a head's qualified certificate: CMS over GOST R 34.10-2012 and Streebog (Clause R22).

The mathematics and the hash are checked; the chain to an accredited authority is not (docs/decisions/0051-gost-signatures.md).
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from asn1crypto import cms, core, x509
from gostcrypto import gosthash, gostsignature

from services.documents.signing.rules import Mismatch

_BEGIN, _END = re.compile(rb"-----BEGIN (?:CMS|PKCS7|SIGNATURE)-----"), b"-----END"


class _Strength(NamedTuple):
    """One of the two lengths of the standard."""

    size: int
    hash_name: str
    mode: int


_STRENGTHS = {
    "1.2.643.7.1.1.1.1": _Strength(32, "streebog256", gostsignature.MODE_256),
    "1.2.643.7.1.1.1.2": _Strength(64, "streebog512", gostsignature.MODE_512),
}
_HASHES = {"1.2.643.7.1.1.2.2": 32, "1.2.643.7.1.1.2.3": 64}
# What CryptoPro named before the standard did is the same curve (R 1323565.1.024-2019).
_CURVES = {
    "1.2.643.7.1.2.1.1.1": "id-tc26-gost-3410-2012-256-paramSetA",
    "1.2.643.7.1.2.1.1.2": "id-tc26-gost-3410-2012-256-paramSetB",
    "1.2.643.7.1.2.1.1.3": "id-tc26-gost-3410-2012-256-paramSetC",
    "1.2.643.7.1.2.1.1.4": "id-tc26-gost-3410-2012-256-paramSetD",
    "1.2.643.2.2.35.1": "id-tc26-gost-3410-2012-256-paramSetB",
    "1.2.643.2.2.35.2": "id-tc26-gost-3410-2012-256-paramSetC",
    "1.2.643.2.2.35.3": "id-tc26-gost-3410-2012-256-paramSetD",
    "1.2.643.2.2.36.0": "id-tc26-gost-3410-2012-256-paramSetB",
    "1.2.643.2.2.36.1": "id-tc26-gost-3410-2012-256-paramSetD",
    "1.2.643.7.1.2.1.2.1": "id-tc26-gost-3410-12-512-paramSetA",
    "1.2.643.7.1.2.1.2.2": "id-tc26-gost-3410-12-512-paramSetB",
    "1.2.643.7.1.2.1.2.3": "id-tc26-gost-3410-2012-512-paramSetC",
}


class SignatureUnreadableError(Exception):
    """The file is no detached signature in CMS of one signer, with its certificate."""


class SignatureInvalidError(Exception):
    """The signature does not fit its certificate, or it is no GOST signature."""


class _Parameters(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    _fields = [("curve", core.ObjectIdentifier), ("digest", core.ObjectIdentifier, {"optional": True})]  # noqa: RUF012


class _Algorithm(core.Sequence):  # type: ignore[misc]
    _fields = [("algorithm", core.ObjectIdentifier), ("parameters", _Parameters)]  # noqa: RUF012


class _PublicKey(core.Sequence):  # type: ignore[misc]
    _fields = [("algorithm", _Algorithm), ("public_key", core.OctetBitString)]  # noqa: RUF012


@dataclass(frozen=True, slots=True)
class SignatureFile:
    """A signature that fits its certificate. `digest` is the Streebog hash, of 32 or 64 bytes, of the file that was signed;
    `serial_number` is in hex.
    """

    content: bytes
    digest: bytes
    owner_name: str
    serial_number: str
    valid_from: datetime
    valid_to: datetime


def read_signature(file: bytes) -> SignatureFile:
    """Reads a detached signature and checks it against its own certificate; some 0.1 to 0.5 s of a processor.

    Raises SignatureUnreadableError, SignatureInvalidError.
    """
    der = _read_der(file)
    try:
        signer, certificate = _parse(der)
        attributes = {attribute["type"].native: attribute["values"] for attribute in signer["signed_attrs"]}
        [digest] = attributes["message_digest"].native
        digest_oid = signer["digest_algorithm"]["algorithm"].dotted
        # The attributes are signed as a SET, not under the tag that they have inside the file (RFC 5652, 5.4).
        signed_bytes = b"\x31" + signer["signed_attrs"].dump()[1:]
        signature = signer["signature"].native
        subject = certificate.subject.native
        key = _PublicKey.load(certificate["tbs_certificate"]["subject_public_key_info"].dump())
        found = SignatureFile(
            content=der,
            digest=digest,
            owner_name=_name_owner(subject),
            serial_number=f"{certificate.serial_number:x}",
            valid_from=certificate.not_valid_before,
            valid_to=certificate.not_valid_after,
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise SignatureUnreadableError from error
    if len(digest) != _HASHES.get(digest_oid) or not _fits(key, signed_bytes, signature):
        raise SignatureInvalidError
    return found


def read_signatures(files: Sequence[bytes]) -> list[SignatureFile | Mismatch]:
    """Each file's signature, or what is wrong with it."""
    found: list[SignatureFile | Mismatch] = []
    for file in files:
        try:
            found.append(read_signature(file))
        except SignatureUnreadableError:
            found.append(Mismatch.NO_SIGNATURE)
        except SignatureInvalidError:
            found.append(Mismatch.SIGNATURE_INVALID)
    return found


def _read_der(file: bytes) -> bytes:
    """CMS in DER: from PEM, bare base64, as CryptoPro's tools write it, or DER."""
    begin = _BEGIN.search(file)
    end = file.find(_END, begin.end()) if begin else -1
    text = file[begin.end() : end] if begin and end >= 0 else file
    if text.lstrip()[:1] == b"M":
        try:
            return base64.b64decode(b"".join(text.split()), validate=True)
        except binascii.Error as error:
            raise SignatureUnreadableError from error
    return file


def _parse(der: bytes) -> tuple[Any, x509.Certificate]:
    """The signer and the signer's certificate. Raises ValueError unless it is detached and of one signer."""
    content = cms.ContentInfo.load(der, strict=True)
    if content["content_type"].native != "signed_data":
        raise ValueError("no signed data")
    signed = content["content"]
    [signer] = signed["signer_infos"]
    if signed["encap_content_info"]["content"].native is not None or not len(signer["signed_attrs"]):
        raise ValueError("not detached, or without signed attributes")
    certificates = [choice.chosen for choice in signed["certificates"] if choice.name == "certificate"]
    [certificate] = [found for found in certificates if _is_of(signer["sid"], found)]
    return signer, certificate


def _is_of(signer_id: Any, certificate: x509.Certificate) -> bool:
    if signer_id.name == "issuer_and_serial_number":
        named = signer_id.chosen
        same_issuer = named["issuer"].dump() == certificate.issuer.dump()
        return bool(same_issuer and named["serial_number"].native == certificate.serial_number)
    return bool(signer_id.native == certificate.key_identifier)


def _name_owner(subject: dict[str, Any]) -> str:
    """Family name and given names as an accredited authority writes them for a head, else the common name."""
    person = " ".join(str(subject[part]) for part in ("surname", "given_name") if subject.get(part))
    return person or str(subject["common_name"])


def _fits(key: Any, signed_bytes: bytes, signature: bytes) -> bool:
    """Whether the signature over the attributes is of the certificate's key (RFC 7091, RFC 9215)."""
    try:
        strength = _STRENGTHS[key["algorithm"]["algorithm"].native]
        curve = gostsignature.CURVES_R_1323565_1_024_2019[_CURVES[key["algorithm"]["parameters"]["curve"].native]]
        point = core.OctetString.load(key["public_key"].native).native
    except (ValueError, TypeError, KeyError):
        return False
    size = strength.size
    if len(point) != 2 * size or len(signature) != 2 * size:
        return False
    # Certificates write numbers with the lowest byte first, CMS writes s before r; the library takes both the other way.
    public = point[:size][::-1] + point[size:][::-1]
    digest = gosthash.new(strength.hash_name, data=bytearray(signed_bytes)).digest()[::-1]
    try:
        return bool(
            gostsignature.new(strength.mode, curve).verify(
                bytearray(public), bytearray(digest), bytearray(signature[size:] + signature[:size])
            )
        )
    except gostsignature.GOSTSignatureError:
        return False
