import json
import stat
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from deploy.keys import KeysError, make_keys, publish_token_key, rotate_factor_key, sign_with_token_key


def _keys(folder: Path, name: str = "jwks.json") -> dict[str, dict[str, Any]]:
    return {key["kid"]: key for key in json.loads((folder / name).read_text())["keys"]}


def test_keys_are_made_for_tokens_and_each_service_and_the_gateway_sees_only_tokens(tmp_path: Path) -> None:
    make_keys(tmp_path / "keys")
    services = {f"service-{name}-1" for name in ("access", "journal", "notify", "documents")}
    assert set(_keys(tmp_path / "keys")) == {"token-1", *services}
    assert set(_keys(tmp_path / "keys", "token-jwks.json")) == {"token-1"}


def test_private_keys_are_open_to_nobody_else_and_public_files_hold_no_private_part(tmp_path: Path) -> None:
    make_keys(tmp_path)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (*tmp_path.glob("*.pem"), tmp_path / "factor-keys.json")}
    assert modes == {0o600}
    assert all("d" not in key for key in _keys(tmp_path).values())


def test_keys_that_exist_are_kept_and_a_missing_one_gets_the_next_number(tmp_path: Path) -> None:
    make_keys(tmp_path)
    before = _keys(tmp_path)
    assert make_keys(tmp_path) == []
    assert _keys(tmp_path) == before
    (tmp_path / "service-notify.pem").unlink()
    assert make_keys(tmp_path) == ["service-notify.pem"]
    assert set(_keys(tmp_path)) ^ set(before) == {"service-notify-1", "service-notify-2"}


def _sign(folder: Path) -> str:
    return jwt.encode({"sub": "a"}, (folder / "token.pem").read_bytes(), algorithm="EdDSA")


def _is_known(token: str, keys: dict[str, dict[str, Any]]) -> bool:
    """Whether one who read these keys takes the token."""
    for key in keys.values():
        try:
            jwt.decode(token, jwt.PyJWK(key), algorithms=["EdDSA"])
        except jwt.InvalidSignatureError:
            continue
        return True
    return False


def test_through_a_rotation_nobody_meets_a_token_of_a_key_it_has_not_read(tmp_path: Path) -> None:
    """Each step leaves two kinds of pods side by side: those that read the keys before it, and those after."""
    make_keys(tmp_path)
    for number in (2, 3):
        read_before, signed_before = _keys(tmp_path, "token-jwks.json"), _sign(tmp_path)
        assert publish_token_key(tmp_path) == f"token-{number}"
        for token in (signed_before, _sign(tmp_path)):
            assert _is_known(token, read_before)
            assert _is_known(token, _keys(tmp_path, "token-jwks.json"))
        read_between = _keys(tmp_path, "token-jwks.json")
        assert sign_with_token_key(tmp_path) == f"token-{number}"
        for token in (signed_before, _sign(tmp_path)):
            assert _is_known(token, read_between)
            assert _is_known(token, _keys(tmp_path, "token-jwks.json"))
        assert not _is_known(_sign(tmp_path), read_before)
    assert set(_keys(tmp_path, "token-jwks.json")) == {"token-2", "token-3"}
    assert len(_keys(tmp_path)) == 2 + 4


def test_steps_of_a_rotation_out_of_turn_say_which_comes_first(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match=r"deploy\.keys make"):
        publish_token_key(tmp_path)
    make_keys(tmp_path)
    with pytest.raises(KeysError, match=r"rotate --publish"):
        sign_with_token_key(tmp_path)
    publish_token_key(tmp_path)
    before = _keys(tmp_path)
    with pytest.raises(KeysError, match=r"rotate --sign"):
        publish_token_key(tmp_path)
    assert make_keys(tmp_path) == []
    assert _keys(tmp_path) == before, "`make` in the middle changes nothing"
    assert sign_with_token_key(tmp_path) == "token-2"


def test_the_next_key_of_second_factors_stands_behind_those_that_still_open(tmp_path: Path) -> None:
    make_keys(tmp_path)
    before = json.loads((tmp_path / "factor-keys.json").read_text())["keys"]
    assert rotate_factor_key(tmp_path) == "factor-2"
    after = json.loads((tmp_path / "factor-keys.json").read_text())["keys"]
    assert after[:-1] == before
    assert after[-1]["k"] != before[0]["k"]


def test_the_authority_of_seals_is_made_once_and_stands_ten_years(tmp_path: Path) -> None:
    assert "seal-ca.pem" in make_keys(tmp_path)
    private, public = (tmp_path / "seal-ca.pem").read_bytes(), (tmp_path / "seal-ca.crt").read_bytes()
    certificate = x509.load_pem_x509_certificate(public)
    assert certificate.public_key() == serialization.load_pem_private_key(private, password=None).public_key()
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days >= 3652
    assert make_keys(tmp_path) == []
    assert (tmp_path / "seal-ca.crt").read_bytes() == public


def test_a_lost_certificate_of_the_authority_is_made_again_of_the_same_key(tmp_path: Path) -> None:
    make_keys(tmp_path)
    before = x509.load_pem_x509_certificate((tmp_path / "seal-ca.crt").read_bytes())
    (tmp_path / "seal-ca.crt").unlink()
    assert make_keys(tmp_path) == []
    after = x509.load_pem_x509_certificate((tmp_path / "seal-ca.crt").read_bytes())
    assert after.public_key() == before.public_key()
