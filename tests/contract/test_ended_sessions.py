"""After its session has ended a token is refused alike by every method of every service, whatever is asked."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis.clock import SystemClock
from diary.access.v1 import relation_pb2
from diary.options.v1 import options_pb2
from tests.contract.test_declarations import METHODS, declared
from tests.support.requests import least_request
from tests.support.services import refused, sign_in, sign_service

_ALONE = {options_pb2.ROLE_PUBLIC, options_pb2.ROLE_SERVICE}
ASKED = [name for name, method in METHODS.items() if not _ALONE & set(declared(method).roles)]


@pytest.mark.parametrize("name", ASKED)
async def test_token_of_an_ended_session_is_refused_by_every_method(
    channels: dict[str, grpc.aio.Channel], keys_dir: Path, name: str
) -> None:
    service, account, session = name.split(".")[1], uuid4(), uuid4()
    if service != "access":
        ended = relation_pb2.EndedSession(session_id=str(session))
        ended.ended_time.FromDatetime(SystemClock().now())
        apply: Any = channels[service].unary_unary(f"/diary.{service}.v1.RelationService/ApplyRelations")
        request = least_request(METHODS[f"diary.{service}.v1.RelationService/ApplyRelations"].input_type)
        request.ClearField("relations")
        request.ended_sessions.append(type(request.ended_sessions.add()).FromString(ended.SerializeToString()))
        del request.ended_sessions[:-1]
        await apply(request.SerializeToString(), metadata=sign_service(keys_dir, "access"))
    role = options_pb2.Role.Name(declared(METHODS[name]).roles[0]).removeprefix("ROLE_").lower()
    raw = least_request(METHODS[name].input_type).SerializeToString()
    call: Any = channels[service].unary_unary(f"/{name}")
    code, reason = await refused(call(raw, metadata=sign_in(keys_dir, account, session, role), timeout=30))
    assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "SESSION_ENDED")
