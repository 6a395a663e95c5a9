"""Whatever is sent to an RPC, the answer is a clean refusal of bounded size. Read from descriptors, asked of the services."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.json_format import MessageToJson
from google.rpc import error_details_pb2, status_pb2
from prometheus_client import REGISTRY

from buf.validate import validate_pb2
from chassis import paging
from diary.options.v1 import options_pb2
from tests.contract.test_declarations import METHODS, declared
from tests.support.requests import least_request
from tests.support.services import sign_in, sign_service

Chain = tuple[FieldDescriptor, ...]
Channels = dict[str, grpc.aio.Channel]

INVALID, EXHAUSTED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED
# Answered by the services' own rules where the form is right: the caller has nothing here.
_CLEAN = (INVALID, EXHAUSTED, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.OK)
# Headers of a refusal: gRPC's clients take 8 KiB of them, Envoy 60.
_MOST_BYTES, _MOST_TOLD = 6_000, 20
_UPLOAD_BYTES = 7_000_000
LISTS = [name for name in METHODS if METHODS[name].name.startswith("List")]


class Refusal:
    """What a caller is told."""

    def __init__(self, error: grpc.aio.AioRpcError | None) -> None:
        self.code = error.code() if error else grpc.StatusCode.OK
        self.size = len(error.details() or "") if error else 0
        self.reason, self.fields = "", list[str]()
        for key, value in (error.trailing_metadata() or ()) if error else ():
            if key == "grpc-status-details-bin":
                assert isinstance(value, bytes)
                self.size += len(value)
                self._read(status_pb2.Status.FromString(value))

    def _read(self, status: status_pb2.Status) -> None:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        for detail in status.details:
            _ = detail.Unpack(info) or detail.Unpack(bad)
        self.reason, self.fields = info.reason, [violation.field for violation in bad.field_violations]


async def send(channels: Channels, keys_dir: Path, name: str, raw: bytes) -> Refusal:
    """Sends bytes as a caller that the method lets in."""
    requires, metadata = declared(METHODS[name]), []
    if requires.callers:
        metadata = sign_service(keys_dir, requires.callers[0])
    elif options_pb2.ROLE_PUBLIC not in requires.roles:
        role = options_pb2.Role.Name(requires.roles[0]).removeprefix("ROLE_").lower()
        metadata = sign_in(keys_dir, uuid4(), uuid4(), role)
    call: Any = channels[name.split(".")[1]].unary_unary(f"/{name}")
    try:
        await call(raw, metadata=metadata, timeout=30)
    except grpc.aio.AioRpcError as error:
        return Refusal(error)
    return Refusal(None)


def chains(descriptor: Descriptor, before: Chain = ()) -> Iterator[Chain]:
    """Every field of a request and of the messages in it, by the fields that lead there."""
    for field in descriptor.fields:
        yield (*before, field)
        if field.message_type is not None:
            yield from chains(field.message_type, (*before, field))


def path(chain: Chain) -> str:
    """As violations name it; of a list its first item."""
    *before, last = chain
    return ".".join([*(f"{f.name}[0]" if f.is_repeated else f.name for f in before), last.name])


def _least(field: FieldDescriptor) -> Any:
    assert field.message_type is not None
    return least_request(field.message_type)


def holder(request: Any, chain: Chain) -> Any:
    """The message of a chain's last field, made where it is not there."""
    for field in chain[:-1]:
        value = getattr(request, field.name)
        if field.is_repeated:
            if not value:
                value.append(_least(field))
            value = value[0]
        elif not request.HasField(field.name):
            value.CopyFrom(_least(field))
            value.SetInParent()
        request = value
    return request


def with_text(method: MethodDescriptor, chain: Chain, text: str) -> bytes:
    """The least request with a text in one of its fields."""
    request = least_request(method.input_type)
    message, field = holder(request, chain), chain[-1]
    if field.is_repeated:
        del getattr(message, field.name)[:]
        getattr(message, field.name).append(text)
    else:
        setattr(message, field.name, text)
    raw: bytes = request.SerializeToString()
    return raw


def with_items(method: MethodDescriptor, chain: Chain, count: int) -> bytes:
    """The least request with as many empty items in one of its lists."""
    request = least_request(method.input_type)
    message, field = holder(request, chain), chain[-1]
    del getattr(message, field.name)[:]
    one = type(message)()
    if field.message_type is None:
        getattr(one, field.name).append("")
    else:
        getattr(one, field.name).add()
    # Repeated on the wire, which is quicker than to add a million of them.
    message.MergeFromString(one.SerializeToString() * count)
    raw: bytes = request.SerializeToString()
    return raw


def rules(field: FieldDescriptor) -> validate_pb2.FieldRules:
    return validate_pb2.FieldRules.FromString(
        type(field.GetOptions())
        .FromString(field.GetOptions().SerializeToString())
        .Extensions[validate_pb2.field]
        .SerializeToString()
    )


def request_bytes(method: MethodDescriptor) -> int:
    options = type(method.GetOptions()).FromString(method.GetOptions().SerializeToString())
    return options.Extensions[options_pb2.request_bytes] or 65_536


def texts(method: MethodDescriptor) -> list[Chain]:
    return [c for c in chains(method.input_type) if c[-1].type == FieldDescriptor.TYPE_STRING]


def lists(method: MethodDescriptor) -> list[Chain]:
    return [c for c in chains(method.input_type) if c[-1].is_repeated]


@pytest.mark.parametrize("name", METHODS)
def test_lists_and_texts_of_a_request_are_bounded(name: str) -> None:
    for chain in chains(METHODS[name].input_type):
        field, of_one = chain[-1], rules(chain[-1])
        if field.is_repeated:
            assert of_one.repeated.max_items, f"{path(chain)} has no max_items"
            of_one = of_one.repeated.items
        text = of_one.string
        if field.type == FieldDescriptor.TYPE_STRING:
            assert text.uuid or text.max_len or text.pattern, f"{path(chain)} has no max_len"
            assert not text.pattern.startswith("^[0-9]{4}"), f"{path(chain)} takes years that no date of ours has"
        if field.type == FieldDescriptor.TYPE_BYTES:
            assert of_one.bytes.max_len, f"{path(chain)} has no max_len"


def _fill(message: Any) -> Any:
    """Fills a message to its bounds, in Cyrillic letters."""
    for field in message.DESCRIPTOR.fields:
        of_one = rules(field)
        count = of_one.repeated.max_items if field.is_repeated else 1
        of_one = of_one.repeated.items if field.is_repeated else of_one
        for _ in range(count):
            if field.message_type is not None:
                value = _fill(getattr(message, field.name).add() if field.is_repeated else getattr(message, field.name))
                value.SetInParent()
            elif field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
                text: Any = str(uuid4()) if of_one.string.uuid else "ж" * (of_one.string.max_len or 10)
                text = b"0" * of_one.bytes.max_len if field.type == FieldDescriptor.TYPE_BYTES else text
                if field.is_repeated:
                    getattr(message, field.name).append(text)
                else:
                    setattr(message, field.name, text)
            elif field.enum_type is None:
                setattr(message, field.name, True if field.type == FieldDescriptor.TYPE_BOOL else 1_000)
            else:
                setattr(message, field.name, 1)
    return message


@pytest.mark.parametrize("name", METHODS)
def test_the_largest_request_of_the_bounds_is_within_the_bytes_of_the_method(name: str) -> None:
    largest = _fill(least_request(METHODS[name].input_type))
    most = request_bytes(METHODS[name])
    assert largest.ByteSize() <= most
    # A file in JSON is a third larger; of what is no file, the body is taken as well as the message.
    if most < _UPLOAD_BYTES:
        assert len(MessageToJson(largest, indent=None, ensure_ascii=False).encode()) <= most


@pytest.mark.parametrize("name", [name for name in METHODS if lists(METHODS[name])])
async def test_a_list_of_too_many_is_refused_before_its_items_are_looked_at(
    channels: Channels, keys_dir: Path, name: str
) -> None:
    method = METHODS[name]
    for chain in lists(method):
        most = request_bytes(method)
        # Empty items have two bytes each, and the least request some.
        as_many_as_fit = (most - 1_000) // 2
        for count in (100_000, min(as_many_as_fit, 100_000), as_many_as_fit):
            raw = with_items(method, chain, count)
            refusal = await send(channels, keys_dir, name, raw)
            assert refusal.code == (INVALID if len(raw) <= most else EXHAUSTED), path(chain)
            assert refusal.size < _MOST_BYTES
            if len(raw) <= most:
                # One fault of the list, and none of its items: none was looked at.
                assert (refusal.reason, refusal.fields) == ("REQUEST_INVALID", [path(chain)])


@pytest.mark.parametrize("name", [name for name in METHODS if lists(METHODS[name])])
async def test_of_many_faulty_items_some_are_told(channels: Channels, keys_dir: Path, name: str) -> None:
    method = METHODS[name]
    for chain in lists(method):
        if chain[-1].message_type is None and not rules(chain[-1]).repeated.items.string.uuid:
            continue
        raw = with_items(method, chain, rules(chain[-1]).repeated.max_items)
        refusal = await send(channels, keys_dir, name, raw)
        assert refusal.size < _MOST_BYTES
        if refusal.code == INVALID:
            assert len(refusal.fields) <= _MOST_TOLD


@pytest.mark.parametrize("name", [name for name in METHODS if texts(METHODS[name])])
async def test_no_text_holds_what_cannot_be_kept_or_shown_and_none_is_endless(
    channels: Channels, keys_dir: Path, name: str
) -> None:
    method = METHODS[name]
    for chain in texts(method):
        for text in ("a\0b", "a\u202eb", "a\u200fb", "a\x1bb"):
            refusal = await send(channels, keys_dir, name, with_text(method, chain, text))
            assert refusal.code == INVALID, path(chain)
            [field] = refusal.fields
            assert field.replace("[0]", "") == path(chain).replace("[0]", "")
        refusal = await send(channels, keys_dir, name, with_text(method, chain, "ж" * 1_000_000))
        assert refusal.code in (INVALID, EXHAUSTED), path(chain)
        assert refusal.size < _MOST_BYTES
        if rules(chain[-1]).string.min_len:
            refusal = await send(channels, keys_dir, name, with_text(method, chain, " \t\u00a0 " * 4))
            assert (refusal.code, refusal.fields) == (INVALID, [path(chain)]), path(chain)


@pytest.mark.parametrize("name", METHODS)
async def test_bytes_that_are_no_request_are_refused_and_counted(channels: Channels, keys_dir: Path, name: str) -> None:
    def count() -> float:
        labels = {"method": name.removeprefix("diary."), "reason": "REQUEST_INVALID"}
        return REGISTRY.get_sample_value("diary_errors_total", labels) or 0

    before = count()
    refusal = await send(channels, keys_dir, name, b"\xff\xff\xff")
    assert (refusal.code, refusal.reason) == (INVALID, "REQUEST_INVALID")
    assert count() == before + 1


@pytest.mark.parametrize("name", METHODS)
async def test_dates_weeks_and_instants_that_cannot_be_are_refused(channels: Channels, keys_dir: Path, name: str) -> None:
    method = METHODS[name]
    for chain in texts(method):
        pattern = rules(chain[-1]).string.pattern
        if not pattern.startswith("^20"):
            continue
        outside = ("9999-W52", "0001-W01", "1999-W52") if "W" in pattern else ("9999-12-31", "0001-01-01", "1999-12-31")
        for text in outside:
            refusal = await send(channels, keys_dir, name, with_text(method, chain, text))
            assert (refusal.code, refusal.fields) == (INVALID, [path(chain)])
        for text in ("2026-W00", "2026-W54", "2025-W53") if "W" in pattern else ("2026-02-30", "2026-13-01", "2026-00-00"):
            refusal = await send(channels, keys_dir, name, with_text(method, chain, text))
            assert refusal.code in _CLEAN
    for chain in chains(method.input_type):
        field = chain[-1]
        if field.full_name == "google.protobuf.Timestamp.seconds":
            for seconds in (10**12, -(10**12), 253_402_300_799, -62_135_596_800):
                request = least_request(method.input_type)
                holder(request, chain).seconds = seconds
                refusal = await send(channels, keys_dir, name, request.SerializeToString())
                assert (refusal.code, refusal.fields) == (INVALID, [path(chain[:-1])])


_NUMBERS = {
    FieldDescriptor.TYPE_INT32: (2**31 - 1, -(2**31)),
    FieldDescriptor.TYPE_INT64: (2**63 - 1, -(2**63)),
    FieldDescriptor.TYPE_UINT32: (2**32 - 1,),
    FieldDescriptor.TYPE_ENUM: (2**31 - 1, -1),
}


@pytest.mark.parametrize("name", METHODS)
async def test_numbers_at_their_ends_break_nothing(channels: Channels, keys_dir: Path, name: str) -> None:
    method = METHODS[name]
    for chain in chains(method.input_type):
        for number in _NUMBERS.get(chain[-1].type, ()):
            request = least_request(method.input_type)
            setattr(holder(request, chain), chain[-1].name, number)
            refusal = await send(channels, keys_dir, name, request.SerializeToString())
            assert refusal.code in _CLEAN, path(chain)


_PARTS = ["x", "a\0b", "", 5, 2**40, 1.5, True, None, [], {}, "not-a-uuid", "0001-01-01T00:00:00+23:59", "2026-11-30", "\ud800"]
_KEYS: list[Any] = ["x", 5, None, {}, *[[part] for part in _PARTS], *[[part, str(uuid4())] for part in _PARTS], [1, 2, 3, 4, 5]]


@pytest.mark.parametrize("name", LISTS)
async def test_a_page_token_of_anybodys_making_is_refused(
    channels: Channels, keys_dir: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = list[bytes]()
    digest = paging._digest

    def note(words: tuple[str, ...]) -> bytes:
        digests.append(digest(words))
        return digests[-1]

    monkeypatch.setattr(paging, "_digest", note)
    request = least_request(METHODS[name].input_type)
    request.page_token = "AAAA"

    async def told() -> Refusal:
        return await send(channels, keys_dir, name, request.SerializeToString())

    refusal = await told()
    assert (refusal.code, refusal.reason) == (INVALID, "PAGE_TOKEN_INVALID")
    answered = 0
    for key in [json.dumps(key) for key in _KEYS] + ["", "nul", "[" * 1_000, "[NaN]", "[1e999]"]:
        # With the digest of the list, which has no key: whoever reads the code can make it.
        request.page_token = urlsafe_b64encode(digests[-1] + key.encode()).decode()
        refusal = await told()
        answered += refusal.code != INVALID
        assert refusal.code in _CLEAN, key
        assert refusal.code != INVALID or refusal.reason == "PAGE_TOKEN_INVALID", key
    # Some of these are keys that the list could have written.
    assert answered < 10
