"""A small school for tests of the journal: two classes, three courses, a family, a teacher, staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
import nats

from chassis import projection
from chassis.clock import SetClock
from chassis.db import Database
from chassis.events import Event
from diary.access.v1 import (
    relation_pb2,
    roster_pb2,
    roster_service_pb2_grpc,
    school_pb2,
)
from diary.journal.v1 import (
    diary_service_pb2,
    diary_service_pb2_grpc,
    journal_service_pb2,
    journal_service_pb2_grpc,
    lesson_pb2,
    mark_pb2,
    relation_service_pb2_grpc,
)
from diary.options.v1 import options_pb2
from services.journal.roster.consumers import KINDS
from tests.support.services import instant, sign_in
from tests.worlds.neighbours import Neighbours
from tests.worlds.roster import Roster

Metadata = Sequence[tuple[str, str]]
TODAY = date(2026, 11, 18)  # a Wednesday of the second quarter
NOW = instant("2026-11-18T12:00:00+03:00")
WEEK = "2026-W47"


@dataclass
class Person:
    """An account with its session and the roles its token names."""

    metadata: Metadata
    account_id: UUID
    session_id: UUID


@dataclass
class School:
    """Ids of a school that is in the projection."""

    school_id: str
    class_id: str
    other_class_id: str
    algebra: str
    other_algebra: str
    unmarked: str
    student_ids: list[str]
    other_student_id: str
    relations: dict[str, relation_pb2.Relation] = field(default_factory=dict)


class World:
    """The journal being served, and all that a test needs around it."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        keys_dir: Path,
        clock: SetClock,
        neighbours: Neighbours,
        roster_stub: roster_service_pb2_grpc.RosterServiceAsyncStub,
        database: Database,
        nats_url: str,
    ) -> None:
        self.clock = clock
        self.neighbours = neighbours
        self.roster = Roster(neighbours)
        self.database = database
        self.roster_stub = roster_stub
        self._nats_url = nats_url
        self.keys_dir = keys_dir
        self.diary: diary_service_pb2_grpc.DiaryServiceAsyncStub = diary_service_pb2_grpc.DiaryServiceStub(channel)
        self.journal: journal_service_pb2_grpc.JournalServiceAsyncStub = journal_service_pb2_grpc.JournalServiceStub(channel)
        self.relations: relation_service_pb2_grpc.RelationServiceAsyncStub = relation_service_pb2_grpc.RelationServiceStub(
            channel
        )

    def person(self, *roles: str) -> Person:
        """Someone who is signed in and has no relation yet."""
        account_id, session_id = uuid4(), uuid4()
        return Person(sign_in(self.keys_dir, account_id, session_id, *roles, clock=self.clock), account_id, session_id)

    def renew(self, person: Person, *roles: str) -> Person:
        """The same session with a fresh token: the clock was moved on."""
        metadata = sign_in(self.keys_dir, person.account_id, person.session_id, *roles, clock=self.clock)
        return Person(metadata, person.account_id, person.session_id)

    def relate(
        self,
        school: School,
        person: Person,
        kind: options_pb2.Relation.ValueType,
        object_id: str,
        role: options_pb2.Role.ValueType,
    ) -> relation_pb2.Relation:
        """Puts a relation into the roster; `load` brings it to the journal."""
        relation = relation_pb2.Relation(
            relation_id=str(uuid4()),
            kind=kind,
            object_id=object_id,
            account_id=str(person.account_id),
            role=role,
            version=1,
        )
        relation.valid_from_time.FromJsonString("2026-09-01T00:00:00Z")
        self.roster.put_relation(school.school_id, relation)
        return relation

    async def load(self, school: School) -> None:
        """Rebuilds the journal's projection of the school."""
        await projection.rebuild_school(self.database, self.roster_stub, KINDS, UUID(school.school_id))

    async def publish(self, event: Event) -> None:
        """Publishes an event to access's stream, as access's relay does."""
        async with await nats.connect(self._nats_url) as broker:
            stream = broker.jetstream()
            await stream.add_stream(name="diary-access", subjects=["diary.access.v1.>"])
            headers = {
                "Nats-Msg-Id": str(event.event_id),
                "Diary-School": str(event.school_id or ""),
                "Diary-Time": event.fact_time.isoformat(),
            }
            await stream.publish(event.subject, event.payload, headers=headers)

    async def school(self, time_zone: str = "Europe/Simferopol") -> School:
        """A new school with a roster, loaded."""
        ids = [str(uuid4()) for _ in range(12)]
        school = School(ids[0], ids[1], ids[2], ids[3], ids[4], ids[5], ids[6:11], ids[11])
        entries = [
            roster_pb2.RosterEntry(school=school_entry(school.school_id, time_zone=time_zone)),
            _class(school.class_id, "8-А"),
            _class(school.other_class_id, "8-Б"),
            *(student_entry(one, f"Ученик {number}", school.class_id) for number, one in enumerate(school.student_ids)),
            student_entry(school.other_student_id, "Чужой", school.other_class_id),
            study_group(school.algebra, school.class_id, "Алгебра", school.student_ids),
            study_group(school.other_algebra, school.other_class_id, "Алгебра", [school.other_student_id]),
            study_group(school.unmarked, school.class_id, "Разговоры о важном", school.student_ids, is_marked=False),
        ]
        self.roster.put(school.school_id, *entries)
        await self.load(school)
        return school

    async def teacher(self, school: School, *course_ids: str) -> Person:
        """A teacher of courses (the class's algebra where none is named)."""
        person = self.person("teacher")
        for course_id in course_ids or (school.algebra,):
            self.relate(school, person, options_pb2.RELATION_COURSE, course_id, options_pb2.ROLE_TEACHER)
        await self.load(school)
        return person

    async def guardian(self, school: School, student_id: str) -> Person:
        """A guardian with access to a student."""
        person = self.person("guardian")
        school.relations[student_id] = self.relate(
            school, person, options_pb2.RELATION_STUDENT, student_id, options_pb2.ROLE_GUARDIAN
        )
        await self.load(school)
        return person

    async def class_teacher(self, school: School, class_id: str) -> Person:
        """The class teacher of a class."""
        person = self.person("class_teacher")
        self.relate(school, person, options_pb2.RELATION_CLASS, class_id, options_pb2.ROLE_CLASS_TEACHER)
        await self.load(school)
        return person

    async def staff(self, school: School, role: str) -> Person:
        """Someone appointed at the school: admin, deputy, head, secretary …"""
        person = self.person(role)
        number = options_pb2.Role.Value(f"ROLE_{role.upper()}")
        self.relate(school, person, options_pb2.RELATION_SCHOOL, school.school_id, number)
        await self.load(school)
        return person

    async def lesson(self, school: School, teacher: Person, day: date = TODAY, number: int = 3, course_id: str = "") -> Any:
        """A held lesson of the class's algebra."""
        request = record_lesson(school, day, number, course_id=course_id or school.algebra)
        return (await self.journal.RecordLesson(request, metadata=teacher.metadata)).lesson

    async def week(self, school: School, student_id: str, person: Person, week: str = WEEK) -> Any:
        """A student's week."""
        request = diary_service_pb2.GetDiaryWeekRequest(school_id=school.school_id, student_id=student_id, week=week)
        return await self.diary.GetDiaryWeek(request, metadata=person.metadata)

    async def page(self, school: School, person: Person, course_id: str = "") -> Any:
        """The journal page of a course in the current period."""
        request = journal_service_pb2.GetJournalPageRequest(school_id=school.school_id, course_id=course_id or school.algebra)
        return await self.journal.GetJournalPage(request, metadata=person.metadata)


def school_entry(
    school_id: str, version: int = 1, *, time_zone: str = "Europe/Simferopol", **changes: Any
) -> roster_pb2.RosterSchool:
    """A school in the year 2026/27."""
    return roster_pb2.RosterSchool(
        school=school_pb2.School(school_id=school_id, code="s1", name="Школа № 1", time_zone=time_zone),
        version=version,
        **{"year_start_date": "2026-09-01", "year_end_date": "2027-05-31", "mark_min": 2, **changes},
    )


def _class(class_id: str, name: str) -> roster_pb2.RosterEntry:
    message = roster_pb2.RosterEntry()
    getattr(message, "class").CopyFrom(roster_pb2.RosterClass(class_id=class_id, name=name, grades=[8], version=1))
    return message


def student_entry(student_id: str, name: str, class_id: str) -> roster_pb2.RosterEntry:
    """A student placed in a class."""
    student = roster_pb2.RosterStudent(
        student_id=student_id, display_name=name, sort_key=name.casefold(), class_id=class_id, version=1
    )
    return roster_pb2.RosterEntry(student=student)


def study_group(
    course_id: str, class_id: str, subject: str, student_ids: Sequence[str], *, is_marked: bool = True, version: int = 1
) -> roster_pb2.RosterEntry:
    """A study group whose members are in it since the first of September."""
    return roster_pb2.RosterEntry(
        study_group=roster_pb2.RosterStudyGroup(
            study_group_id=course_id,
            class_id=class_id,
            subject_name=subject,
            is_marked=is_marked,
            teacher_names=["Петрова Н. И."],
            members=[roster_pb2.StudyGroupMember(student_id=one, from_date="2026-09-01") for one in student_ids],
            version=version,
            start_date="2026-09-01",
            end_date="2027-05-31",
        )
    )


def record_lesson(
    school: School, day: date = TODAY, number: int = 3, *, course_id: str = "", **changes: Any
) -> journal_service_pb2.RecordLessonRequest:
    """A request of RecordLesson."""
    fields = {"topic": "Квадратные уравнения", "homework": "№ 251, 253", "request_id": str(uuid4()), **changes}
    return journal_service_pb2.RecordLessonRequest(
        school_id=school.school_id,
        course_id=course_id or school.algebra,
        lesson_date=day.isoformat(),
        lesson_number=number,
        **fields,
    )


def cell(lesson_id: str, student_id: str, value: int | None = 5, **changes: Any) -> mark_pb2.MarkCell:
    """A cell with a new mark."""
    fields = {"mark_id": str(uuid4()), **changes}
    return mark_pb2.MarkCell(lesson_id=lesson_id, student_id=student_id, value=value, **fields)


def record_marks(
    school: School, *cells: mark_pb2.MarkCell, course_id: str = "", request_id: str = ""
) -> journal_service_pb2.RecordMarksRequest:
    """A request of RecordMarks."""
    return journal_service_pb2.RecordMarksRequest(
        school_id=school.school_id, course_id=course_id or school.algebra, request_id=request_id or str(uuid4()), cells=cells
    )


def record_attendance(
    school: School, lesson_id: str, absences: dict[str, Any], etag: str = "", request_id: str = ""
) -> journal_service_pb2.RecordAttendanceRequest:
    """A request of RecordAttendance of the class's algebra."""
    return journal_service_pb2.RecordAttendanceRequest(
        school_id=school.school_id,
        course_id=school.algebra,
        lesson_id=lesson_id,
        request_id=request_id or str(uuid4()),
        absences=[lesson_pb2.AbsenceCell(student_id=one, code=code) for one, code in absences.items()],
        etag=etag,
    )


async def query(admin_dsn: str, statement: str, *arguments: object) -> list[asyncpg.Record]:
    """Rows as the superuser sees them, in the journal's schema."""
    connection = await asyncpg.connect(admin_dsn, server_settings={"search_path": "journal"})
    try:
        return list(await connection.fetch(statement, *arguments))
    finally:
        await connection.close()
