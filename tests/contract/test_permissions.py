"""Every RPC x every role, against the declared table. Generated from the descriptors and asked of the running services."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor

from deploy.keys import SERVICES
from diary.options.v1 import options_pb2
from tests.contract.test_declarations import METHODS, declared
from tests.support.requests import least_request
from tests.support.services import refused_or_answered, sign_in, sign_service

PEOPLE = [
    name.removeprefix("ROLE_").lower()
    for name, number in options_pb2.Role.items()
    if number not in (options_pb2.ROLE_UNSPECIFIED, options_pb2.ROLE_PUBLIC, options_pb2.ROLE_SERVICE, options_pb2.ROLE_ACCOUNT)
]
_NOT_LET_IN = (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED)


def _roles(method: MethodDescriptor) -> set[str]:
    return {options_pb2.Role.Name(role).removeprefix("ROLE_").lower() for role in declared(method).roles}


async def _call(channels: dict[str, grpc.aio.Channel], name: str, metadata: list[tuple[str, str]]) -> grpc.StatusCode:
    method = METHODS[name]
    request = least_request(method.input_type)
    call: Any = channels[name.split(".")[1]].unary_unary(
        f"/{name}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
    )
    status, _ = await refused_or_answered(call(request, metadata=metadata, timeout=10))
    return status


@pytest.mark.parametrize("name", METHODS)
async def test_without_a_token_only_public_rpcs_let_in(channels: dict[str, grpc.aio.Channel], name: str) -> None:
    status = await _call(channels, name, [])
    if "public" in _roles(METHODS[name]):
        assert status not in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
    else:
        assert status == grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("role", PEOPLE)
@pytest.mark.parametrize("name", [n for n, m in METHODS.items() if "public" not in _roles(m)])
async def test_a_role_is_let_in_where_it_is_declared_and_nowhere_else(
    channels: dict[str, grpc.aio.Channel], keys_dir: Path, name: str, role: str
) -> None:
    status = await _call(channels, name, sign_in(keys_dir, uuid4(), uuid4(), role))
    if _roles(METHODS[name]) & {role, "account"}:
        # Let in by its kind; nothing is its own, so nothing is found.
        assert status in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.OK, grpc.StatusCode.UNAUTHENTICATED)
    else:
        assert status == grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("name", [n for n, m in METHODS.items() if "public" not in _roles(m)])
async def test_a_service_is_let_in_where_it_is_named_and_nowhere_else(
    channels: dict[str, grpc.aio.Channel], keys_dir: Path, name: str, service: str
) -> None:
    status = await _call(channels, name, sign_service(keys_dir, service))
    if service in declared(METHODS[name]).callers:
        assert status not in (*_NOT_LET_IN, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
    else:
        assert status == grpc.StatusCode.PERMISSION_DENIED
