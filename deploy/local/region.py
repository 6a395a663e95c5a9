"""Where the parts of a region on one machine are found: ports, addresses, logins, and what each child's environment says."""

import os
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from deploy.keys import SERVICES
from deploy.local.errors import LocalError
from deploy.local.nats import Nats
from deploy.local.ports import Ports
from deploy.local.postgres import Postgres
from deploy.local.state import State

_USUAL = {
    "gateway": 8080,
    "portal": 8081,
    **{service: 50051 + number for number, service in enumerate(SERVICES)},
    **{f"{service}_metrics": 9101 + number for number, service in enumerate(SERVICES)},
    "postgres": 54320,
    "nats": 4222,
    "nats_monitor": 8222,
    "gateway_portal": 8082,
    "gateway_admin": 9901,
    "smtp": 1025,
    "mail": 8025,
}

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """Of the demo region, as the seeds take it; what is None is theirs to choose."""

    schools: int | None = None
    students: int | None = None
    seed: int | None = None

    def given(self) -> dict[str, int]:
        """What was named."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def arguments(self) -> list[str]:
        """For the seeds' command lines."""
        return [part for name, value in self.given().items() for part in (f"--{name}", str(value))]


class Region:
    """One region. `is_private` takes any free ports, for tests and benchmarks beside a region that runs already."""

    def __init__(self, state: State, size: Size, tell: Tell, is_private: bool) -> None:
        self.state = state
        self.size = size
        self.tell = tell
        self.given_dsn = read_secret("DIARY_DATABASE_URL")
        self.given_nats_url = read_secret("DIARY_NATS_URL")
        self._ports = Ports()
        self.ports = {name: self._reserve(name, usual, is_private) for name, usual in _USUAL.items()}
        self.postgres = Postgres(state.folder / "postgres", self.ports["postgres"])
        self.nats = Nats(state.folder / "nats", self.ports["nats"], self.ports["nats_monitor"])

    def _reserve(self, name: str, usual: int, is_private: bool) -> int:
        variable = f"DIARY_{name.upper()}_PORT"
        if is_private:
            return self._ports.reserve(0)
        named = os.environ.get(variable)
        if named is not None:
            if not named.isdecimal():
                raise LocalError(f"{variable} is {named!r}, which is no port")
            return self._ports.reserve_named(int(named), variable)
        port = self._ports.reserve(usual)
        if port != usual:
            self.tell(f"port {usual} of {name.replace('_', ' ')} is taken; {port} is used instead")
        return port

    def release_ports(self, names: Iterable[str]) -> None:
        """Give up the reservations of these, right before their child binds them."""
        for name in names:
            if name in SERVICES:
                self._ports.share(self.ports[name])
            else:
                self._ports.release(self.ports[name])

    @property
    def gateway_url(self) -> str:
        """Where everything is reached."""
        return f"http://127.0.0.1:{self.ports['gateway']}"

    @property
    def mail_url(self) -> str:
        """Where the letters are shown."""
        return f"http://127.0.0.1:{self.ports['mail']}"

    @property
    def admin_dsn(self) -> str:
        """The superuser's DSN of the region's database."""
        return self.given_dsn or self.postgres.dsn("diary")

    def nats_url(self, service: str) -> str:
        """The bus, as a service signs in to it."""
        return self.given_nats_url or self.nats.url(service)

    def address(self, service: str) -> str:
        """host:port of a service's gRPC, or of the portal."""
        return f"127.0.0.1:{self.ports[service]}"

    def app_dsn(self, service: str) -> str:
        """The DSN a service logs in with."""
        given = read_secret(f"DIARY_{service.upper()}_DATABASE_URL")
        if given:
            return given
        parts = urlsplit(self.admin_dsn)
        password = quote(self.state.passwords(SERVICES)[service], safe="")
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"diary_{service}_app:{password}@{host}"))

    def environment(self, service: str = "", with_admin: bool = False) -> dict[str, str]:
        """The environment of a child. Only migrations and seeds see the admin's DSN, a service only its own."""
        kept = {name: value for name, value in os.environ.items() if "DATABASE_URL" not in name}
        kept |= {"DIARY_KEYS_DIR": str(self.state.keys), "DIARY_REFLECTION": "true", "PYTHONUNBUFFERED": "1"}
        kept |= {f"DIARY_{name.upper()}_ADDRESS": self.address(name) for name in SERVICES}
        kept |= {"DIARY_GATEWAY_ADDRESS": self.address("gateway_portal")}
        kept |= {f"DIARY_{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        kept |= {"DIARY_NOTIFY_SMTP_PORT": str(self.ports["smtp"])}
        kept |= {f"DIARY_{name}_PORTAL_URL": self.gateway_url for name in ("ACCESS", "NOTIFY", "DOCUMENTS")}
        kept["DIARY_PORTAL_URL"] = self.gateway_url
        # The demo's schools lie in Crimea.
        kept.setdefault("DIARY_ACCESS_REGION_CALENDAR", str(Path(__file__).with_name("crimea.csv")))
        if service:
            kept["DIARY_NATS_URL"] = self.nats_url(service)
            kept[f"DIARY_{service.upper()}_DATABASE_URL"] = self.app_dsn(service)
        if with_admin:
            kept["DIARY_DATABASE_URL"] = self.admin_dsn
        return kept


def write_environment(region: Region) -> None:
    """Writes `env`, for `source .diary/env` before an operator's command. It holds passwords, so it is the owner's alone."""
    lines = region.environment(with_admin=True) | {
        f"DIARY_{name.upper()}_DATABASE_URL": region.app_dsn(name) for name in SERVICES
    }
    path = region.state.folder / "env"
    path.touch(mode=0o600)
    path.write_text("".join(f"export {n}={shlex.quote(v)}\n" for n, v in sorted(lines.items()) if n.startswith("DIARY_")))


def read_secret(name: str) -> str | None:
    """A variable of the environment, or the content of the file that `<name>_FILE` names."""
    path = os.environ.get(f"{name}_FILE")
    if name in os.environ or path is None:
        return os.environ.get(name)
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise LocalError(f"the file {path} of {name}_FILE cannot be read: {error.strerror}") from error
