"""The one interceptor: who calls, may this kind of role call, is the request well-formed; and what went wrong, as a status.

One piece rather than a stack, since every layer costs on every call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import any_pb2, descriptor_pool
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
# What stands outside our declarations: standard health and reflection.
_OPEN_PREFIXES = ("/grpc.health.", "/grpc.reflection.")

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
        for method in descriptor_pool.Default().FindServiceByName(service_name).methods:
            options = method.GetOptions()
            if options.HasExtension(options_pb2.requires):
                requires = options.Extensions[options_pb2.requires]
                roles = frozenset(options_pb2.Role.Name(role).removeprefix("ROLE_").lower() for role in requires.roles)
                most = options.Extensions[options_pb2.request_bytes] or REQUEST_BYTES
                form = forms.Form(method.input_type)
                has_answer = bool(method.output_type.fields)
                rules[f"/{service_name}/{method.name}"] = Rule(roles, frozenset(requires.callers), form, most, has_answer)
    return rules


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every unary method of a service."""

    def __init__(self, service: str, rules: dict[str, Rule], verifier: auth.Verifier, has_ended: HasEnded) -> None:
        self._domain = f"{service}.diary"
        self._rules = rules
        self._verifier = verifier
        self._has_ended = has_ended
        self._wrapped: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        for method in rules:
            _show(method.removeprefix("/diary."))

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Returns the method's handler, wrapped once."""
        method = handler_call_details.method
        wrapped = self._wrapped.get(method)
        if wrapped is not None:
            return wrapped
        handler = await continuation(handler_call_details)
        if handler is None or method.startswith(_OPEN_PREFIXES):
            return handler
        wrapped = grpc.unary_unary_rpc_method_handler(
            # Bytes are read within the call, so that those which are no request are refused, counted and logged as any call.
            self._wrap(method, handler.unary_unary, handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )
        self._wrapped[method] = wrapped
        return wrapped

    def _wrap(self, method: str, behaviour: Any, read: Any) -> Behaviour:
        rule = self._rules.get(method)
        name = method.removeprefix("/diary.")

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
                log.logger().error("call_broke", method=name, exc_info=error)
                await context.abort(grpc.StatusCode.INTERNAL, "something broke here; it is logged under the request's id")
            finally:
                seconds = time.perf_counter() - start
                metrics.calls.labels(name, outcome).inc()
                metrics.call_seconds.labels(name).observe(seconds)
                who = auth.caller()
                log.logger().info(
                    "call",
                    method=name,
                    outcome=reason,
                    ms=round(seconds * 1000, 2),
                    account_id=str(who.account_id),
                    caller_service=who.service,
                )

        return call

    async def _answer(
        self, rule: Rule | None, authorization: str, raw: bytes, read: Any, behaviour: Behaviour, context: Context
    ) -> Any:
        """The method's answer. Where it refuses or has nothing to say, the reason may be that the session has ended."""
        try:
            admitted = self._admit(rule, authorization)
            answer = await behaviour(_read(admitted, raw, read), context)
        except (errors.Unauthenticated, errors.Unavailable):
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


def _show(name: str) -> None:
    """Shows a method's metrics before its first call."""
    for outcome in _OUTCOMES:
        metrics.calls.labels(name, outcome)
    metrics.call_seconds.labels(name)
    metrics.errors.labels(name, DATABASE_UNAVAILABLE)


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
