"""`python -m deploy.bus make DIR --address HOST:PORT` writes the files of the Secret `diary-nats`."""

import argparse
import sys
from pathlib import Path

from deploy.bus import write_secret


def main() -> None:
    """Run the command; exit 1 with one line when the folder cannot be written."""
    parser = argparse.ArgumentParser(prog="python -m deploy.bus", description="Logins of the bus, one for each service.")
    make = parser.add_subparsers(dest="command", required=True).add_parser(
        "make", help="make what is missing; passwords that exist are kept"
    )
    make.add_argument("folder", metavar="DIR", type=Path, help="DIR/passwords is kept, DIR/secret holds the Secret's files")
    make.add_argument("--address", default="diary-nats:4222", metavar="HOST:PORT", help="where services find the bus")
    arguments = parser.parse_args()
    try:
        write_secret(arguments.folder, arguments.address)
    except OSError as error:
        sys.exit(f"bus: {error}")
    print(f"bus: {arguments.folder}/secret holds auth.conf and the services' addresses")


if __name__ == "__main__":
    main()
