"""The families of the class's students as access would tell them."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from google.protobuf.message import Message

from chassis.events import Event
from diary.access.v1 import events_pb2, roster_service_pb2
from services.documents.consumers.paper_families import Consumers
from tests.service.documents.world import NOW, World


class Families:
    """Declares, revokes and moves; each change is told by its event, or kept to be told later."""

    def __init__(self, world: World, consumers: Consumers) -> None:
        self._world = world
        self.consumers = consumers
        for student_id in world.student_ids:
            self.place(student_id, world.class_id)

    async def declare(
        self,
        place: int,
        number: str,
        *,
        declines: bool = False,
        made: datetime = NOW - timedelta(days=30),
        guardian_id: str = "",
        name: str = "",
    ) -> str:
        """A guardian of the student at this place of the list declares; returns the declaration."""
        declaration_id = _make_id(made)
        entry = roster_service_pb2.RosterPaperDeclaration(
            declaration_id=declaration_id,
            student_id=self._world.student_ids[place],
            guardian_person_id=guardian_id or str(uuid4()),
            guardian_name=name,
            number=number,
            declines_printouts=declines,
            version=1,
        )
        self._world.neighbours.roster[declaration_id] = roster_service_pb2.RosterEntry(paper_declaration=entry)
        await self.tell(declaration_id)
        return declaration_id

    async def revoke(self, declaration_id: str) -> None:
        """The guardian takes the declaration back now."""
        entry = self._world.neighbours.roster[declaration_id].paper_declaration
        entry.revoke_time.FromDatetime(self._world.clock.now())
        entry.version += 1
        await self.tell(declaration_id)

    async def tell(self, declaration_id: str) -> Event:
        """The event of a declaration as access has it now."""
        entry = self._world.neighbours.roster[declaration_id].paper_declaration
        message = events_pb2.PaperModeChanged(
            school_id=self._world.school_id, student_id=entry.student_id, declaration_id=declaration_id
        )
        event = self._event(message)
        await self.consumers.on_paper_mode_changed(event)
        return event

    async def repeat(self, event: Event) -> None:
        """The same event once more."""
        await self.consumers.on_paper_mode_changed(event)

    def place(self, student_id: str, class_id: str) -> None:
        """access places a student in a class."""
        kept = self._world.neighbours.roster.get(student_id)
        version = kept.student.version + 1 if kept else 1
        entry = roster_service_pb2.RosterStudent(student_id=student_id, class_id=class_id, version=version)
        self._world.neighbours.roster[student_id] = roster_service_pb2.RosterEntry(student=entry)

    async def move(self, place: int, class_id: str) -> None:
        """A student moves to another class, or leaves with an empty one."""
        student_id = self._world.student_ids[place]
        self.place(student_id, class_id)
        message = events_pb2.RosterChanged(
            school_id=self._world.school_id, kind=roster_service_pb2.ROSTER_KIND_STUDENT, ids=[student_id]
        )
        await self.consumers.on_roster_changed(self._event(message))

    async def record_lesson(self, day: str) -> None:
        """A lesson of the class is recorded."""
        await self.consumers.on_lesson_recorded(self._world.lesson_recorded(day))

    def _event(self, message: Message) -> Event:
        school_id = UUID(self._world.school_id)
        return Event(uuid4(), message.DESCRIPTOR.full_name, school_id, self._world.clock.now(), message.SerializeToString())


def _make_id(made: datetime) -> str:
    """A UUID of version 7 made at this time."""
    milliseconds = int(made.timestamp() * 1000)
    return str(UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | uuid4().int & (1 << 62) - 1))
