"""What an operator runs. A command says on stderr what stands in its way, and exits with 1."""

import argparse
import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path

from chassis.clock import SystemClock
from services.access.seed import SeedError, Wish, seed


def add_parsers(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands; each sets `run`, which takes the arguments and the DSN of the server's admin."""
    _add_seed(parsers.add_parser("seed", help="make a generated region in an empty database"))


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--schools", type=int, help="how many schools (without it and --students: the demo of two)")
    parser.add_argument("--students", type=int, help="how many students in all schools together")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same region (1)")
    parser.add_argument("--password", help="of all accounts; made at random without it")
    parser.add_argument("--logins", type=Path, metavar="FILE", help="write the logins to show, as JSON")
    parser.set_defaults(run=_seed)


def _seed(arguments: argparse.Namespace, admin_dsn: str) -> None:
    wish = Wish(arguments.schools, arguments.students, arguments.seed, arguments.password, arguments.logins)
    _run(seed(admin_dsn, wish, SystemClock(), _tell))


def _run(work: Coroutine[None, None, None]) -> None:
    try:
        asyncio.run(work)
    except SeedError as error:
        sys.exit(str(error))


def _tell(line: str) -> None:
    print(line, flush=True)
