"""How often a login may be tried, from where, and how long a session and its refresh tokens live."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import IPv6Address, ip_address, ip_network

from chassis.errors import ResourceExhausted

# Of one login from one address, or of one session that is asked for its password again.
FAILURES = 5
# Of one login from everywhere: far above what its holder mistypes, far below what guesses a password.
LOGIN_FAILURES = 50
WINDOW = timedelta(minutes=15)
# An attempt whose end nobody noted (a killed process) has failed.
_UNDER_WAY = timedelta(seconds=30)

SESSION_IDLE_TIME = timedelta(days=30)
SESSION_TIME = timedelta(days=90)
# Requests that left a browser before the next pair came show the token before; as long as one lives on the way.
REFRESH_LEEWAY = timedelta(seconds=30)
# Pairs that one token may be exchanged for by requests at once.
SIBLINGS = 32
# A customer's line has this much of IPv6.
_IPV6_LINE = 64


@dataclass(frozen=True, slots=True)
class Attempts:
    """Attempts that failed, and those that are being judged."""

    fail_times: Sequence[datetime] = ()
    pending_times: Sequence[datetime] = ()


class Outcome(Enum):
    """How an attempt ended. UNJUDGED: it was not looked at, and counts for nothing."""

    RIGHT = "right"
    WRONG = "wrong"
    UNJUDGED = "unjudged"


class Exchange(Enum):
    """What a refresh token is good for. REUSED: two hold the tokens of the session, so that it ends."""

    NEXT = "next"
    ANOTHER = "another"
    REUSED = "reused"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Family:
    """A session by one of its refresh tokens. `current`: digests of the newest tokens, `previous`: of those before."""

    current: Sequence[bytes]
    previous: Sequence[bytes]
    rotate_time: datetime | None
    expire_time: datetime
    end_time: datetime | None


def begin_attempt(known: Attempts, limit: int, now: datetime) -> Attempts | None:
    """What is kept when one more attempt begins; None when so many are being judged that it has to wait for one of them.

    Raises ResourceExhausted SIGN_IN_BLOCKED with retry_time, and with `counted` everywhere where the login stays open to
    addresses that it was signed in from; a blocked attempt is not counted.
    """
    lost = [time for time in known.pending_times if now - time >= _UNDER_WAY]
    failed = sorted(time for time in (*known.fail_times, *lost) if now - time < WINDOW)
    pending = [time for time in known.pending_times if now - time < _UNDER_WAY]
    if len(failed) >= limit:
        retry_time = failed[-limit] + WINDOW
        told = {"retry_time": retry_time.isoformat(), **({"counted": "everywhere"} if limit == LOGIN_FAILURES else {})}
        raise ResourceExhausted("SIGN_IN_BLOCKED", "too many failed sign-ins; wait until retry_time", told)
    return Attempts(failed, [*pending, now]) if len(failed) + len(pending) < limit else None


def end_attempt(known: Attempts, begun: datetime, outcome: Outcome, *, is_forgiving: bool) -> Attempts:
    """What is kept when an attempt has ended. A right one forgives the failed ones before it where `is_forgiving`; from
    everywhere it does not, else each sign-in of the holder would give a guesser another round.
    """
    pending = list(known.pending_times)
    if begun in pending:
        pending.remove(begun)
    failed = [] if outcome is Outcome.RIGHT and is_forgiving else list(known.fail_times)
    return Attempts([*failed, begun] if outcome is Outcome.WRONG else failed, pending)


def judge_refresh(family: Family, shown: bytes, now: datetime) -> Exchange:
    """What a refresh token of the session may be exchanged for.

    The newest token gives the next pair; for half a minute the one before gives another pair beside it, since requests sent
    at once cannot know of each other. Any other has been seen twice.
    """
    if family.end_time is not None or family.expire_time <= now:
        return Exchange.OVER
    if shown in family.current:
        return Exchange.NEXT
    is_late = family.rotate_time is None or now - family.rotate_time > REFRESH_LEEWAY
    return Exchange.REUSED if is_late or shown not in family.previous else Exchange.ANOTHER


def find_expiry(create_time: datetime, now: datetime) -> datetime:
    """Until when a session can be refreshed: thirty idle days, ninety in all."""
    return min(now + SESSION_IDLE_TIME, create_time + SESSION_TIME)


def read_login(typed: str) -> str:
    """A login as it is kept, of what was typed; NUL, which no text of the database can hold, is of no login."""
    return typed.replace("\0", "").strip().lower()


def read_address(text: str) -> str:
    """A client's address as it is counted: IPv4 as it is, of IPv6 the customer's line; empty when it is none."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address.packed, _IPV6_LINE), strict=False).network_address)


def spell_password(typed: str) -> str:
    """A password as it is kept: keyboards write й and ё of one sign or of two (NFC)."""
    return unicodedata.normalize("NFC", typed)


def list_spellings(typed: str) -> list[str]:
    """Under which a password may have been kept before it was kept in one spelling; the present one first.

    By what was typed alone, so that whose login it is does not show in their number: one for a password that can be spelt one
    way, such as of Latin letters and digits, three at most.
    """
    return list(dict.fromkeys([spell_password(typed), typed, unicodedata.normalize("NFD", typed)]))
