"""The families of the class's students as access would tell them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import grpc
from google.protobuf.message import Message

from chassis.events import Event
from diary.access.v1 import application_pb2, events_pb2, roster_pb2
from diary.documents.v1 import print_run_pb2
from services.documents.print_runs.consumers import Consumers
from tests.worlds.documents import NOW, WEEK, World

_ZONE = ZoneInfo("Europe/Simferopol")
_SEPTEMBER = date(2026, 9, 1)
MONDAY = "2026-11-16"
NOBODY = (grpc.StatusCode.FAILED_PRECONDITION, "NO_PAPER_FAMILIES")


class Families:
    """Declares, revokes and moves; each change is told by its event, or kept to be told later."""

    def __init__(self, world: World, consumers: Consumers) -> None:
        self._world = world
        self.consumers = consumers
        for student_id in world.student_ids:
            self.place(student_id, (world.class_id, None, None))

    async def declare(
        self,
        place: int,
        number: str,
        *,
        declines: bool = False,
        made: datetime = NOW - timedelta(days=30),
        guardian_id: str = "",
        name: str = "",
        way: application_pb2.PrintoutWay.ValueType = application_pb2.PRINTOUT_WAY_UNSPECIFIED,
        way_note: str = "",
    ) -> str:
        """A guardian of the student at this place of the list declares; returns the declaration."""
        declaration_id = _make_id(made)
        entry = roster_pb2.RosterPaperDeclaration(
            declaration_id=declaration_id,
            student_id=self._world.student_ids[place],
            guardian_person_id=guardian_id or str(uuid4()),
            guardian_name=name,
            number=number,
            declines_printouts=declines,
            printout_way=way,
            printout_way_note=way_note,
            version=1,
        )
        self._world.roster.put(self._world.school_id, roster_pb2.RosterEntry(paper_declaration=entry))
        await self.tell(declaration_id)
        return declaration_id

    async def revoke(self, declaration_id: str) -> None:
        """The guardian takes the declaration back now."""
        entry = self._world.roster.get(declaration_id).paper_declaration
        entry.revoke_time.FromDatetime(self._world.clock.now())
        entry.version += 1
        await self.tell(declaration_id)

    async def tell(self, declaration_id: str) -> Event:
        """The event of a declaration as access has it now."""
        entry = self._world.roster.get(declaration_id).paper_declaration
        message = events_pb2.PaperModeChanged(
            school_id=self._world.school_id, student_id=entry.student_id, declaration_id=declaration_id
        )
        event = self._event(message)
        await self.consumers.on_paper_mode_changed(event)
        return event

    async def repeat(self, event: Event) -> None:
        """The same event once more."""
        await self.consumers.on_paper_mode_changed(event)

    def place(self, student_id: str, *times: tuple[str, date | None, date | None]) -> None:
        """access places a student in classes, each from midnight to midnight of the school; in none without times."""
        kept = self._world.roster.find(student_id)
        version = kept.student.version + 1 if kept else 1
        entry = roster_pb2.RosterStudent(student_id=student_id, version=version)
        today = self._world.clock.now().astimezone(_ZONE).date()
        for class_id, first_day, end_day in times:
            one = entry.placements.add(class_id=class_id)
            one.from_time.FromDatetime(_midnight(first_day or _SEPTEMBER))
            if end_day is not None:
                one.to_time.FromDatetime(_midnight(end_day))
            if (first_day or _SEPTEMBER) <= today and (end_day is None or today < end_day):
                entry.class_id = class_id
        self._world.roster.put(self._world.school_id, roster_pb2.RosterEntry(student=entry))

    async def move(self, place: int, class_id: str, day: date | None = None) -> None:
        """A student moves to another class on a day, today without one, or leaves with an empty class."""
        student_id = self._world.student_ids[place]
        day = day or self._world.clock.now().astimezone(_ZONE).date()
        times: list[tuple[str, date | None, date | None]] = [(self._world.class_id, None, day)]
        self.place(student_id, *times, *([(class_id, day, None)] if class_id else []))
        message = events_pb2.RosterChanged(
            school_id=self._world.school_id, kind=roster_pb2.ROSTER_KIND_STUDENT, ids=[student_id]
        )
        await self.consumers.on_roster_changed(self._event(message))

    async def record_lesson(self, day: str, lesson_id: str = "") -> Event:
        """A lesson of the class is recorded."""
        event = self._world.lesson_recorded(day, lesson_id)
        await self.consumers.on_lesson_recorded(event)
        return event

    async def retract_lesson(self, day: str, lesson_id: str) -> None:
        """A lesson of the class is withdrawn."""
        await self.consumers.on_lesson_retracted(self._world.lesson_retracted(day, lesson_id))

    def _event(self, message: Message) -> Event:
        school_id = UUID(self._world.school_id)
        return Event(uuid4(), message.DESCRIPTOR.full_name, school_id, self._world.clock.now(), message.SerializeToString())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, _ZONE).astimezone(UTC)


def _make_id(made: datetime) -> str:
    """A UUID of version 7 made at this time."""
    milliseconds = int(made.timestamp() * 1000)
    return str(UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | uuid4().int & (1 << 62) - 1))


async def print_families(world: World, week: str = WEEK) -> print_run_pb2.PrintRun:
    return await world.prepare(week, audience=print_run_pb2.PRINT_AUDIENCE_PAPER_FAMILIES)


async def list_terms(world: World) -> list[tuple[str, bool, str]]:
    rows = await world.query(
        "SELECT monday_date::text, met_time IS NOT NULL AS met, evidence FROM deadlines"
        " WHERE school_id = $1 AND NOT is_void ORDER BY 1"
    )
    return [tuple(row) for row in rows]


async def list_owed(world: World) -> list[tuple[str, str, int]]:
    """Class, Monday and place of the student, of whom weeks owe a sheet."""
    rows = await world.query(
        "SELECT class_id::text, monday_date::text, student_id::text FROM owed_printouts"
        " WHERE school_id = $1 AND is_owed ORDER BY monday_date, class_id"
    )
    return sorted((row[0], row[1], world.student_ids.index(row[2])) for row in rows)


def numbers_of(run: print_run_pb2.PrintRun) -> dict[str, str]:
    return {printout.student_name: printout.declaration_number for printout in run.printouts}
