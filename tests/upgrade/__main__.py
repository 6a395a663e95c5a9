"""`make upgrade-test`: the release before and today's side by side, in full. Some ten minutes; `make test` has a small form."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.upgrade import SERVICE_TESTS, environment, is_at_hand, pytest_command, read_release, unpack
from tests.upgrade.region import make_region, use_region


def main() -> None:
    """Exits with 1 when yesterday's code fails on today's schema, or today's on yesterday's data."""
    if not is_at_hand():
        print(f"upgrade-test is left out: this clone has no commit {read_release()}, it is shallow")
        return
    folder = Path(tempfile.mkdtemp(prefix="diary-upgrade-"))
    # PostgreSQL may run under another account, which must get to its folder.
    folder.chmod(0o755)
    try:
        yesterday = folder / "yesterday"
        unpack(yesterday)
        print("upgrade-test: the code of the release before on today's schema", flush=True)
        done = subprocess.run(
            pytest_command(*SERVICE_TESTS), cwd=yesterday, env={**os.environ, **environment(yesterday)}, check=False
        )
        print("upgrade-test: today's code on the data of the release before", flush=True)
        make_region(yesterday, folder / "region")
        asyncio.run(use_region(folder / "region"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if done.returncode != 0:
        sys.exit("upgrade-test: the release before does not work on today's schema")


if __name__ == "__main__":
    main()
