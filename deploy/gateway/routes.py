"""The virtual host: which path goes where, with a token or without, generated from the methods.

Deny by default: what no route names under `/v1/` or `/diary.` never reaches a service.
"""

from typing import Any

from deploy.gateway import limits
from deploy.gateway.methods import Binding, Caller, Method
from deploy.gateway.settings import PORTAL, Settings

SIGN_IN = "diary.access.v1.SessionService.CreateSession"
SIGNED_IN = "signed_in"
# Longer than the services' own deadlines, so that their answer comes first.
API_TIMEOUT = "15s"
PORTAL_TIMEOUT = "30s"

_EXTENSION = "type.googleapis.com/envoy.extensions.filters.http"
# gRPC-Web has the same paths; its content type starts alike.
_GRPC = {"name": "content-type", "string_match": {"prefix": "application/grpc"}}
_OFF = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}


def virtual_host(settings: Settings) -> dict[str, Any]:
    """All routes, the first that matches wins: gRPC, JSON from the most literal path on, the walls, the portal."""
    reachable = [method for method in settings.methods if method.caller is not Caller.SERVICE]
    bindings = [(method, binding) for method in reachable for binding in method.bindings]
    bindings.sort(key=lambda pair: (*pair[1].fixedness(), pair[1].template, pair[1].verb))
    return {
        "name": "diary",
        "domains": ["*"],
        "routes": [
            *(_grpc_route(method) for method in reachable),
            _ESCAPED_NAMES,
            *(_json_route(method, binding, settings) for method, binding in bindings),
            *_walls(),
            _portal_route(),
        ],
        "retry_policy": _RETRY,
        "typed_per_filter_config": {"envoy.filters.http.cors": _cors(settings.allow_origins)},
    }


# Only what the upstream cannot have begun is sent again, so that a write is never done twice. The tries span about three
# seconds: a service that restarts on one machine, or a replica that leaves, loses no request.
_RETRY = {
    "retry_on": "connect-failure,refused-stream,reset-before-request",
    "num_retries": 8,
    "retry_back_off": {"base_interval": "0.1s", "max_interval": "1s"},
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": 3,
}


# A name written as school%49d would pass by the match on names below and still be read by the transcoder.
_ESCAPED_NAMES = {
    "name": "json_escaped_name",
    "match": {
        "prefix": "/v1/",
        "headers": [{"name": ":path", "string_match": {"safe_regex": {"regex": r"[^?]*\?(.*&)?[^=&]*%.*"}}}],
    },
    "direct_response": {"status": 400, "body": {"inline_string": "names in the query are not to be escaped"}},
}


def _grpc_route(method: Method) -> dict[str, Any]:
    limit = limits.bucket(limits.GRPC_SIGN_IN, "grpc_sign_in") if method.full_name == SIGN_IN else _OFF
    return {
        "name": method.full_name,
        "match": {"path": method.path, "headers": [_GRPC]},
        "route": {
            "cluster": method.upstream,
            "timeout": API_TIMEOUT,
            "max_stream_duration": {"grpc_timeout_header_max": API_TIMEOUT},
        },
        "typed_per_filter_config": {
            # Services bound their messages themselves; waiting for the last byte would only delay them.
            "envoy.filters.http.buffer": _OFF,
            "envoy.filters.http.local_ratelimit": limit,
            **_token(method),
        },
    }


def _json_route(method: Method, binding: Binding, settings: Settings) -> dict[str, Any]:
    limit = (
        {"envoy.filters.http.local_ratelimit": limits.bucket(settings.sign_in_limit, "sign_in")}
        if method.full_name == SIGN_IN
        else {}
    )
    return {
        "name": method.full_name,
        "match": {
            "safe_regex": {"regex": binding.pattern()},
            "headers": [{"name": ":method", "string_match": {"exact": binding.verb}}],
            # The transcoder would let ?schoolId= win over the path's school, and the access log would name the wrong one.
            "query_parameters": [{"name": name, "present_match": False} for name in binding.fields()],
        },
        "route": {"cluster": method.upstream, "timeout": API_TIMEOUT},
        "typed_per_filter_config": {**limit, **_token(method)},
    }


def _token(method: Method) -> dict[str, Any]:
    if method.caller is Caller.PUBLIC:
        return {"envoy.filters.http.jwt_authn": _OFF}
    return {
        "envoy.filters.http.jwt_authn": {
            "@type": f"{_EXTENSION}.jwt_authn.v3.PerRouteConfig",
            "requirement_name": SIGNED_IN,
        }
    }


def _walls() -> list[dict[str, Any]]:
    """What is under the API's prefixes, or gRPC, and no method: preflights, answered by the CORS filter, and 404."""
    routes: list[dict[str, Any]] = []
    for name, prefix in (("json", "/v1/"), ("grpc", "/diary.")):
        # The CORS filter works only where the route has a cluster. A preflight of a foreign origin passes it by; the
        # transcoder then answers 404, since no method is bound to OPTIONS: the cluster is never asked.
        preflight = {"name": ":method", "string_match": {"exact": "OPTIONS"}}
        routes += [
            {
                "name": f"{name}_preflight",
                "match": {"prefix": prefix, "headers": [preflight]},
                "route": {"cluster": PORTAL},
            },
            {"name": f"{name}_unknown", "match": {"prefix": prefix}, "direct_response": {"status": 404}},
        ]
    foreign = {"prefix": "/", "headers": [_GRPC]}
    return [*routes, {"name": "foreign_unknown", "match": foreign, "direct_response": {"status": 404}}]


def _portal_route() -> dict[str, Any]:
    return {
        "name": PORTAL,
        "match": {"prefix": "/"},
        "route": {"cluster": PORTAL, "timeout": PORTAL_TIMEOUT},
        "typed_per_filter_config": {
            "envoy.filters.http.grpc_json_transcoder": _OFF,
            "envoy.filters.http.jwt_authn": _OFF,
        },
    }


def _cors(origins: tuple[str, ...]) -> dict[str, Any]:
    """Tokens travel in a header, never in a cookie, so credentials are not allowed."""
    return {
        "@type": f"{_EXTENSION}.cors.v3.CorsPolicy",
        "allow_origin_string_match": [{"exact": origin} for origin in origins],
        "allow_methods": "GET, POST, PUT, PATCH, DELETE",
        "allow_headers": "authorization, content-type, grpc-timeout, traceparent, x-grpc-web, x-user-agent",
        "expose_headers": "grpc-message, grpc-status, grpc-status-details-bin, retry-after, x-request-id",
        "max_age": "3600",
    }
