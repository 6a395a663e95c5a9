"""The secrets of a family, known to the test, are in no log, table or stream (Clause R25)."""

import os
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import nats
import pytest_asyncio

from deploy.local.health import serves_grpc
from deploy.local.ports import Ports
from deploy.local.process import Process
from diary.access.v1 import (
    application_service_pb2_grpc,
    credential_service_pb2,
    credential_service_pb2_grpc,
    session_service_pb2,
    session_service_pb2_grpc,
)
from diary.documents.v1 import document_service_pb2_grpc, form_pb2
from tests.support.eventually import eventually
from tests.support.services import refused, sign_service
from tests.worlds.access import SchoolWorld
from tests.worlds.access_service import Backends
from tests.worlds.applications import add_vera, by_email, filing, granting, slip_of
from tests.worlds.printing import Papers, printing

OWN = "Полярная-лиса-57"


@pytest_asyncio.fixture
async def papers() -> Papers:
    return Papers()


@pytest_asyncio.fixture
async def services(backends: Backends, papers: Papers, tmp_path: Path) -> AsyncIterator[dict[str, tuple[str, Path]]]:
    """access and documents as processes of their own, at the talkative level: address and log of each."""
    async with printing(backends, papers) as printer:
        ports = Ports()
        numbers = {name: ports.reserve(0) for name in ("access", "documents")}
        ports.close()
        started = {}
        for name, number in numbers.items():
            environment = {
                **{key: value for key, value in os.environ.items() if not key.startswith("DIARY_")},  # noqa: TID251 - a child's
                f"DIARY_{name.upper()}_DATABASE_URL": backends.clone.app_dsns[name],
                f"DIARY_{name.upper()}_PORT": str(number),
                f"DIARY_{name.upper()}_METRICS_PORT": "0",
                "DIARY_DOCUMENTS_ADDRESS": printer,
                "DIARY_NATS_URL": backends.nats_url,
                "DIARY_KEYS_DIR": str(backends.keys_dir),
                "DIARY_LOG_LEVEL": "DEBUG",
                "PYTHONUNBUFFERED": "1",
            }
            process = Process(name, [sys.executable, "-m", f"services.{name}", "serve"], tmp_path / f"{name}.log", environment)
            await process.start()
            started[name] = process
        for name, process in started.items():
            address = f"127.0.0.1:{numbers[name]}"
            await process.until(partial(serves_grpc, address), 30)
        yield {name: (f"127.0.0.1:{numbers[name]}", process.log) for name, process in started.items()}
        for process in started.values():
            await process.stop(10)


async def test_a_known_secret_is_in_no_log_table_or_stream(
    backends: Backends, services: dict[str, tuple[str, Path]], papers: Papers, school: SchoolWorld
) -> None:
    """A search that finds what must be there (login, grant) finds no one-time password, token, own password."""
    secrets, login, grant_id = await _go_through(backends, services, papers, school)
    logs = {name: log.read_bytes() for name, (_, log) in services.items()}
    assert b"IssueSlip" in logs["access"]
    assert b"RenderSlip" in logs["documents"]
    places = {**logs, **await _read_tables(backends.clone.admin_dsn)}
    places |= await eventually(lambda: _read_streams(backends.nats_url, grant_id), why="the grant in the stream")
    assert login.encode() in places["access.accounts"]
    for name, secret in secrets.items():
        forms = {secret.encode(), secret.encode().hex().encode()}
        assert [place for place, content in places.items() if any(form in content for form in forms)] == [], name


async def _go_through(
    backends: Backends, services: dict[str, tuple[str, Path]], papers: Papers, school: SchoolWorld
) -> tuple[dict[str, str], str, str]:
    """From the application to the own password, with each mistake that people make; the secrets, the login, the grant."""
    vera = await add_vera(school)
    teacher = backends.sign_in(school.people["class_teacher"], "class_teacher")
    async with grpc.aio.insecure_channel(services["access"][0]) as channel:
        applications: Any = application_service_pb2_grpc.ApplicationServiceStub(channel)
        credentials: Any = credential_service_pb2_grpc.CredentialServiceStub(channel)
        sessions: Any = session_service_pb2_grpc.SessionServiceStub(channel)
        request = filing(school, vera, by_email())
        case = (await applications.RegisterApplication(request, metadata=teacher)).application
        case = (await applications.GrantApplication(granting(school, case.application_id), metadata=teacher)).application
        grant_id = case.applicants[0].grant_id
        await credentials.IssueSlip(slip_of(school, grant_id), metadata=teacher)
        papers.fail("diary.documents")
        await refused(credentials.IssueSlip(slip_of(school, grant_id), metadata=teacher))
        papers.mend()
        redeem = credential_service_pb2.RedeemDeliveryRequest(school_id=str(school.school_id), grant_id=grant_id)
        delivery = await credentials.RedeemDelivery(redeem, metadata=sign_service(backends.keys_dir, "notify"))
        slip = papers.printed[-1]
        shown = slip.one_time_password
        for login, password in ((slip.login, shown), (shown, slip.login), (slip.login, delivery.activation_token)):
            await refused(sessions.CreateSession(session_service_pb2.CreateSessionRequest(login=login, password=password)))
        words = {"login": slip.login, "one_time_password": shown}
        for weak in (shown, "qwertyuiop"):
            await refused(credentials.ActivateAccount(_activation(**words, new_password=weak)))
        activated = await credentials.ActivateAccount(_activation(**words, new_password=OWN))
        await refused(credentials.ActivateAccount(_activation(activation_token=delivery.activation_token, new_password=OWN)))
        again = await sessions.CreateSession(session_service_pb2.CreateSessionRequest(login=slip.login, password=OWN))
    async with grpc.aio.insecure_channel(services["documents"][0]) as channel:
        documents: Any = document_service_pb2_grpc.DocumentServiceStub(channel)
        page = form_pb2.RenderSlipRequest(slips=[slip])
        await documents.RenderSlip(page, metadata=sign_service(backends.keys_dir, "access"))
    secrets = {
        "one-time password": shown,
        "one-time password as checked": shown.replace("-", ""),
        "activation token": delivery.activation_token,
        "own password": OWN,
        "refresh token": activated.tokens.refresh_token,
        "next refresh token": again.tokens.refresh_token,
        "access token": activated.tokens.access_token,
    }
    return secrets, slip.login, grant_id


def _activation(**words: str) -> credential_service_pb2.ActivateAccountRequest:
    return credential_service_pb2.ActivateAccountRequest(**words)


async def _read_tables(admin_dsn: str) -> dict[str, bytes]:
    """Every row of every table of every schema of ours, as text; bytes as hexadecimal digits."""
    connection = await asyncpg.connect(admin_dsn)
    tables = await connection.fetch(
        """
        SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        """
    )
    found = {}
    for table in tables:
        place = f"{table['schema']}.{table['name']}"
        rows = await connection.fetch(f"SELECT r::text AS row FROM {place} r")
        found[place] = "\n".join(row["row"] for row in rows).encode()
    await connection.close()
    return found


async def _read_streams(url: str, expected: str) -> dict[str, bytes]:
    """Every message of every stream with its headers; empty until one holds `expected`."""
    client = await nats.connect(url)
    found = {}
    for info in await client.jetstream().streams_info():
        content = b""
        for number in range(max(info.state.first_seq, 1), info.state.last_seq + 1):
            message = await client.jetstream().get_msg(info.config.name or "", number)
            content += (message.data or b"") + repr(message.headers).encode()
        found[f"stream {info.config.name}"] = content
    await client.close()
    return found if any(expected.encode() in content for content in found.values()) else {}
