import asyncio

import pytest

from apps.portal.once import Once


async def test_who_comes_with_the_same_key_gets_the_answer_of_the_first() -> None:
    once: Once[int] = Once()
    runs: list[int] = []

    async def act() -> int:
        runs.append(1)
        await asyncio.sleep(0)
        return len(runs)

    assert await asyncio.gather(*(once.run(b"a", act()) for _ in range(3))) == [1, 1, 1]
    assert await once.run(b"a", act()) == 1
    assert await once.run(b"b", act()) == 2


async def test_an_act_that_failed_can_be_tried_again_at_once() -> None:
    once: Once[str] = Once()

    async def fail() -> str:
        raise ValueError("failed")

    async def succeed() -> str:
        return "done"

    with pytest.raises(ValueError, match="failed"):
        await once.run(b"a", fail())
    assert await once.run(b"a", succeed()) == "done"


async def test_a_person_who_leaves_takes_the_act_from_nobody() -> None:
    once: Once[str] = Once()
    gate = asyncio.Event()

    async def act() -> str:
        await gate.wait()
        return "done"

    leaving = asyncio.create_task(once.run(b"a", act()))
    staying = asyncio.create_task(once.run(b"a", act()))
    await asyncio.sleep(0)
    leaving.cancel()
    gate.set()
    assert await staying == "done"
