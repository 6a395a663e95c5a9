"""What documents learns from the events of access and of the journal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
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

    @events.on(journal_events.LessonRecorded)
    async def on_lesson_recorded(self, recorded: journal_events.LessonRecorded, event: events.Event) -> events.Effect | None:
        """A week with a held lesson has its term (Clause R7), where a family was on paper while a lesson of it remained."""
        if recorded.class_id and recorded.lesson_date:
            return self._keep_lesson(event, recorded, is_held=True)
        return None

    @events.on(journal_events.ClassRecorded)
    async def on_class_recorded(self, told: journal_events.ClassRecorded, event: events.Event) -> events.Effect | None:
        """The same for a lesson recorded in one piece with its class, where its record changed."""
        return self._keep_lesson(event, told.lesson, is_held=True) if told.lesson.class_id else None

    @events.on(journal_events.LessonRetracted)
    async def on_lesson_retracted(self, retracted: journal_events.LessonRetracted, event: events.Event) -> events.Effect | None:
        """What a week owed for a withdrawn lesson it owes no more, and a term that nothing else makes is taken back."""
        return self._keep_lesson(event, retracted, is_held=False) if retracted.class_id else None

    def _keep_lesson(
        self, event: events.Event, told: journal_events.LessonRecorded | journal_events.LessonRetracted, *, is_held: bool
    ) -> events.Effect:
        school_id, day = UUID(told.school_id), date.fromisoformat(told.lesson_date)
        lesson = HeldLesson(UUID(told.lesson_id), UUID(told.class_id), day, is_held, event.fact_time)

        async def keep(connection: Connection) -> None:
            weeks, is_less = await paper_families.put_lesson(connection, school_id, lesson)
            for class_id, monday in weeks:
                await actions.reckon_week(connection, self.clock, school_id, class_id, monday)
                if is_less:
                    await actions.take_back_week(connection, self.clock, school_id, class_id, monday)

        return events.Effect(keep)

    def _keep(self, school_id: UUID, entries: Iterable[roster_pb2.RosterEntry], evidence: str) -> events.Effect:
        roster = read_roster(entries)
        students = [place.student_id for place in roster.places]

        async def keep(connection: Connection) -> None:
            await paper_families.put_roster(connection, school_id, roster)
            await actions.reckon_weeks_of(connection, self.clock, school_id, [mode.student_id for mode in roster.modes])
            await actions.settle_running_weeks(connection, self.clock, school_id, students, evidence)

        return events.Effect(keep)
