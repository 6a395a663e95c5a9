"""The school's seal on a PDF (PAdES), and what a seal on a stranger's PDF is worth.

An integrity seal: it shows that the file is the one that the service made, never who signed it. Keys of schools live in the
memory of the process that seals; only the region's authority is a file (docs/decisions/0050-seal.md).
"""

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

_FIELD = "Seal"
_CERTIFICATE_TIME = timedelta(days=456)
# A process that lives longer takes a new key, so that a key seals for a month and its certificate outlives it by a year.
_KEY_TIME = timedelta(days=30)
# Clocks of one region differ.
_SKEW = timedelta(hours=1)
# In bytes of UTF-8, as cryptography counts; the organisation has no limit and bears the whole name.
_MAX_COMMON_NAME = 64


@dataclass(frozen=True)
class Authority:
    """The region's authority: whoever trusts its certificate trusts the schools' seals."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True)
class _Key:
    signer: signers.SimpleSigner
    names: tuple[str, str]
    made: datetime


class SealState(Enum):
    """What a PDF bears."""

    NONE = "no seal of the region"
    BROKEN = "a seal of the region that does not hold for this file"
    WHOLE = "a seal of the region that covers the whole file"


def read_authority(key: bytes, certificate: bytes) -> Authority:
    """The authority of its two PEM files. Raises ValueError when they are none, or not of one pair."""
    private = serialization.load_pem_private_key(key, password=None)
    public = x509.load_pem_x509_certificate(certificate)
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != public.public_key():
        raise ValueError("seal-ca.pem is not the key of seal-ca.crt: `python -m deploy.keys make` makes both")
    return Authority(private, public)


class Sealer:
    """Seals for schools, each with a key of its own. For one thread."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._keys: dict[UUID, _Key] = {}

    def seal(self, pdf: bytes, school_id: UUID, name: str, full_name: str, now: datetime) -> bytes:
        """The PDF with the school's seal of this moment. `name` is short, the certificate cuts it at 64 letters."""
        key = self._keys.get(school_id)
        if key is None or key.names != (name, full_name) or now - key.made > _KEY_TIME:
            key = self._keys[school_id] = _issue(self._authority, name, full_name, now)
        meta = signers.PdfSignatureMetadata(
            field_name=_FIELD, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, name=name
        )
        sealed = _Signer(meta, key.signer, now).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)))
        return bytes(sealed.getvalue())


class _Signer(signers.PdfSigner):
    """Takes the time as an argument, not from the machine."""

    def __init__(self, meta: signers.PdfSignatureMetadata, signer: signers.SimpleSigner, now: datetime) -> None:
        super().__init__(meta, signer)
        self._now = now

    def init_signing_session(self, *arguments: Any, **named: Any) -> Any:
        session = super().init_signing_session(*arguments, **named)
        session.system_time = self._now
        return session


def _issue(authority: Authority, name: str, full_name: str, now: datetime) -> _Key:
    private = ec.generate_private_key(ec.SECP256R1())
    holder = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name.encode()[:_MAX_COMMON_NAME].decode(errors="ignore")),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, full_name or name),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(holder)
        .issuer_name(authority.certificate.subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(min(now + _CERTIFICATE_TIME, authority.certificate.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(authority.key, hashes.SHA256())
    )
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    store.register(_to_asn1(authority.certificate))
    der = private.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    signer = signers.SimpleSigner(_to_asn1(certificate), asn1_keys.PrivateKeyInfo.load(der), store)
    return _Key(signer, (name, full_name), now)


def judge_seal(pdf: bytes, certificate: bytes) -> SealState:
    """What seal of the authority a PDF bears; `certificate` in PEM. Of the moment that the seal names, so that it stands when
    certificates have ended. Parses what a stranger sent: call it where time and memory are bounded.
    """
    authority = x509.load_pem_x509_certificate(certificate)
    found = SealState.NONE
    try:
        for signature in PdfFileReader(io.BytesIO(pdf), strict=False).embedded_signatures:
            if not _is_issued_by(authority, signature.signer_cert):
                continue
            found = SealState.BROKEN
            context = ValidationContext(
                trust_roots=[_to_asn1(authority)], moment=signature.self_reported_timestamp, allow_fetching=False
            )
            status = validate_pdf_signature(signature, context)
            if status.bottom_line and status.coverage is SignatureCoverageLevel.ENTIRE_FILE:
                return SealState.WHOLE
    except Exception:
        return found
    return found


def _is_issued_by(authority: x509.Certificate, certificate: asn1_x509.Certificate) -> bool:
    try:
        x509.load_der_x509_certificate(certificate.dump()).verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _to_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
