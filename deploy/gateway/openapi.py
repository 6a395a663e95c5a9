"""`python -m deploy.gateway.openapi DESCRIPTORS OUT`: the JSON surface as OpenAPI 3.1, of the same descriptors as the routes.

What a client sends has the rules that stand beside the fields; what it gets has none, since a default value is left out there.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FieldOptions, FileDescriptorProto, FileDescriptorSet, MethodOptions
from google.protobuf.descriptor_pool import DescriptorPool

from buf.validate import validate_pb2
from deploy.gateway.methods import Binding, Caller, Method, read_methods
from diary.options.v1 import options_pb2

_Json = dict[str, Any]
_HTTP_BODY = "google.api.HttpBody"
_PLAIN: dict[int, _Json] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}
_REFUSAL: _Json = {
    "type": "object",
    "description": "google.rpc.Status. The reason of ErrorInfo tells what is wrong, the violations of BadRequest tell where.",
    "properties": {
        "code": {"type": "integer", "description": "google.rpc.Code."},
        "message": {"type": "string", "description": "For the developer, in English."},
        "details": {
            "type": "array",
            "items": {"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"]},
        },
    },
    "required": ["code"],
}


def main() -> None:
    """Writes the document."""
    descriptors, out = map(Path, sys.argv[1:])
    out.write_text(json.dumps(build(descriptors), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def build(descriptors: Path) -> _Json:
    """The document of a descriptor set. Raises ValueError for a kind of field that the surface does not have yet."""
    return _Document(descriptors).build(read_methods(descriptors))


class _Document:
    """What is gathered on the way: the messages that operations name, and the comments of the protos."""

    def __init__(self, descriptors: Path) -> None:
        files = FileDescriptorSet.FromString(descriptors.read_bytes()).file
        self._pool = DescriptorPool()
        for file in files:
            self._pool.Add(file)
        self._comments = {name: comment for file in files for name, comment in _read_comments(file)}
        self._schemas: dict[str, _Json] = {}

    def build(self, methods: tuple[Method, ...]) -> _Json:
        paths: dict[str, _Json] = {}
        for method in methods:
            found = self._pool.FindServiceByName(method.service).methods_by_name[method.name]
            for number, binding in enumerate(method.bindings if method.caller is not Caller.SERVICE else ()):
                path = re.sub(r"\{(\w+)\}", lambda name: f"{{{_json_name(name[1])}}}", binding.template)
                paths.setdefault(path, {})[binding.verb.lower()] = self._operation(method, found, binding, number)
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "Diary",
                "version": "v1",
                "description": "The same methods as over gRPC. Unknown names, in a body or a query, are refused.",
            },
            "servers": [{"url": "/"}],
            "paths": dict(sorted(paths.items())),
            "components": {
                "schemas": dict(sorted(self._schemas.items())),
                "responses": {
                    "Refusal": {
                        "description": "Refused.",
                        "content": {"application/json": {"schema": _REFUSAL}},
                    }
                },
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            },
        }

    def _operation(self, method: Method, found: MethodDescriptor, binding: Binding, number: int) -> _Json:
        service = found.containing_service
        fields = {field.name: field for field in found.input_type.fields}
        in_path = [fields.pop(name) for name in re.findall(r"\{(\w+)\}", binding.template)]
        given = [self._parameter(field, "path") for field in in_path]
        operation: _Json = {
            "operationId": f"{service.name}_{method.name}" + (f"_{number + 1}" if number else ""),
            "tags": [service.name],
            "description": self._comment(method.full_name) + _write_callers(found),
            "responses": {"200": self._answer(found.output_type), "default": {"$ref": "#/components/responses/Refusal"}},
            "security": [] if method.caller is Caller.PUBLIC else [{"token": []}],
        }
        if binding.has_body:
            schema = self._object(found.input_type, list(fields.values()), is_sent=True)
            operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        else:
            given += [self._parameter(field, "query") for field in fields.values()]
        return operation | ({"parameters": given} if given else {})

    def _answer(self, message: Descriptor) -> _Json:
        if message.full_name == _HTTP_BODY:
            return {"description": "A file.", "content": {"*/*": {}}}
        return {"description": "Done.", "content": {"application/json": {"schema": self._reference(message, is_sent=False)}}}

    def _parameter(self, field: FieldDescriptor, place: str) -> _Json:
        schema = self._schema(field, is_sent=True)
        is_required = place == "path" or _is_required(field)
        parameter = {"name": field.json_name, "in": place, "required": is_required, "schema": schema}
        return parameter | _described(schema.pop("description", ""))

    def _reference(self, message: Descriptor, *, is_sent: bool) -> _Json:
        name = message.full_name.removeprefix("diary.") + (".Sent" if is_sent else "")
        if name not in self._schemas:
            self._schemas[name] = {}  # A message may hold itself.
            self._schemas[name] = self._object(message, list(message.fields), is_sent=is_sent)
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, message: Descriptor, fields: list[FieldDescriptor], *, is_sent: bool) -> _Json:
        schema: _Json = {"type": "object", **_described(self._comment(message.full_name))}
        schema["properties"] = {field.json_name: self._schema(field, is_sent=is_sent) for field in fields}
        if is_sent:
            schema["additionalProperties"] = False
        required = [field.json_name for field in fields if is_sent and _is_required(field)]
        return schema | ({"required": required} if required else {})

    def _schema(self, field: FieldDescriptor, *, is_sent: bool) -> _Json:
        rules = _rules(field) if is_sent else validate_pb2.FieldRules()
        comment = _described(self._comment(field.full_name))
        if not field.is_repeated:
            return self._one(field, rules, is_sent=is_sent) | comment
        counts = {"minItems": rules.repeated.min_items, "maxItems": rules.repeated.max_items}
        items = self._one(field, rules.repeated.items, is_sent=is_sent)
        return {"type": "array", "items": items, **{name: count for name, count in counts.items() if count}, **comment}

    def _one(self, field: FieldDescriptor, rules: validate_pb2.FieldRules, *, is_sent: bool) -> _Json:
        if field.enum_type is not None:
            return {"type": "string", "enum": _list_names(field.enum_type, rules)}
        if field.message_type is None:
            if field.type not in _PLAIN:
                raise ValueError(f"{field.full_name}: say in openapi.py what its type is in JSON")
            return _PLAIN[field.type] | _write_rules(rules)
        if field.message_type.full_name == "google.protobuf.Timestamp":
            return {"type": "string", "format": "date-time"}
        return self._reference(field.message_type, is_sent=is_sent)

    def _comment(self, full_name: str) -> str:
        return " ".join(self._comments.get(full_name, "").split())


def _read_comments(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    """The comments before methods, messages and fields, by full names. Numbers are those of descriptor.proto."""
    found = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
    for number, message in enumerate(file.message_type):
        yield f"{file.package}.{message.name}", found.get((4, number), "")
        for place, field in enumerate(message.field):
            yield f"{file.package}.{message.name}.{field.name}", found.get((4, number, 2, place), "")
    for number, service in enumerate(file.service):
        for place, method in enumerate(service.method):
            yield f"{file.package}.{service.name}.{method.name}", found.get((6, number, 2, place), "")


def _described(comment: str) -> _Json:
    return {"description": comment} if comment else {}


def _write_callers(method: MethodDescriptor) -> str:
    options = MethodOptions.FromString(method.GetOptions().SerializeToString())
    roles = options.Extensions[options_pb2.requires].roles
    return " Roles: " + ", ".join(options_pb2.Role.Name(role).removeprefix("ROLE_").lower() for role in roles) + "."


def _json_name(name: str) -> str:
    return re.sub(r"_(.)", lambda found: found[1].upper(), name)


def _rules(field: FieldDescriptor) -> validate_pb2.FieldRules:
    # Through the bytes, so that the extensions of the generated modules are seen.
    options = FieldOptions.FromString(field.GetOptions().SerializeToString())
    return options.Extensions[validate_pb2.field]


def _is_required(field: FieldDescriptor) -> bool:
    """Whether the rules refuse what a field is when it is left out."""
    rules = _rules(field)
    if rules.required or rules.repeated.min_items:
        return True
    if field.has_presence or field.is_repeated or rules.ignore:
        return False
    text = rules.string
    is_text = bool(text.uuid or text.email or text.min_len or (text.pattern and not re.search(text.pattern, "")))
    return is_text or rules.int32.gte > 0 or rules.int32.gt > 0 or rules.bytes.min_len > 0 or 0 in rules.enum.not_in


def _list_names(kind: EnumDescriptor, rules: validate_pb2.FieldRules) -> list[str]:
    return [value.name for value in kind.values if value.number not in rules.enum.not_in]


def _write_rules(rules: validate_pb2.FieldRules) -> _Json:
    kind = rules.WhichOneof("type")
    if kind == "string":
        text = rules.string
        counts = {"minLength": text.min_len, "maxLength": text.max_len, "pattern": text.pattern}
        known = next((name for name in ("uuid", "email") if getattr(text, name)), "")
        return {name: value for name, value in counts.items() if value} | ({"format": known} if known else {})
    if kind == "int32":
        names = {"gte": "minimum", "gt": "exclusiveMinimum", "lte": "maximum", "lt": "exclusiveMaximum"}
        return {names[one.name]: value for one, value in rules.int32.ListFields()}
    return {}


if __name__ == "__main__":
    main()
