import signal
import sys
from pathlib import Path

import pytest

from deploy.local.errors import LocalError
from deploy.local.process import Process, describe_log


async def _never() -> bool:
    return False


async def test_a_child_that_ends_before_it_is_ready_is_told_with_its_last_words(tmp_path: Path) -> None:
    process = Process("journal", [sys.executable, "-c", "raise SystemExit('no keys here')"], tmp_path / "journal.log")
    await process.start()
    with pytest.raises(LocalError, match=r"journal ended with code 1; its log is .*journal.log(.|\n)*no keys here"):
        await process.until(_never, 10)


async def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"gateway cannot be started.*no-such-envoy"):
        await Process("gateway", ["/no-such-envoy"], tmp_path / "log").start()


async def test_a_child_that_does_not_heed_its_signal_is_killed_after_the_time_given(tmp_path: Path) -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
    process = Process("deaf", [sys.executable, "-c", code], tmp_path / "log")
    await process.start()

    async def is_up() -> bool:
        return "up" in (tmp_path / "log").read_text()

    await process.until(is_up, 10)
    assert await process.stop(0.1) is False
    assert await process.wait() == -signal.SIGKILL


def test_a_full_disk_in_a_log_is_named_before_the_lines_that_bury_it(tmp_path: Path) -> None:
    log = tmp_path / "postgres.log"
    log.write_text("PANIC: could not write to file: No space left on device\n" + "noise\n" * 50)
    assert describe_log(log).startswith("the disk is full; its log is")
