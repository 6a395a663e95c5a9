"""DocumentService.RenderSlip over gRPC (R25)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2
from prometheus_client import REGISTRY
from pydantic import SecretStr

from diary.documents.v1 import document_service_pb2_grpc, form_pb2
from services.documents.__main__ import build
from services.documents.config import Settings
from tests.support.backends import PostgresServer
from tests.support.papers import needs_poppler, read_texts
from tests.support.services import refused, served, sign_in, sign_service


@pytest_asyncio.fixture(scope="module")
async def channel(postgres: PostgresServer, nats_url: str, keys_dir: Path) -> AsyncIterator[grpc.aio.Channel]:
    """documents, serving."""
    clone = await postgres.clone(["documents"])
    settings = Settings(
        port=0,
        metrics_port=0,
        database_url=SecretStr(clone.app_dsns["documents"]),
        nats_url=SecretStr(nats_url),
        keys_dir=keys_dir,
    )
    async with served("documents", settings, lambda frame: build(settings, frame)) as channel:
        yield channel


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> document_service_pb2_grpc.DocumentServiceAsyncStub:
    """The service's stub."""
    return document_service_pb2_grpc.DocumentServiceStub(channel)


def _slip(place: int = 0, *, zone: str = "Europe/Simferopol", password: str = "") -> form_pb2.Slip:
    slip = form_pb2.Slip(
        school_name="МБОУ «Александровская школа»",
        holder_name="Иванова Мария Петровна",
        student_name="Иванов Артём Сергеевич",
        class_name="8-А",
        application_number="15",
        application_date="2026-03-16",
        link="https://dnevnik.example/s/aleks",
        login=f"ivanova-{place:04}",
        one_time_password=password or f"K7MR-QX4D-{place:04}",
        time_zone=zone,
        password_min_length=12,
        issue_number=1,
    )
    slip.password_expire_time.FromJsonString("2026-03-19T15:00:00Z")
    return slip


def _request(*slips: form_pb2.Slip) -> form_pb2.RenderSlipRequest:
    return form_pb2.RenderSlipRequest(slips=slips)


@needs_poppler
async def test_a_class_gets_a_page_each_with_the_own_password(
    stub: document_service_pb2_grpc.DocumentServiceAsyncStub, keys_dir: Path
) -> None:
    request = _request(*(_slip(place) for place in range(25)))
    answer = await stub.RenderSlip(request, metadata=sign_service(keys_dir, "access"))
    pages = read_texts(answer.pdf)
    assert len(pages) == 25
    for place, page in enumerate(pages):
        found = [other for other in range(25) if f"K7MR-QX4D-{other:04}" in page or f"ivanova-{other:04}" in page]
        assert found == [place]
        assert "19.03.2026, 18:00" in page.replace("\xa0", " ")


async def test_the_secret_is_not_logged(
    stub: document_service_pb2_grpc.DocumentServiceAsyncStub, keys_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    metadata = sign_service(keys_dir, "access")
    await refused(stub.RenderSlip(_request(_slip(7, zone="Mars/Olympus")), metadata=metadata))
    await refused(stub.RenderSlip(_request(_slip(7, password="SHORT7!")), metadata=metadata))
    # Last, since a refusal is logged after it was sent.
    await stub.RenderSlip(_request(_slip(7)), metadata=metadata)
    said = "".join(capfd.readouterr())
    assert said.count("RenderSlip") >= 3
    assert [word for word in ("K7MR-QX4D", "SHORT7!", "ivanova", "Иванова") if word in said] == []


async def test_an_unknown_zone_is_refused_by_name_of_its_field(
    stub: document_service_pb2_grpc.DocumentServiceAsyncStub, keys_dir: Path
) -> None:
    request = _request(_slip(), _slip(zone="Mars/Olympus"))
    with pytest.raises(grpc.aio.AioRpcError, match=r"slips\[1\]\.time_zone: must be an IANA time zone"):
        await stub.RenderSlip(request, metadata=sign_service(keys_dir, "access"))


@pytest.mark.parametrize("count", [0, 51])
async def test_none_and_more_than_fifty_slips_are_refused(
    stub: document_service_pb2_grpc.DocumentServiceAsyncStub, keys_dir: Path, count: int
) -> None:
    call = stub.RenderSlip(_request(*[_slip()] * count), metadata=sign_service(keys_dir, "access"))
    assert await refused(call) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")


async def test_a_person_may_not_have_slips_rendered(
    stub: document_service_pb2_grpc.DocumentServiceAsyncStub, keys_dir: Path
) -> None:
    call = stub.RenderSlip(_request(_slip()), metadata=sign_in(keys_dir, uuid4(), uuid4(), "admin"))
    assert await refused(call) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")


async def test_other_calls_are_answered_while_slips_are_rendered(
    channel: grpc.aio.Channel, stub: document_service_pb2_grpc.DocumentServiceAsyncStub, keys_dir: Path
) -> None:
    request = _request(*(_slip(place) for place in range(50)))
    rendering = asyncio.ensure_future(stub.RenderSlip(request, metadata=sign_service(keys_dir, "access")))
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    for _ in range(5):
        await check(health_pb2.HealthCheckRequest())
    assert not rendering.done()
    assert (await rendering).pdf.startswith(b"%PDF-")


async def test_rendered_slips_are_counted(stub: document_service_pb2_grpc.DocumentServiceAsyncStub, keys_dir: Path) -> None:
    def count() -> float:
        return REGISTRY.get_sample_value("diary_documents_rendered_total", {"kind": "slip"}) or 0.0

    before = count()
    await stub.RenderSlip(_request(_slip(1), _slip(2)), metadata=sign_service(keys_dir, "access"))
    assert count() == before + 2
