"""A real mail server for trying the diary out: keeps every letter as a file and shows them on a page.

`python -m deploy.local.mail --smtp-port P --http-port H --dir DIR`. A letter is on the disk before the sender hears 250.
"""

import argparse
import asyncio
import html
import os
import signal
import time
import uuid
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

from aiosmtpd.smtp import SMTP, Envelope, Session

_HOST = "127.0.0.1"
_SHOWN = 200
_FRAME = "sandbox allow-popups allow-popups-to-escape-sandbox"
_STYLE = """
body{font:16px/1.5 Arial,sans-serif;color:#1c2430;max-width:960px;margin:0 auto;padding:16px}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:8px;border-bottom:1px solid #dde2e9;vertical-align:top}
.note{background:#fff6d9;padding:8px 12px;border-radius:6px}pre{white-space:pre-wrap;background:#f3f5f8;padding:12px}
iframe{width:100%;height:480px;border:1px solid #dde2e9}a{color:#1f4e8c}
"""
_NOTE = "Учебная почта для пробного запуска: письма никуда не уходят, они лежат в папке на этом компьютере."


class Box:
    """Letters as files, named by the time of their coming."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, content: bytes) -> None:
        """Writes a letter so that it stays: the file first, then its name."""
        name = f"{time.time_ns()}-{uuid.uuid4().hex[:8]}"
        draft = self._folder / f"{name}.part"
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._folder / f"{name}.eml")
        folder = os.open(self._folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def letters(self) -> Iterator[tuple[str, EmailMessage]]:
        """Names and letters, newest first."""
        for path in sorted(self._folder.glob("*.eml"), reverse=True)[:_SHOWN]:
            yield path.stem, _read(path)

    def find(self, name: str) -> EmailMessage | None:
        """A letter by its name; only names that are in the folder are looked at."""
        path = next((path for path in self._folder.glob("*.eml") if path.stem == name), None)
        return _read(path) if path else None

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Answers 250 when the letter is on the disk."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        await asyncio.get_running_loop().run_in_executor(None, self.keep, content)
        return "250 2.0.0 Ok"


def _read(path: Path) -> EmailMessage:
    message = message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    return message


class Pages(BaseHTTPRequestHandler):
    """`/` lists letters, `/letters/<name>` shows one, `…/html` is its HTML for the frame, `…/files/<n>` a file of it."""

    def __init__(self, box: Box, *args: object) -> None:
        self._box = box
        super().__init__(*args)  # type: ignore[arg-type]  # what the server hands over

    def do_GET(self) -> None:
        """Answers a page."""
        # A page of elsewhere may point a name of its own at this address; letters hold links that let in.
        if self.headers.get("Host", "").partition(":")[0] not in (_HOST, "localhost"):
            return self._answer(421, "")
        if self.path == "/healthz":
            return self._answer(200, "ok")
        if self.path == "/":
            return self._answer(200, _list_page(self._box))
        _, _, path = self.path.partition("/letters/")
        name, _, part = path.partition("/")
        letter = self._box.find(name)
        if letter is None:
            return self._answer(404, _page("Письма нет", "<p><a href='/'>Все письма</a></p>"))
        if part.startswith("files/"):
            return self._answer_file(letter, part.removeprefix("files/"))
        if part == "html":
            return self._answer(200, _part(letter, "html").replace("<head>", '<head><base target="_blank">', 1), _FRAME)
        return self._answer(200, _letter_page(name, letter))

    def _answer_file(self, letter: EmailMessage, number: str) -> None:
        """Only to be saved: a browser opens nothing of a letter on this address."""
        file = next((file for place, file in enumerate(letter.iter_attachments()) if str(place) == number), None)
        if file is None:
            self._answer(404, "")
            return
        content = file.get_payload(decode=True)
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Disposition", f"attachment; filename*=utf-8''{quote(file.get_filename() or 'file', safe='')}")
        self.end_headers()
        self.wfile.write(content if isinstance(content, bytes) else b"")

    def _answer(self, status: int, page: str, extra_policy: str = "") -> None:
        body = page.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        policy = f"default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; {extra_policy}"
        self.send_header("Content-Security-Policy", policy)
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the launcher's log is for what goes wrong."""


def _page(title: str, body: str, head: str = "") -> str:
    return (
        f"<!doctype html><html lang='ru'><head><meta charset='utf-8'>{head}<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><p class='note'>{_NOTE}</p><h1>{title}</h1>{body}</body></html>"
    )


def _list_page(box: Box) -> str:
    rows = "".join(
        f"<tr><td>{_header(letter, 'Date')}</td><td>{_header(letter, 'To')}</td>"
        f"<td><a href='/letters/{name}'>{_header(letter, 'Subject') or 'без темы'}</a></td></tr>"
        for name, letter in box.letters()
    )
    table = f"<table><tr><th>Когда</th><th>Кому</th><th>Тема</th></tr>{rows}</table>" if rows else "<p>Писем пока нет.</p>"
    return _page("Письма", table, "<meta http-equiv='refresh' content='5'>")


def _letter_page(name: str, letter: EmailMessage) -> str:
    headers = "".join(
        f"<tr><th>{title}</th><td>{_header(letter, field)}</td></tr>"
        for title, field in (("От кого", "From"), ("Кому", "To"), ("Когда", "Date"), ("Номер", "Message-ID"))
    )
    files = "".join(
        f"<li><a href='/letters/{name}/files/{place}'>{html.escape(file.get_filename() or 'без имени')}</a></li>"
        for place, file in enumerate(letter.iter_attachments())
    )
    body = (
        f"<p><a href='/'>Все письма</a></p><table>{headers}</table>"
        f"{f'<h2>Вложения</h2><ul>{files}</ul>' if files else ''}"
        f"<h2>Как его видит получатель</h2><iframe sandbox='allow-popups allow-popups-to-escape-sandbox' title='Письмо' "
        f"src='/letters/{name}/html'></iframe><h2>Простой текст</h2><pre>{html.escape(_part(letter, 'plain'))}</pre>"
    )
    return _page(_header(letter, "Subject") or "без темы", body)


def _header(letter: EmailMessage, field: str) -> str:
    return html.escape(str(letter.get(field, "")))


def _part(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body((kind,))
    return str(part.get_content()) if isinstance(part, EmailMessage) else ""


async def _serve(box: Box, smtp_port: int, http_port: int) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    mail = await loop.create_server(lambda: SMTP(box, hostname="mail.localhost", loop=loop), _HOST, smtp_port)
    pages = ThreadingHTTPServer((_HOST, http_port), partial(Pages, box))
    Thread(target=pages.serve_forever, daemon=True).start()
    await stop.wait()
    pages.shutdown()
    mail.close()


def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.mail", description=__doc__)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--dir", type=Path, required=True, help="the folder of letters")
    given = parser.parse_args()
    asyncio.run(_serve(Box(given.dir), given.smtp_port, given.http_port))


if __name__ == "__main__":
    main()
