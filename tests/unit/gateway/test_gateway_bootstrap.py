"""The rendered bootstrap against the descriptors: every method has its routes, and nothing else has any."""

import re
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from deploy.gateway import Address, Limit, Settings, render
from deploy.gateway.__main__ import main
from deploy.gateway.bodies import read_messages
from deploy.gateway.methods import Binding, Caller, Method, read_methods
from diary.options.v1 import options_pb2

DESCRIPTORS = Path(__file__).parents[3] / "gen" / "diary.binpb"
METHODS = read_methods(DESCRIPTORS)
MESSAGES = read_messages(DESCRIPTORS)
JWT = "envoy.filters.http.jwt_authn"
Json = dict[str, Any]


def bootstrap(methods: tuple[Method, ...] = METHODS, **changes: Any) -> Json:
    names = ("access", "journal", "notify", "documents", "portal")
    upstreams = {name: Address(f"{name}.diary.svc", 50000) for name in names}
    return render(Settings(8080, 8082, 8079, upstreams, Path("token-jwks.json"), DESCRIPTORS, methods, MESSAGES, **changes))


def manager(rendered: Json) -> Json:
    listener = rendered["static_resources"]["listeners"][0]
    config: Json = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return config


def routes(rendered: Json) -> list[Json]:
    [host] = manager(rendered)["route_config"]["virtual_hosts"]
    found: list[Json] = host["routes"]
    return found


def first_match(found: list[Json], verb: str, path: str, content_type: str = "") -> Json:
    """The route that Envoy takes, by the kinds of match that we write."""
    headers = {":method": verb, ":path": path, "content-type": content_type}
    return next(route for route in found if matches(route["match"], headers))


def matches(match: Json, headers: dict[str, str]) -> bool:
    path = headers[":path"]
    fits = (
        path == match.get("path")
        or ("prefix" in match and path.startswith(match["prefix"]))
        or ("safe_regex" in match and bool(re.fullmatch(match["safe_regex"]["regex"], path)))
    )
    return fits and all(header_fits(header, headers) for header in match.get("headers", []))


def header_fits(header: Json, headers: dict[str, str]) -> bool:
    value = headers.get(header["name"], "")
    if "present_match" in header:
        return header["name"] in headers
    wanted = header["string_match"]
    if "safe_regex" in wanted:
        fits = bool(re.fullmatch(wanted["safe_regex"]["regex"], value))
    else:
        fits = value == wanted["exact"] if "exact" in wanted else value.startswith(wanted["prefix"])
    return fits is not header.get("invert_match", False)


JSON_PATHS = [(method, binding) for method in METHODS for binding in method.bindings]


def test_descriptors_have_methods_of_every_kind() -> None:
    assert {method.caller for method in METHODS} == set(Caller)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_each_method_has_its_routes_with_a_token_unless_public_and_none_when_for_services(method: Method) -> None:
    found = [route for route in routes(bootstrap()) if route["name"] == method.full_name]
    if method.caller is Caller.SERVICE:
        assert found == []
        return
    assert len(found) == 1 + len(method.bindings)
    assert found[0]["match"]["path"] == method.path
    for route in found:
        assert route["route"]["cluster"] == method.service.split(".")[1]
        token = route["typed_per_filter_config"][JWT]
        asked = token.get("requirement_name") == "signed_in"
        assert asked is (method.caller is Caller.ACCOUNT)
        assert token.get("disabled", False) is (method.caller is Caller.PUBLIC)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_grpc_path_leads_to_its_method_or_nowhere(method: Method) -> None:
    route = first_match(routes(bootstrap()), "POST", method.path, "application/grpc-web+proto")
    if method.caller is Caller.SERVICE:
        assert route["direct_response"] == {"status": 404}
    else:
        assert route["name"] == method.full_name
    assert first_match(routes(bootstrap()), "POST", method.path)["direct_response"] == {"status": 404}


@pytest.mark.parametrize(("method", "binding"), JSON_PATHS, ids=lambda of: getattr(of, "template", ""))
def test_json_path_leads_to_its_own_method_and_no_other(method: Method, binding: Binding) -> None:
    path = re.sub(r"\{[^}]*\}", "0190-id", binding.template)
    assert path.startswith("/v1/")
    assert first_match(routes(bootstrap()), binding.verb, path)["name"] == method.full_name
    # Below a list lies its element, which is another method's.
    assert first_match(routes(bootstrap()), binding.verb, path + "/x")["name"] != method.full_name
    for nowhere in (path + "/", path + "/x/y/z/0", "/v1" + path):
        assert first_match(routes(bootstrap()), binding.verb, nowhere)["name"] == "json_unknown"


def test_custom_verb_is_tried_before_the_variable_that_would_swallow_it() -> None:
    read = Method("diary.access.v1.S", "Get", "access", Caller.ACCOUNT, (Binding("POST", "/v1/a/{id}"),))
    act = Method("diary.access.v1.S", "Act", "access", Caller.ACCOUNT, (Binding("POST", "/v1/a/{id}:act"),))
    fixed = Method("diary.access.v1.S", "All", "access", Caller.ACCOUNT, (Binding("POST", "/v1/a/all"),))
    found = routes(bootstrap((read, act, fixed)))
    names = [first_match(found, "POST", path)["name"] for path in ("/v1/a/1", "/v1/a/1:act", "/v1/a/all")]
    assert names == [read.full_name, act.full_name, fixed.full_name]


def test_field_of_the_path_may_not_stand_in_the_query() -> None:
    binding = Binding("GET", "/v1/schools/{school_id}/students/{student_id}/diary")
    assert binding.fields() == ("schoolId", "school_id", "studentId", "student_id")
    method = Method("diary.journal.v1.S", "Get", "journal", Caller.ACCOUNT, (binding,))
    route = first_match(routes(bootstrap((method,))), "GET", "/v1/schools/1/students/2/diary")
    assert [(query["name"], query["present_match"]) for query in route["match"]["query_parameters"]] == [
        (name, False) for name in binding.fields()
    ]


def test_everything_else_is_the_portals() -> None:
    for path in ("/", "/diary/week", "/v1", "/openapi"):
        assert first_match(routes(bootstrap()), "GET", path)["route"]["cluster"] == "portal"


def descriptors(tmp_path: Path, *roles: options_pb2.Role.ValueType) -> Path:
    """A descriptor set with one method that these roles may call."""
    file = FileDescriptorProto(name="x.proto", package="diary.access.v1")
    method = file.service.add(name="S").method.add(name="M")
    method.options.Extensions[options_pb2.requires].roles.extend(roles)
    path = tmp_path / "x.binpb"
    path.write_bytes(FileDescriptorSet(file=[file]).SerializeToString())
    return path


def test_method_that_declares_no_callers_stops_the_rendering(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"diary\.access\.v1\.S\.M does not say who may call it"):
        read_methods(descriptors(tmp_path))


def test_method_that_is_public_and_more_stops_the_rendering(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ROLE_PUBLIC stands alone"):
        read_methods(descriptors(tmp_path, options_pb2.ROLE_PUBLIC, options_pb2.ROLE_ADMIN))


def test_method_for_services_and_people_asks_for_a_token(tmp_path: Path) -> None:
    [method] = read_methods(descriptors(tmp_path, options_pb2.ROLE_SERVICE, options_pb2.ROLE_ADMIN))
    assert method.caller is Caller.ACCOUNT


def test_only_readiness_and_metrics_are_shown_and_only_here() -> None:
    admin = bootstrap(listen_host="0.0.0.0")["admin"]
    assert admin["address"]["socket_address"]["address"] == "127.0.0.1"
    assert admin["allow_paths"] == [{"exact": "/ready"}, {"prefix": "/stats/prometheus"}]


def test_admin_is_shown_beyond_the_machine_only_when_told() -> None:
    assert bootstrap(admin_host="0.0.0.0")["admin"]["address"]["socket_address"]["address"] == "0.0.0.0"


def test_forwarded_address_is_believed_from_as_many_proxies_as_told() -> None:
    assert manager(bootstrap())["xff_num_trusted_hops"] == 0
    assert manager(bootstrap(trusted_hops=1))["xff_num_trusted_hops"] == 1


def test_retries_only_send_what_no_service_has_begun() -> None:
    [host] = manager(bootstrap())["route_config"]["virtual_hosts"]
    assert set(host["retry_policy"]["retry_on"].split(",")) == {
        "connect-failure",
        "refused-stream",
        "reset-before-request",
    }


def test_access_log_has_no_query_address_or_agent() -> None:
    logs = manager(bootstrap())["access_log"]
    assert len(logs) == 2
    for log in logs:
        words = " ".join(log["typed_config"]["log_format"]["json_format"].values())
        assert "%PATH(NQ:" in words
        for forbidden in ("REMOTE_ADDRESS", "USER-AGENT", "REFERER", "AUTHORIZATION", "COOKIE", "%REQ(:PATH)"):
            assert forbidden not in words


@pytest.mark.parametrize("text", ["", "host", "host:", ":1", "host:0", "host:65536", "host:x"])
def test_address_that_is_no_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        Address.parse(text)


def test_ipv6_address_is_read_without_its_brackets() -> None:
    assert Address.parse("[::1]:50051") == Address("::1", 50051)


@pytest.mark.parametrize("text", ["", "5", "5:", "1:2", "0:0", "a:b"])
def test_limit_that_is_no_burst_and_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not BURST:PER_SECOND"):
        Limit.parse(text)


def test_missing_keys_are_named_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    upstreams = [f"--{name}=h:1" for name in ("access", "journal", "notify", "documents", "portal")]
    files = [f"--out={tmp_path / 'e.json'}", f"--token-jwks={tmp_path / 'none.json'}", f"--descriptors={DESCRIPTORS}"]
    monkeypatch.setattr("sys.argv", ["gateway", "--port=1", "--portal-port=3", "--admin-port=2", *upstreams, *files])
    assert main() == 1
    assert "none.json is not there; make keys" in capsys.readouterr().err
    assert not (tmp_path / "e.json").exists()
