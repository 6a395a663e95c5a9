"""The frame that every service stands on, shown on documents, which is little more than the frame."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import grpc
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2
from prometheus_client import REGISTRY
from pydantic import SecretStr

from chassis import run
from chassis.jobs import Job
from diary.access.v1 import relation_pb2
from diary.documents.v1 import relation_service_pb2_grpc
from diary.options.v1 import options_pb2
from services.documents.__main__ import build
from services.documents.config import Settings
from tests.support.backends import Clone, PostgresServer
from tests.support.eventually import eventually
from tests.support.services import none_ended, refused, served, sign_in, sign_service


@pytest_asyncio.fixture(scope="module")
async def clone(postgres: PostgresServer) -> Clone:
    """A database with documents' schema."""
    return await postgres.clone(["documents"])


def _settings(clone: Clone, nats_url: str, keys_dir: Path) -> Settings:
    return Settings(
        port=0,
        metrics_port=0,
        database_url=SecretStr(clone.app_dsns["documents"]),
        nats_url=SecretStr(nats_url),
        keys_dir=keys_dir,
    )


@pytest_asyncio.fixture(scope="module")
async def channel(clone: Clone, nats_url: str, keys_dir: Path) -> AsyncIterator[grpc.aio.Channel]:
    """documents, serving."""
    settings = _settings(clone, nats_url, keys_dir)
    async with served("documents", settings, lambda frame: build(settings, frame)) as channel:
        yield channel


def _request(school_id: str, version: int, *, is_ended: bool = False) -> relation_pb2.ApplyRelationsRequest:
    relation = relation_pb2.Relation(
        relation_id="0190b0a0-0000-7000-8000-000000000001",
        kind=options_pb2.RELATION_STUDENT,
        object_id=str(uuid4()),
        account_id=str(uuid4()),
        role=options_pb2.ROLE_GUARDIAN,
        version=version,
    )
    relation.valid_from_time.FromJsonString("2026-09-01T00:00:00Z")
    if is_ended:
        relation.valid_to_time.FromJsonString("2026-11-01T00:00:00Z")
    return relation_pb2.ApplyRelationsRequest(school_id=school_id, relations=[relation])


async def test_a_served_service_answers_health(channel: grpc.aio.Channel) -> None:
    answer = await channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_service_ends_with_its_last_loop(
    clone: Clone, nats_url: str, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """nats-py and asyncio.wait_for may swallow a cancellation: such a loop is asked again, and never left behind."""
    begun, ended = list[str](), list[str]()

    async def willing() -> None:
        begun.append("willing")
        await asyncio.sleep(3600)

    async def deaf_once() -> None:
        begun.append("deaf")
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("deaf")

    monkeypatch.setattr(run, "_carriers", lambda *_: [Job("willing", 1, willing), Job("deaf", 1, deaf_once)])
    settings = _settings(clone, nats_url, keys_dir)
    async with served("documents", settings, lambda frame: build(settings, frame)):
        await eventually(lambda: len(begun) == 2, why="both jobs")
    assert ended == ["deaf"]


async def test_what_a_job_has_begun_comes_to_its_end(
    clone: Clone, nats_url: str, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is told to stop is asked each second, and what a letter's yes waits for may take longer."""
    ended = list[str]()

    async def begin() -> None:
        """Begins, and rests."""

    async def let_end() -> None:
        await asyncio.sleep(1.5)
        ended.append("letter")

    settings = _settings(clone, nats_url, keys_dir)
    async with served(
        "documents", settings, lambda _: run.Service([], none_ended, {}, [Job("letters", 1, begin, end=let_end)])
    ):
        pass
    assert ended == ["letter"]


async def test_each_job_of_a_service_is_seen_from_its_start(channel: grpc.aio.Channel) -> None:
    names = [
        *("publish_events", "watch_outbox_lag", "forget_old_events", "forget_ended_sessions"),
        *("count_deadlines", "count_unsigned", "learn_school_codes"),
        *("hear_access_projections", "hear_access_work", "hear_journal_projections"),
    ]
    for name in names:
        for metric in ("diary_job_last_success_seconds", "diary_job_interval_seconds"):
            assert REGISTRY.get_sample_value(metric, {"name": name}), f"{metric} of {name}"


async def test_a_late_lower_version_does_not_bring_an_ended_relation_back(
    channel: grpc.aio.Channel, clone: Clone, keys_dir: Path
) -> None:
    stub = relation_service_pb2_grpc.RelationServiceStub(channel)
    school_id = str(uuid4())
    metadata = sign_service(keys_dir, "access")
    await stub.ApplyRelations(_request(school_id, 2, is_ended=True), metadata=metadata)
    await stub.ApplyRelations(_request(school_id, 1), metadata=metadata)
    connection = await asyncpg.connect(clone.admin_dsn)
    rows = await connection.fetch("SELECT version, valid_to_time FROM documents.relations WHERE school_id = $1", school_id)
    await connection.close()
    assert [(row["version"], row["valid_to_time"] is not None) for row in rows] == [(2, True)]


async def test_a_call_without_a_token_is_refused(channel: grpc.aio.Channel) -> None:
    stub = relation_service_pb2_grpc.RelationServiceStub(channel)
    assert await refused(stub.ApplyRelations(_request(str(uuid4()), 1))) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")


@pytest.mark.parametrize("roles", [("guardian",), ("operator", "head"), ("account",), ("service",)])
async def test_a_person_may_not_call_what_is_for_services(
    channel: grpc.aio.Channel, keys_dir: Path, roles: tuple[str, ...]
) -> None:
    stub = relation_service_pb2_grpc.RelationServiceStub(channel)
    metadata = sign_in(keys_dir, uuid4(), uuid4(), *roles)
    status, _ = await refused(stub.ApplyRelations(_request(str(uuid4()), 1), metadata=metadata))
    assert status in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED)


async def test_a_damaged_token_is_refused(channel: grpc.aio.Channel, keys_dir: Path) -> None:
    stub = relation_service_pb2_grpc.RelationServiceStub(channel)
    [(name, token)] = sign_service(keys_dir, "access")
    assert await refused(stub.ApplyRelations(_request(str(uuid4()), 1), metadata=[(name, token[:-4] + "AAAA")])) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "TOKEN_INVALID",
    )


async def test_a_malformed_field_is_named(channel: grpc.aio.Channel, keys_dir: Path) -> None:
    stub = relation_service_pb2_grpc.RelationServiceStub(channel)
    call = stub.ApplyRelations(_request("not-a-uuid", 1), metadata=sign_service(keys_dir, "access"))
    with pytest.raises(grpc.aio.AioRpcError, match="school_id: must be a valid UUID"):
        await call


async def test_calls_of_each_method_are_shown_before_the_first(channel: grpc.aio.Channel) -> None:
    method = "documents.v1.DocumentService/RenderSlip"
    for status in ("OK", "REFUSED", "UNAVAILABLE", "INTERNAL", "CANCELLED"):
        assert REGISTRY.get_sample_value("diary_calls_total", {"method": method, "status": status}) is not None
    assert REGISTRY.get_sample_value("diary_call_seconds_count", {"method": method}) is not None
    assert REGISTRY.get_sample_value("diary_errors_total", {"method": method, "reason": "DATABASE_UNAVAILABLE"}) is not None


async def test_a_service_stopped_while_it_still_connects_ends(clone: Clone, nats_url: str, keys_dir: Path) -> None:
    settings = Settings(
        port=0,
        metrics_port=0,
        database_url=SecretStr(clone.app_dsns["documents"]),
        nats_url=SecretStr(nats_url),
        keys_dir=keys_dir,
    )
    for step in range(10):
        async with asyncio.timeout(10):
            async with served("documents", settings, lambda frame: build(settings, frame)):
                # Each time a little further into the connecting to NATS.
                for _ in range(step * 3):
                    await asyncio.sleep(0)
