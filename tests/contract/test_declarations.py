"""Every RPC says who may call it, and its HTTP binding is its own. Read from the descriptors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import MethodDescriptor

from deploy.keys import SERVICES
from diary.options.v1 import options_pb2

_SET = Path(__file__).parents[2] / "gen" / "diary.binpb"
# Relations whose object the request names.
_OF_AN_OBJECT = {
    options_pb2.RELATION_STUDENT,
    options_pb2.RELATION_CLASS,
    options_pb2.RELATION_COURSE,
    options_pb2.RELATION_SCHOOL,
}


def _methods() -> Iterator[MethodDescriptor]:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(_SET.read_bytes()).file:
        pool.Add(file)
    for name in [f.name for f in descriptor_pb2.FileDescriptorSet.FromString(_SET.read_bytes()).file]:
        for service in pool.FindFileByName(name).services_by_name.values():
            if service.full_name.startswith("diary."):
                yield from service.methods


def _options(method: MethodDescriptor) -> descriptor_pb2.MethodOptions:
    # Through the bytes, so that the extensions of the generated modules are seen.
    return descriptor_pb2.MethodOptions.FromString(method.GetOptions().SerializeToString())


def declared(method: MethodDescriptor) -> options_pb2.Requires:
    """Who may call a method."""
    return _options(method).Extensions[options_pb2.requires]


METHODS = {f"{m.containing_service.full_name}/{m.name}": m for m in _methods()}


def test_the_services_are_there() -> None:
    assert len(METHODS) > 15


@pytest.mark.parametrize("name", METHODS)
def test_an_rpc_declares_who_may_call_it(name: str) -> None:
    options = _options(METHODS[name])
    assert options.HasExtension(options_pb2.requires), f"{name} has no (diary.options.v1.requires)"
    requires = options.Extensions[options_pb2.requires]
    assert requires.roles, f"{name} names no role"
    assert requires.relation != options_pb2.RELATION_UNSPECIFIED, f"{name} names no relation"
    for alone in (options_pb2.ROLE_PUBLIC, options_pb2.ROLE_ACCOUNT, options_pb2.ROLE_SERVICE):
        assert alone not in requires.roles or len(requires.roles) == 1, f"{name} mixes a role that stands alone"


@pytest.mark.parametrize("name", METHODS)
def test_an_rpc_of_services_names_those_that_may_call_it(name: str) -> None:
    requires = declared(METHODS[name])
    is_inner = options_pb2.ROLE_SERVICE in requires.roles
    assert bool(requires.callers) == is_inner, f"{name} must name its callers if it is for services, and only then"
    assert set(requires.callers) <= set(SERVICES)
    assert name.split(".")[1] not in requires.callers, f"{name} is called by its own service"


# Forms of a page and a file with a code: strangers may send no more, so that what they half send fills nobody's memory.
_STRANGERS_BYTES = 8_192
_FILES_OF_STRANGERS = {"diary.documents.v1.DocumentService/VerifyDocument"}


@pytest.mark.parametrize("name", [name for name in METHODS if options_pb2.ROLE_PUBLIC in declared(METHODS[name]).roles])
def test_what_a_stranger_may_send_is_small(name: str) -> None:
    most = _options(METHODS[name]).Extensions[options_pb2.request_bytes]
    assert 0 < most <= _STRANGERS_BYTES or name in _FILES_OF_STRANGERS


@pytest.mark.parametrize("name", METHODS)
def test_the_relation_names_a_field_of_the_request(name: str) -> None:
    requires = _options(METHODS[name]).Extensions[options_pb2.requires]
    if requires.relation in _OF_AN_OBJECT:
        assert requires.field in METHODS[name].input_type.fields_by_name, f"{name} has no field {requires.field!r}"
    else:
        assert requires.field == "", f"{name} names a field that its relation does not use"


@pytest.mark.parametrize("name", METHODS)
def test_only_rpcs_of_services_lack_an_http_path(name: str) -> None:
    options = _options(METHODS[name])
    is_inner = list(options.Extensions[options_pb2.requires].roles) == [options_pb2.ROLE_SERVICE]
    assert options.HasExtension(annotations_pb2.http) != is_inner


def test_no_two_http_bindings_are_alike() -> None:
    bindings: dict[tuple[str, str], str] = {}
    for name, method in METHODS.items():
        rule = _options(method).Extensions[annotations_pb2.http]
        verb = rule.WhichOneof("pattern")
        if verb is None:
            continue
        shape = (verb, "/".join("{}" if "{" in part and ":" not in part else part for part in getattr(rule, verb).split("/")))
        assert shape not in bindings, f"{name} and {bindings.get(shape)} have the same binding {shape}"
        bindings[shape] = name


@pytest.mark.parametrize("name", METHODS)
def test_a_list_is_paged_and_a_write_is_idempotent(name: str) -> None:
    method = METHODS[name]
    fields = method.input_type.fields_by_name
    if method.name.startswith("List"):
        assert {"page_size", "page_token"} <= set(fields.keys())
        assert "next_page_token" in method.output_type.fields_by_name
    rule = _options(method).Extensions[annotations_pb2.http]
    # A public write carries a secret that is used once, which makes a repeat harmless by itself.
    is_public = options_pb2.ROLE_PUBLIC in _options(method).Extensions[options_pb2.requires].roles
    if rule.WhichOneof("pattern") == "post" and not is_public:
        assert "request_id" in fields, f"{name} writes without a request_id"
