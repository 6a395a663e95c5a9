"""A whole region by the launcher, and a client of its JSON, as an app outside would be."""

import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from deploy.local.launcher import Launcher
from deploy.local.region import Size


@asynccontextmanager
async def run_region(size: Size | None = None) -> AsyncIterator[Launcher]:
    """The demo region, or one of that size, on free ports, in a folder of its own that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="diary-region-"))
    # PostgreSQL may run under another account, which must get to its folder.
    os.chmod(folder, 0o755)
    try:
        async with Launcher(folder / "region", size, tell=print, is_private=True) as launcher:
            yield launcher
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Login:
    """A demo login, as the launcher prints it."""

    role: str
    login: str
    password: str
    school: str


# Who of several of one role is meant, by the beginning of the note printed beside the login.
_BY_NOTE = {"мать двоих детей": "mother", "отец тех же детей": "father", "дети в двух школах": "mother_in_two_schools"}


def read_logins(launcher: Launcher) -> dict[str, Login]:
    """The first login of each role, and the parents by what they are."""
    found: dict[str, Login] = {}
    for entry in json.loads(launcher.region.state.logins.read_text()):
        login = Login(entry["role"], entry["login"], entry["password"], entry["school"])
        found.setdefault(entry["role"], login)
        for note, name in _BY_NOTE.items():
            if entry["note"].startswith(note):
                found[name] = login
    return found


class Refused(Exception):  # noqa: N818 - an answer, not a defect
    """An answer of google.rpc.Status."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.message = body.get("message", "")
        self.reason = next((detail["reason"] for detail in body.get("details", []) if "reason" in detail), "")
        self.body = body


class Api:
    """The gateway's JSON for one signed-in account, or for nobody."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=15)
        self.refresh_token = ""

    async def sign_in(self, login: str, password: str) -> dict[str, Any]:
        """Signs in and keeps the access token."""
        tokens: dict[str, Any] = (await self.post("/v1/sessions", login=login, password=password))["tokens"]
        self.bear(tokens["accessToken"])
        self.refresh_token = tokens["refreshToken"]
        return tokens

    def bear(self, access_token: str) -> None:
        """Sends this token from now on."""
        self._client.headers["authorization"] = f"Bearer {access_token}"

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """GET; raises Refused."""
        return self._read(await self._client.get(path, params=query))

    async def get_bytes(self, path: str) -> bytes:
        """GET whose answer is a document; raises Refused."""
        response = await self._client.get(path)
        if response.is_error:
            self._read(response)
        return response.content

    async def post(self, path: str, **body: object) -> dict[str, Any]:
        """POST; raises Refused."""
        return self._read(await self._client.post(path, json=body))

    async def post_for_bytes(self, path: str, **body: object) -> bytes:
        """POST whose answer is a document; raises Refused."""
        response = await self._client.post(path, json=body)
        if response.is_error:
            self._read(response)
        return response.content

    def _read(self, response: httpx.Response) -> dict[str, Any]:
        body: dict[str, Any] = response.json()
        if response.is_error:
            raise Refused(response.status_code, body)
        return body

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()


@asynccontextmanager
async def signed_in(launcher: Launcher, login: Login) -> AsyncIterator[Api]:
    """An account of the demo region, signed in."""
    api = Api(launcher.region.gateway_url)
    try:
        await api.sign_in(login.login, login.password)
        yield api
    finally:
        await api.close()


def new_id() -> str:
    """An id made by the client."""
    return str(uuid4())
