"""What differs between one machine, a test and a cluster; all else about the gateway is fixed in the rooms beside."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.gateway.bodies import Messages
from deploy.gateway.methods import Method

SERVICES = ("access", "journal", "notify", "documents")
PORTAL = "portal"


@dataclass(frozen=True)
class Address:
    """Where an upstream listens: a name that DNS knows or an IP address, and a port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Reads HOST:PORT. Raises ValueError with what is wrong."""
        host, colon, port = text.rpartition(":")
        if not (colon and host and port.isdecimal() and 0 < int(port) < 65536):
            raise ValueError(f"{text!r} is not HOST:PORT")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))


@dataclass(frozen=True)
class Limit:
    """A token bucket of one client address: `burst` requests at once, then `per_second`."""

    burst: int
    per_second: int

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """Reads BURST:PER_SECOND. Raises ValueError with what is wrong."""
        burst, _, per_second = text.partition(":")
        if not (burst.isdecimal() and per_second.isdecimal() and int(burst) >= int(per_second) > 0):
            raise ValueError(f"{text!r} is not BURST:PER_SECOND with BURST >= PER_SECOND > 0")
        return cls(int(burst), int(per_second))


@dataclass(frozen=True)
class Settings:
    """Everything that `render` needs. `upstreams` has an address for each of SERVICES and for PORTAL.

    `descriptors` and `token_jwks` are paths as Envoy will see them; `methods` and `messages` are what the descriptors say.
    """

    port: int
    # Where the portal comes in, and nobody else: what it says of its client's address is believed.
    portal_port: int
    admin_port: int
    upstreams: Mapping[str, Address]
    token_jwks: Path
    descriptors: Path
    methods: tuple[Method, ...]
    messages: Messages
    listen_host: str = "127.0.0.1"
    # In a pod the probes and Prometheus ask from outside it.
    admin_host: str = "127.0.0.1"
    # Proxies before the gateway whose X-Forwarded-For is believed.
    trusted_hops: int = 0
    allow_origins: tuple[str, ...] = ()
    # A school of a thousand, or a mobile operator's district, sits behind one address.
    client_limit: Limit = Limit(1000, 500)
    # A computer class of thirty signs in at once, twice.
    sign_in_limit: Limit = Limit(60, 5)
    # Files that anyone may send, and papers that anyone may ask for: a person tries a few times.
    public_work_limit: Limit = Limit(10, 1)
    # An office uploads the scans of a morning one after the other. Each may hold eight megabytes here until it is whole.
    upload_limit: Limit = Limit(12, 1)
    # Envoy's own memory: past nine tenths it takes no new requests.
    heap_bytes: int = 400 * 1024 * 1024

    @property
    def openapi(self) -> Path:
        """The description of the JSON surface, which `make proto` lays beside the descriptors."""
        return self.descriptors.with_name("openapi.json")
