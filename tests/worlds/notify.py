"""A family with an address, the facts that access, journal and documents tell, and what notify made of them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
from google.protobuf.message import Message
from nats.js import JetStreamContext
from pydantic import SecretStr

from chassis import projection, relations
from chassis.clock import Clock, SystemClock
from chassis.db import Database
from diary.access.v1 import (
    credential_service_pb2,
    decision_service_pb2,
    grant_pb2,
    grant_service_pb2,
    relation_pb2,
    roster_pb2,
)
from diary.access.v1 import events_pb2 as access_events
from diary.documents.v1 import document_pb2
from diary.documents.v1 import events_pb2 as document_events
from diary.journal.v1 import diary_service_pb2, diary_week_pb2
from diary.journal.v1 import events_pb2 as journal_events
from diary.notify.v1 import relation_service_pb2_grpc
from diary.options.v1 import options_pb2
from services.notify.__main__ import build
from services.notify.config import Settings
from services.notify.preferences import store as preferences
from services.notify.preferences.rules import Preference
from tests.support.backends import Clone
from tests.support.eventually import eventually
from tests.support.services import served, sign_service
from tests.worlds.mailbox import Mailbox
from tests.worlds.neighbours import Neighbours, Refusal
from tests.worlds.roster import Roster

MOTHER = "mother@mail.example"
TOKEN = "known-secret-token-of-the-tests"


@dataclass
class Refused:
    """A signed refusal: its school, applicant and paper."""

    school_id: UUID = field(default_factory=uuid4)
    applicant_id: UUID = field(default_factory=uuid4)
    document_id: UUID = field(default_factory=uuid4)

    def signed(self, **changes: Any) -> document_events.DocumentSigned:
        """The event of its signature."""
        values: dict[str, Any] = {
            "school_id": str(self.school_id),
            "document_id": str(self.document_id),
            "applicant_id": str(self.applicant_id),
            "application_id": str(uuid4()),
            "kind": document_pb2.DOCUMENT_KIND_REFUSAL,
            "state": document_pb2.DOCUMENT_STATE_SIGNED_ON_PAPER,
        }
        return document_events.DocumentSigned(**(values | changes))


@dataclass
class Family:
    """A school, a student and an account that may read, by default a guardian's."""

    school_id: UUID = field(default_factory=uuid4)
    student_id: UUID = field(default_factory=uuid4)
    account_id: UUID = field(default_factory=uuid4)
    relation_id: UUID = field(default_factory=uuid4)

    def relation(
        self, version: int = 1, *, is_ended: bool = False, role: options_pb2.Role.ValueType = options_pb2.ROLE_GUARDIAN
    ) -> relation_pb2.Relation:
        """The relation between them."""
        made = make_relation(
            self.account_id, options_pb2.RELATION_STUDENT, self.student_id, role, relation_id=self.relation_id, version=version
        )
        if is_ended:
            made.valid_to_time.FromDatetime(datetime.now(UTC))  # noqa: TID251 - an ending is now
        return made


def make_relation(
    account_id: UUID,
    kind: options_pb2.Relation.ValueType,
    object_id: UUID,
    role: options_pb2.Role.ValueType,
    *,
    relation_id: UUID | None = None,
    version: int = 1,
) -> relation_pb2.Relation:
    """A relation since the first of September."""
    made = relation_pb2.Relation(
        relation_id=str(relation_id or uuid4()),
        kind=kind,
        object_id=str(object_id),
        account_id=str(account_id),
        role=role,
        version=version,
    )
    made.valid_from_time.FromJsonString("2026-09-01T00:00:00Z")
    return made


@dataclass
class World:
    """What stands around notify, and what the others know: grants whose credentials may be sent, by the address they go to;
    receivers of decisions by applicant; ends of accesses by grant.
    """

    clone: Clone
    admin: asyncpg.Pool[asyncpg.Record]
    database: Database
    nats_url: str
    keys_dir: Path
    jetstream: JetStreamContext
    neighbours: Neighbours
    mailbox: Mailbox
    wanted: dict[str, str] = field(default_factory=dict)
    marks: dict[str, diary_week_pb2.MarkForLetter] = field(default_factory=dict)
    receivers: dict[str, decision_service_pb2.GetDecisionReceiverResponse] = field(default_factory=dict)
    papers: dict[str, document_pb2.FetchDocumentResponse] = field(default_factory=dict)
    endings: dict[str, grant_service_pb2.GetGrantEndingResponse] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.roster = Roster(self.neighbours)
        answer = self.neighbours.answer
        answer("diary.access.v1.CredentialService/RedeemDelivery", self._redeem)
        answer("diary.access.v1.DecisionService/GetDecisionReceiver", self._get_receiver)
        answer("diary.access.v1.GrantService/GetGrantEnding", self._get_ending)
        answer("diary.documents.v1.DocumentService/FetchDocument", self._fetch_document)
        answer("diary.journal.v1.DiaryService/BatchGetMarks", self._get_marks)

    def settings(self) -> Settings:
        """notify's settings here."""
        return Settings(
            port=0,
            metrics_port=0,
            database_url=SecretStr(self.clone.app_dsns["notify"]),
            nats_url=SecretStr(self.nats_url),
            keys_dir=self.keys_dir,
            access_address=self.neighbours.address,
            journal_address=self.neighbours.address,
            documents_address=self.neighbours.address,
            smtp_port=self.mailbox.port,
            portal_url="https://diary.example",
            mail_from="diary@school.example",
        )

    @asynccontextmanager
    async def serving(self, clock: Clock | None = None) -> AsyncIterator[grpc.aio.Channel]:
        """notify, serving."""
        settings = self.settings()
        async with served("notify", settings, lambda frame: build(settings, frame), clock) as channel:
            yield channel

    @asynccontextmanager
    async def process(self, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
        """notify as a process of its own, for tests that kill it or read its log."""
        settings = self.settings()
        environment = {
            "DIARY_NOTIFY_DATABASE_URL": settings.database_url.get_secret_value(),
            "DIARY_NATS_URL": self.nats_url,
            "DIARY_KEYS_DIR": str(self.keys_dir),
            "DIARY_NOTIFY_PORT": "0",
            "DIARY_NOTIFY_METRICS_PORT": "0",
            "DIARY_ACCESS_ADDRESS": settings.access_address,
            "DIARY_JOURNAL_ADDRESS": settings.journal_address,
            "DIARY_DOCUMENTS_ADDRESS": settings.documents_address,
            "DIARY_NOTIFY_SMTP_PORT": str(settings.smtp_port),
            "DIARY_NOTIFY_PORTAL_URL": settings.portal_url,
            "DIARY_NOTIFY_MAIL_FROM": settings.mail_from,
            "DIARY_LOG_LEVEL": "DEBUG",
        }
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.notify", "serve", env=environment, stdout=output, stderr=output
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    async def make_due(self, family: Family | Refused) -> None:
        """Lets the pause before the next attempt be over, and a dead sender's lease."""
        await self.rows(
            "UPDATE deliveries SET next_attempt_time = now() - interval '1 s', lease_end_time = now() - interval '1 s' "
            "WHERE school_id = $1 AND state IN (1, 5)",
            family.school_id,
        )

    async def rows(self, query: str, *values: Any) -> list[asyncpg.Record]:
        """Rows as the superuser sees them."""
        return await self.admin.fetch(query, *values)

    async def family(self, address: str = MOTHER) -> Family:
        """A new family whose relation notify knows, with an address unless it is empty."""
        made = Family()
        await self.relate(made.school_id, made.relation())
        if address:
            await self.put_address(made.account_id, address)
        return made

    async def relate(self, school_id: UUID, relation: relation_pb2.Relation) -> None:
        """access has a relation, and notify knows it."""
        self.roster.put_relation(str(school_id), relation)
        async with self.database.school(school_id) as connection, connection.transaction():
            await projection.write_relations(connection, school_id, [roster_pb2.RosterEntry(relation=relation)])

    async def place(self, school_id: UUID, student_id: UUID, class_id: UUID) -> None:
        """A student is in a class since the first of September, and notify knows it."""
        student = roster_pb2.RosterStudent(student_id=str(student_id), class_id=str(class_id), version=1)
        student.placements.add(class_id=str(class_id)).from_time.FromJsonString("2026-09-01T00:00:00Z")
        async with self.database.school(school_id) as connection, connection.transaction():
            await projection.write_places(connection, school_id, [roster_pb2.RosterEntry(student=student)])

    async def put_address(self, account_id: UUID, address: str) -> None:
        """The address that an account's application named."""
        async with self.database.region() as connection:
            await preferences.put_address(connection, account_id, address, SystemClock().now())

    async def switch_letters_off(self, family: Family) -> None:
        """The account wants no letters about the student's marks."""
        async with self.database.school(family.school_id) as connection:
            await preferences.put_preference(
                connection, family.school_id, family.account_id, Preference(family.student_id, False), SystemClock().now()
            )

    async def end_session(self, session_id: UUID) -> None:
        """access has told that a session is over."""
        async with self.database.region() as connection:
            await relations.end_sessions(connection, [relations.EndedSession(session_id, SystemClock().now())])

    async def tell(self, message: Message, school_id: UUID, event_id: UUID | None = None) -> UUID:
        """Publishes a fact as the relay of its service does; a repeat goes on until the stream takes it for a new one."""
        event_id = event_id or uuid4()
        headers = {
            "Nats-Msg-Id": str(event_id),
            "Diary-School": str(school_id),
            "Diary-Time": datetime.now(UTC).isoformat(),  # noqa: TID251 - the fact is now
        }

        async def publish() -> bool:
            ack = await self.jetstream.publish(message.DESCRIPTOR.full_name, message.SerializeToString(), headers=headers)
            return not ack.duplicate

        await eventually(publish, why="the stream taking the event")
        return event_id

    def mark(self, family: Family, **changes: Any) -> str:
        """A mark that journal knows; returns its id."""
        mark_id = str(uuid4())
        values: dict[str, Any] = {
            "mark_id": mark_id,
            "student_id": str(family.student_id),
            "student_name": "Петрова Мария Ивановна",
            "student": {"family_name": "Петрова", "given_name": "Мария", "patronymic": "Ивановна"},
            "subject_name": "Алгебра",
            "lesson_date": "2026-11-19",
            "value": 5,
            "revision": 1,
        }
        self.marks[mark_id] = diary_week_pb2.MarkForLetter(**(values | changes))
        return mark_id

    async def record_marks(self, family: Family, count: int = 1) -> UUID:
        """Marks that journal knows and tells; returns the event."""
        recorded = self.recorded(family, [self.mark(family) for _ in range(count)])
        return await self.tell(recorded, family.school_id)

    def recorded(self, family: Family, mark_ids: Sequence[str]) -> journal_events.MarksRecorded:
        """The event of these marks."""
        marks = [
            journal_events.RecordedMark(mark_id=mark_id, student_id=str(family.student_id), value=5, revision=1)
            for mark_id in mark_ids
        ]
        return journal_events.MarksRecorded(school_id=str(family.school_id), course_id=str(uuid4()), marks=marks)

    async def credentials_ready(self, family: Family, address: str = MOTHER) -> str:
        """A granted access whose credentials shall be sent; returns the grant."""
        grant_id = str(uuid4())
        self.wanted[grant_id] = address
        ready = access_events.CredentialsReady(
            school_id=str(family.school_id), grant_id=grant_id, account_id=str(family.account_id)
        )
        await self.tell(ready, family.school_id)
        return grant_id

    async def sign_decision(
        self,
        refused: Refused,
        address: str = MOTHER,
        *,
        pdf: bytes = b"%PDF-1.7",
        class_id: UUID | None = None,
        **parts: bytes,
    ) -> UUID:
        """A refusal that its applicant wants by e-mail, signed with these parts (scan, signature); returns the event."""
        self.receivers[str(refused.applicant_id)] = decision_service_pb2.GetDecisionReceiverResponse(
            email=address,
            school_name="Школа № 1",
            application_number="15-ЭД/2026",
            application_date="2026-11-19",
            class_id=str(class_id or ""),
        )
        document = document_pb2.Document(
            document_id=str(refused.document_id), number="3-ЭДО/2026", addressee_name="Петрова Анна Сергеевна"
        )
        self.papers[str(refused.document_id)] = document_pb2.FetchDocumentResponse(document=document, pdf=pdf, **parts)
        return await self.tell(refused.signed(), refused.school_id)

    async def warn(
        self, family: Family, account_id: UUID | None = None, **changes: Any
    ) -> tuple[access_events.AccessEndsSoon, UUID]:
        """Tells the family's account, or another, that the family's access ends; returns what was told and the event."""
        grant_id = str(uuid4())
        values: dict[str, Any] = {
            "cause": grant_pb2.GRANT_ENDING_CAUSE_OF_AGE,
            "time_zone": "Europe/Simferopol",
            "student_given_name": "Мария",
            "school_name": "Школа № 1",
            "holder_account_id": str(family.account_id),
            "holder_name": "Петрова Анна Сергеевна",
        }
        ending = grant_service_pb2.GetGrantEndingResponse(**(values | changes))
        ending.end_time.FromJsonString("2026-12-26T21:00:00Z")
        self.endings[grant_id] = ending
        told = access_events.AccessEndsSoon(
            school_id=str(family.school_id),
            grant_id=grant_id,
            student_id=str(family.student_id),
            account_id=str(account_id or family.account_id),
            end_time=ending.end_time,
        )
        return told, await self.tell(told, family.school_id)

    async def holders(self, needle: str) -> list[str]:
        """Tables of notify that hold a text anywhere, in any form that a row is written in."""
        tables = await self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'notify' ORDER BY 1")
        found = []
        for (table,) in tables:
            rows = await self.rows(f"SELECT t::text AS line, to_jsonb(t)::text AS document FROM {table} t")
            lines = " ".join(row["line"] + row["document"] for row in rows)
            # bytea is written in hexadecimal
            if needle in lines or needle.encode().hex() in lines or json.dumps(needle)[1:-1] in lines:
                found.append(table)
        return found

    async def states(self, family: Family | Refused) -> list[tuple[int, int]]:
        """(state, attempts) of the family's deliveries, oldest first."""
        rows = await self.rows(
            "SELECT state, attempt_count FROM deliveries WHERE school_id = $1 ORDER BY delivery_id", family.school_id
        )
        return [(row["state"], row["attempt_count"]) for row in rows]

    async def until(self, family: Family | Refused, *states: tuple[int, int], seconds: float = 15) -> None:
        """Waits for these states and attempts."""

        async def reached() -> bool:
            assert await self.states(family) == list(states)
            return True

        await eventually(reached, seconds, why=f"states {states}")

    async def until_handled(self, event_id: UUID) -> None:
        """Waits until notify has handled an event."""

        async def handled() -> bool:
            return bool(await self.rows("SELECT 1 FROM inbox WHERE event_id = $1", event_id))

        await eventually(handled, why="the event in the inbox")

    async def end(self, channel: grpc.aio.Channel, family: Family) -> None:
        """access ends the relation and waits for notify."""
        request = relation_pb2.ApplyRelationsRequest(
            school_id=str(family.school_id), relations=[family.relation(2, is_ended=True)]
        )
        stub = relation_service_pb2_grpc.RelationServiceStub(channel)
        await stub.ApplyRelations(request, metadata=sign_service(self.keys_dir, "access"))

    def _redeem(self, request: credential_service_pb2.RedeemDeliveryRequest) -> credential_service_pb2.RedeemDeliveryResponse:
        if request.grant_id not in self.wanted:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "DELIVERY_NOT_WANTED")
        answer = credential_service_pb2.RedeemDeliveryResponse(
            email=self.wanted[request.grant_id],
            activation_token=TOKEN,
            account_id="",
            school_name="Школа № 1",
            time_zone="Europe/Moscow",
            login="ivanova.mp",
            application_number="15-ЭД/2026",
            application_date="2026-11-19",
            student_called_name="Артём",
        )
        answer.expire_time.FromJsonString("2026-12-04T21:30:00Z")
        return answer

    def _get_receiver(
        self, request: decision_service_pb2.GetDecisionReceiverRequest
    ) -> decision_service_pb2.GetDecisionReceiverResponse:
        if request.applicant_id not in self.receivers:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "DELIVERY_NOT_WANTED")
        return self.receivers[request.applicant_id]

    def _get_ending(self, request: grant_service_pb2.GetGrantEndingRequest) -> grant_service_pb2.GetGrantEndingResponse:
        if request.grant_id not in self.endings:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "GRANT_NOT_FOUND")
        return self.endings[request.grant_id]

    def _fetch_document(self, request: document_pb2.FetchDocumentRequest) -> document_pb2.FetchDocumentResponse:
        if request.document_id not in self.papers:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "DOCUMENT_NOT_FOUND")
        return self.papers[request.document_id]

    def _get_marks(self, request: diary_service_pb2.BatchGetMarksRequest) -> diary_service_pb2.BatchGetMarksResponse:
        return diary_service_pb2.BatchGetMarksResponse(
            marks=[self.marks[mark_id] for mark_id in request.mark_ids if mark_id in self.marks]
        )
