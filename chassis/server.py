"""The gRPC server of a service: limits, health, reflection, graceful drain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis.auth import Verifier
from chassis.clients import MESSAGE_LIMIT
from chassis.interceptors import HasEnded, WrappingServer, read_rules

_DRAIN_SECONDS = 5.0
METADATA_BYTES = 64 * 1024
OPTIONS = [
    ("grpc.so_reuseport", 1),
    ("grpc.max_send_message_length", MESSAGE_LIMIT),
    # Clients of a headless Service find new pods when their connection ends.
    ("grpc.max_connection_age_ms", 300_000),
    ("grpc.max_connection_age_grace_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.max_concurrent_streams", 1000),
    # Between a soft and a hard limit calls are refused by chance. The gateway refuses first, and with a word (limits.py);
    # gRPC counts 32 bytes more for each header.
    ("grpc.max_metadata_size", METADATA_BYTES),
    ("grpc.absolute_max_metadata_size", METADATA_BYTES),
]


@dataclass(frozen=True)
class Part:
    """A servicer with the generated function that adds it, and the service's full name."""

    name: str
    add: Callable[[Any, grpc.aio.Server], None]
    servicer: object


class Server:
    """A listening server. `healthy()` once everything it stands on is there; `drain()` before the end."""

    def __init__(
        self,
        service: str,
        parts: Sequence[Part],
        verifier: Verifier,
        address: str,
        has_ended: HasEnded,
        *,
        shows_methods: bool = False,
    ) -> None:
        names = [part.name for part in parts]
        rules = read_rules(names)
        # A message still on its way takes memory before anybody knows whose it is: no more than our largest.
        most = max((rule.request_bytes for rule in rules.values()), default=0)
        options = [*OPTIONS, ("grpc.max_receive_message_length", most)]
        self._server = grpc.aio.server(options=options)
        wrapping = WrappingServer(self._server, service, rules, verifier, has_ended)
        for part in parts:
            part.add(part.servicer, cast("grpc.aio.Server", wrapping))
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if shows_methods:
            reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server)
        self.port = self._server.add_insecure_port(address)

    async def start(self) -> None:
        """Starts to listen and says SERVING."""
        await self._server.start()
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)

    async def drain(self) -> None:
        """Says NOT_SERVING, takes no new calls, and lets running ones end."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(_DRAIN_SECONDS)
