"""News are told once, by whatever letters they go; a kind of news is what its file says, and nothing else knows it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import pytest

from chassis.clock import SetClock, SystemClock
from chassis.db import Database
from diary.journal.v1 import events_pb2
from diary.notify.v1 import delivery_service_pb2, delivery_service_pb2_grpc
from services.notify.letters.rules import Claim, State
from services.notify.letters.store import queue
from services.notify.news.convert import Words
from services.notify.news.kinds import NOTICES
from services.notify.news.notice import Content, Notice, Sources, hears
from services.notify.news.rules import Fact, Taken
from services.notify.plan.rules import Channel, Planned
from services.notify.plan.store import insert_planned
from tests.support import statements
from tests.support.eventually import eventually
from tests.support.services import sign_in
from tests.worlds.mailbox import text
from tests.worlds.notify import MOTHER, Family, World

SENT, WAITING = int(State.SENT), int(State.WAITING)
INVENTED = 99
HELD = timedelta(hours=9)


@pytest.fixture(autouse=True)
def _empty(world: World) -> None:
    world.mailbox.reset()


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind that nobody has thought of: a lesson is news to the families of a student, here of the one called like the course.
    One whose day is known is news in the morning.
    """

    def read(recorded: events_pb2.LessonRecorded) -> Iterable[Fact]:
        hold_until = SystemClock().now() + HELD if recorded.lesson_date else None
        yield Fact(UUID(recorded.lesson_id), student_id=UUID(recorded.course_id), hold_until=hold_until)

    async def fetch(taken: Taken, sources: Sources) -> Content | None:
        receiver = await sources.find_address(taken.account_id)
        return Content(receiver, Words(f"Урок {taken.object_id}", "Был урок", "<p>Был урок")) if receiver else None

    notice = Notice(
        INVENTED, "invented", [hears(events_pb2.LessonRecorded, read)], fetch, is_for_families=True, needs_sight=True
    )
    monkeypatch.setitem(cast(dict[int, Notice], NOTICES), INVENTED, notice)


def _lesson(family: Family, **changes: str) -> events_pb2.LessonRecorded:
    return events_pb2.LessonRecorded(
        school_id=str(family.school_id), lesson_id=str(uuid4()), course_id=str(family.student_id), **changes
    )


@pytest.mark.usefixtures("invented")
async def test_a_kind_that_is_only_registered_is_told_by_letters_and_listed(world: World) -> None:
    async with world.serving() as channel:
        family = await world.family()
        lesson = _lesson(family)
        await world.tell(lesson, family.school_id)
        await world.until(family, (SENT, 1))
        stub = delivery_service_pb2_grpc.DeliveryServiceStub(channel)
        metadata = sign_in(world.keys_dir, family.account_id, uuid4(), "guardian")
        request = delivery_service_pb2.ListDeliveriesRequest(school_id=str(family.school_id))
        [listed] = (await stub.ListDeliveries(request, metadata=metadata)).deliveries
        assert (listed.kind, listed.student_id) == (INVENTED, str(family.student_id))
        stranger = await world.family(address="")
        await world.until_handled(await world.tell(_lesson(stranger), stranger.school_id))
        await world.end(channel, family)
        await world.until_handled(await world.tell(_lesson(family), family.school_id))
    assert await world.states(stranger) == []
    assert await world.states(family) == [(SENT, 1)]
    [letter] = world.mailbox.letters
    assert (letter["To"], letter["Subject"]) == (MOTHER, f"Урок {lesson.lesson_id}")


@pytest.mark.usefixtures("invented")
async def test_news_that_are_held_are_told_when_they_are_held_no_more(world: World) -> None:
    clock = SetClock(SystemClock().now())
    async with world.serving(clock):
        family = await world.family()
        await world.until_handled(await world.tell(_lesson(family, lesson_date="2026-11-30"), family.school_id))
        await world.tell(_lesson(family), family.school_id)
        await world.until(family, (WAITING, 0), (SENT, 1))
        clock.advance(HELD + timedelta(minutes=1))
        await world.until(family, (SENT, 1), (SENT, 1))
    assert len(world.mailbox.letters) == 2


async def test_one_letter_may_tell_many_news(world: World) -> None:
    async with world.serving():
        family = await world.family()
        await world.plan(family, world.news(family), world.news(family))
        await world.until(family, (SENT, 1))
    [letter] = world.mailbox.letters
    assert text(letter).count("19 ноября, Алгебра: 5") == 2


async def test_what_is_planned_again_is_planned_once(world: World) -> None:
    family = await world.family()
    first, second = world.news(family), world.news(family)
    for news in ([first], [first], [first, second]):
        await world.plan(family, *news)
    # The fact that had been told is in no second letter.
    rows = await world.rows(
        "SELECT count(*) AS told FROM delivery_news WHERE school_id = $1 GROUP BY delivery_id", family.school_id
    )
    assert [row["told"] for row in rows] == [1, 1]
    assert await world.states(family) == [(WAITING, 0)] * 2


async def test_two_events_that_tell_one_fact_in_one_batch_make_one_letter(world: World) -> None:
    family, now = await world.family(), SystemClock().now()
    news = world.news(family)
    twice = [Planned(Channel.EMAIL, now, [news])] * 2
    async with world.database.school(family.school_id) as connection, connection.transaction():
        assert await insert_planned(connection, family.school_id, twice, now, has_files=False) == 1
    assert await world.states(family) == [(WAITING, 0)]


async def test_a_letter_of_a_kind_of_a_release_to_come_is_left_to_it(world: World) -> None:
    family, now = await world.family(), SystemClock().now()
    delivery_id = await world.plan(family, world.news(family, INVENTED))
    claim = Claim(family.school_id, delivery_id, False, now + timedelta(seconds=10))
    await world.rows("UPDATE deliveries SET lease_end_time = $2 WHERE delivery_id = $1", delivery_id, claim.lease_end_time)
    database = await Database.connect(world.clone.app_dsns["notify"], "notify", size=1)
    async with database.school(family.school_id) as connection:
        assert await queue.take_delivery(connection, claim, now) is None
    await database.close()
    [row] = await world.rows(
        "SELECT state, attempt_count, lease_end_time, next_attempt_time FROM deliveries WHERE delivery_id = $1", delivery_id
    )
    assert tuple(row) == (WAITING, 0, None, now + timedelta(minutes=1))
    await world.rows("UPDATE deliveries SET state = 4 WHERE delivery_id = $1", delivery_id)


async def test_an_event_and_its_letter_take_six_statements(world: World) -> None:
    """Inbox, viewers, plan; taking, address, end with its event. What goes by time is not counted."""

    async def is_still() -> bool:
        return not await world.rows("SELECT FROM deliveries WHERE state IN (1, 5)")

    async with world.serving():
        family = await world.family()
        await world.record_marks(family)
        await world.until(family, (SENT, 1))
        await eventually(is_still, why="nothing waits")
        with statements.sent(of_loops=True) as asked:
            await world.record_marks(family, count=3)
            await world.until(family, (SENT, 1), (SENT, 1))
    ours = [s for s in asked if not any(word in s for word in ("DELETE FROM", "SKIP LOCKED"))]
    of_tables = (
        "inbox",
        "contact_points",
        "relations",
        "preferences",
        "news",
        "delivery_news",
        "delivery_attempts",
        "outbox (",
    )
    told = [s for s in ours if any(f"{word} {table}" in s for word in ("INTO", "JOIN", "FROM") for table in of_tables)]
    assert len(told) == 6, told


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"applicant_id": uuid4()}, "news_have_one_viewer"),
        ({"account_id": None}, "news_have_one_viewer"),
        ({"object_ids": ()}, "news_tell_of_something"),
    ],
)
async def test_the_database_keeps_what_news_are(world: World, changes: dict[str, Any], constraint: str) -> None:
    family = await world.family()
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await world.plan(family, world.news(family, **changes))
    assert refused.value.constraint_name == constraint


async def test_the_database_keeps_one_receiver_and_one_letter_a_channel(world: World) -> None:
    family = await world.family()
    delivery_id = await world.plan(family, world.news(family))
    with pytest.raises(asyncpg.CheckViolationError, match="deliveries_have_one_receiver"):
        await world.rows("UPDATE deliveries SET kind = NULL, applicant_id = account_id WHERE delivery_id = $1", delivery_id)
    other = await world.plan(family, world.news(family))
    with pytest.raises(asyncpg.UniqueViolationError):
        await world.rows(
            "INSERT INTO delivery_news SELECT school_id, news_id, channel, $2 FROM delivery_news WHERE delivery_id = $1",
            delivery_id,
            other,
        )
