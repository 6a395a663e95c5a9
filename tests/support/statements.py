"""What calls ask of PostgreSQL, whatever connection it goes by."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chassis import auth, db

_CALLS = ("execute", "executemany", "fetch", "fetchmany", "fetchrow", "fetchval")


@contextmanager
def sent(*, of_loops: bool = False) -> Iterator[list[str]]:
    """The statements that calls to services in this process send meanwhile, in their order: without those of loops, which have
    no caller, unless they are asked for, and without moving to a door, which a connection may stand at already.
    """
    statements: list[str] = []

    def noting(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def note(connection: Any, statement: str, *values: Any, **options: Any) -> Any:
            if (of_loops or auth.caller() != auth.NOBODY) and statement != db._MOVE:
                statements.append(statement)
            return await call(connection, statement, *values, **options)

        return note

    with pytest.MonkeyPatch.context() as patch:
        for name in _CALLS:
            patch.setattr(db._DoorConnection, name, noting(getattr(db._DoorConnection, name)))
        yield statements
