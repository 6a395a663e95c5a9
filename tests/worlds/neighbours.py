"""The other services, as one of them meets them: a real gRPC server made from the descriptors.

Each RPC answers UNIMPLEMENTED until a test gives it an answer; who may call it is what its proto declares.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from chassis.auth import Verifier
from chassis.clients import MESSAGE_LIMIT
from chassis.clock import SetClock
from chassis.errors import DiaryError
from chassis.interceptors import read_rules
from chassis.server import Part

_GEN = Path(__file__).parents[2] / "gen"
_Trouble = TypeVar("_Trouble")
_OPTIONS = [("grpc.max_send_message_length", MESSAGE_LIMIT), ("grpc.max_receive_message_length", MESSAGE_LIMIT)]


class Refusal(Exception):  # noqa: N818 - an answer, and no fault
    """Ends a call as our services end it; with fields of the request that are amiss, and what else it says."""

    def __init__(self, code: grpc.StatusCode, reason: str, *fields: str, **metadata: str) -> None:
        super().__init__(reason)
        self._number: int = code.value[0]
        self._reason, self._fields, self._metadata = reason, fields, metadata

    def status(self, rpc: str) -> status_pb2.Status:
        """As the service of the RPC says it."""
        domain = f"{rpc.split('.')[1]}.diary"
        details: list[Message] = [error_details_pb2.ErrorInfo(reason=self._reason, domain=domain, metadata=self._metadata)]
        if self._fields:
            named = error_details_pb2.BadRequest.FieldViolation
            details.append(
                error_details_pb2.BadRequest(field_violations=[named(field=f, description="amiss") for f in self._fields])
            )
        status = status_pb2.Status(code=self._number, message=self._reason)
        for detail in details:
            status.details.add().Pack(detail)
        return status


@dataclass(frozen=True)
class Call:
    """A call that came in, and the seconds that it had left."""

    rpc: str
    request: Any
    metadata: dict[str, str]
    seconds: float | None


# The same message each time, a refusal, or what a function makes of the request (it may raise one).
Answer = Message | Refusal | Callable[[Any], Message | Awaitable[Message]]


def _read_services() -> dict[str, ServiceDescriptor]:
    found: dict[str, ServiceDescriptor] = {}
    for path in sorted((_GEN / "diary").rglob("*_service_pb2.py")):
        module = importlib.import_module(".".join(path.relative_to(_GEN).with_suffix("").parts))
        found |= {service.full_name: service for service in module.DESCRIPTOR.services_by_name.values()}
    return found


SERVICES = _read_services()
RPCS = {f"{name}/{method.name}": method for name, service in SERVICES.items() for method in service.methods}


class Neighbours:
    """All services in one. An RPC is named as in `diary.access.v1.RosterService/BatchGetRoster`; a service or a package stands
    for all of its RPCs, where one fails or is slow.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        # Asked before any answer; it may raise a refusal.
        self.door: Callable[[Call], None] = lambda _: None
        self.port = 0
        self._server: grpc.aio.Server | None = None
        self._answers: dict[str, Answer] = {}
        self._failing: dict[str, grpc.StatusCode] = {}
        self._held: dict[str, tuple[asyncio.Event, asyncio.Event]] = {}

    @property
    def address(self) -> str:
        """Where they listen."""
        return f"127.0.0.1:{self.port}"

    def admit_services(self, keys_dir: Path) -> None:
        """Lets in whom the protos let in: a caller shows a token of these keys, of whatever time: tests turn clocks back."""
        verifier = Verifier(keys_dir / "jwks.json", SetClock(datetime(2000, 1, 1, tzinfo=UTC)))
        rules = read_rules(list(SERVICES))

        def check(call: Call) -> None:
            rule = rules[f"/{call.rpc}"]
            if rule.is_public:
                return
            try:
                rule.admit(verifier.verify(call.metadata.get("authorization", "").removeprefix("Bearer ")))
            except DiaryError as error:
                raise Refusal(grpc.StatusCode.PERMISSION_DENIED, error.reason) from error

        self.door = check

    def answer(self, rpc: str, answer: Answer) -> None:
        """Gives an RPC its answer from now on."""
        assert rpc in RPCS, f"no proto has {rpc}"
        self._answers[rpc] = answer

    def answer_by(self, service: str, source: object) -> None:
        """Gives RPCs of a service the answers that the methods of their names make."""
        methods = {name: getattr(source, name) for name in dir(source) if name[0].isupper()}
        assert methods, f"{source} answers nothing"
        for name, method in methods.items():
            self.answer(f"{service}/{name}", method)

    def sent(self, rpc: str) -> list[Any]:
        """The requests that an RPC was sent, in their order."""
        assert rpc in RPCS, f"no proto has {rpc}"
        return [call.request for call in self.calls if call.rpc == rpc]

    def fail(self, name: str, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        """From now on calls fail: the neighbour is away, or as the status says."""
        self._failing[name] = code

    def mend(self) -> None:
        """From now on nothing fails."""
        self._failing.clear()

    @contextmanager
    def slow(self, name: str) -> Iterator[asyncio.Event]:
        """Calls have no answer before the block ends; the event says that one waits."""
        came, go = self._held[name] = asyncio.Event(), asyncio.Event()
        try:
            yield came
        finally:
            del self._held[name]
            go.set()

    def part(self, service: str) -> Part:
        """One of them, for a server with the frame of ours."""
        return Part(service, lambda _, server: self.join(server, service), self)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Neighbours]:
        """On a free port."""
        self._server = grpc.aio.server(options=_OPTIONS)
        self.join(self._server, *SERVICES)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        try:
            yield self
        finally:
            await self.stop()

    async def stop(self) -> None:
        """No longer listens."""
        if self._server is not None:
            await self._server.stop(None)

    def join(self, server: grpc.aio.Server, *services: str) -> None:
        """Adds services of ours to a server of the test's own."""
        for service in services:
            handlers = {method.name: self._handler(f"{service}/{method.name}", method) for method in SERVICES[service].methods}
            server.add_registered_method_handlers(service, handlers)

    def _handler(self, rpc: str, method: MethodDescriptor) -> grpc.RpcMethodHandler[Any, Any]:
        async def behave(request: Any, context: Any) -> Message:
            call = Call(rpc, request, dict(context.invocation_metadata() or ()), context.time_remaining())
            self.calls.append(call)
            for came, go in _named(self._held, rpc):
                came.set()
                await go.wait()
            for code in _named(self._failing, rpc):
                await context.abort(code, "as the test wants it")
            if rpc not in self._answers:
                await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"no test has answered {rpc}")
            try:
                self.door(call)
                return await self._make_answer(call)
            except Refusal as refusal:
                await context.abort_with_status(rpc_status.to_status(refusal.status(rpc)))
                raise

        read = cast("Callable[[bytes], Any]", GetMessageClass(method.input_type).FromString)
        return grpc.unary_unary_rpc_method_handler(behave, read, lambda answer: answer.SerializeToString())

    async def _make_answer(self, call: Call) -> Message:
        answer = self._answers[call.rpc]
        if isinstance(answer, Refusal):
            raise answer
        if isinstance(answer, Message):
            return answer
        made = answer(call.request)
        return await made if inspect.isawaitable(made) else made


def _named(troubles: Mapping[str, _Trouble], rpc: str) -> list[_Trouble]:
    return [trouble for name, trouble in troubles.items() if rpc == name or rpc.startswith((f"{name}/", f"{name}."))]
