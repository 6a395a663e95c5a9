"""What is done about rights by time."""

from prometheus_client import Gauge

from chassis import log
from chassis.jobs import Job
from chassis.run import Frame
from services.access.people.actions.declarations import end_lapsed_modes
from services.access.people.rules.schools import School
from services.access.people.store import schools
from services.access.rights.actions.endings import BATCH, Endings
from services.access.rights.actions.factor_keys import FactorKeys, seal_all
from services.access.rights.actions.warnings import warn_school
from services.access.rights.rules.sign_in import SESSION_IDLE_TIME, WINDOW
from services.access.rights.store import accounts, credentials, pushes, sessions

_POLL_SECONDS = 0.5
_WARN_SECONDS = 600
_HOUR_SECONDS = 3600
# By then the pods of the release before are gone, which read secrets as they stand.
_SEAL_AFTER_SECONDS = 600
_SCHOOLS_AT_ONCE = 100
_pending = Gauge("diary_access_ending_pushes", "Endings that another service has not confirmed yet")


def push_endings(frame: Frame, endings: Endings) -> Job:
    """Pushes endings that a call could not carry to every service, until each has confirmed."""

    async def push() -> bool:
        async with frame.database.jobs() as connection:
            due = await pushes.claim_due_pushes(connection, frame.clock.now(), BATCH)
            _pending.set(await pushes.count_pushes(connection))
        if missing := await endings.push(due):
            log.logger().warning("endings_pending", targets=sorted(missing), pushes=len(due))
        return len(due) == BATCH

    return Job("push_endings", _POLL_SECONDS, push)


def warn_of_endings(frame: Frame) -> Job:
    """Tells of accesses that end by themselves within 30 days, each once (Clauses R6, R13), and ends the paper mode of those
    whose authority has ended (Clauses R8, R19).
    """

    async def warn() -> None:
        after, failures = "", []
        while found := await _list_schools(frame, after):
            for school in found:
                try:
                    await end_lapsed_modes(frame.database, frame.clock, school.school_id)
                    await warn_school(frame.database, frame.clock, school.school_id)
                except Exception as error:  # what breaks in one school must not silence those after it
                    failures.append(error)
            after = found[-1].code
        if failures:
            raise ExceptionGroup("of schools", failures)

    return Job("warn_of_endings", _WARN_SECONDS, warn)


async def _list_schools(frame: Frame, after: str) -> list[School]:
    async with frame.database.region() as connection:
        return await schools.list_schools(connection, after, _SCHOOLS_AT_ONCE)


def forget_old(frame: Frame) -> Job:
    """Drops failed sign-ins that count no more, sessions that ran out long ago and expired activation tokens: those of an hour
    at once, a row an account or less.
    """

    async def forget() -> None:
        now = frame.clock.now()
        async with frame.database.region() as connection:
            await accounts.delete_old_failures(connection, now - WINDOW)
            await sessions.delete_old_sessions(connection, now - SESSION_IDLE_TIME)
            await credentials.delete_old_tokens(connection, now)

    return Job("forget_old_sign_ins", _HOUR_SECONDS, forget)


def seal_factors(frame: Frame, keys: FactorKeys) -> Job:
    """Seals second factors that the release before kept plain, or that an earlier key sealed."""

    async def seal() -> None:
        if count := await seal_all(frame.database, keys):
            log.logger().info("factors_sealed", count=count)

    return Job("seal_factors", _HOUR_SECONDS, seal, first_after_seconds=_SEAL_AFTER_SECONDS)
