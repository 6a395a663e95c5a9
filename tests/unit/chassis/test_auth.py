"""Whose tokens a service takes, and how long. Every refusal is one word: TOKEN_INVALID."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chassis.auth import Caller, ServiceToken, Signer, Verifier
from chassis.clock import SetClock
from chassis.errors import Unauthenticated
from deploy.keys import SERVICES
from diary.options.v1 import options_pb2

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
ACCOUNT, SESSION = uuid4(), uuid4()
HEAD: dict[str, object] = {"sid": str(SESSION), "roles": ["head"]}
ALL_KEYS = ["token", *(f"service-{name}" for name in SERVICES)]


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def verifier(keys_dir: Path, clock: SetClock) -> Verifier:
    return Verifier(keys_dir / "jwks.json", clock)


def _kid(keys_dir: Path, key: str) -> str:
    known = json.loads((keys_dir / "jwks.json").read_text())["keys"]
    return next(str(one["kid"]) for one in known if one["kid"].startswith(f"{key}-"))


def forge(keys_dir: Path, key: str, *, kid: str = "", **claims: object) -> str:
    """A token by one of the region's keys, of any claims: a head's by default, in force for five minutes."""
    private = load_pem_private_key((keys_dir / f"{key}.pem").read_bytes(), None)
    assert isinstance(private, Ed25519PrivateKey)
    body = {
        "iss": "diary-access",
        "aud": "diary",
        "sub": str(ACCOUNT),
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 300,
        **HEAD,
        **claims,
    }
    return jwt.encode(
        {name: value for name, value in body.items() if value is not None},
        private,
        algorithm="EdDSA",
        headers={"kid": kid or _kid(keys_dir, key)},
    )


def of_service(service: str, **claims: object) -> dict[str, Any]:
    return {"iss": f"diary-{service}", "sub": service, "sid": None, "roles": ["service"], **claims}


def refuse(verifier: Verifier, token: str) -> None:
    with pytest.raises(Unauthenticated, match=r"^TOKEN_INVALID"):
        verifier.verify(token)


def test_a_persons_token_tells_who_calls(verifier: Verifier, keys_dir: Path) -> None:
    who = verifier.verify(forge(keys_dir, "token"))
    assert (who.account_id, who.session_id, who.roles, who.service) == (ACCOUNT, SESSION, frozenset({"head"}), "")


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_token_tells_which_service_calls(verifier: Verifier, keys_dir: Path, clock: SetClock, service: str) -> None:
    who = verifier.verify(ServiceToken(keys_dir, service, clock).get())
    assert (who.account_id, who.roles, who.service) == (UUID(int=0), frozenset({"service"}), service)


def test_a_token_is_taken_to_its_last_second_and_no_longer(verifier: Verifier, keys_dir: Path, clock: SetClock) -> None:
    token, expires = Signer(keys_dir / "token.pem", "token-", clock).sign("diary-access", str(ACCOUNT), HEAD)
    assert expires - NOW == timedelta(minutes=5)
    clock.advance(timedelta(minutes=5, seconds=-1))
    assert verifier.verify(token).account_id == ACCOUNT
    clock.advance(timedelta(seconds=1))
    # Remembered, and now run out.
    refuse(verifier, token)
    refuse(verifier, token)


def test_a_token_that_ran_out_before_it_was_first_shown_is_refused(verifier: Verifier, keys_dir: Path, clock: SetClock) -> None:
    clock.advance(timedelta(minutes=5, seconds=1))
    refuse(verifier, forge(keys_dir, "token"))
    refuse(verifier, forge(keys_dir, "service-notify", **of_service("notify")))


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("issuer", ["diary-access", "own"])
def test_a_services_key_signs_for_no_person(verifier: Verifier, keys_dir: Path, service: str, issuer: str) -> None:
    own = f"diary-{service}"
    for roles in (["head"], [], ["service", "head"], ["account"], None):
        refuse(verifier, forge(keys_dir, f"service-{service}", iss=own if issuer == "own" else issuer, roles=roles))


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("key", ALL_KEYS)
def test_a_key_signs_for_no_service_but_its_own(verifier: Verifier, keys_dir: Path, key: str, service: str) -> None:
    token = forge(keys_dir, key, **of_service(service))
    if key == f"service-{service}":
        assert verifier.verify(token).service == service
    else:
        refuse(verifier, token)
        # Nor under the key's own issuer, nor under the name of the other's key.
        refuse(verifier, forge(keys_dir, key, **of_service(service, iss=f"diary-{key.removeprefix('service-')}")))
        refuse(verifier, forge(keys_dir, key, kid=_kid(keys_dir, f"service-{service}"), **of_service(service)))


def test_the_token_key_signs_for_no_service(verifier: Verifier, keys_dir: Path) -> None:
    refuse(verifier, forge(keys_dir, "token", **of_service("access")))
    refuse(verifier, forge(keys_dir, "token", roles=["service"]))
    refuse(verifier, forge(keys_dir, "token", roles=["head", "service"]))


def test_two_roles_of_a_person_are_two(verifier: Verifier, keys_dir: Path) -> None:
    assert verifier.verify(forge(keys_dir, "token", roles=["teacher", "guardian"])).roles == {"teacher", "guardian"}


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "diary-journal"},
        {"iss": "https://elsewhere"},
        {"iss": None},
        {"sub": "not-a-uuid"},
        {"sub": None},
        {"sid": None},
        {"sid": 5},
        {"roles": "head"},
        {"roles": {"head": True}},
    ],
    ids=str,
)
def test_claims_that_are_not_ours_are_refused(verifier: Verifier, keys_dir: Path, claims: dict[str, Any]) -> None:
    refuse(verifier, forge(keys_dir, "token", **claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"iat": float("-inf"), "exp": float("inf")},
        {"iat": float("nan")},
        {"exp": "2026-11-30"},
        {"exp": True},
        {"exp": None},
        {"iat": None},
        {"exp": 10**400},
        {"exp": int(NOW.timestamp()) + 306},
        {"exp": int(NOW.timestamp()) + 86_400},
        {"iat": int(NOW.timestamp()) + 301},
    ],
    ids=str,
)
def test_a_token_lives_five_minutes_at_most(verifier: Verifier, keys_dir: Path, claims: dict[str, Any]) -> None:
    for key, others in (("token", {}), ("service-notify", of_service("notify"))):
        refuse(verifier, forge(keys_dir, key, **{**others, **claims}))


def _part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "\ud800.b.c",
        f"{_part(b'[' * 5_000)}.e30.c",
        f"{_part(json.dumps({'alg': 'EdDSA', 'kid': ['token-1']}).encode())}.e30.c",
        f"{_part(json.dumps({'alg': 'none', 'kid': 'token-1'}).encode())}.e30.",
        f"{_part(json.dumps({'alg': 'EdDSA', 'kid': 'token-1'}).encode())}.{_part(b'[' * 5_000)}.c",
        f"{_part(b'5')}.e30.c",
    ],
    ids=range(8),
)
def test_rubbish_is_refused_as_any_token(verifier: Verifier, token: str) -> None:
    refuse(verifier, token)


def test_what_is_remembered_of_tokens_is_bounded_by_bytes(
    verifier: Verifier, keys_dir: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = [options_pb2.Role.Name(number).removeprefix("ROLE_").lower() for number in options_pb2.Role.values()]
    longest, _ = Signer(keys_dir / "token.pem", "token-", clock).sign(
        "diary-access", str(ACCOUNT), {"sid": str(SESSION), "roles": [role for role in roles if role != "service"]}
    )
    assert verifier.verify(longest).account_id == ACCOUNT
    assert len(longest) < 700
    # Whatever the reader of tokens lets pass behind a right one.
    monkeypatch.setattr(verifier, "_check", lambda token: (Caller(ACCOUNT, SESSION, frozenset()), NOW.timestamp() + 300))
    for padding in (1_024, 60_000):
        with pytest.raises(Unauthenticated, match="TOKEN_INVALID"):
            verifier.verify(longest + "=" * padding)


def test_a_key_of_nobody_we_know_stops_the_start(tmp_path: Path, keys_dir: Path, clock: SetClock) -> None:
    keys = json.loads((keys_dir / "jwks.json").read_text())
    keys["keys"][0]["kid"] = "other-1"
    (tmp_path / "jwks.json").write_text(json.dumps(keys))
    with pytest.raises(ValueError, match="other-1"):
        Verifier(tmp_path / "jwks.json", clock)
