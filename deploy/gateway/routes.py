"""The virtual host: which path goes where, with a token or without, generated from the methods.

Deny by default: what no route names under `/v1/` or `/diary.` never reaches a service.
"""

from typing import Any

from deploy.gateway import bodies, headers, limits
from deploy.gateway.methods import Binding, Caller, Method
from deploy.gateway.settings import PORTAL, Settings

SIGNED_IN = "signed_in"
# Longer than the services' own deadlines, so that their answer comes first.
API_TIMEOUT = "15s"
PORTAL_TIMEOUT = "30s"

_EXTENSION = "type.googleapis.com/envoy.extensions.filters.http"
# gRPC-Web has the same paths; its content type starts alike.
_GRPC = {"name": "content-type", "string_match": {"prefix": "application/grpc"}}
# Else the transcoder passes it by, and what is no message reaches a service.
_NO_GRPC = [_GRPC | {"invert_match": True, "treat_missing_header_as_empty": True}]
_OFF = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}


# What a page of the portal sends as a file.
UPLOADS = r"/verify|/schools/[^/]+/(imports|refusals/(scan|signatures))"
# Of the client, whatever it says itself: written over by the gateway, read by access and by the portal.
CLIENT_ADDRESS = "x-diary-client-address"


def virtual_host(settings: Settings) -> dict[str, Any]:
    """All routes, the first that matches wins: gRPC, JSON from the most literal path on, the walls, the portal."""
    reachable = _reachable(settings)
    bindings = [(method, binding) for method in reachable for binding in method.bindings]
    bindings.sort(key=lambda pair: (*pair[1].fixedness(), pair[1].template, pair[1].verb))
    return {
        "name": "diary",
        "domains": ["*"],
        "routes": [
            *_unreadable_routes(),
            *(_grpc_route(method, settings) for method in reachable),
            _ESCAPED_NAMES,
            *(_json_route(method, binding, settings) for method, binding in bindings),
            *_walls(),
            _description(settings),
            *_portal_routes(settings),
        ],
        "retry_policy": _RETRY,
        "request_headers_to_add": [_CLIENT],
        "typed_per_filter_config": {"envoy.filters.http.cors": _cors(settings.allow_origins)},
    }


def portal_host(settings: Settings) -> dict[str, Any]:
    """The portal's own way in: gRPC only. Its pages have paid the client's bucket; what costs more pays here as everywhere."""
    nothing = {"name": "unknown", "match": {"prefix": "/"}, "direct_response": {"status": 404}}
    return {
        "name": "portal",
        "domains": ["*"],
        "routes": [*_unreadable_routes(), *(_grpc_route(method, settings) for method in _reachable(settings)), nothing],
        "retry_policy": _RETRY,
        "request_headers_to_add": [_CLIENT],
    }


def _reachable(settings: Settings) -> list[Method]:
    return [method for method in settings.methods if method.caller is not Caller.SERVICE]


_CLIENT = {
    "header": {"key": CLIENT_ADDRESS, "value": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"},
    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
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


def _unreadable_routes() -> list[dict[str, Any]]:
    """gRPC whose headers a service could not read; JSON has no use for them and loses them (`_json_route`)."""
    return [
        {
            "name": f"unreadable_{name}",
            "match": {"prefix": "/", "headers": [_GRPC, *headers.unreadable(name)]},
            "direct_response": {"status": 400},
        }
        for name in headers.READABLE
    ]


# What a client says of it is taken off: gRPC's server wants this word, and no other.
_TRAILERS = {"header": {"key": "te", "value": "trailers"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _grpc_route(method: Method, settings: Settings) -> dict[str, Any]:
    return {
        "name": method.full_name,
        "match": {"path": method.path, "headers": [_GRPC]},
        "route": {
            "cluster": method.upstream,
            "timeout": API_TIMEOUT,
            "max_stream_duration": {"grpc_timeout_header_max": API_TIMEOUT},
        },
        "request_headers_to_add": [_TRAILERS],
        "typed_per_filter_config": {
            # A message is five bytes longer on the wire; what is not there whole never reaches a service.
            **_body(method.request_bytes + 5),
            **bodies.ON_GRPC,
            **_limit(method, settings),
            **_token(method),
        },
    }


def _json_route(method: Method, binding: Binding, settings: Settings) -> dict[str, Any]:
    return {
        "name": method.full_name,
        "metadata": bodies.route_metadata(method),
        "match": {
            "safe_regex": {"regex": binding.pattern()},
            "headers": [{"name": ":method", "string_match": {"exact": binding.verb}}, *_NO_GRPC],
            # The transcoder would let ?schoolId= win over the path's school, and the access log would name the wrong one.
            "query_parameters": [{"name": name, "present_match": False} for name in binding.fields()],
        },
        "route": {"cluster": method.upstream, "timeout": API_TIMEOUT},
        "request_headers_to_remove": list(headers.READABLE),
        "typed_per_filter_config": {
            **_body(limits.json_bytes(method)),
            **(bodies.ON if binding.has_body else {}),
            **_limit(method, settings),
            **_token(method),
        },
    }


def _body(most: int) -> dict[str, Any]:
    buffer = {"max_request_bytes": most}
    return {"envoy.filters.http.buffer": {"@type": f"{_EXTENSION}.buffer.v3.BufferPerRoute", "buffer": buffer}}


def _limit(method: Method, settings: Settings) -> dict[str, Any]:
    limit = limits.of_method(method, settings)
    return {"envoy.filters.http.local_ratelimit": limit} if limit else {}


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


def _description(settings: Settings) -> dict[str, Any]:
    """What the JSON surface is, for whoever asks."""
    kind = {"header": {"key": "content-type", "value": "application/json"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    return {
        "name": "openapi",
        "match": {"path": "/openapi.json"},
        "direct_response": {"status": 200, "body": {"filename": str(settings.openapi)}},
        "response_headers_to_add": [kind],
        "typed_per_filter_config": _NO_METHOD,
    }


def _portal_routes(settings: Settings) -> list[dict[str, Any]]:
    """Pages that take a file are told apart by their paths, so that no other page takes more than a form."""
    form = {"match": {"safe_regex": {"regex": UPLOADS}, "headers": [_POST]}, "name": "portal_upload"}
    upload = {"envoy.filters.http.local_ratelimit": limits.bucket(settings.upload_limit, "upload")}
    return [
        {**form, **_portal_route({**_body(limits.BODY_BYTES), **upload})},
        {"match": {"prefix": "/"}, "name": PORTAL, **_portal_route(_body(limits.PAGE_BYTES))},
    ]


_POST = {"name": ":method", "string_match": {"exact": "POST"}}


# Where neither a message nor a token is looked for.
_NO_METHOD = {"envoy.filters.http.grpc_json_transcoder": _OFF, "envoy.filters.http.jwt_authn": _OFF}


def _portal_route(config: dict[str, Any]) -> dict[str, Any]:
    return {"route": {"cluster": PORTAL, "timeout": PORTAL_TIMEOUT}, "typed_per_filter_config": {**_NO_METHOD, **config}}


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
