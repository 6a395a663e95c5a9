"""nats-server from its wheel, with a JetStream file store that syncs every write."""

import json
import secrets
import shutil
import sys
from pathlib import Path

from deploy.local.health import answers_http
from deploy.local.process import Process


class Nats:
    """One server with its files under `home` (config, password, store), made at the first `make`."""

    def __init__(self, home: Path, port: int, monitor_port: int) -> None:
        self.port = port
        self._home = home
        self._monitor_port = monitor_port

    @property
    def store(self) -> Path:
        """The folder of JetStream."""
        return self._home / "store"

    @property
    def url(self) -> str:
        """The address for clients, with user and password."""
        return f"nats://diary:{(self._home / 'password').read_text()}@127.0.0.1:{self.port}"

    def make(self) -> None:
        """Write the config for the present ports; the password is made once."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        password = self._home / "password"
        if not password.exists():
            password.touch(mode=0o600)
            password.write_text(secrets.token_urlsafe(24))
        config = {
            "server_name": "diary",
            "host": "127.0.0.1",
            "port": self.port,
            "http": f"127.0.0.1:{self._monitor_port}",
            "max_payload": 8 * 1024 * 1024,
            "authorization": {"user": "diary", "password": password.read_text()},
            # The default of two minutes loses acknowledged messages when the power fails.
            "jetstream": {"store_dir": str(self.store), "sync_interval": "always"},
        }
        # JSON is a subset of the server's config language.
        (self._home / "nats.conf").write_text(json.dumps(config, indent=2))

    def process(self, log: Path) -> Process:
        """The server as a child."""
        binary = Path(sys.executable).parent / "nats-server"
        return Process("nats", [str(binary), "-c", str(self._home / "nats.conf")], log)

    async def is_ready(self) -> bool:
        """Whether the server and its JetStream say they are well."""
        return await answers_http(self._monitor_port, "/healthz")

    def remove(self) -> None:
        """Delete everything; the server must not run."""
        shutil.rmtree(self._home, ignore_errors=True)
