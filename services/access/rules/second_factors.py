"""One-time codes of staff by RFC 6238: six digits, 30 seconds, each used once."""

from dataclasses import dataclass
from datetime import datetime

import pyotp

from chassis.errors import FailedPrecondition, Unauthenticated

_STEP = 30
# A clock may be a step behind or ahead.
_WINDOW = (-1, 0, 1)
_ISSUER = "Электронный дневник"


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """A secret in Base32; `last_step` is the step of the last code used."""

    secret: str
    is_confirmed: bool
    last_step: int


def build_link(secret: str, login: str) -> str:
    """The secret as authenticator apps take it."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=_ISSUER)


def check_code(factor: SecondFactor, code: str, now: datetime) -> int:
    """The step of a right code not used before, to be kept. Raises Unauthenticated CODE_MISSING, CODE_WRONG."""
    if not code:
        raise Unauthenticated("CODE_MISSING", "the account has a second factor: a one-time code is needed")
    current, totp = int(now.timestamp()) // _STEP, pyotp.TOTP(factor.secret)
    for step in (current + offset for offset in _WINDOW):
        if step > factor.last_step and pyotp.utils.strings_equal(totp.at(step * _STEP), code):
            return step
    raise Unauthenticated("CODE_WRONG", "the one-time code is wrong, too old, or was used already")


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
