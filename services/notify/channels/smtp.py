"""Letters by e-mail: the conversation with the mail server, and what its answers mean."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import aiosmtplib
from prometheus_client import Histogram

from services.notify.channels.convert import build_message, write_address
from services.notify.channels.rules import clean_answer, judge_refusal
from services.notify.letters.jobs.measures import SECONDS
from services.notify.letters.rules import Attempt, Outcome
from services.notify.news.notice import Content

_send_seconds = Histogram("diary_notify_send_seconds", "Conversation with the mail server", buckets=SECONDS)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed over. `tls` is none, starttls or tls; an empty `user` signs in nowhere."""

    host: str
    port: int
    tls: str
    user: str
    password: str
    sender: str

    async def send(self, message: Content, delivery_id: UUID, now: datetime) -> Attempt:
        """Writes and sends a letter; its Message-ID is the delivery's: a second copy is known as one."""
        try:
            address = write_address(message.receiver)
        except ValueError:
            return Attempt(Outcome.REFUSED, "no letter can be sent to an address of this form")
        build = partial(build_message, message.words, self.sender, address, delivery_id, now)
        # Files of 8 MiB take a quarter of a second, in which leases are to be renewed.
        letter = await asyncio.to_thread(build) if message.words.files else build()
        return await send(self, address, letter, message.secrets)


async def send(server: MailServer, receiver: str, letter: bytes, secrets: Sequence[str]) -> Attempt:
    """Hands a letter over; `secrets` are kept out of the answer. Raises nothing that the mail server can cause."""
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.tls == "tls",
        start_tls=server.tls == "starttls",
        username=server.user or None,
        password=server.password or None,
        # The library would ask the machine's name of DNS, and wait for it.
        local_hostname=server.sender.rpartition("@")[2],
        timeout=20,
    )
    attempt = Attempt(Outcome.DEFERRED)
    has_left = False
    try:
        with _send_seconds.time():
            await client.connect()
            await client.mail(server.sender)
            await client.rcpt(receiver)
            has_left = True
            response = await client.data(letter)
        attempt = Attempt(Outcome.ACCEPTED, f"{response.code} {response.message}")
    except (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as error:
        attempt = Attempt(judge_refusal(error.code, error.message), f"{error.code} {error.message}")
    except aiosmtplib.SMTPResponseException as error:
        # Greeting, sign-in and sender are of us, whatever is said: the letter waits.
        attempt = Attempt(Outcome.DEFERRED, f"{error.code} {error.message}")
    except (aiosmtplib.SMTPException, OSError) as error:
        attempt = Attempt(Outcome.UNKNOWN if has_left else Outcome.DEFERRED, f"no answer: {type(error).__name__}")
    finally:
        # No QUIT: its answer would be waited for while the server's yes is not yet written down.
        client.close()
    return Attempt(attempt.outcome, clean_answer(attempt.answer, [receiver, *secrets]))
