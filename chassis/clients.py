"""Calling another service: its address, our token, a deadline, retries where a repeat is safe."""

import json
from collections.abc import Callable
from typing import Any

import grpc

from chassis import calls
from chassis.auth import ServiceToken

MESSAGE_LIMIT = 8 * 1024 * 1024
# gRPC's own retries: only on UNAVAILABLE, which our services answer when nothing was done or a repeat is harmless.
_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 3,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
    }
)
_OPTIONS = [
    ("grpc.service_config", _CONFIG),
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


class _Signed(grpc.aio.UnaryUnaryClientInterceptor):
    """Adds our token, the thread of the call in work, and a deadline, which is never past that of the call in work."""

    def __init__(self, token: ServiceToken, seconds: float, waits: bool) -> None:
        self._token = token
        self._seconds = seconds
        self._waits = waits

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        """Sends the call with token and deadline."""
        metadata = grpc.aio.Metadata(*(client_call_details.metadata or ()))
        metadata.add("authorization", f"Bearer {self._token.get()}")
        for name, value in calls.headers():
            metadata.add(name, value)
        details = grpc.aio.ClientCallDetails(
            method=client_call_details.method,
            timeout=calls.seconds_left(client_call_details.timeout or self._seconds),
            metadata=metadata,
            credentials=client_call_details.credentials,
            wait_for_ready=client_call_details.wait_for_ready or self._waits,
        )
        return await continuation(details, request)


def connect(address: str, token: ServiceToken, *, seconds: float = 2.0, waits: bool = False) -> grpc.aio.Channel:
    """A channel to another service. `address` is host:port, or dns:///host:port for a headless Service. One that `waits` takes
    its deadline to find a service that is just starting or not yet known by name, as a command may.
    """
    return grpc.aio.insecure_channel(address, options=_OPTIONS, interceptors=[_Signed(token, seconds, waits)])
