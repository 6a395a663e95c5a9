"""Unknown names in JSON bodies and messages that are not whole are refused by a few lines of Lua: Envoy's transcoder drops the
one, a service waits for the rest of the other.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorSet

from deploy.gateway.methods import Method

FILTER = "envoy.filters.http.lua"
_SCRIPT, _SCRIPT_OF_GRPC = "unknown_fields", "whole_message"
_TYPE = "type.googleapis.com/envoy.extensions.filters.http.lua.v3"
# Where a route takes a body.
ON = {FILTER: {"@type": f"{_TYPE}.LuaPerRoute", "name": _SCRIPT}}
# Where a route takes a message of gRPC.
ON_GRPC = {FILTER: {"@type": f"{_TYPE}.LuaPerRoute", "name": _SCRIPT_OF_GRPC}}

# Full name of a message -> name of a field, in JSON and in the proto -> full name of its message, empty for all else, behind
# `[]` where the field is a list.
Messages = Mapping[str, Mapping[str, str]]


def read_messages(descriptors: Path) -> Messages:
    """The names of every message of Diary; google's own types are written in JSON in ways of their own."""
    files = [f for f in FileDescriptorSet.FromString(descriptors.read_bytes()).file if f.package.startswith("diary.")]
    return {f"{file.package}.{message.name}": _read_fields(message) for file in files for message in file.message_type}


def _read_fields(message: DescriptorProto) -> dict[str, str]:
    return {name: _read_type(field) for field in message.field for name in (field.json_name, field.name)}


def _read_type(field: FieldDescriptorProto) -> str:
    is_ours = field.type == FieldDescriptorProto.TYPE_MESSAGE and field.type_name.startswith(".diary.")
    is_list = field.label == FieldDescriptorProto.LABEL_REPEATED
    return ("[]" if is_list else "") + (field.type_name.lstrip(".") if is_ours else "")


def config(methods: tuple[Method, ...], messages: Messages) -> dict[str, Any]:
    """Config of the Lua filter, which runs only where a route names the script."""
    roots = [method.request for method in methods if any(binding.has_body for binding in method.bindings)]
    lines = [f'["{name}"]={{{_write_fields(messages[name])}}}' for name in sorted(_reached(roots, messages))]
    table = "local MESSAGES = {\n" + ",\n".join(lines) + "\n}\n"
    scripts = {_SCRIPT: table + _read(_SCRIPT), _SCRIPT_OF_GRPC: _read(_SCRIPT_OF_GRPC)}
    return {"@type": f"{_TYPE}.Lua", "source_codes": {name: {"inline_string": lua} for name, lua in scripts.items()}}


def _read(script: str) -> str:
    return (Path(__file__).parent / f"{script}.lua").read_text(encoding="utf-8")


def route_metadata(method: Method) -> dict[str, Any]:
    """What tells the script which message a route's body is."""
    return {"filter_metadata": {FILTER: {"request": method.request}}}


def _reached(roots: list[str], messages: Messages) -> set[str]:
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            # A map has a type of its own and names of its own: none is in a request.
            waiting += [kind.removeprefix("[]") for kind in messages[name].values() if kind.removeprefix("[]")]
    return reached


def _write_fields(fields: Mapping[str, str]) -> str:
    return ",".join(f'["{name}"]="{kind}"' for name, kind in fields.items())
