"""`make test-images`: a region of containers, made of the built images by what the charts say, and the main flow through it."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from secrets import token_urlsafe
from types import SimpleNamespace
from typing import cast

from deploy.keys import make_keys
from deploy.local.launcher import Launcher
from tests.charts.support import VERSION, Document, pods, render
from tests.e2e.test_application_flow import lead_from_paper_to_letter
from tests.images.pods import Containers
from tests.support.region import read_logins

SERVICES = ("access", "notify", "documents", "journal")
_PORTS = {"access": 50051, "journal": 50052, "notify": 50053, "documents": 50054}
_CASE = "diary-containers"


def main() -> None:
    """Exit 0 when the flow went through; 1 with what stood in the way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docker", default="docker", help="the docker program")
    docker = parser.parse_args().docker
    os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="diary-images-") as folder:
        containers = Containers(docker, Path(folder), f"diary-test-{os.getpid()}")
        try:
            _walk(Region(containers, Path(folder)))
        except RuntimeError as error:
            sys.exit(f"images: {error}")
        finally:
            containers.close()


def _walk(region: "Region") -> None:
    steps: list[tuple[str, Callable[[], None]]] = [
        ("images hold nothing to install with", region.check_images),
        ("PostgreSQL, NATS and a mailbox", region.start_backends),
        ("migrations", region.migrate),
        ("services", region.start_services),
        ("portal and gateway", region.start_doors),
        ("seed of access and journal, as docs/operations/install.md has it", region.seed),
        ("a family signs in and opens its week (helm test)", region.open_week),
        ("the portal's page through the gateway", region.open_page),
        ("from the application to the first sign-in and the first letter", region.lead_a_family),
        ("memory", region.tell_memory),
        ("everything ends when told to", region.stop),
    ]
    for name, step in steps:
        began = time.monotonic()
        step()
        print(f"images: {name}: ok, {time.monotonic() - began:.1f} s", flush=True)


class Region:
    """The pods of the umbrella chart as containers."""

    def __init__(self, containers: Containers, folder: Path) -> None:
        self._containers = containers
        self._folder = folder
        documents = render(_CASE)
        self._pods = pods(documents)
        containers.add_config_maps(documents)
        self._admin_password, self._nats_password = token_urlsafe(), token_urlsafe()
        containers.secrets |= self._make_secrets(folder / "keys")

    def _make_secrets(self, keys: Path) -> dict[str, dict[str, bytes]]:
        make_keys(keys)
        urls = {f"{name}-url": f"postgresql://diary_{name}_app:{token_urlsafe()}@diary-backends/postgres" for name in SERVICES}
        urls["admin-url"] = f"postgresql://postgres:{self._admin_password}@diary-backends/postgres"
        return {
            "diary-seed": {"password": token_urlsafe().encode()},
            "diary-keys": {file.name: file.read_bytes() for file in keys.iterdir()},
            "diary-database": {key: url.encode() for key, url in urls.items()},
            "diary-nats": {
                f"{name}-url": f"nats://diary:{self._nats_password}@diary-backends:4222".encode() for name in SERVICES
            },
        }

    def _deployment(self, name: str) -> Document:
        return self._pods[f"Deployment diary-{name}"]

    def check_images(self) -> None:
        """No pip, compiler or package manager; a user without rights."""
        seek = (
            "import os, shutil, importlib.util as u; "
            "found = [p for p in ('pip', 'pip3', 'apt', 'apt-get', 'dpkg', 'gcc', 'cc', 'make') if shutil.which(p)]; "
            "assert not found, found; assert not u.find_spec('pip') and not u.find_spec('ensurepip'); "
            "assert os.getuid() == 10001"
        )
        for name in (*SERVICES, "portal", "gateway"):
            [container] = self._deployment(name)["spec"]["containers"]
            self._containers.command("run", "--rm", "--entrypoint", "python3", container["image"], "-c", seek)

    def start_backends(self) -> None:
        """One container for both."""
        run = self._containers
        mail = self._folder / "mail"
        mail.mkdir()
        mail.chmod(0o777)
        network = ["--network", run.network, "--network-alias", "diary-backends"]
        network += ["--tmpfs", "/data:mode=1777", "--volume", f"{mail}:/mail"]
        name = ["--name", run.container("backends"), "--env", "PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin"]
        run.command("run", "--detach", *name, *network, f"diary-backends:{VERSION}", self._admin_password, self._nats_password)
        ready = "import socket; [socket.create_connection(('127.0.0.1', port), 1) for port in (5432, 4222, 1025)]"
        self._wait(
            "backends",
            lambda: run.command("exec", run.container("backends"), "python3", "-c", ready, check=False).returncode == 0,
        )

    def migrate(self) -> None:
        """The jobs before an upgrade, twice: a repeat does no harm."""
        for name in SERVICES * 2:
            self._containers.finish(f"migrate-{name}", self._pods[f"Job diary-{name}-migrate"])

    def start_services(self) -> None:
        """All four, by the Deployments' own environment and files."""
        for name in SERVICES:
            self._containers.start(name, self._deployment(name))
        for name in SERVICES:
            self._wait(name, partial(self._containers.is_healthy, name, _PORTS[name]))

    def seed(self) -> None:
        """The demo region; the family's login becomes the Secret of `helm test`."""
        password = self._containers.secrets["diary-seed"]["password"].decode()
        told = self._containers.finish("access-seed", self._pods["Job diary-access-seed"])
        self._containers.finish("journal-seed", self._pods["Job diary-journal-seed"])
        logins = [{**login, "password": password} for login in json.loads(told[told.index("[\n") :])]
        (self._folder / "logins.json").write_text(json.dumps(logins))
        family = next(login for login in logins if login["role"] == "guardian")
        self._containers.secrets["diary-test-login"] = {key: family[key].encode() for key in ("login", "password")}

    def start_doors(self) -> None:
        """The portal and Envoy."""
        for name in ("portal", "gateway"):
            self._containers.start(name, self._deployment(name))
        self._wait("portal", lambda: self._containers.answers("portal", "http://127.0.0.1:8081/healthz"))
        self._wait("gateway", lambda: self._containers.answers("portal", "http://diary-gateway:9901/ready"))

    def open_week(self) -> None:
        """The very pod of `helm test`."""
        print(f"images:   {self._containers.finish('test', self._pods['Pod diary-test']).strip()}")

    def lead_a_family(self) -> None:
        """The launcher's end-to-end test, against the containers; the secrets handed out stand in no log and no table."""
        state = SimpleNamespace(folder=self._folder, logins=self._folder / "logins.json")
        gateway = f"http://{self._containers.address('gateway')}:8080"
        here = cast(Launcher, SimpleNamespace(region=SimpleNamespace(gateway_url=gateway, state=state)))
        for secret in asyncio.run(lead_from_paper_to_letter(here, read_logins(here))):
            kept = [name for name in ("gateway", "portal", "backends", *SERVICES) if secret in self._containers.logs(name)]
            found = self._containers.execute(
                "backends", "grep", "--recursive", "--files-with-matches", secret, "/data", check=False
            )
            if kept or found:
                raise RuntimeError(f"a secret is kept: {kept} {found}")

    def open_page(self) -> None:
        """The way of a browser."""
        self._wait("portal", lambda: self._containers.answers("portal", "http://diary-gateway:8080/"))

    def tell_memory(self) -> None:
        """What the requests in the charts' values are measured by."""
        containers = self._containers
        names = {containers.container(name): name for name in ("gateway", "portal", *SERVICES)}
        told = containers.command("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *names).stdout.splitlines()
        used = {names[name]: memory for name, memory, *_ in map(str.split, told)}
        print(f"images:   {', '.join(f'{name} {memory}' for name, memory in used.items())}")

    def stop(self) -> None:
        """SIGTERM: each process drains and ends by itself."""
        codes = {name: self._containers.stop(name) for name in ("gateway", "portal", *SERVICES)}
        if any(codes.values()):
            raise RuntimeError(f"exit codes {codes}")

    def _wait(self, name: str, is_there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not is_there():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{name} was not there within a minute; it said:\n{self._containers.logs(name)[-3000:]}")
            time.sleep(0.2)


if __name__ == "__main__":
    main()
