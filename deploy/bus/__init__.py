"""Logins of the bus: each service publishes its own events alone, and reads the streams of those it hears."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

# service -> whose events it consumes.
HEARS: Mapping[str, tuple[str, ...]] = {
    "access": ("documents", "notify"),
    "journal": ("access",),
    "notify": ("access", "documents", "journal"),
    "documents": ("access", "journal"),
}
# What is put behind a service's name for the durable of each lane (chassis.events.LANES).
LANES = ("", "-work")
# For people who look after the bus: everything. No service has its password.
OPERATOR = "operator"


def permissions(service: str) -> dict[str, Any]:
    """What a service may publish and subscribe to; all else is refused by the server."""
    publish = [f"diary.{service}.v1.>"]
    publish += [f"$JS.API.{act}.diary-{service}" for act in ("STREAM.INFO", "STREAM.CREATE", "CONSUMER.LIST")]
    for durable in (f"diary-{heard}.{service}{lane}" for heard in HEARS[service] for lane in LANES):
        publish += [f"$JS.API.CONSUMER.{act}.{durable}" for act in ("DURABLE.CREATE", "CREATE", "INFO", "MSG.NEXT")]
        publish += [f"$JS.API.CONSUMER.CREATE.{durable}.>", f"$JS.ACK.{durable}.>"]
    return {"publish": publish, "subscribe": [f"_INBOX.{service}.>"]}


def users(passwords: Mapping[str, str]) -> list[dict[str, Any]]:
    """The server's `authorization.users`, from a password for each service and the operator."""
    services = [{"user": name, "password": passwords[name], "permissions": permissions(name)} for name in HEARS]
    return [*services, {"user": OPERATOR, "password": passwords[OPERATOR]}]


def url(name: str, password: str, address: str) -> str:
    """What a client connects to. `address` is HOST:PORT."""
    return f"nats://{name}:{quote(password, safe='')}@{address}"


def make_passwords(folder: Path) -> dict[str, str]:
    """The passwords kept in `folder`, made where they are missing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    passwords = {}
    for name in (*HEARS, OPERATOR):
        path = folder / f"{name}.password"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(24))
        passwords[name] = path.read_text().strip()
    return passwords


def write_secret(folder: Path, address: str) -> None:
    """Files of the Secret `diary-nats`: auth.conf for the server, NAME-url for each service and the operator."""
    passwords = make_passwords(folder / "passwords")
    secret = folder / "secret"
    secret.mkdir(mode=0o700, exist_ok=True)
    # JSON is a subset of the server's config language.
    files = {"auth.conf": f"users: {json.dumps(users(passwords), indent=1)}\n"}
    files |= {f"{name}-url": url(name, password, address) for name, password in passwords.items()}
    for name, text in files.items():
        (secret / name).touch(mode=0o600)
        (secret / name).write_text(text)
