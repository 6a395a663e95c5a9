"""What a mail server's answers mean: of the letter, or of us and of this hour. Real SMTP, refusals where servers say them."""

from collections.abc import AsyncIterator

import pytest

from services.notify.channels import smtp
from services.notify.channels.smtp import MailServer
from services.notify.letters.rules import Attempt, Outcome
from tests.worlds.mailbox import Mailbox

RECEIVER = "anna@mail.example"
REFUSED, DEFERRED = Outcome.REFUSED, Outcome.DEFERRED
ANSWERS = [
    # Of the receiver's address, of the mailbox, of the letter.
    ("550 5.1.1 User unknown in virtual mailbox table", REFUSED),
    ("550 5.1.2 Bad destination system address", REFUSED),
    ("501 5.1.3 Bad recipient address syntax", REFUSED),
    ("551 5.1.6 User has moved", REFUSED),
    ("556 5.1.10 Recipient address has null MX", REFUSED),
    ("550 5.2.1 The email account is disabled", REFUSED),
    ("552 5.3.4 Message size exceeds fixed limit", REFUSED),
    ("554 5.6.0 Message could not be delivered: bad content", REFUSED),
    ("550 No such user here", REFUSED),
    ("552 Message size exceeds fixed maximum message size", REFUSED),
    ("553 sorry, this mailbox name is not allowed", REFUSED),
    # Of us, though Postfix and others say it at RCPT.
    ("554 5.7.1 Client host rejected: Access denied", DEFERRED),
    ("554 5.7.1 Relay access denied", DEFERRED),
    ("550 5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy", DEFERRED),
    ("530 5.7.0 Authentication required", DEFERRED),
    ("530 Authentication required", DEFERRED),
    ("553 sender address rejected: not logged in", DEFERRED),
    ("504 5.5.2 Helo command rejected: need fully-qualified hostname", DEFERRED),
    ("550 5.4.5 Daily sending quota exceeded", DEFERRED),
    ("550 5.1.8 Sender address rejected: domain not found", DEFERRED),
    ("554 Transaction failed", DEFERRED),
    ("550 your address is listed at a blocklist", DEFERRED),
    # Of this hour.
    ("552 5.2.2 Mailbox full", DEFERRED),
    ("552 mailbox full", DEFERRED),
    ("450 4.2.0 Greylisted, see you in five minutes", DEFERRED),
    ("421 4.3.2 Service shutting down", DEFERRED),
    ("451 try again later", DEFERRED),
]


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    mailbox = Mailbox()
    await mailbox.start()
    yield mailbox
    await mailbox.stop()


async def _send(mailbox: Mailbox) -> Attempt:
    server = MailServer("127.0.0.1", mailbox.port, "none", "", "", "diary@school.example")
    return await smtp.send(server, RECEIVER, b"Subject: a\r\n\r\na\r\n", [])


@pytest.mark.parametrize("stage", ["RCPT", "DATA"])
@pytest.mark.parametrize(("answer", "outcome"), ANSWERS)
async def test_a_refusal_of_us_is_told_from_one_of_the_letter(
    mailbox: Mailbox, stage: str, answer: str, outcome: Outcome
) -> None:
    async def refuse(_: object) -> str:
        return answer

    if stage == "RCPT":
        mailbox.recipient_answer = answer
    else:
        mailbox.answer = refuse
    attempt = await _send(mailbox)
    assert (attempt.outcome, attempt.answer) == (outcome, answer)


async def test_a_letter_that_is_taken_is_accepted(mailbox: Mailbox) -> None:
    assert (await _send(mailbox)).outcome is Outcome.ACCEPTED
