"""What a statement of the product touches: run under EXPLAIN ANALYZE at the door, and as the role, that the product has."""

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

_ROWS = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
# Of few rows in any school: whether they are read by key or all at once is the planner's affair, and shows in the buffers.
_SMALL = frozenset({"classes", "schools", "classes_name_is_free"})


@dataclass(frozen=True, slots=True)
class Touched:
    """Rows that scans gave or threw away, pages of the buffer cache (those of functions too), and the indexes that served."""

    rows: float
    buffers: int
    indexes: frozenset[str]
    scanned: frozenset[str]


class Explaining:
    """A connection that notes what each statement touches, and then runs it.

    Plans are generic ones, which a service's prepared statements come to. Tables of a test are small enough to be read whole
    and those of a region are not, so scans are priced out: what has no index shows in the rows.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.touched: list[Touched] = []

    async def fetch(self, statement: str, *values: Any) -> Any:
        await self._explain(statement, values)
        return await self._connection.fetch(statement, *values)

    async def fetchrow(self, statement: str, *values: Any) -> Any:
        await self._explain(statement, values)
        return await self._connection.fetchrow(statement, *values)

    async def fetchval(self, statement: str, *values: Any) -> Any:
        await self._explain(statement, values)
        return await self._connection.fetchval(statement, *values)

    async def _explain(self, statement: str, values: tuple[Any, ...]) -> None:
        prepared = await self._connection.prepare(statement)
        types = [f"{kind.schema}.{kind.name}" for kind in prepared.get_parameters()]
        literals = [
            await self._connection.fetchval(f"SELECT quote_nullable($1::{kind}::text) || '::{kind}'", value)
            for kind, value in zip(types, values, strict=True)
        ]
        await self._connection.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
        await self._connection.execute(f"PREPARE explained ({', '.join(types)}) AS {statement}")
        try:
            execute = f"EXECUTE explained ({', '.join(literals)})" if literals else "EXECUTE explained"
            plan = json.loads(await self._connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {execute}"))[0]["Plan"]
        finally:
            await self._connection.execute("DEALLOCATE explained")
            await self._connection.execute("RESET plan_cache_mode; RESET enable_seqscan")
        nodes = list(_walk(plan))
        self.touched.append(
            Touched(
                rows=sum(_count(node) for node in nodes if _names(node) and not _names(node) & _SMALL),
                buffers=plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
                indexes=frozenset(node["Index Name"] for node in nodes if "Index Name" in node),
                scanned=frozenset(node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"),
            )
        )


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _walk(child)


def _names(node: dict[str, Any]) -> set[str]:
    return {node[name] for name in ("Index Name", "Relation Name") if name in node}


def _count(node: dict[str, Any]) -> float:
    return sum(float(node.get(name, 0)) for name in _ROWS) * float(node["Actual Loops"])


async def explain(connection: Any, call: Callable[[Any], Awaitable[object]]) -> Touched:
    """What the one statement of a store function touches on a connection that stands at its door."""
    explaining = Explaining(connection)
    await call(explaining)
    [touched] = explaining.touched
    return touched
