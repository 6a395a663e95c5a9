"""`python -m deploy.keys make DIR`, `… rotate --publish DIR`, `… rotate --sign DIR`, `… rotate-factors DIR`."""

import argparse
import sys
from pathlib import Path

from deploy.keys import KeysError, make_keys, publish_token_key, rotate_factor_key, sign_with_token_key


def main() -> None:
    """Run the command; exit 1 with one line that says where and what when it cannot be done."""
    arguments = _parser().parse_args()
    try:
        if arguments.command == "make":
            made = make_keys(arguments.folder)
            print(f"keys: {', '.join(made) or 'all were there'} ({arguments.folder})")
        elif arguments.command == "rotate-factors":
            print(f"keys: {rotate_factor_key(arguments.folder)} seals second factors from now on ({arguments.folder})")
        elif arguments.publish:
            print(
                f"keys: {publish_token_key(arguments.folder)} is published; start all again, then --sign ({arguments.folder})"
            )
        else:
            print(f"keys: {sign_with_token_key(arguments.folder)} signs once access is started again ({arguments.folder})")
    except (KeysError, OSError) as error:
        sys.exit(f"keys: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.keys", description="Token and service keys of Diary, and the authority of its seals."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="make what is missing; keys that exist are kept")
    rotate = commands.add_parser("rotate", help="the next token key, in two steps; between them all are started again")
    step = rotate.add_mutually_exclusive_group(required=True)
    step.add_argument("--publish", action="store_true", help="make it and publish it; the present one signs on")
    step.add_argument("--sign", action="store_true", help="sign with it; the one before stays valid until the next --publish")
    factors = commands.add_parser("rotate-factors", help="make the next key of second factors; those before still open")
    for command in (make, rotate, factors):
        command.add_argument("folder", metavar="DIR", type=Path, help="folder of the keys (DIARY_KEYS_DIR)")
    return parser


if __name__ == "__main__":
    main()
