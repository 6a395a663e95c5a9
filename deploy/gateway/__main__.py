"""Writes the Envoy bootstrap: `python -m deploy.gateway --help`."""

import argparse
import json
import sys
from pathlib import Path

from deploy.gateway.bodies import read_messages
from deploy.gateway.bootstrap import render
from deploy.gateway.methods import read_methods
from deploy.gateway.settings import PORTAL, SERVICES, Address, Limit, Settings


def main() -> int:
    """Returns 0, or 1 with what is wrong on stderr."""
    options = _parser().parse_args()
    try:
        text = json.dumps(render(_settings(options)), ensure_ascii=False, indent=1)
        options.out.write_text(text + "\n", encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"gateway: {error}", file=sys.stderr)
        return 1
    return 0


def _settings(options: argparse.Namespace) -> Settings:
    if not options.token_jwks.is_file():
        raise ValueError(f"{options.token_jwks} is not there; make keys with `python -m deploy.keys make`")
    return Settings(
        port=options.port,
        portal_port=options.portal_port,
        admin_port=options.admin_port,
        upstreams={name: getattr(options, name) for name in (*SERVICES, PORTAL)},
        token_jwks=options.token_jwks.resolve(),
        descriptors=options.descriptors.resolve(),
        methods=read_methods(options.descriptors),
        messages=read_messages(options.descriptors),
        listen_host=options.listen_host,
        allow_origins=tuple(options.allow_origin),
        client_limit=options.client_limit,
        sign_in_limit=options.sign_in_limit,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.gateway", description="Write the gateway's Envoy bootstrap.")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write it (JSON)")
    parser.add_argument("--port", type=int, required=True, help="where clients come in")
    parser.add_argument("--portal-port", type=int, required=True, help="where the portal alone comes in")
    parser.add_argument("--admin-port", type=int, required=True, help="/ready and /stats/prometheus on 127.0.0.1")
    for name in (*SERVICES, PORTAL):
        kind = "HTTP" if name == PORTAL else "gRPC"
        parser.add_argument(f"--{name}", type=_address, required=True, metavar="HOST:PORT", help=f"{kind} of {name}")
    parser.add_argument("--token-jwks", type=Path, required=True, metavar="FILE", help="public keys of access tokens")
    parser.add_argument("--descriptors", type=Path, default=Path("gen/diary.binpb"), metavar="FILE")
    parser.add_argument("--listen-host", default="127.0.0.1", help="127.0.0.1 unless told (0.0.0.0 in a pod)")
    parser.add_argument(
        "--allow-origin", action="append", default=[], metavar="ORIGIN", help="of a web client elsewhere; repeatable"
    )
    limit = "of one address, BURST:PER_SECOND"
    parser.add_argument("--client-limit", type=_limit, default=Settings.client_limit, help=f"requests {limit}")
    parser.add_argument(
        "--sign-in-limit", type=_limit, default=Settings.sign_in_limit, help=f"sign-ins and activations {limit}"
    )
    return parser


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _limit(text: str) -> Limit:
    try:
        return Limit.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
