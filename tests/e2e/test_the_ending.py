"""An access that is ended is refused everywhere at once. Last by name: it closes the mother's second child to her."""

import asyncio
from typing import Any

import pytest

from deploy.local.launcher import Launcher
from tests.support.region import Api, Login, Refused, new_id, signed_in
from tests.support.teaching import find_lesson, find_school


async def _refused(call: Any) -> tuple[int, str]:
    with pytest.raises(Refused) as found:
        await call
    return found.value.status, found.value.reason


async def test_when_her_grant_is_ended_her_next_call_is_refused_and_the_fathers_is_not(
    region: Launcher, logins: dict[str, Login]
) -> None:
    """The guarantee "ending access is immediate": a call begun after OK never succeeds."""
    async with (
        signed_in(region, logins["mother"]) as mother,
        signed_in(region, logins["father"]) as father,
        signed_in(region, logins["admin"]) as admin,
    ):
        hers = find_school(await mother.get("/v1/me"))
        his = find_school(await father.get("/v1/me"))
        # Not the child in the teacher's class, whom the other tests go on with.
        lesson = await find_lesson(region, logins)
        shared = {c["studentId"] for c in his["students"]} & {c["studentId"] for c in hers["students"]}
        child = next(iter(shared - set(lesson.students)))
        school = f"/v1/schools/{hers['schoolId']}"
        diary = f"{school}/students/{child}/diary"
        await mother.get(diary)
        grants = (await admin.get(f"{school}/grants", studentId=child))["grants"]
        grant = next(g for g in grants if g["holderPersonId"] == hers["personId"] and "endTime" not in g)
        reading = asyncio.create_task(_read_until_refused(mother, diary))
        ended = await admin.post(f"{school}/grants/{grant['grantId']}:revoke", requestId=new_id())
        assert ended["grant"]["endTime"]
        assert await _refused(mother.get(diary)) == (404, "STUDENT_NOT_FOUND")
        assert await asyncio.wait_for(reading, 5) == (404, "STUDENT_NOT_FOUND")
        await father.get(diary)
        other = next(c["studentId"] for c in hers["students"] if c["studentId"] != child)
        await mother.get(f"{school}/students/{other}/diary")


async def _read_until_refused(api: Api, path: str) -> tuple[int, str]:
    while True:
        try:
            await api.get(path)
        except Refused as refused:
            return refused.status, refused.reason
