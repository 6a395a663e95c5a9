"""A school that comes in by a list: the operator's commands beside a running region."""

import asyncio
import re
import sys

from deploy.local.launcher import Launcher
from tests.support.region import Api, Login

OWN = "Свой пароль этой школы"


async def run_command(region: Launcher, *arguments: str) -> str:
    """What a command of access prints; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.access",
        *arguments,
        env=region.region.environment("access", with_admin=True),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def open_access(region: Launcher, code: str, person: str, *arguments: str) -> Login:
    """An access of a person of the list, activated with the own password."""
    printed = await run_command(region, "open-access", "--school", code, "--person", person, *arguments)
    found = dict(re.findall(r"^([\w -]+): (.+)$", printed, re.MULTILINE))
    api = Api(region.region.gateway_url)
    first = {"login": found["login"], "oneTimePassword": found["one-time password"], "newPassword": OWN}
    await api.post("/v1/accounts:activate", **first)
    await api.close()
    return Login(found["role"], found["login"], OWN, code)
