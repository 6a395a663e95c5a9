"""A mail server of the tests: real SMTP, on one port for all its life, with a hook before its answer."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, Envelope, Session

_OK = "250 2.0.0 Ok"

Answer = Callable[[EmailMessage], Awaitable[str]]


async def _accept(_: EmailMessage) -> str:
    return _OK


class Mailbox:
    """Keeps what came. `answer` decides on a letter's DATA, `recipient_answer` on its RCPT."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.letters: list[EmailMessage] = []
        self.answer: Answer = _accept
        self.recipient_answer = _OK
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listens."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="mail.localhost", loop=loop), "127.0.0.1", self.port, reuse_address=True
        )

    async def stop(self) -> None:
        """Refuses connections from now on."""
        if self._server:
            self._server.close()

    def reset(self) -> None:
        """Empty and willing again."""
        self.letters.clear()
        self.answer, self.recipient_answer = _accept, _OK

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:
        """Takes or refuses a receiver."""
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keeps the letter when it is accepted."""
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=default)
        assert isinstance(letter, EmailMessage)
        answer = await self.answer(letter)
        if answer.startswith("250"):
            self.letters.append(letter)
        return answer


def text(letter: EmailMessage, kind: str = "plain") -> str:
    """The letter's plain or html part."""
    part = letter.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def files(letter: EmailMessage) -> dict[str, bytes]:
    """The letter's attached files by name."""
    found = {}
    for part in letter.iter_attachments():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        found[str(part.get_filename())] = content
    return found
