"""Reads race the ending of their access while journal restarts and NATS is cut: none begun after OK succeeds."""

import random

from deploy.local.launcher import Launcher
from tests.support.endings import Races, list_grants
from tests.support.region import Login, signed_in
from tests.support.teaching import find_school

_RACES = 200


async def test_no_read_begun_after_the_endings_ok_succeeds(region: Launcher, logins: dict[str, Login]) -> None:
    """Architecture: ending access is immediate (Clause R33: at once)."""
    async with signed_in(region, logins["admin"]) as admin:
        school_id = find_school(await admin.get("/v1/me"))["schoolId"]
        grants = await list_grants(region, school_id, [login.login for login in logins.values()], _RACES)
        races = Races(region, admin, school_id, random.Random(2026))
        async with races.disturbed():
            await races.run(grants)
    totals = races.totals
    assert totals.races == len(grants) == _RACES
    assert totals.early_reads >= _RACES, "each reader had the access before"
    assert totals.disturbances > 0
    assert totals.late_refusals > _RACES
    assert totals.late_successes == 0
