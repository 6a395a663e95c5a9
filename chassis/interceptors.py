"""What stands around each call: who calls, whether this kind of role may, whether the request is well-formed; what went wrong.

One piece rather than a stack, since every layer costs on every call. Standard health and reflection stand outside of it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import any_pb2
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from chassis import auth, calls, errors, forms, log, metrics
from chassis.bounds import REQUEST_BYTES
from chassis.db import DATABASE_UNAVAILABLE
from diary.options.v1 import options_pb2

_CODES: dict[type[errors.DiaryError], int] = {
    errors.InvalidArgument: code_pb2.INVALID_ARGUMENT,
    errors.Unauthenticated: code_pb2.UNAUTHENTICATED,
    errors.PermissionDenied: code_pb2.PERMISSION_DENIED,
    errors.NotFound: code_pb2.NOT_FOUND,
    errors.AlreadyExists: code_pb2.ALREADY_EXISTS,
    errors.FailedPrecondition: code_pb2.FAILED_PRECONDITION,
    errors.Aborted: code_pb2.ABORTED,
    errors.ResourceExhausted: code_pb2.RESOURCE_EXHAUSTED,
    errors.Unavailable: code_pb2.UNAVAILABLE,
}
# What a call can come to in `diary_calls_total`: each is shown from the start, so that the first failure is seen as one more.
_OUTCOMES = ("OK", "REFUSED", "UNAVAILABLE", "INTERNAL", "CANCELLED")

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]
else:
    Context = grpc.aio.ServicerContext

Behaviour = Callable[[Any, Context], Awaitable[Any]]
# Whether the session of a caller has ended.
HasEnded = Callable[[auth.Caller], Awaitable[bool]]


@dataclass(frozen=True)
class Rule:
    """Who may call a method, from its `requires`, and what its request may be."""

    roles: frozenset[str]
    callers: frozenset[str]
    form: forms.Form
    request_bytes: int
    has_answer: bool = True

    @property
    def is_public(self) -> bool:
        """Whether no token is asked for."""
        return "public" in self.roles

    def admit(self, who: auth.Caller) -> None:
        """Raises when the caller may not call: a service only where it is named, an account only by the kind of its roles."""
        if who.service and "service" in self.roles:
            if who.service not in self.callers:
                raise errors.PermissionDenied("SERVICE_NOT_ALLOWED", "another service calls this method, not yours")
        elif who.service or not ("account" in self.roles or self.roles & who.roles):
            allowed = {"allowed": ",".join(sorted(self.roles))}
            raise errors.PermissionDenied("ROLE_NOT_ALLOWED", "this kind of role may not call the method", allowed)


def read_rules(service_names: list[str]) -> dict[str, Rule]:
    """The rules of the methods of services, by full method path; a method without a declaration has none."""
    rules = {}
    for service_name in service_names:
        for method in _describe(service_name).methods:
            options = method.GetOptions()
            if options.HasExtension(options_pb2.requires):
                requires = options.Extensions[options_pb2.requires]
                roles = frozenset(options_pb2.Role.Name(role).removeprefix("ROLE_").lower() for role in requires.roles)
                most = options.Extensions[options_pb2.request_bytes] or REQUEST_BYTES
                form = forms.Form(method.input_type)
                has_answer = bool(method.output_type.fields)
                rules[f"/{service_name}/{method.name}"] = Rule(roles, frozenset(requires.callers), form, most, has_answer)
    return rules


def _describe(service_name: str) -> ServiceDescriptor:
    """A service as its proto declares it; the file is named by the service, and nothing else need have read it."""
    package, _, name = service_name.rpartition(".")
    file = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    found: ServiceDescriptor = import_module(f"{package}.{file}_pb2").DESCRIPTOR.services_by_name[name]
    return found


class WrappingServer:
    """Stands for a server while servicers are added: each method is wrapped here, once.

    grpc.aio walks its chain of interceptors anew for each call (decision 0128).
    """

    def __init__(
        self, server: grpc.aio.Server, service: str, rules: dict[str, Rule], verifier: auth.Verifier, has_ended: HasEnded
    ) -> None:
        self._server = server
        self._domain = f"{service}.diary"
        self._rules = rules
        self._verifier = verifier
        self._has_ended = has_ended

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Left out: generated code adds the same methods, unwrapped, beside the registered ones."""

    def add_registered_method_handlers(self, service: str, handlers: dict[str, grpc.RpcMethodHandler[Any, Any]]) -> None:
        """Adds the methods of a servicer, wrapped."""
        wrapped: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            name: grpc.unary_unary_rpc_method_handler(
                # Bytes are read within the call, so that those which are no request are refused, counted and logged as any.
                self._wrap(f"/{service}/{name}", handler.unary_unary, handler.request_deserializer),
                response_serializer=handler.response_serializer,
            )
            for name, handler in handlers.items()
        }
        self._server.add_registered_method_handlers(service, wrapped)

    def _wrap(self, method: str, behaviour: Any, read: Any) -> Behaviour:
        rule = self._rules.get(method)
        name = method.removeprefix("/diary.")
        # What each call of the method needs is looked up once; and all it can come to is shown before its first.
        counts = {outcome: metrics.calls.labels(name, outcome) for outcome in _OUTCOMES}
        seconds_taken = metrics.call_seconds.labels(name)
        metrics.errors.labels(name, DATABASE_UNAVAILABLE)
        logger = log.logger().bind(method=name)

        async def call(raw: bytes, context: Context) -> Any:
            start = time.perf_counter()
            metadata = dict(context.invocation_metadata() or ())
            calls.bind(metadata, context.time_remaining())
            outcome = reason = "OK"
            try:
                return await self._answer(rule, str(metadata.get("authorization", "")), raw, read, behaviour, context)
            except errors.DiaryError as error:
                outcome, reason = "UNAVAILABLE" if isinstance(error, errors.Unavailable) else "REFUSED", error.reason
                metrics.errors.labels(name, error.reason).inc()
                await context.abort_with_status(rpc_status.to_status(self._status(error)))
            except asyncio.CancelledError:
                outcome = reason = "CANCELLED"
                raise
            except Exception as error:
                outcome = reason = "INTERNAL"
                logger.error("call_broke", exc_info=error)
                await context.abort(grpc.StatusCode.INTERNAL, "something broke here; it is logged under the request's id")
            finally:
                seconds = time.perf_counter() - start
                counts[outcome].inc()
                seconds_taken.observe(seconds)
                who = auth.caller()
                logger.info(
                    "call",
                    outcome=reason,
                    ms=round(seconds * 1000, 2),
                    account_id=str(who.account_id),
                    caller_service=who.service,
                )

        return call

    async def _answer(
        self, rule: Rule | None, authorization: str, raw: bytes, read: Any, behaviour: Behaviour, context: Context
    ) -> Any:
        """The method's answer. Where it refuses or has nothing to say, the reason may be that the session has ended. Who may
        not call it at all, and what is no request, is refused before and costs no statement.
        """
        admitted = self._admit(rule, authorization)
        request = _read(admitted, raw, read)
        try:
            answer = await behaviour(request, context)
        except (errors.InvalidArgument, errors.Unauthenticated, errors.Unavailable):
            raise
        except errors.DiaryError:
            await self._require_session()
            raise
        if admitted.has_answer and _says_nothing(answer):
            await self._require_session()
        return answer

    async def _require_session(self) -> None:
        """Raises Unauthenticated SESSION_ENDED. To an ended session the methods' own statements show nothing: asked only then,
        it costs a call that is answered nothing.
        """
        who = auth.caller()
        if who.session_id.int and await self._has_ended(who):
            raise errors.Unauthenticated("SESSION_ENDED", "the session is over; sign in again")

    def _admit(self, rule: Rule | None, authorization: str) -> Rule:
        """Binds the caller; returns the method's rule. Raises when the token or the kind of role will not do."""
        auth.set_caller(auth.NOBODY)
        if rule is None:
            raise errors.PermissionDenied("METHOD_NOT_DECLARED", "the method does not say who may call it")
        if rule.is_public:
            return rule
        # The scheme's name has no case (RFC 9110, 11.1).
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise errors.Unauthenticated("TOKEN_MISSING", "sign in and send `authorization: Bearer <access token>`")
        who = self._verifier.verify(token)
        auth.set_caller(who)
        rule.admit(who)
        return rule

    def _status(self, error: errors.DiaryError) -> status_pb2.Status:
        details = [
            _pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=self._domain, metadata=error.metadata)),
        ]
        if error.violations:
            fields = [
                error_details_pb2.BadRequest.FieldViolation(field=v.field, description=v.description) for v in error.violations
            ]
            details.append(_pack(error_details_pb2.BadRequest(field_violations=fields)))
        return status_pb2.Status(code=_CODES[type(error)], message=error.message, details=details)


def _read(rule: Rule, raw: bytes, read: Any) -> Message:
    """The request. Raises ResourceExhausted REQUEST_TOO_LARGE before it is read, InvalidArgument REQUEST_INVALID."""
    if len(raw) > rule.request_bytes:
        most = {"most_bytes": str(rule.request_bytes)}
        raise errors.ResourceExhausted("REQUEST_TOO_LARGE", "the request has more bytes than the method takes", most)
    request = forms.parse(read, raw)
    forms.check(rule.form, request)
    return request


def _says_nothing(answer: Message | bytes) -> bool:
    return not (answer if isinstance(answer, bytes) else answer.ListFields())


def _pack(detail: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed
