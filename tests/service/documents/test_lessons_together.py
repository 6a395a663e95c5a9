"""Lessons that the journal tells together: each week is reckoned once, by the newest word on each lesson (Clause R7)."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from tests.worlds.documents import World
from tests.worlds.families import MONDAY, Families, list_terms

_NEXT_MONDAY = "2026-11-23"


async def _weeks(world: World) -> list[tuple[str, str, int, str]]:
    rows = await world.query(
        "SELECT monday_date::text, last_lesson_date::text, lesson_count, xmin::text FROM lesson_weeks"
        " WHERE school_id = $1 ORDER BY 1"
    )
    return [tuple(row) for row in rows]


async def test_lessons_of_many_weeks_come_in_one_piece(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    told = [world.class_recorded(day) for day in ("2026-11-17", "2026-11-19", "2026-11-24")]
    # A repeated event, and one that tells of no lesson.
    await families.consumers.on_class_recorded.handle_many([*told, told[0], world.class_recorded()])
    assert [week[:3] for week in await _weeks(world)] == [(MONDAY, "2026-11-19", 2), (_NEXT_MONDAY, "2026-11-24", 1)]
    assert await list_terms(world) == [(MONDAY, False, ""), (_NEXT_MONDAY, False, "")]


async def test_the_newest_word_on_a_lesson_holds_wherever_it_stands_among_the_others(world: World, families: Families) -> None:
    lesson_id = str(uuid4())
    newer = world.class_recorded("2026-11-19", lesson_id)
    older = world.class_recorded("2026-11-17", lesson_id)
    older = replace(older, fact_time=older.fact_time - timedelta(minutes=1))
    await families.consumers.on_class_recorded.handle_many([newer, older])
    assert [week[:3] for week in await _weeks(world)] == [(MONDAY, "2026-11-19", 1)]


async def test_a_word_that_says_what_is_known_changes_no_week(world: World, families: Families) -> None:
    lesson_id = str(uuid4())
    await families.consumers.on_class_recorded(world.class_recorded("2026-11-17", lesson_id))
    before = await _weeks(world)
    await families.consumers.on_class_recorded(world.class_recorded("2026-11-17", lesson_id))
    assert await _weeks(world) == before
    await families.consumers.on_class_recorded(world.class_recorded("2026-11-18", lesson_id))
    assert [week[:3] for week in await _weeks(world)] == [(MONDAY, "2026-11-18", 1)]


async def test_lessons_that_are_withdrawn_together_take_back_what_their_week_owed(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    lessons = [(day, str(uuid4())) for day in ("2026-11-17", "2026-11-18", "2026-11-24")]
    await families.consumers.on_class_recorded.handle_many([world.class_recorded(*lesson) for lesson in lessons])
    await families.consumers.on_lesson_retracted.handle_many([world.lesson_retracted(*lesson) for lesson in lessons[:2]])
    assert await list_terms(world) == [(_NEXT_MONDAY, False, "")]
