"""The methods of the protos, who may call them, and their JSON bindings, read from the descriptor set."""

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodDescriptorProto

from chassis.bounds import REQUEST_BYTES
from diary.options.v1 import options_pb2

_VERBS = ("get", "post", "put", "patch", "delete")


class Caller(Enum):
    """Who may reach a method through the gateway."""

    PUBLIC = "public"
    ACCOUNT = "account"
    SERVICE = "service"


@dataclass(frozen=True)
class Binding:
    """One `google.api.http` binding: an HTTP method, a path template, and whether the request comes as a body."""

    verb: str
    template: str
    has_body: bool = False

    def pattern(self) -> str:
        """An RE2 expression of the paths, for the whole path without the query."""
        parts = re.split(r"(\{[^}]*\})", self.template)
        return "".join(r"[^/]+" if part.startswith("{") else re.escape(part) for part in parts)

    def fields(self) -> tuple[str, ...]:
        """Request fields that the path fills, by both names that JSON knows them by."""
        names = re.findall(r"\{([^=}]+)", self.template)
        return tuple(sorted({*names, *(re.sub(r"_(.)", lambda found: found[1].upper(), name) for name in names)}))

    def fixedness(self) -> tuple[int, int]:
        """Sort key: the more literal text and the fewer variables, the earlier the route must stand."""
        return self.template.count("{"), -len(re.sub(r"\{[^}]*\}", "", self.template))


@dataclass(frozen=True)
class Method:
    """An RPC: `service` and `request` are full proto names, `upstream` the service of Diary that answers it."""

    service: str
    name: str
    upstream: str
    caller: Caller
    bindings: tuple[Binding, ...]
    request: str = ""
    request_bytes: int = REQUEST_BYTES

    @property
    def full_name(self) -> str:
        """Such as diary.access.v1.SessionService.GetCaller."""
        return f"{self.service}.{self.name}"

    @property
    def path(self) -> str:
        """The gRPC path."""
        return f"/{self.service}/{self.name}"


def read_methods(descriptors: Path) -> tuple[Method, ...]:
    """Returns every method of package diary, in order of name. Raises ValueError where a method declares no callers."""
    files = FileDescriptorSet.FromString(descriptors.read_bytes()).file
    methods = [
        _read_method(f"{file.package}.{service.name}", method)
        for file in files
        if file.package.startswith("diary.")
        for service in file.service
        for method in service.method
    ]
    return tuple(sorted(methods, key=lambda method: method.full_name))


def _read_method(service: str, method: MethodDescriptorProto) -> Method:
    caller = _read_caller(f"{service}.{method.name}", method)
    bindings = _read_bindings(method.options.Extensions[annotations_pb2.http])
    most = method.options.Extensions[options_pb2.request_bytes] or REQUEST_BYTES
    return Method(service, method.name, service.split(".")[1], caller, bindings, method.input_type.lstrip("."), most)


def _read_caller(name: str, method: MethodDescriptorProto) -> Caller:
    roles = list(method.options.Extensions[options_pb2.requires].roles)
    if not roles:
        raise ValueError(f"{name} does not say who may call it: add option (diary.options.v1.requires)")
    if options_pb2.ROLE_PUBLIC in roles and len(roles) > 1:
        raise ValueError(f"{name} is public and names other roles: ROLE_PUBLIC stands alone")
    if roles == [options_pb2.ROLE_PUBLIC]:
        return Caller.PUBLIC
    return Caller.SERVICE if roles == [options_pb2.ROLE_SERVICE] else Caller.ACCOUNT


def _read_bindings(rule: http_pb2.HttpRule) -> tuple[Binding, ...]:
    rules = [rule, *rule.additional_bindings]
    found = [(verb, getattr(each, verb), each.body) for each in rules for verb in _VERBS]
    for _, template, body in found:
        if template and body not in ("", "*"):
            raise ValueError(
                f'{template}: a body is the whole request (`body: "*"`), since unknown fields are looked for in it'
            )
    return tuple(Binding(verb.upper(), template, bool(body)) for verb, template, body in found if template)
