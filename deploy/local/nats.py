"""nats-server from its wheel, with a JetStream file store that syncs every write."""

import json
import shutil
import sys
from pathlib import Path

from deploy import bus
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

    def url(self, name: str = bus.OPERATOR) -> str:
        """The address for a service, or for whoever looks after the bus, with user and password."""
        return bus.url(name, bus.make_passwords(self._home / "passwords")[name], f"127.0.0.1:{self.port}")

    def make(self) -> None:
        """Write the config for the present ports; the passwords are made once."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        users = bus.users(bus.make_passwords(self._home / "passwords"))
        config = {
            "server_name": "diary",
            "host": "127.0.0.1",
            "port": self.port,
            "http": f"127.0.0.1:{self._monitor_port}",
            "max_payload": 8 * 1024 * 1024,
            "authorization": {"users": users},
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
