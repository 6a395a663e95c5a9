"""The description of the JSON surface: of these descriptors, valid, whole, and told to whoever asks the gateway."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from openapi_spec_validator import validate

from deploy.gateway.methods import Caller, read_methods
from deploy.gateway.openapi import build
from tests.support.envoy import DESCRIPTORS, Gateway, running_gateway

_COMMITTED: dict[str, Any] = json.loads(DESCRIPTORS.with_name("openapi.json").read_text())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


def test_description_is_that_of_the_descriptors() -> None:
    assert build(DESCRIPTORS) == _COMMITTED, "run `make proto` and commit"


def test_description_is_valid() -> None:
    validate(_COMMITTED)


def test_every_binding_of_a_method_for_people_is_described_and_no_other() -> None:
    wanted = {
        (binding.verb.lower(), re.sub(r"\{\w+\}", "{}", binding.template)): method.caller is Caller.PUBLIC
        for method in read_methods(DESCRIPTORS)
        if method.caller is not Caller.SERVICE
        for binding in method.bindings
    }
    found = {
        (verb, re.sub(r"\{\w+\}", "{}", path)): operation["security"] == []
        for path, operations in _COMMITTED["paths"].items()
        for verb, operation in operations.items()
    }
    assert found == wanted


def test_rules_of_a_field_are_told_of_what_is_sent_and_not_of_what_is_got() -> None:
    post = _COMMITTED["paths"]["/v1/schools/{schoolId}/courses/{courseId}/marks:record"]["post"]
    body = post["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["requestId", "cells"]
    assert (body["properties"]["cells"]["minItems"], body["properties"]["cells"]["maxItems"]) == (1, 500)
    assert [one["name"] for one in post["parameters"]] == ["schoolId", "courseId"]
    got = _COMMITTED["components"]["schemas"]["journal.v1.RecordMarksResponse"]
    assert "required" not in got
    assert "additionalProperties" not in got


async def test_gateway_tells_it_to_whoever_asks(gateway: Gateway) -> None:
    answer = await gateway.client.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == _COMMITTED
