"""An invented kind of import, and what carries imports in tests: the shop of a school, a line of the file an article.

A file is lines `article=price`. `unreadable`, `refused` and `huge` are files that the reader refuses, or that break it.
"""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from uuid import UUID

from chassis.clock import SetClock
from chassis.db import Database
from chassis.imports import Import, ImportRefusedError, Line, Problem, acts, store
from chassis.imports.jobs import carry_imports, forget_imports
from chassis.imports.kinds import Kind, Work
from chassis.jobs import Job
from chassis.quarantine import Bounds
from chassis.run import Frame
from chassis.tables import school_table

_BOUNDS = Bounds(data_bytes=192 << 20, cpu_seconds=5, waiting=1, seconds=60.0)

# Beside the imports of the schema of access.
ARTICLES = f"""
CREATE TABLE articles (school_id uuid, name text, price integer NOT NULL, PRIMARY KEY (school_id, name));
GRANT SELECT, INSERT, UPDATE ON articles TO diary_access_app;
{school_table("articles")}
"""


def read_articles(file_name: str, body: bytes, wish: int) -> dict[str, int]:
    """The prices by article, the wish added to each."""
    text = body.decode()
    if text == "huge":
        bytearray(400 << 20)
    if text == "refused":
        raise ImportRefusedError([Problem(file_name, 2, "цена", "не число", "запишите цену числом", sheet="Буфет")])
    return {name: int(price) + wish for name, _, price in (line.partition("=") for line in text.splitlines())}


async def list_lines(work: Work[int], _prices: dict[str, int]) -> Mapping[Hashable, Line]:
    """The articles."""
    rows = await work.connection.fetch("SELECT name, price FROM articles WHERE school_id = $1 ORDER BY name", work.school_id)
    return {row["name"]: Line(row["name"], f"товар {row['name']}", f"{row['price']} руб.") for row in rows}


async def write(work: Work[int], prices: dict[str, int], left_out: Collection[str]) -> Sequence[str]:
    """Writes the prices."""
    wanted = {name: price for name, price in prices.items() if name not in left_out}
    for number, (name, price) in enumerate(wanted.items()):
        await work.connection.execute(
            "INSERT INTO articles VALUES ($1, $2, $3) ON CONFLICT (school_id, name) DO UPDATE SET price = excluded.price",
            work.school_id,
            name,
            price,
        )
        await work.progress(number + 1, len(wanted))
    return [f"товаров: {len(wanted)}"]


SHOP = Kind("shop", 1 << 20, _BOUNDS, int, read_articles, list_lines, write)


@dataclass
class Shop:
    """A school with its shop: imports as its pages would make them, carried on by the jobs."""

    database: Database
    clock: SetClock
    school_id: UUID
    kind: Kind[Any, Any] = SHOP

    @property
    def enter(self) -> acts.Enter:
        """Into the school."""
        return partial(self.database.school, self.school_id)

    def job(self, make: Callable[..., Job], *arguments: Any) -> Job:
        """A job of the service."""
        frame = Frame(self.clock, self.database, cast(Any, None), cast(Any, None))
        return make(frame, *arguments)

    async def carry(self) -> bool:
        """Carries one import on, as the job does; whether there was one."""
        return bool(await self.job(carry_imports, [self.kind]).work())

    async def forget(self) -> None:
        """Forgets what is over."""
        while await self.job(forget_imports).work():
            pass

    async def upload(self, text: str, wish: str = "0") -> Import:
        """Takes a file in."""
        async with self.enter() as connection, connection.transaction():
            return await acts.create(connection, self.clock, self.kind, self.school_id, "shop.txt", text.encode(), wish)

    async def look(self, made: Import) -> Import:
        """The import as it is now."""
        async with self.enter() as connection:
            return await store.get_import(connection, self.school_id, made.import_id)

    async def confirm(self, made: Import, numbers: Collection[int] | None = None) -> None:
        """Says the word."""
        planned = await self.look(made)
        async with self.enter() as connection, connection.transaction():
            await acts.confirm(connection, self.clock, planned, numbers)

    async def changes(self, made: Import) -> list[str]:
        """The lines of the plan."""
        async with self.enter() as connection:
            found = await store.list_changes(connection, self.school_id, made.import_id, 0, 100)
        return [str(change) for _, _, change in found]

    async def problems(self, made: Import) -> list[str]:
        """Why it was refused."""
        async with self.enter() as connection:
            return [str(problem) for problem in await store.list_problems(connection, self.school_id, made.import_id)]

    async def prices(self) -> dict[str, int]:
        """What the shop has."""
        async with self.enter() as connection:
            return {row["name"]: row["price"] for row in await connection.fetch("SELECT name, price FROM articles")}
