"""A bare grpc.aio server that answers every call with the same bytes: the limit of GetDiaryWeek.

Shaped as our services are: uvloop, one process a core, all listening on one port by SO_REUSEPORT.
"""

import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
import grpc.aio
import uvloop

from benchmarks.cpu import Part

PROCESSES = 2
_spawn = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Echo:
    """A running echo server."""

    address: str
    part: Part


@contextmanager
def run_echo(response: bytes) -> Iterator[Echo]:
    """Runs the server until the block ends."""
    with socket.socket() as holder:  # bound and not listening: keeps the port ours, takes no connection
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        servers = [_spawn.Process(target=_serve, args=(address, response)) for _ in range(PROCESSES)]
        for server in servers:
            server.start()
        try:
            yield Echo(address, Part(tuple(server.pid for server in servers if server.pid)))
        finally:
            for server in servers:
                server.kill()
                server.join()


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, response: bytes) -> None:
        async def answer(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            return response

        self._method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(answer)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        return self._method


def _serve(address: str, response: bytes) -> None:
    async def serve() -> None:
        server = grpc.aio.server(handlers=[_Handler(response)], options=[("grpc.so_reuseport", 1)])
        server.add_insecure_port(address)
        await server.start()
        await server.wait_for_termination()

    uvloop.run(serve())
