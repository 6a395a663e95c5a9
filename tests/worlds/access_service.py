"""access in process with the services that it tells of endings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from chassis import projection, run
from chassis.clock import SystemClock
from chassis.server import Part
from diary.journal.v1 import relation_service_pb2_grpc
from services.access.config import Settings
from services.documents import __main__ as documents
from services.documents import config as documents_config
from services.notify import __main__ as notify
from services.notify import config as notify_config
from tests.support.backends import Clone
from tests.support.services import none_ended, sign_in
from tests.worlds.access import Person

# Serves another access of the module's database: (clock=None, **addresses) -> context of a channel.
Serve = Callable[..., Any]


@dataclass(frozen=True)
class Backends:
    """Databases, broker and keys of a module; `journal` is a database of its own."""

    clone: Clone
    journal: Clone
    nats_url: str
    keys_dir: Path

    def access_settings(self, **addresses: str) -> Settings:
        """Settings of access with the addresses of its targets."""
        return Settings(
            port=0,
            metrics_port=0,
            database_url=SecretStr(self.clone.app_dsns["access"]),
            nats_url=SecretStr(self.nats_url),
            keys_dir=self.keys_dir,
            **addresses,  # type: ignore[arg-type]
        )

    @asynccontextmanager
    async def journal_on(self, port: int) -> AsyncIterator[int]:
        """Journal's stand-in, listening."""
        settings = documents_config.Settings(
            port=port,
            metrics_port=0,
            database_url=SecretStr(self.journal.app_dsns["documents"]),
            nats_url=SecretStr(self.nats_url),
            keys_dir=self.keys_dir,
        )

        def build(frame: run.Frame) -> run.Service:
            name = "diary.journal.v1.RelationService"
            return run.Service(
                [
                    Part(
                        name,
                        relation_service_pb2_grpc.add_RelationServiceServicer_to_server,
                        projection.RelationServicer(frame),
                    )
                ],
                none_ended,
            )

        async with run.running("documents", settings, build, SystemClock()) as bound:
            yield bound

    def sign_in(self, person: Person, *roles: str) -> list[tuple[str, str]]:
        """Metadata of a call by a person."""
        return sign_in(self.keys_dir, person.account_id, person.session_id, *roles)

    @asynccontextmanager
    async def documents_and_notify(self) -> AsyncIterator[tuple[int, int]]:
        """documents and notify, listening."""
        documents_settings = documents_config.Settings(
            port=0,
            metrics_port=0,
            database_url=SecretStr(self.clone.app_dsns["documents"]),
            nats_url=SecretStr(self.nats_url),
            keys_dir=self.keys_dir,
        )
        notify_settings = notify_config.Settings(
            port=0,
            metrics_port=0,
            database_url=SecretStr(self.clone.app_dsns["notify"]),
            nats_url=SecretStr(self.nats_url),
            keys_dir=self.keys_dir,
        )
        async with (
            run.running(
                "documents", documents_settings, lambda frame: documents.build(documents_settings, frame), SystemClock()
            ) as documents_port,
            run.running("notify", notify_settings, lambda frame: notify.build(notify_settings, frame), SystemClock()) as port,
        ):
            yield documents_port, port
