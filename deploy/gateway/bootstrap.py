"""The whole bootstrap: the listeners with their filters, the clusters, the admin address and the process's limits."""

from typing import Any

from deploy.gateway import bodies, headers, limits, replies
from deploy.gateway.clusters import clusters
from deploy.gateway.methods import Caller
from deploy.gateway.routes import SIGNED_IN, portal_host, virtual_host
from deploy.gateway.settings import Settings

_TYPE = "type.googleapis.com/envoy"
_HTTP = f"{_TYPE}.extensions.filters.http"


def render(settings: Settings) -> dict[str, Any]:
    """Returns the bootstrap, ready to be written as JSON (which Envoy reads as well as YAML)."""
    return {
        "node": {"id": "gateway", "cluster": "diary"},
        "admin": {
            "address": _socket(settings.admin_host, settings.admin_port),
            # The rest of the admin surface stops the process and shows its config.
            "allow_paths": [{"exact": "/ready"}, {"prefix": "/stats/prometheus"}],
        },
        "static_resources": {
            "listeners": [
                _listener("gateway", settings, settings.port, _manager(settings)),
                _listener("portal", settings, settings.portal_port, _portal_manager(settings)),
            ],
            "clusters": clusters(settings),
        },
        "layered_runtime": {"layers": [{"name": "limits", "static_layer": limits.RUNTIME}]},
        "overload_manager": _overload(settings),
    }


def _socket(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def _overload(settings: Settings) -> dict[str, Any]:
    """When memory grows short: who has fallen silent goes first, then nothing new is taken, then the largest streams are reset.

    Envoy resets by size over HTTP/2 only; over HTTP/1 the shorter silence frees what half-sent files hold.
    """
    heap = "envoy.resource_monitors.fixed_heap"
    kind = f"{_TYPE}.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig"

    def at(name: str, value: float) -> dict[str, Any]:
        return {"name": f"envoy.overload_actions.{name}", "triggers": [{"name": heap, "threshold": {"value": value}}]}

    def scaled(name: str, scaling: float, saturation: float) -> dict[str, Any]:
        trigger = {"name": heap, "scaled": {"scaling_threshold": scaling, "saturation_threshold": saturation}}
        return {"name": f"envoy.overload_actions.{name}", "triggers": [trigger]}

    timers = [
        {"timer": name, "min_timeout": "2s"} for name in ("HTTP_DOWNSTREAM_STREAM_IDLE", "HTTP_DOWNSTREAM_CONNECTION_IDLE")
    ]
    scale = {"@type": f"{_TYPE}.config.overload.v3.ScaleTimersOverloadActionConfig", "timer_scale_factors": timers}
    return {
        "refresh_interval": "0.1s",
        "buffer_factory_config": {"minimum_account_to_track_power_of_two": 20},
        "resource_monitors": [
            _connections_monitor(),
            {"name": heap, "typed_config": {"@type": kind, "max_heap_size_bytes": settings.heap_bytes}},
        ],
        "actions": [
            at("shrink_heap", 0.8),
            scaled("reduce_timeouts", 0.6, 0.85) | {"typed_config": scale},
            scaled("reset_high_memory_stream", 0.85, 0.95),
            at("stop_accepting_requests", 0.9),
            at("disable_http_keepalive", 0.9),
        ],
    }


def _connections_monitor() -> dict[str, Any]:
    return {
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {
            "@type": f"{_TYPE}.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
            "max_active_downstream_connections": limits.CONNECTIONS,
        },
    }


def _listener(name: str, settings: Settings, port: int, manager: dict[str, Any]) -> dict[str, Any]:
    manager = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {
        "name": name,
        "address": _socket(settings.listen_host, port),
        "per_connection_buffer_limit_bytes": limits.BUFFER_BYTES,
        "filter_chains": [{"filters": [manager]}],
    }


def _manager(settings: Settings) -> dict[str, Any]:
    return {
        "@type": f"{_TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "gateway",
        "codec_type": "AUTO",
        "route_config": {
            "name": "diary",
            "virtual_hosts": [virtual_host(settings)],
            "max_direct_response_body_size_bytes": limits.OWN_ANSWER_BYTES,
        },
        "http_filters": _filters(settings),
        "local_reply_config": replies.local_replies(),
        "access_log": _access_logs(),
        # The address is the peer's own, or what the trusted proxies before us wrote, never one a client writes; no address is
        # trusted to steer Envoy by x-envoy-*, which are not among the headers that are kept.
        "use_remote_address": True,
        "xff_num_trusted_hops": settings.trusted_hops,
        # Without a range Envoy takes every private address for its own house.
        "internal_address_config": {"unix_sockets": False, "cidr_ranges": [_NOBODY]},
        "early_header_mutation_extensions": [headers.keep_named()],
        "generate_request_id": True,
        "always_set_request_id_in_response": True,
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "max_request_headers_kb": limits.HEADERS_KILOBYTES,
        "request_headers_timeout": "10s",
        # Eight megabytes over a village's 1 Mbit/s take a little over a minute.
        "request_timeout": "90s",
        "stream_idle_timeout": "60s",
        "common_http_protocol_options": {
            "idle_timeout": "300s",
            "max_headers_count": 100,
            "headers_with_underscores_action": "DROP_HEADER",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": limits.STREAMS_PER_CONNECTION,
            "initial_stream_window_size": 1024 * 1024,
            "initial_connection_window_size": 4 * 1024 * 1024,
        },
    }


_NOBODY = {"address_prefix": "0.0.0.0", "prefix_len": 32}  # noqa: S104 - no client has it


def _portal_manager(settings: Settings) -> dict[str, Any]:
    """The portal's way in. It says who its client is, and under which id it logs the request."""
    return _manager(settings) | {
        "stat_prefix": "portal",
        "route_config": {"name": "portal", "virtual_hosts": [portal_host(settings)]},
        "http_filters": [
            _filter("local_ratelimit", f"{_HTTP}.local_ratelimit.v3.LocalRateLimit", stat_prefix="portal"),
            _filter("jwt_authn", f"{_HTTP}.jwt_authn.v3.JwtAuthentication", **_tokens(settings)),
            _filter("buffer", f"{_HTTP}.buffer.v3.Buffer", max_request_bytes=limits.BODY_BYTES),
            _filter("router", f"{_HTTP}.router.v3.Router", suppress_envoy_headers=True),
        ],
        "xff_num_trusted_hops": 1,
        "preserve_external_request_id": True,
    }


def _filters(settings: Settings) -> list[dict[str, Any]]:
    """In this order: a preflight needs no token, a refused client costs no signature check, a body comes last.

    An answer passes them backwards, so that what is packed is the JSON that the transcoder made.
    """
    return [
        _filter("compressor", f"{_HTTP}.compressor.v3.Compressor", **_packing()),
        _filter("cors", f"{_HTTP}.cors.v3.Cors"),
        _filter("grpc_web", f"{_HTTP}.grpc_web.v3.GrpcWeb"),
        {
            "name": "envoy.filters.http.local_ratelimit",
            "typed_config": limits.bucket(settings.client_limit, "client"),
        },
        _filter("jwt_authn", f"{_HTTP}.jwt_authn.v3.JwtAuthentication", **_tokens(settings)),
        _filter("buffer", f"{_HTTP}.buffer.v3.Buffer", max_request_bytes=limits.BODY_BYTES),
        {"name": bodies.FILTER, "typed_config": bodies.config(settings.methods, settings.messages)},
        _filter("grpc_json_transcoder", f"{_HTTP}.grpc_json_transcoder.v3.GrpcJsonTranscoder", **_transcoding(settings)),
        # x-envoy-* say nothing to a client.
        _filter("router", f"{_HTTP}.router.v3.Router", suppress_envoy_headers=True),
    ]


def _filter(name: str, kind: str, **config: Any) -> dict[str, Any]:
    return {"name": f"envoy.filters.http.{name}", "typed_config": {"@type": kind, **config}}


def _packing() -> dict[str, Any]:
    """Pages, their sheets and scripts, JSON (docs/decisions/0132-packed-answers.md)."""
    gzip = {"@type": f"{_TYPE}.extensions.compression.gzip.compressor.v3.Gzip", "compression_level": "COMPRESSION_LEVEL_5"}
    kinds = r"(text/(html|css|javascript)|application/(javascript|json)|image/svg\+xml)(;.*)?"
    return {
        "compressor_library": {"name": "gzip", "typed_config": gzip},
        "response_direction_config": {
            "common_config": {
                "min_content_length": limits.PACKED_FROM_BYTES,
                "content_type_matcher": {"safe_regex": {"regex": kinds}},
            }
        },
    }


def _tokens(settings: Settings) -> dict[str, Any]:
    """A token of a person: the services check it again, so it travels on."""
    provider = {
        "issuer": "diary-access",
        "audiences": ["diary"],
        "forward": True,
        # The scheme's name has no case; these three are met.
        "from_headers": [{"name": "authorization", "value_prefix": f"{word} "} for word in ("Bearer", "bearer", "BEARER")],
        "local_jwks": {"filename": str(settings.token_jwks)},
        "clock_skew_seconds": 5,
        "jwt_cache_config": {"jwt_cache_size": 20_000},
    }
    return {
        "providers": {"diary": provider},
        "requirement_map": {SIGNED_IN: {"provider_name": "diary"}},
    }


def _transcoding(settings: Settings) -> dict[str, Any]:
    transcoded = {m.service for m in settings.methods if m.bindings and m.caller is not Caller.SERVICE}
    return {
        "proto_descriptor": str(settings.descriptors),
        "services": sorted(transcoded),
        "match_incoming_request_route": True,
        "convert_grpc_status": True,
        "print_options": {"always_print_primitive_fields": False},
        "max_request_body_size": limits.BODY_BYTES,
        "max_response_body_size": limits.BUFFER_BYTES,
        "request_validation_options": {
            "reject_unknown_method": True,
            "reject_unknown_query_parameters": True,
            # Without it a body's `school_id` wins over the path's; `schoolId` never does.
            "reject_binding_body_field_collisions": True,
        },
    }


def _access_logs() -> list[dict[str, Any]]:
    """A JSON line per request. No query string, address or agent: paths carry ids, the rest may name people.

    Only gRPC has a status of gRPC: of a JSON refusal Envoy would make one up of the HTTP status.
    """
    line = {
        "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%6fZ)%",
        "service": "gateway",
        "event": "request",
        "method": "%REQ(X-ENVOY-ORIGINAL-METHOD?:METHOD)%",
        "path": "%PATH(NQ:ORIG_OR_PATH)%",
        "route": "%ROUTE_NAME%",
        "status": "%RESPONSE_CODE%",
        "milliseconds": "%DURATION%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "traceparent": "%REQ(TRACEPARENT)%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "flags": "%RESPONSE_FLAGS%",
        "why": "%RESPONSE_CODE_DETAILS%",
    }
    return [
        _access_log(replies.IS_GRPC, line | {"grpc_status": "%GRPC_STATUS(SNAKE_STRING)%"}),
        _access_log(replies.IS_OTHER, line),
    ]


def _access_log(of: dict[str, Any], line: dict[str, str]) -> dict[str, Any]:
    return {
        "name": "envoy.access_loggers.stdout",
        "filter": of,
        "typed_config": {
            "@type": f"{_TYPE}.extensions.access_loggers.stream.v3.StdoutAccessLog",
            "log_format": {"json_format": line},
        },
    }
