"""`python -m services.access serve | migrate`."""

import argparse

from chassis import migrate
from services.access.config import Settings


def main() -> None:
    """Reads the command and runs it."""
    parser = argparse.ArgumentParser(prog="python -m services.access", description="The access service of Diary.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="make roles and schema, bring tables up to date")
    parser.parse_args()
    settings = Settings()
    migrate.main(settings.admin_database_url.get_secret_value(), settings.database_url.get_secret_value(), "access")


if __name__ == "__main__":
    main()
