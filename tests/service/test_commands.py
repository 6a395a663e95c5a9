"""What an operator runs says in one line what stands in its way, and a traceback is none."""

import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.support.backends import PostgresServer
from tests.support.envoy import free_port

SERVICES = ("access", "journal", "notify", "documents")
COMMANDS = [*((name, "migrate") for name in SERVICES), ("access", "seed"), ("journal", "seed")]
COMMANDS += [("access", "open-access --school x --person 1"), ("journal", "verify-history"), ("notify", "redrive")]


@pytest.fixture
async def dsn(postgres: PostgresServer) -> str:
    return (await postgres.clone()).admin_dsn


def _change(dsn: str, userinfo: str, place: str | None = None, path: str | None = None) -> str:
    parts = urlsplit(dsn)
    host = place or parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{userinfo}@{host}", path=path or parts.path))


def _run(service: str, command: str, dsn: str, tmp: str) -> tuple[int, str]:
    environment = {"PATH": "", "DIARY_DATABASE_URL": dsn, f"DIARY_{service.upper()}_DATABASE_URL": dsn, "DIARY_KEYS_DIR": tmp}
    environment |= {"DIARY_ACCESS_ADDRESS": "127.0.0.1:1"}
    told = subprocess.run(
        [sys.executable, "-m", f"services.{service}", *command.split()],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.returncode, told.stderr.strip()


@pytest.mark.parametrize(("service", "command"), COMMANDS)
def test_a_database_that_lets_nobody_in_is_told_in_one_line(service: str, command: str, dsn: str, keys_dir: str) -> None:
    user = urlsplit(dsn).username or ""
    wrong = {
        "password": _change(dsn, f"{user}:wrong-one"),
        "away": _change(dsn, f"{user}:wrong-one", f"127.0.0.1:{free_port()}"),
    }
    for what, tried in wrong.items():
        code, text = _run(service, command, tried, str(keys_dir))
        assert code == 1, f"{what}: {text}"
        assert text.startswith("the database does not "), what
        assert "Traceback" not in text
        assert len(text.splitlines()) == 1, text
        assert "wrong-one" not in text


def test_a_database_that_is_not_there_is_told_in_one_line(dsn: str, keys_dir: str) -> None:
    parts = urlsplit(dsn)
    code, text = _run("access", "migrate", urlunsplit(parts._replace(path="/no_such")), str(keys_dir))
    assert (code, text) == (1, 'the database does not let us in: database "no_such" does not exist')
