"""Which of a client's headers go on: those named here. All else is taken off before anything looks at the request.

gRPC's server reads some headers strictly, and remembers that it could not: one stranger's `te` or `grpc-timeout` in the tables
of a connection (HPACK) breaks the calls of everybody behind it. So what is not needed does not pass, and what is needed can be
read.
"""

import re
from typing import Any

# What services read, what is told by proxies that are believed, what framing needs, then what CORS and pages read.
KEPT = (
    "authorization",
    "content-type",
    "grpc-encoding",
    "grpc-timeout",
    "traceparent",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-grpc-web",
    "x-request-id",
    "connection",
    "content-length",
    "expect",
    "host",
    "transfer-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "origin",
    "accept",
    "accept-encoding",
    "accept-language",
    "cookie",
    "if-modified-since",
    "if-none-match",
    "range",
    "referer",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "user-agent",
)
# What gRPC reads strictly, and how it must be written. Messages are taken uncompressed: a service would unpack them first and
# look then.
READABLE = {"grpc-timeout": "[0-9]{1,8}[HMSmun]", "grpc-encoding": "identity"}


def keep_named() -> dict[str, Any]:
    """An early mutation that removes every header without a place in KEPT. Envoy's own (x-envoy-*) are written after it."""
    kind = "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    others = {"key_matcher": {"safe_regex": {"regex": write_others(KEPT)}}}
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {"@type": kind, "mutations": [{"remove_on_match": others}]},
    }


def write_others(names: tuple[str, ...]) -> str:
    """An RE2 expression of all names but these and those that begin with a colon, since RE2 knows no `not`."""
    return _write_others(list(names), is_first=True)


def _write_others(rests: list[str], *, is_first: bool = False) -> str:
    """Of texts that are none of the rests: they end where none does, or go on as none does, or as one does and then differ."""
    nexts = sorted({rest[0] for rest in rests if rest})
    excluded = "".join(map(re.escape, nexts)) + (":" if is_first else "")
    ways = [f"[^{excluded}].*" if excluded else ".+"]
    ways += [re.escape(letter) + _write_others([rest[1:] for rest in rests if rest[:1] == letter]) for letter in nexts]
    if "" not in rests and not is_first:
        ways.append("")
    return f"(?:{'|'.join(ways)})"


def unreadable(name: str) -> list[dict[str, Any]]:
    """Matchers of a request that has the header and not as it must be written; none without a name."""
    if not name:
        return []
    written = {"safe_regex": {"regex": READABLE[name]}}
    return [{"name": name, "present_match": True}, {"name": name, "string_match": written, "invert_match": True}]
