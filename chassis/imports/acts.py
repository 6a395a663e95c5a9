"""What becomes of an import: taken in, planned by a trial that is undone, confirmed, written as it was confirmed."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from chassis import log, metrics
from chassis.clock import Clock
from chassis.db import Connection
from chassis.imports import (
    LEASE,
    MOST_ATTEMPTS,
    Change,
    Claim,
    Import,
    ImportRefusedError,
    LostError,
    Problem,
    State,
    compare,
    demand_as_chosen,
    store,
)
from chassis.imports.kinds import Kind, Work
from chassis.quarantine import Quarantine, UnreadableError

# Opens a connection that sees the import's school.
Enter = Callable[[], AbstractAsyncContextManager[Connection]]
W = TypeVar("W")
P = TypeVar("P")
_LINES_AT_ONCE = 1000


class _UndoneError(Exception):
    """Rolls a trial back."""


def demand_size(kind: Kind[Any, Any], file_name: str, size: int) -> None:
    """A body that the kind takes. Raises ImportRefusedError."""
    if size > kind.most_bytes:
        raise ImportRefusedError(
            [Problem(file_name, 0, "", f"больше {kind.most_bytes >> 20} МиБ", "загрузите файл одной школы")]
        )


async def create(
    connection: Connection,
    clock: Clock,
    kind: Kind[Any, Any],
    school_id: UUID,
    file_name: str,
    body: bytes,
    wish: str,
    *,
    is_held: bool = False,
) -> Import:
    """Takes a file in, to be carried on by the job, or by the maker who holds it. The same file with the same wish, while it is
    on its way, is the import that it was; a plan of it that waits gives way to a new one, since it may be days old. Raises
    ImportRefusedError for its size, LostError when others bring it at this moment. In a transaction.
    """
    demand_size(kind, file_name, len(body))
    now = clock.now()
    claim = Claim(school_id, uuid4(), kind.name, State.UPLOADED, int(is_held))
    next_time = now + LEASE if is_held else now
    made = await store.insert_import(connection, claim, file_name, wish, body, now, next_time)
    if made is not None:
        return made
    same = await store.find_same(connection, school_id, kind.name, wish, body)
    if same is not None and same.state is not State.PLANNED:
        return same
    if same is not None:
        # Unless somebody says its word at this moment.
        with suppress(LostError):
            await _give_up(connection, clock, same, "тот же файл загружен ещё раз", "смотрите изменения новой загрузки")
    made = await store.insert_import(connection, claim, file_name, wish, body, now, next_time)
    made = made or await store.find_same(connection, school_id, kind.name, wish, body)
    if made is None:
        raise LostError
    return made


async def confirm(
    connection: Connection, clock: Clock, planned: Import, numbers: Collection[int] | None, *, is_held: bool = False
) -> Claim:
    """Confirms a plan, whole or the lines of these numbers. Raises LostError when it is none. In a transaction."""
    if planned.state is not State.PLANNED:
        raise LostError
    now, attempt = clock.now(), int(is_held)
    await store.confirm(connection, planned.claim, numbers, attempt, now + LEASE if is_held else now)
    return Claim(planned.school_id, planned.import_id, planned.kind, State.CONFIRMED, attempt)


async def cancel(connection: Connection, clock: Clock, planned: Import) -> None:
    """Gives a plan up. Raises LostError when it is none. In a transaction."""
    if planned.state is not State.PLANNED:
        raise LostError
    await _give_up(connection, clock, planned, "загрузка отменена", "загрузите файл ещё раз, если он нужен")


async def _give_up(connection: Connection, clock: Clock, planned: Import, what: str, mend: str) -> None:
    await store.move(connection, planned.claim, State.REFUSED, clock.now())
    await store.insert_problems(connection, planned.claim, [Problem(planned.file_name, 0, "", what, mend)])
    metrics.imports_ended.labels(planned.kind, "refused").inc()


async def carry_on(enter: Enter, clock: Clock, quarantine: Quarantine, kind: Kind[Any, Any], claim: Claim) -> None:
    """Takes an import as far as it goes without people: to its plan, or from its word to its end. What cannot be is refused
    with its problems. Raises what else breaks; the import is then taken up again, a few times.
    """
    carrier = _Carrier(enter, clock, quarantine, kind, claim)
    try:
        await carrier.run()
    except LostError:
        log.logger().warning("import_lost", kind=kind.name, import_id=str(claim.import_id))


class _Carrier(Generic[W, P]):
    """Carries one import, once."""

    def __init__(self, enter: Enter, clock: Clock, quarantine: Quarantine, kind: Kind[W, P], claim: Claim) -> None:
        self._enter = enter
        self._clock = clock
        self._quarantine = quarantine
        self._kind = kind
        self._claim = claim
        self._file_name = ""
        self._planned_time = clock.now()

    async def run(self) -> None:
        """On from the state in which it is."""
        async with self._enter() as connection:
            kept = await store.get_import(connection, self._claim.school_id, self._claim.import_id)
        self._file_name = kept.file_name
        self._planned_time = kept.planned_time or self._planned_time
        try:
            if self._claim.state is State.PLANNED:
                raise self._refusal("изменения не подтверждены за 7 дней", "загрузите файл ещё раз")
            if self._claim.attempt > MOST_ATTEMPTS:
                raise self._refusal("загрузка несколько раз прервалась", "загрузите файл ещё раз")
            wish = self._kind.parse_wish(kept.wish)
            parsed = await self._read(wish)
            if self._claim.state is State.CONFIRMED:
                await self._write(wish, parsed)
            else:
                await self._plan(wish, parsed)
        except ImportRefusedError as error:
            await self._refuse(error.problems)
        except UnreadableError:
            what = "файл не читается в отведённых памяти и времени"
            await self._refuse(self._refusal(what, "выгрузите файл заново, одной школы").problems)

    async def _read(self, wish: W) -> P:
        async with self._enter() as connection:
            body = await store.get_body(connection, self._claim)
        return await self._quarantine.read(self._kind.read, self._file_name, body, wish)

    async def _plan(self, wish: W, parsed: P) -> None:
        """What would be written is written, looked at, and undone."""
        async with self._enter() as connection:
            self._claim = await store.move(connection, self._claim, State.READ, self._clock.now())
            changes: Sequence[Change] = ()
            with suppress(_UndoneError):
                async with connection.transaction():
                    changes, _ = await self._try(connection, wish, parsed, ())
                    raise _UndoneError
            async with connection.transaction():
                await store.move(connection, self._claim, State.PLANNED, self._planned_time)
                await store.insert_changes(connection, self._claim, changes)

    async def _write(self, wish: W, parsed: P) -> None:
        """In one transaction with the import's end, so that it is done once, whoever else carries it."""
        async with self._enter() as connection, connection.transaction():
            lines = await self._list_changes(connection)
            chosen = [change for is_chosen, change in lines if is_chosen]
            left_out = {change.subject for is_chosen, change in lines if not is_chosen}
            done, summary = await self._try(connection, wish, parsed, left_out)
            demand_as_chosen(done, chosen, self._file_name, is_all=not left_out)
            await store.move(connection, self._claim, State.DONE, self._clock.now(), summary)
        metrics.imports_ended.labels(self._kind.name, "done").inc()

    async def _try(
        self, connection: Connection, wish: W, parsed: P, left_out: Collection[str]
    ) -> tuple[list[Change], Sequence[str]]:
        work = Work(connection, self._clock, self._claim.school_id, wish, self._note_progress, self._planned_time)
        before = await self._kind.list_lines(work, parsed)
        summary = await self._kind.write(work, parsed, left_out)
        return compare(before, await self._kind.list_lines(work, parsed)), summary

    async def _list_changes(self, connection: Connection) -> list[tuple[bool, Change]]:
        found: list[tuple[bool, Change]] = []
        while page := await store.list_changes(
            connection, self._claim.school_id, self._claim.import_id, len(found), _LINES_AT_ONCE
        ):
            found += [(is_chosen, change) for _, is_chosen, change in page]
        return found

    async def _note_progress(self, done: int, total: int) -> None:
        # By a connection of its own: what a transaction writes nobody sees before its end.
        async with self._enter() as connection:
            await store.note_progress(connection, self._claim, done, total, self._clock.now())

    async def _refuse(self, problems: Sequence[Problem]) -> None:
        async with self._enter() as connection, connection.transaction():
            await store.move(connection, self._claim, State.REFUSED, self._clock.now())
            await store.insert_problems(connection, self._claim, problems)
        metrics.imports_ended.labels(self._kind.name, "refused").inc()

    def _refusal(self, what: str, mend: str) -> ImportRefusedError:
        return ImportRefusedError([Problem(self._file_name, 0, "", what, mend)])
