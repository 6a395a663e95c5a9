"""One-time codes of staff by RFC 6238: six digits, 30 seconds, each used once.

Wrong ones are counted by whoever gives them: a session ends with its fifth in a row; at sign-in five in 15 minutes from one
address are the most, and ten of one account from everywhere (decision 0112).
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

import pyotp

from chassis.errors import FailedPrecondition, ResourceExhausted, Unauthenticated
from services.access.rights.rules.sign_in import WINDOW

_STEP = 30
# A clock may be a step behind or ahead.
_WINDOW = (-1, 0, 1)
_ISSUER = "Электронный дневник"
# Of one session in a row: whoever stole it has so many guesses of a million, and its holder signs in again.
SESSION_CODES = 5
# At sign-in with the right password, of an account from everywhere: far below what guesses a code within a year.
ACCOUNT_CODES = 10


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """A secret as it is kept; `last_step` is the step of the last code used, `last_request` the digest of the act that it was
    used for, `fail_times` are of wrong codes at sign-in.
    """

    secret: str
    is_confirmed: bool
    last_step: int
    fail_times: Sequence[datetime] = ()
    last_request: bytes | None = None


class CodeOutcome(Enum):
    """What a code came to. LAST: wrong, and the session that gave it is over."""

    RIGHT = "right"
    WRONG = "wrong"
    LAST = "last"


def build_link(secret: str, login: str) -> str:
    """The secret as authenticator apps take it."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=_ISSUER)


def read_code(typed: str) -> str:
    """The digits of a code, however apps and people write it: 123 456, 123-456."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", typed) if sign.isdecimal())


def require_unblocked(fail_times: Sequence[datetime], limit: int, now: datetime) -> None:
    """Raises ResourceExhausted CODE_BLOCKED with retry_time after so many wrong codes at sign-in."""
    recent = sorted(time for time in fail_times if now - time < WINDOW)
    if len(recent) >= limit:
        retry_time = recent[-limit] + WINDOW
        raise ResourceExhausted(
            "CODE_BLOCKED", "too many wrong one-time codes; wait until retry_time", {"retry_time": retry_time.isoformat()}
        )


def count_failure(fail_times: Sequence[datetime], now: datetime) -> list[datetime]:
    """The wrong codes to keep when one more came."""
    return [*(time for time in fail_times if now - time < WINDOW), now]


def require_right(outcome: CodeOutcome) -> None:
    """Raises Unauthenticated CODE_WRONG, or SESSION_ENDED_BY_CODES."""
    if outcome is CodeOutcome.LAST:
        raise Unauthenticated(
            "SESSION_ENDED_BY_CODES", "too many wrong one-time codes in this session: it is over; sign in again"
        )
    if outcome is CodeOutcome.WRONG:
        raise Unauthenticated("CODE_WRONG", "the one-time code is wrong, too old, or was used already")


def find_step(factor: SecondFactor, secret: str, code: str, now: datetime) -> int | None:
    """The step of a right code not used before, to be kept; None when the code is wrong, too old or used. `secret`: opened."""
    current, totp = int(now.timestamp()) // _STEP, pyotp.TOTP(secret)
    for step in (current + offset for offset in _WINDOW):
        if step > factor.last_step and pyotp.utils.strings_equal(totp.at(step * _STEP), read_code(code)):
            return step
    return None


def is_used(factor: SecondFactor, secret: str, code: str, now: datetime) -> bool:
    """Whether a code was right and is used up: a call that is sent again, by a client or a double click, is no guess."""
    return find_step(replace(factor, last_step=0), secret, code, now) is not None


def is_repeated(factor: SecondFactor, secret: str, code: str, request: bytes, now: datetime) -> bool:
    """Whether the very request that used a code up comes again while the code holds: at once, by a double click, or since it
    was lost before its end. It is the same act, not another one.
    """
    return factor.last_request == request and is_used(factor, secret, code, now)


def require_enrolled(factor: SecondFactor | None) -> SecondFactor:
    """Raises FailedPrecondition TOTP_NOT_ENROLLED."""
    if factor is None:
        raise FailedPrecondition("TOTP_NOT_ENROLLED", "the account has no second factor to confirm")
    return factor


def require_confirmed(factor: SecondFactor | None) -> SecondFactor:
    """Raises FailedPrecondition TOTP_NOT_ENROLLED."""
    if factor is None or not factor.is_confirmed:
        raise FailedPrecondition("TOTP_NOT_ENROLLED", "this act needs a confirmed second factor")
    return factor


def require_new(factor: SecondFactor | None) -> None:
    """Raises FailedPrecondition TOTP_ENROLLED."""
    if factor is not None and factor.is_confirmed:
        raise FailedPrecondition("TOTP_ENROLLED", "a second factor is confirmed already")
