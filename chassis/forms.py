"""The form of a request: what its proto states, and what holds for every list, text and instant whatever is declared.

Lists are measured before anything is looked at, and an answer tells some faults only: a small request of many faulty items is
refused at no more cost than another. Texts are shown to people and kept in PostgreSQL, so none may hold what neither can bear.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import protovalidate
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from buf.validate import validate_pb2
from chassis.errors import FieldViolation, InvalidArgument

_MOST_TOLD = 20
_MOST_LETTERS = 500
# Control characters but tab and line ends; and what turns the text around it, so that a name reads as another.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# 1900 to 2200: within what every zone and PostgreSQL can tell.
_INSTANTS = range(-2_208_988_800, 7_258_118_400)
_NANOS = range(10**9)


class Form:
    """The form of one type of message, read from its descriptor once."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._lists: list[tuple[str, int]] = []
        self._texts: list[tuple[str, bool]] = []
        self._parts: list[tuple[str, Form]] = []
        for field in descriptor.fields:
            rules = field.GetOptions().Extensions[validate_pb2.field]
            if field.is_repeated:
                self._lists.append((field.name, int(rules.repeated.max_items)))
            if field.type == FieldDescriptor.TYPE_STRING:
                of_one = rules.repeated.items if field.is_repeated else rules
                # An id is no text: whatever else it holds, protovalidate refuses it.
                if not of_one.string.uuid:
                    self._texts.append((field.name, bool(of_one.string.min_len)))
            elif field.message_type is not None:
                part = Form(field.message_type)
                if part:
                    self._parts.append((field.name, part))
        self._is_instant = descriptor.full_name == Timestamp.DESCRIPTOR.full_name

    def __bool__(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self._lists or self._texts or self._parts or self._is_instant)

    def read(self, message: Message) -> Iterator[FieldViolation]:
        """What is amiss whatever the proto states. Of a message with a list that is too long nothing else is looked at."""
        for name, most in self._lists:
            if len(getattr(message, name)) > most:
                yield FieldViolation(name, f"must contain no more than {most} item(s)")
                return
        if isinstance(message, Timestamp) and (message.seconds not in _INSTANTS or message.nanos not in _NANOS):
            yield FieldViolation("", "must be an instant of the years 1900 to 2200")
        for name, is_required in self._texts:
            value = getattr(message, name)
            for path, text in [(name, value)] if isinstance(value, str) else ((f"{name}[{i}]", t) for i, t in enumerate(value)):
                # One look at a text that is as texts are.
                if not text.isprintable() and _FORBIDDEN.search(text):
                    yield FieldViolation(path, "must not contain control characters")
                elif is_required and text.isspace():
                    yield FieldViolation(path, "must not be blank")
        for name, form in self._parts:
            yield from _read_part(message, name, form)

    def count_items(self, message: Message) -> int:
        """How many items its lists hold, with those of the messages in it."""
        within = sum(form.count_items(one) for name, form in self._parts for one in _each(getattr(message, name)))
        return within + sum(len(getattr(message, name)) for name, _ in self._lists)


def _each(value: Any) -> Iterable[Message]:
    return [value] if isinstance(value, Message) else value


def _read_part(message: Message, name: str, form: Form) -> Iterator[FieldViolation]:
    value: Any = getattr(message, name)
    if isinstance(value, Message):
        if message.HasField(name):
            yield from _within(name, form.read(value))
    else:
        for index, item in enumerate(value):
            yield from _within(f"{name}[{index}]", form.read(item))


def _within(path: str, found: Iterator[FieldViolation]) -> Iterator[FieldViolation]:
    for one in found:
        yield FieldViolation(f"{path}.{one.field}".removesuffix("."), one.description)


def parse(read: Any, raw: bytes) -> Message:
    """The request of these bytes. Raises InvalidArgument REQUEST_INVALID."""
    try:
        message: Message = read(raw)
    except DecodeError as error:
        raise InvalidArgument("REQUEST_INVALID", "the request is not a message of this method") from error
    return message


def check(form: Form, request: Message) -> None:
    """Checks the form of a request. Raises InvalidArgument REQUEST_INVALID with the fields.

    Each fault told costs as much as twenty right fields looked at: of a request with many items the first one is told.
    """
    found = list(islice(form.read(request), _MOST_TOLD))
    if not found:
        violations = protovalidate.collect_violations(request, fail_fast=True)
        if not violations:
            return
        if form.count_items(request) <= _MOST_TOLD:
            violations = protovalidate.collect_violations(request)
        found = [FieldViolation(_path(v.proto), str(v.proto.message)) for v in violations[:_MOST_TOLD]]
    raise _refuse(found)


def _refuse(found: list[FieldViolation]) -> InvalidArgument:
    message = "; ".join(f"{one.field}: {one.description}" for one in found)
    return InvalidArgument("REQUEST_INVALID", message[:_MOST_LETTERS], violations=tuple(found))


def _path(violation: Any) -> str:
    parts = []
    for element in violation.field.elements if violation.field else ():
        index = element.subscript.value if getattr(element, "subscript", None) is not None else None
        parts.append(element.field_name if index is None else f"{element.field_name}[{index}]")
    return ".".join(parts)
