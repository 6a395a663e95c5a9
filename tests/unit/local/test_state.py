import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.errors import LocalError
from deploy.local.process import Process
from deploy.local.state import State

_SLEEPER = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state")
    state.open()
    yield state
    state.close()


def test_a_second_launcher_on_the_same_folder_is_refused_and_told_by_whom(state: State) -> None:
    with pytest.raises(LocalError, match=r"another launcher \(process \d+\).*DIARY_STATE_DIR"):
        State(state.folder).open()


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match=f"{tmp_path}/file/state.*cannot be written.*DIARY_STATE_DIR"):
        State(tmp_path / "file" / "state").open()


def test_too_small_a_disk_is_named_before_anything_is_made(state: State) -> None:
    with pytest.raises(LocalError, match=f"the disk of {state.folder} has .* MB left"):
        state.demand_space(2**40)


async def test_children_that_a_killed_launcher_left_are_ended(state: State) -> None:
    orphan = Process("journal", _SLEEPER, state.log("journal"))
    await orphan.start()
    state.record_children({"journal": orphan})
    assert state.end_orphans() == ["journal"]
    assert await orphan.wait() == -15


def test_a_process_id_that_another_program_has_by_now_is_left_alone(state: State) -> None:
    with subprocess.Popen(_SLEEPER, stdout=subprocess.PIPE) as stranger:
        (state.folder / "children.json").write_text(f'{{"journal": {{"pid": {stranger.pid}, "began": 1, "signal": 15}}}}')
        assert state.end_orphans() == []
        assert stranger.poll() is None
        stranger.kill()


def test_passwords_are_made_once(state: State) -> None:
    assert state.passwords(("access",)) == state.passwords(("access",))
    assert (state.folder / "passwords.json").stat().st_mode & 0o077 == 0
