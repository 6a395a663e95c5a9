"""The jobs of a service that takes imports."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from chassis import metrics
from chassis.imports import acts, store
from chassis.imports.kinds import Kind
from chassis.jobs import Job
from chassis.quarantine import Quarantine
from chassis.run import Frame

_POLL_SECONDS = 1.0
_HOUR_SECONDS = 3600


def carry_imports(frame: Frame, kinds: Sequence[Kind[Any, Any]]) -> Job:
    """Carries imports on, one at a time: those just uploaded or confirmed, and those whose carrier was lost."""
    known = {kind.name: (kind, Quarantine(kind.bounds)) for kind in kinds}
    for name in known:
        for outcome in ("done", "refused"):
            metrics.imports_ended.labels(name, outcome)

    async def carry() -> bool:
        async with frame.database.jobs() as connection:
            claim = await store.claim_import(connection, known, frame.clock.now())
        if claim is None:
            return False
        kind, quarantine = known[claim.kind]
        await acts.carry_on(partial(frame.database.school, claim.school_id), frame.clock, quarantine, kind, claim)
        return True

    return Job("carry_imports", _POLL_SECONDS, carry)


def forget_imports(frame: Frame) -> Job:
    """Drops the files of imports that are over, and after 30 days all that is known of them."""

    async def forget() -> bool:
        async with frame.database.jobs() as connection:
            return await store.forget(connection, frame.clock.now())

    return Job("forget_imports", _HOUR_SECONDS, forget)
