"""A plugin of pytest for the tests of the release before: their databases get today's migrations instead of their own.

Runs in a tree of that release, where `tests` and `chassis` are its own; today's tree is named by DIARY_TODAY.
"""

import os
import subprocess
import sys

from tests.support import backends

_MIGRATE = "import sys; from chassis.migrate import main; main(*sys.argv[1:])"


async def _migrate(admin_dsn: str, app_dsn: str, service: str) -> None:
    today = os.environ["DIARY_TODAY"]
    environment = {**os.environ, "PYTHONPATH": f"{today}:{today}/gen"}
    subprocess.run([sys.executable, "-c", _MIGRATE, admin_dsn, app_dsn, service], cwd=today, env=environment, check=True)


vars(backends)["migrate"] = _migrate
