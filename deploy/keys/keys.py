"""Ed25519 keys and their JSON Web Key Sets (RFC 8037), and the authority of the schools' seals, kept as files of one folder.

token.pem            private, signs users' tokens, 0600; only access reads it
token-next.pem       between the two steps of a rotation: the key that will sign, its public part is in the sets already
service-<svc>.pem    private, signs the service's own tokens, 0600; only that service reads it
jwks.json            public keys of all of them: kid `token-<n>` with iss diary-access,
                         `service-<svc>-<n>` with iss diary-<svc>
token-jwks.json      the token keys only, for the gateway
factor-keys.json     AES-256 keys that seal the secrets of second factors, kid `factor-<n>`, the last one seals, 0600; only
                         access reads it. Without it second factors have to be made anew
seal-ca.pem          private key of the region's authority (EC P-256) that issues the schools' seals, 0600; only documents
                         reads it
seal-ca.crt          its certificate, ten years, public: whoever checks a seal trusts it
"""

import json
import secrets
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from jwt.algorithms import OKPAlgorithm

SERVICES = ("access", "journal", "notify", "documents")
_SEAL_NAME = "Diary: seals of schools"
_SEAL_YEARS = timedelta(days=3653)

_NEXT = "token-next.pem"

Jwk = dict[str, Any]


class KeysError(Exception):
    """The folder does not hold what the command needs; the text says where and what to do."""


def make_keys(folder: Path) -> list[str]:
    """Make what is missing and return the names of the private keys made; keys that exist are kept."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = _read_jwks(folder)
    names = ["token.pem", *(f"service-{service}.pem" for service in SERVICES)]
    made = [name for name in names if not (folder / name).exists()]
    for name in made:
        _write(folder / name, _private_pem(Ed25519PrivateKey.generate()), 0o600)
    _write_jwks(folder, [jwk for name in names for jwk in _public_keys(folder / name, known)])
    if not (folder / "factor-keys.json").exists():
        _write_factor_keys(folder, [_factor_key(1)])
        made.append("factor-keys.json")
    return made + _make_seal_authority(folder / "seal-ca.pem", folder / "seal-ca.crt")


def publish_token_key(folder: Path) -> str:
    """First step of a rotation: make the next token key and publish it; the present one signs on. Returns the next one's kid.

    Whoever checks tokens reads the keys at its start, so all have to be started again before the second step: nobody may meet a
    token of a key that it does not know. The key before the present one is public no more; its tokens lived five minutes.
    """
    path, coming = folder / "token.pem", folder / _NEXT
    if not path.exists():
        raise KeysError(f"{path} is not there: `python -m deploy.keys make {folder}` makes it")
    if coming.exists():
        raise KeysError(f"{coming} is published already: start all again, then `python -m deploy.keys rotate --sign {folder}`")
    known = _read_jwks(folder)
    present = _find(known, path, "`make` writes it again")
    key = Ed25519PrivateKey.generate()
    kid = f"token-{_number(present) + 1}"
    others = [jwk for jwk in known if not jwk["kid"].startswith("token-")]
    # Private first: a public key that nobody can sign with would stand in the way of the next try.
    _write(coming, _private_pem(key), 0o600)
    _write_jwks(folder, [_jwk(key, kid, "diary-access"), present, *others])
    return kid


def sign_with_token_key(folder: Path) -> str:
    """Second step: access, started again, signs with the published key; tokens of the one before are good to their end."""
    coming = folder / _NEXT
    if not coming.exists():
        raise KeysError(f"{coming} is not there: `python -m deploy.keys rotate --publish {folder}` comes first")
    kid = str(_find(_read_jwks(folder), coming, "remove it, and publish another")["kid"])
    coming.replace(folder / "token.pem")
    return kid


def _find(known: list[Jwk], path: Path, mend: str) -> Jwk:
    """The public part of the key in `path`."""
    x = _x(_load(path))
    found = next((jwk for jwk in known if jwk["x"] == x), None)
    if found is None:
        raise KeysError(f"{path.with_name('jwks.json')} does not name the key in {path}: {mend}")
    return found


def rotate_factor_key(folder: Path) -> str:
    """Put the next key of second factors behind the present ones and return its kid; access, started again, seals all by it.

    The keys before stay, since a restored database may hold what they sealed.
    """
    path = folder / "factor-keys.json"
    if not path.exists():
        raise KeysError(f"{path} is not there: `python -m deploy.keys make {folder}` makes it")
    known: list[Jwk] = json.loads(path.read_bytes())["keys"]
    key = _factor_key(_number(known[-1]) + 1)
    _write_factor_keys(folder, [*known, key])
    return str(key["kid"])


def _factor_key(number: int) -> Jwk:
    return {"kid": f"factor-{number}", "k": urlsafe_b64encode(secrets.token_bytes(32)).decode()}


def _write_factor_keys(folder: Path, keys: list[Jwk]) -> None:
    _write(folder / "factor-keys.json", json.dumps({"keys": keys}, indent=2).encode() + b"\n", 0o600)


def _make_seal_authority(key_path: Path, certificate_path: Path) -> list[str]:
    """Make the authority of seals where it is missing; a certificate that was lost is made again of the same key."""
    is_new = not key_path.exists()
    if is_new:
        certificate_path.unlink(missing_ok=True)
        _write(key_path, _private_pem(ec.generate_private_key(ec.SECP256R1())), 0o600)
    if not certificate_path.exists():
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise KeysError(f"{key_path} is not an EC key; remove it to have another made")
        certificate = seal_certificate(key, datetime.now(UTC))
        _write(certificate_path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return [key_path.name] if is_new else []


def seal_certificate(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    """The certificate of an authority of seals, by its own key, for ten years from `now`."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _SEAL_NAME)])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A day before, so that no clock of the region stands before it.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _SEAL_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _public_keys(path: Path, known: list[Jwk]) -> list[Jwk]:
    """The key in `path`, and for the token the one before it where it is still published."""
    stem = path.stem
    key = _load(path)
    family = [jwk for jwk in known if jwk["kid"].rpartition("-")[0] == stem]
    if any(jwk["x"] == _x(key) for jwk in family):
        return family
    number = max(map(_number, family), default=0) + 1
    issuer = "diary-access" if stem == "token" else f"diary-{stem.removeprefix('service-')}"
    return [_jwk(key, f"{stem}-{number}", issuer)]


def _jwk(key: Ed25519PrivateKey, kid: str, issuer: str) -> Jwk:
    public = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": kid, "alg": "EdDSA", "use": "sig", "iss": issuer}


def _number(jwk: Jwk) -> int:
    return int(jwk["kid"].rpartition("-")[2])


def _x(key: Ed25519PrivateKey) -> str:
    return str(OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)["x"])


def _load(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise KeysError(f"{path} is not a private key in PEM: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeysError(f"{path} is not an Ed25519 key; remove it to have another made")
    return key


def _private_pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _read_jwks(folder: Path) -> list[Jwk]:
    path = folder / "jwks.json"
    if not path.exists():
        return []
    keys: list[Jwk] = json.loads(path.read_bytes())["keys"]
    return keys


def _write_jwks(folder: Path, keys: list[Jwk]) -> None:
    tokens = [jwk for jwk in keys if jwk["kid"].startswith("token-")]
    for name, content in (("jwks.json", keys), ("token-jwks.json", tokens)):
        _write(folder / name, json.dumps({"keys": content}, indent=2).encode() + b"\n", 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace the file at once: a reader sees the old content or the new, and a private one is never open to others."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=mode, exist_ok=False)
    draft.write_bytes(content)
    draft.replace(path)
