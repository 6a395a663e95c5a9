"""The launcher with real servers. The services' part of a region is in the other tests of this folder."""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import nats
import pytest

from deploy.local import plan
from deploy.local.errors import LocalError
from deploy.local.launcher import Launcher
from deploy.local.plan import Stage
from deploy.local.region import Region
from tests.support.eventually import eventually

# As `python -m deploy.local` runs, with the two servers only.
_PROGRAM = """
import sys
from pathlib import Path
from deploy.local import __main__ as command, launcher, plan
import asyncio
asyncio.run(command._run(launcher.Launcher(Path(sys.argv[1]), None, command._tell, True, plan.servers)))
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="diary-launcher-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def _whole(region: Region) -> Iterator[Stage]:
    yield from plan.servers(region)
    region.state.mark_seeded({})


def _launcher(folder: Path, told: list[str]) -> Launcher:
    return Launcher(folder / "region", tell=told.append, is_private=True, stages=_whole)


@pytest.fixture
async def told() -> list[str]:
    return []


@pytest.fixture
async def launcher(folder: Path, told: list[str]) -> AsyncIterator[Launcher]:
    async with _launcher(folder, told) as launcher:
        yield launcher


async def _value(launcher: Launcher, query: str) -> object:
    connection = await asyncpg.connect(launcher.region.admin_dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_what_was_written_is_there_after_a_stop_and_a_second_start(folder: Path) -> None:
    async with _launcher(folder, []) as launcher:
        await _value(launcher, "CREATE TABLE kept AS SELECT 7 AS value")
    assert not any(child.is_running for child in launcher.children.values())
    async with _launcher(folder, []) as launcher:
        assert await _value(launcher, "SELECT value FROM kept") == 7


async def test_a_second_launcher_is_refused_and_the_first_runs_on(launcher: Launcher, folder: Path) -> None:
    with pytest.raises(LocalError, match="another launcher"):
        async with _launcher(folder, []):
            pass
    assert await _value(launcher, "SELECT 1") == 1
    assert json.loads((folder / "region" / "children.json").read_text()).keys() == {"postgres", "nats"}


@pytest.mark.parametrize("name", ["postgres", "nats"])
async def test_a_killed_child_is_named_and_started_again(launcher: Launcher, told: list[str], name: str) -> None:
    killed = launcher.children[name].pid
    os.kill(killed, signal.SIGKILL)
    await eventually(lambda: f"{name} is up again" in told, 30)
    assert any(line.startswith(f"{name} ended with code -9") and f"{name}.log" in line for line in told)
    assert launcher.children[name].pid != killed
    assert await _value(launcher, "SELECT 1") == 1
    client = await nats.connect(launcher.region.nats_url("operator"))
    await client.close()


async def test_a_first_start_that_broke_is_done_again_from_scratch(folder: Path) -> None:
    async def fail() -> None:
        raise LocalError("the seed broke")

    def broken(region: Region) -> Iterator[Stage]:
        yield from plan.servers(region)
        yield (plan.Task("seed", fail),)

    with pytest.raises(LocalError, match="the seed broke"):
        async with Launcher(folder / "broken", is_private=True, stages=broken):
            pass
    mark = folder / "broken" / "nats" / "store" / "left"
    mark.touch()
    async with Launcher(folder / "broken", is_private=True, stages=_whole):
        assert not mark.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_all_in_reverse_order_with_exit_code_0(folder: Path, number: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, str(folder / "signalled"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    while b"ready http://127.0.0.1:" not in await process.stdout.readline():
        assert process.returncode is None
    children = json.loads((folder / "signalled" / "children.json").read_text())
    process.send_signal(number)
    rest, _ = await asyncio.wait_for(process.communicate(), 10)
    assert rest.decode().splitlines() == ["stopping", "nats: stopped", "postgres: stopped"]
    assert process.returncode == 0
    for child in children.values():
        with pytest.raises(ProcessLookupError):
            os.kill(child["pid"], 0)


async def test_children_end_with_a_killed_launcher_and_the_next_start_finds_the_way_free(folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, str(folder / "killed"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    while b"ready http://127.0.0.1:" not in await process.stdout.readline():
        assert process.returncode is None
    children = json.loads((folder / "killed" / "children.json").read_text())
    process.kill()
    await process.wait()
    await eventually(lambda: not any(os.path.exists(f"/proc/{child['pid']}") for child in children.values()))
    async with Launcher(folder / "killed", is_private=True, stages=plan.servers) as launcher:
        assert await _value(launcher, "SELECT 1") == 1
