"""Whether a child is ready, asked the way its protocol has it."""

import asyncio
import re
from urllib.parse import urlsplit

import grpc
from grpc_health.v1 import health_pb2

from deploy.local.errors import LocalError

_TIMEOUT = 2.0


async def answers_http(port: int, path: str) -> bool:
    """Whether GET on 127.0.0.1 is answered, and not with the 5xx of a server that is not ready yet."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                status = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return re.match(rb"HTTP/1\.[01] [234]", status) is not None


async def serves_grpc(address: str) -> bool:
    """Whether the standard health service of `address` says SERVING."""
    async with grpc.aio.insecure_channel(address) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await check(health_pb2.HealthCheckRequest(), timeout=_TIMEOUT)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def answers_nats(url: str) -> None:
    """LocalError when nobody speaks NATS at the address that the environment names."""
    server = urlsplit(url if "//" in url else f"nats://{url}")
    try:
        async with asyncio.timeout(_TIMEOUT):
            reader, writer = await asyncio.open_connection(server.hostname, server.port or 4222)
            greeting = await reader.readline()
            writer.close()
    except (OSError, TimeoutError) as error:
        greeting = str(error).encode()
    if not greeting.startswith(b"INFO "):
        told = greeting.decode(errors="replace") or "no answer"
        raise LocalError(
            f"no NATS at {server.hostname}:{server.port or 4222} of DIARY_NATS_URL ({told}): start it, or unset the variable"
        )
