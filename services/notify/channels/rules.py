"""What a mail server's answer means, and what may be kept of it."""

import re
from collections.abc import Sequence

from services.notify.letters.rules import Outcome
from services.notify.news.rules import one_line

_ANSWER_LENGTH = 200
# 5.subject.detail before the words of a refusal (RFC 3463, RFC 2034).
_ENHANCED = re.compile(r"\s*5\.(\d{1,3})\.(\d{1,3})(?=\s|$)")
# Details that are of the receiver's address or mailbox, or of the letter's size; of subject 6, the content, all are.
_DETAILS_OF_LETTER = {1: (0, 1, 2, 3, 4, 6, 10), 2: (0, 1, 3, 4), 3: (4,)}
_CONTENT = 6
# Mailbox unavailable, not local, name not allowed, takes no mail (RFC 5321, RFC 7504), where no words speak of the sender.
_REFUSALS_OF_LETTER = (550, 551, 553, 556)
_WORDS_OF_US = re.compile(
    r"relay|auth|log(?:ged)?[ -]?(?:in|on)|client|helo|ehlo|host|block|black|banned|denied|spam|rbl|reputation|policy|sender|"
    r"rate|limit|quota|too many|full|later|tempor"
)
# Said of a full mailbox, and of a letter too large (RFC 1870).
_STORAGE_EXCEEDED = 552
_WORDS_OF_SIZE = re.compile(r"size|length|too (?:big|large)")


def judge_refusal(code: int, message: str) -> Outcome:
    """What a mail server's refusal is of: the letter or its receiver (REFUSED), or of us or of this hour (DEFERRED).

    Postfix says both at RCPT, so the stage tells nothing; the enhanced code does (RFC 3463). 5.7.x is a policy against the
    sender, 5.4.x and 5.5.x are routes and protocol, a full mailbox is emptied one day. Without one reply code and words decide.
    """
    if code < 500:
        return Outcome.DEFERRED
    enhanced = _ENHANCED.match(message)
    if enhanced is None:
        words = message.casefold()
        is_of_letter = code in _REFUSALS_OF_LETTER and not _WORDS_OF_US.search(words)
        is_of_letter |= code == _STORAGE_EXCEEDED and bool(_WORDS_OF_SIZE.search(words))
    else:
        subject, detail = int(enhanced[1]), int(enhanced[2])
        is_of_letter = detail in _DETAILS_OF_LETTER.get(subject, ()) or subject == _CONTENT
    return Outcome.REFUSED if is_of_letter else Outcome.DEFERRED


def clean_answer(answer: str, secrets: Sequence[str]) -> str:
    """A provider's answer on one line, 200 characters at most, with each of `secrets` (address, token) left out."""
    known = sorted({part for secret in secrets for part in (secret, secret.partition("@")[0]) if len(part) > 2}, key=len)
    for secret in reversed(known):
        answer = re.sub(re.escape(secret), "…", answer, flags=re.IGNORECASE)
    return one_line(answer)[:_ANSWER_LENGTH]
