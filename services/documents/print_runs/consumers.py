"""What documents learns from the events of access and of the journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from uuid import UUID

from chassis import events
from chassis.clock import Clock
from chassis.db import Connection, Database
from chassis.projection import Entries, Kinds, Projection, write_relations
from diary.access.v1 import events_pb2 as access_events
from diary.access.v1 import roster_pb2
from diary.journal.v1 import events_pb2 as journal_events
from services.documents.print_runs import actions
from services.documents.print_runs.convert.roster import read_roster
from services.documents.print_runs.rules.paper_families import HeldLesson
from services.documents.print_runs.store import paper_families

_ToldLesson = journal_events.LessonRecorded | journal_events.LessonRetracted


async def _write(connection: Connection, school_id: UUID, entries: Entries) -> None:
    await paper_families.put_roster(connection, school_id, read_roster(entries))


KINDS: Kinds = {
    roster_pb2.ROSTER_KIND_SCHOOL: _write,
    roster_pb2.ROSTER_KIND_STUDENT: _write,
    roster_pb2.ROSTER_KIND_PAPER_DECLARATION: _write,
    roster_pb2.ROSTER_KIND_RELATION: write_relations,
}


class Consumers(events.Handlers):
    """Handlers of access's and the journal's events."""

    def __init__(self, database: Database, clock: Clock, projection: Projection) -> None:
        super().__init__(database, clock)
        self._projection = projection

    @events.on(access_events.RosterChanged)
    async def on_roster_changed(self, changed: access_events.RosterChanged, event: events.Event) -> events.Effect | None:
        """Keeps relations, students' classes and the school's zone current; other kinds of entries are not its concern."""
        if changed.kind == roster_pb2.ROSTER_KIND_RELATION:
            return await self._projection.plan(changed)
        if changed.kind not in (roster_pb2.ROSTER_KIND_STUDENT, roster_pb2.ROSTER_KIND_SCHOOL):
            return None
        entries = await self._projection.fetch(changed.school_id, changed.kind, changed.ids)
        return self._keep(UUID(changed.school_id), entries, str(event.event_id))

    @events.on(access_events.PaperModeChanged)
    async def on_paper_mode_changed(self, changed: access_events.PaperModeChanged, _: events.Event) -> events.Effect:
        """Keeps a guardian's declaration (Clause R8), with the student's class and the school's zone: they may be new here."""
        entries = [
            *await self._projection.fetch(changed.school_id, roster_pb2.ROSTER_KIND_SCHOOL, [changed.school_id]),
            *await self._projection.fetch(changed.school_id, roster_pb2.ROSTER_KIND_STUDENT, [changed.student_id]),
            *await self._projection.fetch(
                changed.school_id, roster_pb2.ROSTER_KIND_PAPER_DECLARATION, [changed.declaration_id]
            ),
        ]
        return self._keep(UUID(changed.school_id), entries, changed.declaration_id)

    @events.on_many(journal_events.LessonRecorded)
    async def on_lesson_recorded(self, told: Mapping[events.Event, journal_events.LessonRecorded]) -> None:
        """A week with a held lesson has its term (Clause R7), where a family was on paper while a lesson of it remained."""
        await self._keep_lessons({event: one for event, one in told.items() if one.lesson_date}, is_held=True)

    @events.on_many(journal_events.ClassRecorded)
    async def on_class_recorded(self, told: Mapping[events.Event, journal_events.ClassRecorded]) -> None:
        """The same for a lesson recorded in one piece with its class, where its record changed."""
        await self._keep_lessons({event: one.lesson for event, one in told.items()}, is_held=True)

    @events.on_many(journal_events.LessonRetracted)
    async def on_lesson_retracted(self, told: Mapping[events.Event, journal_events.LessonRetracted]) -> None:
        """What a week owed for a withdrawn lesson it owes no more, and a term that nothing else makes is taken back."""
        await self._keep_lessons(told, is_held=False)

    async def _keep_lessons(self, told: Mapping[events.Event, _ToldLesson], *, is_held: bool) -> None:
        """Lessons of a class; a group's, of several classes, are of no class's week."""
        of_classes = [event for event, one in told.items() if one.class_id]
        if not of_classes:
            return
        async with events.once_each(self.database, self.clock, of_classes) as (walk, by_school):
            for school_id, found in sorted(by_school.items()):
                connection = await walk.enter(school_id)
                lessons = [_read_lesson(told[event], event.fact_time, is_held=is_held) for event in found]
                for class_id, monday, is_less in await paper_families.put_lessons(connection, school_id, lessons):
                    await actions.reckon_week(connection, self.clock, school_id, class_id, monday)
                    if is_less:
                        await actions.take_back_week(connection, self.clock, school_id, class_id, monday)

    def _keep(self, school_id: UUID, entries: Iterable[roster_pb2.RosterEntry], evidence: str) -> events.Effect:
        roster = read_roster(entries)
        students = [place.student_id for place in roster.places]

        async def keep(connection: Connection) -> None:
            await paper_families.put_roster(connection, school_id, roster)
            await actions.reckon_weeks_of(connection, self.clock, school_id, [mode.student_id for mode in roster.modes])
            await actions.settle_running_weeks(connection, self.clock, school_id, students, evidence)

        return events.Effect(keep)


def _read_lesson(told: _ToldLesson, fact_time: datetime, *, is_held: bool) -> HeldLesson:
    return HeldLesson(UUID(told.lesson_id), UUID(told.class_id), date.fromisoformat(told.lesson_date), is_held, fact_time)
