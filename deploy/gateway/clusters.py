"""The upstreams: four gRPC services and the portal."""

from typing import Any

from deploy.gateway import limits
from deploy.gateway.settings import PORTAL, SERVICES, Address, Settings

_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def clusters(settings: Settings) -> list[dict[str, Any]]:
    """A cluster for each service and the portal, named as they are."""
    grpc = [_grpc_cluster(name, settings.upstreams[name]) for name in SERVICES]
    return [*grpc, _portal_cluster(settings.upstreams[PORTAL])]


def _grpc_cluster(name: str, address: Address) -> dict[str, Any]:
    # gRPC servers answer HTTP/2 pings on idle connections with GOAWAY (too_many_pings), hence TCP's keepalive.
    http2: dict[str, Any] = {"explicit_http_config": {"http2_protocol_options": {}}}
    health = {
        "timeout": "1s",
        "interval": "2s",
        "no_traffic_interval": "2s",
        "unhealthy_interval": "0.5s",
        "no_traffic_healthy_interval": "2s",
        "unhealthy_threshold": 1,
        "healthy_threshold": 1,
        "grpc_health_check": {},
    }
    return _cluster(name, address, http2) | {"health_checks": [health]}


def _portal_cluster(address: Address) -> dict[str, Any]:
    # The portal closes an idle connection after five seconds; leaving earlier avoids writing into a closing one.
    http1 = {"explicit_http_config": {"http_protocol_options": {}}, "common_http_protocol_options": {"idle_timeout": "3s"}}
    return _cluster(PORTAL, address, http1)


def _cluster(name: str, address: Address, http: dict[str, Any]) -> dict[str, Any]:
    """DNS is asked again and again, so a headless Service's pods come and go; one address works alike.

    With every host unhealthy Envoy's panic mode tries them all the same: a service that restarts is found by the
    retries at once, not at the next health check.
    """
    endpoint = {"address": {"socket_address": {"address": address.host, "port_value": address.port}}}
    most = {"max_connections": 1024, "max_pending_requests": 1024, "max_requests": 2048, "max_retries": 1024}
    return {
        "name": name,
        "cluster_type": {
            "name": "envoy.clusters.dns",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster",
                "dns_refresh_rate": "2s",
                "dns_lookup_family": "V4_PREFERRED",
            },
        },
        "connect_timeout": "1s",
        "lb_policy": "LEAST_REQUEST",
        "per_connection_buffer_limit_bytes": limits.BUFFER_BYTES,
        "circuit_breakers": {"thresholds": [most]},
        "upstream_connection_options": {
            "tcp_keepalive": {"keepalive_time": 30, "keepalive_interval": 5, "keepalive_probes": 3}
        },
        "typed_extension_protocol_options": {_HTTP: {"@type": f"type.googleapis.com/{_HTTP}", **http}},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}]},
    }
