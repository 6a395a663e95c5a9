"""The mail server for trying out: keeps letters as files, shows them, and lets nothing in them act."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import aiosmtplib
import httpx
import pytest
import pytest_asyncio

from services.notify.channels.convert import build_message
from services.notify.news.convert import File, Words
from tests.support.eventually import eventually


@dataclass
class Server:
    """A running server."""

    smtp_port: int
    folder: Path
    pages: httpx.AsyncClient

    async def send(self, words: Words) -> None:
        letter = build_message(words, "diary@school.example", "anna@mail.example", uuid4(), datetime(2026, 11, 20, tzinfo=UTC))
        await aiosmtplib.send(
            letter, sender="diary@school.example", recipients=["anna@mail.example"], hostname="127.0.0.1", port=self.smtp_port
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest_asyncio.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("mail")
    smtp_port, http_port = _free_port(), _free_port()
    options = ["--smtp-port", str(smtp_port), "--http-port", str(http_port), "--dir", str(folder)]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "deploy.local.mail", *options)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{http_port}") as pages:

        async def is_ready() -> bool:
            try:
                return (await pages.get("/healthz")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(is_ready, why="the mail server")
        yield Server(smtp_port, folder, pages)
    process.terminate()
    assert await process.wait() == 0


async def test_a_letter_is_on_the_disk_when_the_sender_hears_250(server: Server) -> None:
    before = set(server.folder.glob("*.eml"))
    await server.send(Words("Доступ готов", "Здравствуйте!", "<p>Здравствуйте!</p>"))
    [path] = set(server.folder.glob("*.eml")) - before
    assert b"Message-ID" in path.read_bytes()
    assert list(server.folder.glob("*.part")) == []


async def test_the_page_lists_letters_newest_first_and_shows_one(server: Server) -> None:
    await server.send(Words("Первое", "Текст первого", "<p>первое</p>"))
    await server.send(Words("Второе", "Текст второго", "<p>второе</p>"))
    page = (await server.pages.get("/")).text
    assert page.index("Второе") < page.index("Первое")
    assert "anna@mail.example" in page
    newest = max(server.folder.glob("*.eml")).stem
    shown = (await server.pages.get(f"/letters/{newest}")).text
    assert "Текст второго" in shown
    assert "sandbox" in shown
    assert "<p>второе</p>" in (await server.pages.get(f"/letters/{newest}/html")).text


async def test_nothing_in_a_letter_acts_on_the_page(server: Server) -> None:
    script = "<script>alert(1)</script>"
    await server.send(Words(script, script, f"<p>{script}</p>"))
    newest = max(server.folder.glob("*.eml")).stem
    for address in ("/", f"/letters/{newest}"):
        assert script not in (await server.pages.get(address)).text
    answer = await server.pages.get(f"/letters/{newest}/html")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "allow-scripts" not in answer.headers["content-security-policy"]


async def test_an_attached_file_is_saved_as_it_was_sent_and_opened_by_nothing(server: Server) -> None:
    script, content = '<script>.pdf"', b"%PDF-1.7\r\n<script>alert(1)</script>\xff"
    files = [File("Решение 3.pdf", "decision.pdf", "", content, "pdf"), File(script, "a.pdf", "", b"2", "octet-stream")]
    await server.send(Words("Решение", "Текст", "<p>текст</p>", files))
    newest = max(server.folder.glob("*.eml")).stem
    page = (await server.pages.get(f"/letters/{newest}")).text
    assert "Решение 3.pdf" in page
    assert script not in page
    answer = await server.pages.get(f"/letters/{newest}/files/0")
    assert answer.content == content
    assert answer.headers["content-disposition"].startswith("attachment; filename*=utf-8''%D0%A0")
    assert answer.headers["content-type"] == "application/octet-stream"
    for place in ("2", "-1", "x", ""):
        assert (await server.pages.get(f"/letters/{newest}/files/{place}")).status_code == 404


async def test_a_path_leads_nowhere_else_and_a_foreign_name_is_refused(server: Server) -> None:
    assert (await server.pages.get("/letters/..%2F..%2Fetc%2Fpasswd")).status_code == 404
    assert (await server.pages.get("/letters/../../etc/passwd")).status_code == 404
    assert (await server.pages.get("/", headers={"Host": "evil.example"})).status_code == 421
