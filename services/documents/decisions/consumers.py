"""Signed refusals become papers."""

from __future__ import annotations

import secrets
from functools import partial
from uuid import UUID

import grpc

from chassis import events, outbox
from chassis.clock import Clock
from chassis.db import Connection, Database
from diary.access.v1 import application_pb2, decision_service_pb2, decision_service_pb2_grpc
from diary.access.v1 import events_pb2 as access_events_pb2
from services.documents.decisions.convert import make_paper, read_decisions
from services.documents.decisions.rules import CODE_BYTES, Decision, write_code
from services.documents.press.actions.presses import Press
from services.documents.register import store
from services.documents.register.convert.papers import write_issued
from services.documents.register.convert.seal import Sealer
from services.documents.register.rules import Kind


class DecisionConsumers(events.Handlers):
    """Handlers of access's events about refusals: each applicant's copy becomes a paper (Clauses R22, R23)."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        decisions: decision_service_pb2_grpc.DecisionServiceAsyncStub,
        press: Press,
        sealer: Sealer,
        portal_url: str,
    ) -> None:
        super().__init__(database, clock)
        self._decisions = decisions
        self._press = press
        self._sealer = sealer
        self._portal_url = portal_url

    @events.on(access_events_pb2.ApplicationDecided, events.WORK)
    async def on_application_decided(
        self, decided: access_events_pb2.ApplicationDecided, event: events.Event
    ) -> events.Effect | None:
        """Makes, seals and keeps a paper for each applicant of a refused case; nothing for one that ended otherwise."""
        if decided.state not in (
            application_pb2.APPLICATION_STATE_REFUSED,
            application_pb2.APPLICATION_STATE_UNSPECIFIED,
        ):
            return None
        # A paper is dear to make: two seconds of the press for nothing, had another replica made it.
        if await events.was_handled(self.database, event):
            return None
        school_id = UUID(decided.school_id)
        papers = [await self._make(school_id, decision) for decision in await self._ask(decided)]

        async def keep(connection: Connection) -> None:
            for paper in papers:
                document_id = await store.insert_document(connection, paper)
                if document_id is not None:
                    issued = write_issued(school_id, document_id, paper.kind, paper.application_id, paper.applicant_id)
                    await outbox.add(connection, self.clock, issued, school_id)

        return events.Effect(keep)

    async def _ask(self, decided: access_events_pb2.ApplicationDecided) -> list[Decision]:
        wanted = decision_service_pb2.GetDecisionsRequest(school_id=decided.school_id, application_id=decided.application_id)
        try:
            return read_decisions((await self._decisions.GetDecisions(wanted)).decisions)
        except grpc.aio.AioRpcError as error:
            # Events of the release before do not say how the case ended: one that was granted has no decision to print.
            if decided.state or error.code() != grpc.StatusCode.NOT_FOUND:
                raise
            return []

    async def _make(self, school_id: UUID, decision: Decision) -> store.NewDocument:
        now = self.clock.now()
        code = write_code(decision.letterhead.school_code, secrets.token_bytes(CODE_BYTES))
        make = partial(make_paper, self._sealer, self._portal_url, school_id, code=code, now=now)
        paper = await self._press.render("decision", make, decision)
        return store.NewDocument(
            school_id=school_id,
            kind=Kind.REFUSAL,
            number=decision.number,
            document_date=decision.decided.date(),
            time_zone=decision.time_zone,
            addressee_name=decision.applicant_name,
            application_id=decision.application_id,
            applicant_id=decision.applicant_id,
            account_id=decision.account_id,
            class_id=decision.class_id,
            code=code,
            page_count=paper.page_count,
            create_time=now,
            pdf=paper.pdf,
            pdf_sha256=paper.sha256,
            pdf_streebog256=paper.streebog256,
            pdf_streebog512=paper.streebog512,
        )
