"""documents with a class and its week, as the journal would tell it, and those who print it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc

from chassis.clock import SetClock
from chassis.events import Event
from diary.access.v1 import (
    application_pb2,
    decision_pb2,
    decision_service_pb2,
    relation_pb2,
    roster_pb2,
    school_pb2,
    school_service_pb2,
)
from diary.access.v1 import events_pb2 as access_events
from diary.documents.v1 import (
    document_service_pb2_grpc,
    print_run_pb2,
    relation_service_pb2_grpc,
)
from diary.journal.v1 import class_week_pb2, diary_service_pb2
from diary.journal.v1 import events_pb2 as journal_events
from diary.options.v1 import options_pb2
from tests.support.backends import Clone
from tests.support.services import instant, sign_in, sign_service
from tests.worlds.neighbours import Neighbours, Refusal
from tests.worlds.roster import Roster

NOW = instant("2026-11-20T14:05:00+03:00")  # a Friday
WEEK = "2026-W47"
NAMES = ("Абрамова Анна Сергеевна", "Белов Борис Олегович", "Волкова Вера Ильинична")
DIARY = "diary.journal.v1.DiaryService"
Metadata = list[tuple[str, str]]


def code_of(school_id: str) -> str:
    """The code of a school, another for each."""
    return f"alek{school_id[:6]}"


class World:
    """documents being served, a school, its class and the class teacher."""

    def __init__(
        self, channel: grpc.aio.Channel, keys_dir: Path, clock: SetClock, neighbours: Neighbours, clone: Clone
    ) -> None:
        self.clock = clock
        self.neighbours = neighbours
        self.roster = Roster(neighbours)
        # What the others know: weeks by class, decisions by case, what schools say of themselves.
        self.weeks: dict[tuple[str, str], diary_service_pb2.GetClassWeekResponse] = {}
        self.decisions: dict[str, list[decision_pb2.Decision]] = {}
        self.schools: dict[str, school_service_pb2.GetSchoolResponse] = {}
        neighbours.answer(f"{DIARY}/GetClassWeek", self._get_class_week)
        neighbours.answer("diary.access.v1.DecisionService/GetDecisions", self._get_decisions)
        neighbours.answer("diary.access.v1.SchoolService/GetSchool", self._get_school)
        self.documents: document_service_pb2_grpc.DocumentServiceAsyncStub = document_service_pb2_grpc.DocumentServiceStub(
            channel
        )
        self._relations: relation_service_pb2_grpc.RelationServiceAsyncStub = relation_service_pb2_grpc.RelationServiceStub(
            channel
        )
        self.keys_dir = keys_dir
        self.clone = clone

    async def begin(self, school_id: str) -> None:
        """A new school with a class of three and its class teacher."""
        self.school_id, self.class_id = school_id, str(uuid4())
        self.student_ids = [str(uuid4()) for _ in NAMES]
        self.neighbours.mend()
        school = school_pb2.School(
            school_id=school_id, code=code_of(school_id), name="Школа № 1", time_zone="Europe/Simferopol"
        )
        self.roster.put(school_id, roster_pb2.RosterEntry(school=roster_pb2.RosterSchool(school=school, version=1)))
        self.put_class(self.class_id)
        self.put_week(WEEK)
        self.teacher = await self.person("class_teacher", options_pb2.RELATION_CLASS, self.class_id)

    def put_class(self, class_id: str) -> None:
        """A class of the school."""
        entry = roster_pb2.RosterEntry()
        taught = roster_pb2.RosterClass(class_id=class_id, name="8-А", class_teacher_name="Петрова Наталья Ивановна")
        getattr(entry, "class").CopyFrom(taught)
        self.roster.put(self.school_id, entry)

    def put_week(self, week: str, lesson_count: int = 3) -> diary_service_pb2.GetClassWeekResponse:
        """The class's week: the first student has a 5, the second a corrected 3 and an illness, the third nothing."""
        answer = diary_service_pb2.GetClassWeekResponse(
            class_id=self.class_id,
            class_name="8-А",
            school_name="Школа № 1",
            time_zone="Europe/Simferopol",
            week=week,
            monday_date="2026-11-16" if week == WEEK else "2026-11-23",
            period_name="2 четверть",
            period_week=3,
            period_week_count=9,
            students=[
                class_week_pb2.ClassWeekStudent(
                    student_id=one,
                    display_name=name,
                    lesson_count=lesson_count,
                    ill_count=int(place == 1),
                    subjects=[_subject(place, lesson_count)],
                )
                for place, (one, name) in enumerate(zip(self.student_ids, NAMES, strict=True))
            ],
        )
        self.weeks[self.class_id, week] = answer
        return answer

    async def person(self, role: str, kind: options_pb2.Relation.ValueType, object_id: str) -> Metadata:
        """Someone signed in with a relation."""
        account_id, session_id = uuid4(), uuid4()
        relation = relation_pb2.Relation(
            relation_id=str(uuid4()),
            kind=kind,
            object_id=object_id,
            account_id=str(account_id),
            role=options_pb2.Role.Value(f"ROLE_{role.upper()}"),
            version=1,
        )
        relation.valid_from_time.FromJsonString("2026-09-01T00:00:00Z")
        request = relation_pb2.ApplyRelationsRequest(school_id=self.school_id, relations=[relation])
        await self._relations.ApplyRelations(request, metadata=sign_service(self.keys_dir, "access", self.clock))
        self._last = account_id, session_id, role
        return sign_in(self.keys_dir, account_id, session_id, role, clock=self.clock)

    @property
    def last_account_id(self) -> UUID:
        """The account of the person before."""
        return self._last[0]

    def claim(self, role: str) -> Metadata:
        """The token of the person before, with a role that no relation of theirs has."""
        account_id, session_id, _ = self._last
        return sign_in(self.keys_dir, account_id, session_id, role, clock=self.clock)

    def later(self, step: timedelta) -> None:
        """Moves the clock; the class teacher's token is renewed."""
        self.clock.advance(step)
        account_id, session_id, role = self._last
        self.teacher = sign_in(self.keys_dir, account_id, session_id, role, clock=self.clock)

    def prepare_request(self, week: str = WEEK, **fields: Any) -> print_run_pb2.PrepareWeeklyPrintoutsRequest:
        """A request for the whole class."""
        return print_run_pb2.PrepareWeeklyPrintoutsRequest(
            **{
                "school_id": self.school_id,
                "class_id": self.class_id,
                "week": week,
                "request_id": str(uuid4()),
                **fields,
            }
        )

    async def prepare(self, week: str = WEEK, **fields: Any) -> print_run_pb2.PrintRun:
        """A run by the class teacher."""
        request = self.prepare_request(week, **fields)
        return (await self.documents.PrepareWeeklyPrintouts(request, metadata=self.teacher)).print_run

    async def download(self, run: print_run_pb2.PrintRun, who: Metadata | None = None) -> bytes:
        """The PDF of a run."""
        request = print_run_pb2.DownloadPrintRunRequest(school_id=self.school_id, print_run_id=run.print_run_id)
        data: bytes = (await self.documents.DownloadPrintRun(request, metadata=who or self.teacher)).data
        return data

    async def hand_over(self, run: print_run_pb2.PrintRun, channel: str, *places: int, **fields: Any) -> Any:
        """Records the hand-over of the sheets at these places of the list."""
        number = print_run_pb2.HandOverChannel.Value(f"HAND_OVER_CHANNEL_{channel}")
        request = print_run_pb2.RecordPrintoutsHandedOverRequest(
            school_id=self.school_id,
            print_run_id=run.print_run_id,
            request_id=fields.pop("request_id", str(uuid4())),
            hand_overs=[
                print_run_pb2.PrintoutHandOver(
                    student_id=run.printouts[place].student_id,
                    guardian_person_id=run.printouts[place].guardian_person_id,
                    channel=number,
                    **fields,
                )
                for place in places
            ],
        )
        return (await self.documents.RecordPrintoutsHandedOver(request, metadata=self.teacher)).print_run

    def lesson_recorded(self, day: str, lesson_id: str = "") -> Event:
        """The journal's event of a lesson of the class."""
        return self._lesson_event(journal_events.LessonRecorded, day, lesson_id or str(uuid4()))

    def class_recorded(self, day: str = "", lesson_id: str = "") -> Event:
        """The journal's event of a lesson recorded with its class; without a day, of one whose record stands as it was."""
        message = journal_events.ClassRecorded(attendance=journal_events.AttendanceRecorded(school_id=self.school_id))
        if day:
            message.lesson.ParseFromString(self.lesson_recorded(day, lesson_id).payload)
        subject = message.DESCRIPTOR.full_name
        return Event(uuid4(), subject, UUID(self.school_id), self.clock.now(), message.SerializeToString())

    def lesson_retracted(self, day: str, lesson_id: str) -> Event:
        """The journal's event of a lesson that was withdrawn."""
        return self._lesson_event(journal_events.LessonRetracted, day, lesson_id)

    def _lesson_event(
        self,
        kind: type[journal_events.LessonRecorded] | type[journal_events.LessonRetracted],
        day: str,
        lesson_id: str,
    ) -> Event:
        message = kind(school_id=self.school_id, class_id=self.class_id, lesson_date=day, lesson_id=lesson_id)
        subject = message.DESCRIPTOR.full_name
        return Event(uuid4(), subject, UUID(self.school_id), self.clock.now(), message.SerializeToString())

    def application_decided(self, *decisions: decision_pb2.Decision, state: str = "REFUSED") -> Event:
        """Access's event of a refused case, whose decisions it will tell."""
        application_id = decisions[0].application_id
        self.decisions[application_id] = list(decisions)
        number = application_pb2.ApplicationState.Value(f"APPLICATION_STATE_{state}")
        message = access_events.ApplicationDecided(school_id=self.school_id, application_id=application_id, state=number)
        subject = message.DESCRIPTOR.full_name
        return Event(uuid4(), subject, UUID(self.school_id), self.clock.now(), message.SerializeToString())

    def _get_class_week(self, request: diary_service_pb2.GetClassWeekRequest) -> diary_service_pb2.GetClassWeekResponse:
        week = self.weeks.get((request.class_id, request.week))
        if week is None:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "CLASS_NOT_FOUND")
        return week

    def _get_decisions(self, request: decision_service_pb2.GetDecisionsRequest) -> decision_service_pb2.GetDecisionsResponse:
        found = self.decisions.get(request.application_id)
        if found is None:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "APPLICATION_NOT_FOUND")
        return decision_service_pb2.GetDecisionsResponse(decisions=found)

    def _get_school(self, request: school_service_pb2.GetSchoolRequest) -> school_service_pb2.GetSchoolResponse:
        school = self.schools.get(request.school_id)
        if school is None:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "SCHOOL_NOT_FOUND")
        return school

    async def query(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Rows as the superuser sees them; without arguments $1 is the school."""
        connection = await asyncpg.connect(self.clone.admin_dsn, server_settings={"search_path": "documents"})
        try:
            return list(await connection.fetch(statement, *(arguments or [UUID(self.school_id)])))
        finally:
            await connection.close()


def _subject(place: int, lesson_count: int) -> class_week_pb2.ClassWeekSubject:
    subject = class_week_pb2.ClassWeekSubject(
        course_id=str(uuid4()), subject_name="Алгебра", is_marked=True, lesson_count=lesson_count
    )
    if place < 2:
        subject.marks.add(
            value=5 - 2 * place, work_type_name="устный ответ", lesson_date="2026-11-17", topic="Квадратные уравнения"
        )
        subject.mean_hundredths = 450 - 100 * place
    if place == 1:
        subject.missed_count = 1
        subject.corrections.add(lesson_date="2026-11-17", old_value=2, new_value=3, reason="ошибка при выставлении")
    return subject
