"""How much of anything one client, one request and one connection may take."""

from typing import Any

from deploy.gateway.methods import Method
from deploy.gateway.settings import Limit, Settings

BODY_BYTES = 8 * 1024 * 1024
# Forms of the portal; a class's lesson with its marks is a tenth of it.
PAGE_BYTES = 256 * 1024
# Methods above this take files.
_FILE_BYTES = 1024 * 1024
# Below it a packed answer is no smaller.
PACKED_FROM_BYTES = 256
# A PDF of 8 MiB comes framed as a protobuf message and grows a little.
BUFFER_BYTES = BODY_BYTES + 64 * 1024
# Below what the services take (chassis/server.py), so that the gateway's word comes first.
HEADERS_KILOBYTES = 16
# What Envoy answers by itself: the description of the surface, a fifth of a megabyte today.
OWN_ANSWER_BYTES = 1024 * 1024
CONNECTIONS = 10_000
STREAMS_PER_CONNECTION = 100
# Each costs a slow hash of a password, whether it is right or not.
SIGN_INS = ("diary.access.v1.SessionService.CreateSession", "diary.access.v1.CredentialService.ActivateAccount")
# Without a token, and each costs a process of seconds.
PUBLIC_WORK = ("diary.documents.v1.DocumentService.VerifyDocument", "diary.documents.v1.DocumentService.RenderForm")
# Buckets are kept for this many addresses; the one unused the longest gives way.
_REMEMBERED_ADDRESSES = 20_000

# Rapid resets: a connection of at least 200 streams, most of them reset within a second, is closed.
RUNTIME = {
    # The expression of the headers that are taken off (headers.py) is some eight times what Envoy allows by itself.
    "re2.max_program_size.error_level": 2_000,
    "overload.premature_reset_total_stream_count": 200,
    "overload.premature_reset_min_stream_lifetime_seconds": 1,
    "http.max_requests_per_io_cycle": 10,
}


def of_method(method: Method, settings: Settings) -> dict[str, Any] | None:
    """Config of local_ratelimit for a method that costs more than an answer: the same for JSON, gRPC and the portal's calls."""
    if method.full_name in SIGN_INS:
        return bucket(settings.sign_in_limit, "sign_in")
    if method.full_name in PUBLIC_WORK:
        return bucket(settings.public_work_limit, "public_work")
    return bucket(settings.upload_limit, "upload") if method.request_bytes >= _FILE_BYTES else None


def json_bytes(method: Method) -> int:
    """Bytes of a JSON body: names and quotes make it longer than the message, base64 makes files a third longer."""
    return min(2 * method.request_bytes, BODY_BYTES)


# A customer has one address of IPv4, and of IPv6 a network of 64 bits.
_NETWORK = {"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}}


def bucket(limit: Limit, name: str) -> dict[str, Any]:
    """Config of local_ratelimit: a token bucket for each client address, in each gateway."""
    every = {
        "max_tokens": limit.burst,
        "tokens_per_fill": limit.per_second,
        "fill_interval": "1s",
    }
    always = {"numerator": 100, "denominator": "HUNDRED"}
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": name,
        "filter_enabled": {"default_value": always},
        "filter_enforced": {"default_value": always},
        "rate_limits": [{"actions": [_NETWORK]}],
        # Envoy wants a bucket for requests without a descriptor as well; there are none, since every one has an address.
        "token_bucket": every,
        "always_consume_default_token_bucket": False,
        # An entry without a value makes a bucket of its own for each address.
        "descriptors": [{"entries": [{"key": "masked_remote_address"}], "token_bucket": every}],
        "max_dynamic_descriptors": _REMEMBERED_ADDRESSES,
        "rate_limited_as_resource_exhausted": True,
    }
