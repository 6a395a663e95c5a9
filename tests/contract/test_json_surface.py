"""Whatever is sent to the JSON surface as it is described, or nearly so: no answer is a fault, and each is as described.

schemathesis makes the requests, with one seed, for the gateway and the four services as they run.
"""

import asyncio
import importlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chassis import run
from chassis.clock import SystemClock
from deploy.gateway import Address, Limit
from deploy.keys import SERVICES
from tests.support import envoy
from tests.support.backends import PostgresServer
from tests.support.services import sign_in

_DESCRIPTION = json.loads(envoy.DESCRIPTORS.with_name("openapi.json").read_text())
_READ = schemathesis.openapi.from_dict(_DESCRIPTION).get_all_operations()
_OPERATIONS: dict[str, Any] = {result.ok().label: result.ok() for result in _READ if isinstance(result, Ok)}
_CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
_ENDLESS = Limit(1_000_000, 1_000_000)
# Of each operation and each way: as described, and not quite.
_EXAMPLES = 8


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(
    postgres: PostgresServer, nats_url: str, keys_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """Where the gateway listens, before all four services on an empty region."""
    clone, clock = await postgres.clone(SERVICES), SystemClock()
    wanted = envoy.settings(keys_dir, client_limit=_ENDLESS, sign_in_limit=_ENDLESS, public_work_limit=_ENDLESS)
    async with AsyncExitStack() as stack:
        for name in SERVICES:
            given_settings = importlib.import_module(f"services.{name}.config").Settings(
                port=0,
                metrics_port=0,
                database_url=SecretStr(clone.app_dsns[name]),
                nats_url=SecretStr(nats_url),
                keys_dir=keys_dir,
            )
            build = partial(importlib.import_module(f"services.{name}.__main__").build, given_settings)
            port = await stack.enter_async_context(run.running(name, given_settings, build, clock))
            wanted.upstreams[name] = Address("127.0.0.1", port)  # type: ignore[index]  # a dict, as made by `settings`
        client = await stack.enter_async_context(envoy.running_before(tmp_path_factory.mktemp("gateway"), wanted))
        yield str(client.base_url).rstrip("/")


def test_every_operation_is_asked() -> None:
    described = {f"{verb.upper()} {path}" for path, verbs in _DESCRIPTION["paths"].items() for verb in verbs}
    assert _OPERATIONS.keys() == described


@pytest.mark.parametrize("label", _OPERATIONS)
async def test_no_request_is_answered_by_a_fault_or_otherwise_than_described(url: str, keys_dir: Path, label: str) -> None:
    headers = dict(sign_in(keys_dir, uuid4(), uuid4(), "admin", "head", "teacher", "class_teacher", "guardian"))
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        # Hypothesis waits for each answer, so it does so beside the loop that answers.
        await asyncio.to_thread(_send_all, label, mode, url, headers)


def _send_all(label: str, mode: GenerationMode, url: str, headers: dict[str, str]) -> None:
    @seed(1)
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=_OPERATIONS[label].as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        case.call_and_validate(base_url=url, headers=headers, checks=_CHECKS, timeout=30)

    send()
