"""The conversation with the mail server, and what its answers mean."""

from collections.abc import Sequence
from dataclasses import dataclass

import aiosmtplib

from services.notify.letters.jobs import measures
from services.notify.letters.rules import Attempt, Outcome, clean_answer, judge_refusal


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed over. `tls` is none, starttls or tls; an empty `user` signs in nowhere."""

    host: str
    port: int
    tls: str
    user: str
    password: str
    sender: str


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
        with measures.send_seconds.time():
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
