"""News of the events of others. Nothing is sent here: deliveries are planned, and the job is woken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from chassis import events
from chassis.clock import Clock
from chassis.db import Connection, Database
from services.notify.news.kinds import NOTICES
from services.notify.news.notice import Heard, Notice
from services.notify.news.rules import News, gather_news
from services.notify.plan import store
from services.notify.plan.rules import plan_deliveries


class Consumers(events.Handlers):
    """Handlers of the events that make news, whatever their kind."""

    def __init__(self, database: Database, clock: Clock, news: asyncio.Event) -> None:
        super().__init__(database, clock)
        self._news = news

    async def on_heard(self, notice: Notice, heard: Heard, many: Sequence[events.Event]) -> None:
        """The news of the facts that these events tell, and the deliveries that are planned for them."""
        written = 0
        async with events.once_each(self.database, self.clock, many) as (walk, by_school):
            for school_id, told in by_school.items():
                news = [
                    one
                    for event in told
                    for one in gather_news(
                        notice.kind, event.event_id, event.fact_time, heard.read(heard.message.FromString(event.payload))
                    )
                ]
                if news:
                    written += await self._plan(await walk.enter(school_id), school_id, notice, news)
        if written:
            self._news.set()

    async def _plan(self, connection: Connection, school_id: UUID, notice: Notice, news: Sequence[News]) -> int:
        now = self.clock.now()
        if notice.is_for_families:
            viewers = await store.find_viewers(connection, school_id, news, now)
            planned = plan_deliveries(viewers.news, viewers.preferences if notice.may_be_off else {}, viewers.contacts, now)
        else:
            planned = plan_deliveries(news, {}, None, now)
        if not planned:
            return 0
        return await store.insert_planned(connection, school_id, planned, now, has_files=notice.has_files)

    def handlers(self) -> dict[str, events.Handler]:
        """The handlers by subject, of each event that a kind of news hears."""
        return {
            heard.message.DESCRIPTOR.full_name: events.Together(partial(self.on_heard, notice, heard), heard.lane)
            for notice in NOTICES.values()
            for heard in notice.hears
        }
