"""News of the events of others. Nothing is sent here: deliveries are written, and the job is woken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from chassis import events
from chassis.clock import Clock
from chassis.db import Database
from services.notify.news import store
from services.notify.news.kinds import NOTICES
from services.notify.news.notice import Heard, Notice


class Consumers(events.Handlers):
    """Handlers of the events that make news, whatever their kind."""

    def __init__(self, database: Database, clock: Clock, news: asyncio.Event) -> None:
        super().__init__(database, clock)
        self._news = news

    async def on_heard(self, notice: Notice, heard: Heard, many: Sequence[events.Event]) -> None:
        """The deliveries of the facts that these events tell."""
        written = 0
        async with events.once_each(self.database, self.clock, many) as (walk, by_school):
            for school_id, told in by_school.items():
                connection = await walk.enter(school_id)
                facts = [(event, fact) for event in told for fact in heard.read(heard.message.FromString(event.payload))]
                insert = store.insert_for_families if notice.is_for_families else store.insert_for_named
                written += await insert(connection, school_id, notice.kind, facts, self.clock.now())
        if written:
            self._news.set()

    def handlers(self) -> dict[str, events.Handler]:
        """The handlers by subject, of each event that a kind of news hears."""
        return {
            heard.message.DESCRIPTOR.full_name: events.Together(partial(self.on_heard, notice, heard), heard.lane)
            for notice in NOTICES.values()
            for heard in notice.hears
        }
