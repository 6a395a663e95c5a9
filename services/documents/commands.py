"""What an operator runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from chassis import relations
from chassis.db import Database
from diary.access.v1 import (
    roster_service_pb2,
    roster_service_pb2_grpc,
    school_service_pb2,
    school_service_pb2_grpc,
)
from services.documents.print_runs.convert.roster import read_roster
from services.documents.print_runs.store import paper_families

_PAGE = 500
_OF_PAPER_FAMILIES = (
    roster_service_pb2.ROSTER_KIND_SCHOOL,
    roster_service_pb2.ROSTER_KIND_STUDENT,
    roster_service_pb2.ROSTER_KIND_PAPER_DECLARATION,
)


class Rebuild:
    """Fills the projections (relations, paper families) from access. Safe beside a running service: versions decide."""

    def __init__(
        self,
        database: Database,
        schools: school_service_pb2_grpc.SchoolServiceAsyncStub,
        roster: roster_service_pb2_grpc.RosterServiceAsyncStub,
    ) -> None:
        self._database = database
        self._schools = schools
        self._roster = roster

    async def rebuild_all(self) -> None:
        """Every school of the region."""
        token = ""
        while True:
            page = await self._schools.ListSchools(school_service_pb2.ListSchoolsRequest(page_size=_PAGE, page_token=token))
            for school in page.schools:
                await self.rebuild(UUID(school.school_id))
            if not (token := page.next_page_token):
                return

    async def rebuild(self, school_id: UUID) -> None:
        """One school."""
        entry_count = relation_count = 0
        for kind in _OF_PAPER_FAMILIES:
            async for entries in self._pages(school_id, kind):
                async with self._database.school(school_id) as connection:
                    await paper_families.put_roster(connection, school_id, read_roster(entries))
                entry_count += len(entries)
        async for entries in self._pages(school_id, roster_service_pb2.ROSTER_KIND_RELATION):
            async with self._database.school(school_id) as connection:
                found = [relations.read_relation(entry.relation) for entry in entries]
                await relations.apply(connection, school_id, found)
            relation_count += len(entries)
        print(f"{school_id}: {entry_count} entries of paper families, {relation_count} relations")

    async def _pages(
        self, school_id: UUID, kind: roster_service_pb2.RosterKind.ValueType
    ) -> AsyncIterator[Sequence[roster_service_pb2.RosterEntry]]:
        token = ""
        while True:
            page = await self._roster.ListRoster(
                roster_service_pb2.ListRosterRequest(school_id=str(school_id), kind=kind, page_size=_PAGE, page_token=token)
            )
            yield page.entries
            if not (token := page.next_page_token):
                return
