"""Who is calling: tokens, the caller of the present call, and the tokens that services show each other.

A token says who the caller is; whom the caller may see stands in no token. Only the check of a signature is remembered.
"""

import json
import math
import time
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeGuard
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chassis.clock import Clock
from chassis.errors import Unauthenticated

AUDIENCE = "diary"
ACCESS_TOKEN_TIME = timedelta(minutes=5)
# Clocks of the signer's two stamps may be read a moment apart.
_SKEW_SECONDS = 5
_REMEMBERED = 20_000
# Ours have half of it at most; base64 takes any padding behind a right one, and what is remembered is bounded by bytes too.
_MOST_LETTERS = 1_024


@dataclass(frozen=True, slots=True)
class Caller:
    """The account or service behind a call. `roles` are lower-case names from the token: a hint, never a ground."""

    account_id: UUID
    session_id: UUID
    roles: frozenset[str]
    service: str = ""


NOBODY = Caller(UUID(int=0), UUID(int=0), frozenset())
_caller: ContextVar[Caller] = ContextVar("caller", default=NOBODY)


def caller() -> Caller:
    """The caller of the present call; NOBODY in a public one."""
    return _caller.get()


def set_caller(who: Caller) -> None:
    """Binds the caller to the present call; done by the interceptor."""
    _caller.set(who)


class Verifier:
    """Checks tokens against the public keys of `jwks.json`."""

    def __init__(self, jwks_path: Path, clock: Clock) -> None:
        self._clock = clock
        self._keys = {key["kid"]: (jwt.PyJWK(key).key, _owner(key["kid"])) for key in json.loads(jwks_path.read_text())["keys"]}
        self._remembered: dict[str, tuple[Caller, float]] = {}
        # A key's tokens begin alike. Filled by tokens that proved right, so that nobody else's beginnings are kept.
        self._beginnings: dict[str, tuple[Any, str]] = {}

    def verify(self, token: str) -> Caller:
        """Returns the caller of a token. Raises Unauthenticated TOKEN_INVALID."""
        known = self._remembered.get(token)
        if known is None:
            if len(token) > _MOST_LETTERS:
                raise Unauthenticated("TOKEN_INVALID", "the access token is not valid; sign in again")
            known = self._check(token)
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[token] = known
        who, expires = known
        if self._clock.now().timestamp() >= expires:
            self._remembered.pop(token, None)
            raise Unauthenticated("TOKEN_INVALID", "the access token has run out; refresh the session")
        return who

    def _check(self, token: str) -> tuple[Caller, float]:
        try:
            beginning = token.partition(".")[0]
            key, service = self._beginnings.get(beginning) or self._keys[jwt.get_unverified_header(token).get("kid", "")]
            claims = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                audience=AUDIENCE,
                issuer=f"diary-{service or 'access'}",
                options={"require": ["exp", "iat", "sub", "iss", "aud"], "verify_exp": False, "verify_iat": False},
            )
            self._beginnings[beginning] = key, service
            return _read_claims(claims, service), _read_end(claims["iat"], claims["exp"])
        # Whatever a stranger's token holds, such as an `exp` past every float or a header as deep as the stack, it is not ours.
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise Unauthenticated("TOKEN_INVALID", "the access token is not valid; sign in again") from error


def _owner(kid: str) -> str:
    """The service whose key it is; empty for the key that signs for people."""
    kind, _, rest = kid.partition("-")
    if kind == "token":
        return ""
    if kind != "service":
        raise ValueError(f"{kid} is the key of nobody we know; make keys with `python -m deploy.keys make`")
    return rest.partition("-")[0]


def _read_claims(claims: dict[str, object], service: str) -> Caller:
    """The caller. A service's key signs for that service alone, and only the token key signs for people."""
    roles = claims.get("roles", [])
    if not isinstance(roles, list):
        raise TypeError("roles")
    if service:
        if roles != ["service"] or claims["sub"] != service or "sid" in claims:
            raise ValueError("service")
        return Caller(UUID(int=0), UUID(int=0), frozenset(roles), service)
    if "service" in roles:
        raise ValueError("roles")
    return Caller(UUID(str(claims["sub"])), UUID(str(claims["sid"])), frozenset(map(str, roles)))


def _read_end(issued: object, expires: object) -> float:
    """When a token runs out: minutes after it was issued, whatever its signer wished."""
    if not _is_number(issued) or not _is_number(expires):
        raise TypeError("exp")
    if not 0 <= expires - issued <= ACCESS_TOKEN_TIME.total_seconds() + _SKEW_SECONDS:
        raise ValueError("exp")
    return float(expires)


def _is_number(claim: object) -> TypeGuard[int | float]:
    return isinstance(claim, int | float) and not isinstance(claim, bool) and math.isfinite(claim)


class Signer:
    """Signs tokens with one private key of the keys directory."""

    def __init__(self, key_path: Path, kid_prefix: str, clock: Clock) -> None:
        key = load_pem_private_key(key_path.read_bytes(), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError(f"{key_path} is not an Ed25519 key; make keys with `python -m deploy.keys make`")
        self._key = key
        self._kid = _find_kid(key_path.parent / "jwks.json", key, kid_prefix)
        self._clock = clock

    def sign(self, issuer: str, subject: str, claims: dict[str, object]) -> tuple[str, datetime]:
        """Returns a token of five minutes and the instant it runs out."""
        now = self._clock.now()
        expires = now + ACCESS_TOKEN_TIME
        body = {
            "iss": issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": int(now.timestamp()),
            "exp": int(expires.timestamp()),
        }
        return jwt.encode({**body, **claims}, self._key, algorithm="EdDSA", headers={"kid": self._kid}), expires


def _find_kid(jwks_path: Path, key: Ed25519PrivateKey, prefix: str) -> str:
    public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key()))["x"]
    for known in json.loads(jwks_path.read_text())["keys"]:
        if known["x"] == public and known["kid"].startswith(prefix):
            return str(known["kid"])
    raise ValueError(f"{jwks_path} does not list the public half of the {prefix} key; run `python -m deploy.keys make`")


class ServiceToken:
    """The token that this service shows to the others, renewed a minute before it runs out."""

    def __init__(self, keys_dir: Path, service: str, clock: Clock) -> None:
        self._signer = Signer(keys_dir / f"service-{service}.pem", f"service-{service}-", clock)
        self._service = service
        self._token = ""
        self._renew_at = 0.0

    def get(self) -> str:
        """The present token."""
        if time.monotonic() >= self._renew_at:
            self._token, _ = self._signer.sign(f"diary-{self._service}", self._service, {"roles": ["service"]})
            self._renew_at = time.monotonic() + ACCESS_TOKEN_TIME.total_seconds() - 60
        return self._token
