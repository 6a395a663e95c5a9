"""A region that the release before has made and filled, started again by today's launcher: read, and written into."""

import os
import subprocess
import sys
from pathlib import Path

from deploy.local.launcher import Launcher
from tests.support.region import new_id, read_logins, signed_in
from tests.support.teaching import find_lesson, find_school
from tests.upgrade import environment

# Starts everything as `make run` does, on free ports, and stops it again.
_MAKE = """
import asyncio, sys
from pathlib import Path
from deploy.local.launcher import Launcher
async def main():
    async with Launcher(Path(sys.argv[1]), tell=print, is_private=True):
        pass
asyncio.run(main())
"""


def make_region(yesterday: Path, state: Path) -> None:
    """Lets the release before make its demo region in a state folder."""
    made = {**os.environ, **environment(yesterday)}
    subprocess.run([sys.executable, "-c", _MAKE, str(state)], cwd=yesterday, env=made, check=True)


async def use_region(state: Path) -> None:
    """Starts it with today's code: what the office, a teacher and a mother open first is there, and a mark can be set."""
    async with Launcher(state, tell=print, is_private=True) as region:
        logins = read_logins(region)
        lesson = await find_lesson(region, logins)
        school = f"/v1/schools/{lesson.school_id}"
        async with signed_in(region, logins["teacher"]) as teacher:
            await lesson.record(teacher, new_id())
            cells = [lesson.cell(student, 4) for student in lesson.students]
            saved = await teacher.post(f"{lesson.path}/marks:record", requestId=new_id(), cells=cells)
            assert {outcome["state"] for outcome in saved["outcomes"]} == {"CELL_STATE_SAVED"}, saved
        async with signed_in(region, logins["mother"]) as mother:
            child = find_school(await mother.get("/v1/me"))["students"][0]["studentId"]
            assert (await mother.get(f"{school}/students/{child}/diary"))["lessons"]
            await mother.get(f"{school}/deliveries")
        async with signed_in(region, logins["admin"]) as admin:
            for listed in ("students", "grants", "classes"):
                assert (await admin.get(f"{school}/{listed}"))[listed], listed
            for listed in ("applications", "deadlines", "documents", "deliveries"):
                await admin.get(f"{school}/{listed}")
