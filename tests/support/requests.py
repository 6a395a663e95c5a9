"""The least valid request of any RPC, made from its descriptor and the rules that stand beside its fields."""

import re
from typing import Any
from uuid import uuid4

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from buf.validate import validate_pb2

_WORDS = {
    "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$": "2026-11-16",
    "^20[0-9]{2}-W[0-9]{2}$": "2026-W47",
    "^[0-9]{6}$": "000000",
    "^[a-z0-9-]{1,30}$": "paper",
}


def least_request(descriptor: Descriptor) -> Any:
    """A message whose every field satisfies its rules; ids are made up, so that they exist nowhere."""
    request = message_factory.GetMessageClass(descriptor)()
    for field in descriptor.fields:
        rules = field.GetOptions().Extensions[validate_pb2.field]
        if field.is_repeated:
            if rules.repeated.min_items:
                getattr(request, field.name).append(_value(field, rules.repeated.items))
        elif field.message_type is not None:
            if rules.required:
                getattr(request, field.name).CopyFrom(least_request(field.message_type))
        elif not field.has_presence:
            value = _value(field, rules)
            if value is not None:
                setattr(request, field.name, value)
    return request


def _value(field: FieldDescriptor, rules: validate_pb2.FieldRules) -> Any:
    if field.message_type is not None:
        return least_request(field.message_type)
    if field.type == FieldDescriptor.TYPE_STRING:
        return _word(rules)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b"x" * int(rules.bytes.min_len)
    if field.enum_type is not None:
        return 1 if 0 in rules.enum.not_in else 0
    if field.type in (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64):
        return max(rules.int32.gte, rules.int64.gte)
    return None


def _empty(pattern: str) -> str:
    assert re.fullmatch(pattern, ""), f"give {pattern} a word that fits it"
    return ""


def _word(rules: validate_pb2.FieldRules) -> str:
    if rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
        return ""
    if rules.string.uuid:
        return str(uuid4())
    if rules.string.pattern:
        # A pattern that an empty text fits needs no word.
        return _WORDS[rules.string.pattern] if rules.string.pattern in _WORDS else _empty(rules.string.pattern)
    return "x" * max(int(rules.string.min_len), 1) if rules.string.min_len else ""
