"""A stand-in for access: a roster in memory, served over gRPC with access's real protos."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc

from diary.access.v1 import relation_pb2, roster_pb2, roster_service_pb2, school_service_pb2

_KINDS = {
    "school": roster_pb2.ROSTER_KIND_SCHOOL,
    "class": roster_pb2.ROSTER_KIND_CLASS,
    "student": roster_pb2.ROSTER_KIND_STUDENT,
    "study_group": roster_pb2.ROSTER_KIND_STUDY_GROUP,
    "relation": roster_pb2.ROSTER_KIND_RELATION,
}


def entry_id(entry: roster_pb2.RosterEntry) -> str:
    """The id of an entry of any kind."""
    kind = entry.WhichOneof("entry")
    if kind == "school":
        return entry.school.school.school_id
    return str(getattr(getattr(entry, str(kind)), f"{kind}_id"))


class Roster:
    """Entries by school, kind and id, in pages of two, so that every list has several."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, int], dict[str, roster_pb2.RosterEntry]] = {}

    def put(self, school_id: str, *entries: roster_pb2.RosterEntry) -> None:
        """Adds or replaces entries."""
        for entry in entries:
            kind = _KINDS[str(entry.WhichOneof("entry"))]
            self._entries.setdefault((school_id, kind), {})[entry_id(entry)] = entry

    def put_relation(self, school_id: str, relation: relation_pb2.Relation) -> None:
        """Adds or replaces a relation."""
        self.put(school_id, roster_pb2.RosterEntry(relation=relation))

    async def BatchGetRoster(
        self, request: roster_service_pb2.BatchGetRosterRequest, context: object
    ) -> roster_service_pb2.BatchGetRosterResponse:
        kept = self._entries.get((request.school_id, request.kind), {})
        return roster_service_pb2.BatchGetRosterResponse(entries=[kept[one] for one in request.ids if one in kept])

    async def ListRoster(
        self, request: roster_service_pb2.ListRosterRequest, context: object
    ) -> roster_service_pb2.ListRosterResponse:
        kept = self._entries.get((request.school_id, request.kind), {})
        later = sorted(key for key in kept if key > request.page_token)
        page = later[:2]
        token = page[-1] if len(later) > len(page) else ""
        return roster_service_pb2.ListRosterResponse(entries=[kept[key] for key in page], next_page_token=token)

    async def ListSchools(
        self, request: school_service_pb2.ListSchoolsRequest, context: object
    ) -> school_service_pb2.ListSchoolsResponse:
        schools = [
            entry.school.school
            for (_, kind), entries in self._entries.items()
            for entry in entries.values()
            if kind == roster_pb2.ROSTER_KIND_SCHOOL
        ]
        return school_service_pb2.ListSchoolsResponse(schools=schools)


def _method(behaviour: Any, request_type: Any) -> Any:
    return grpc.unary_unary_rpc_method_handler(
        behaviour, request_deserializer=request_type.FromString, response_serializer=lambda answer: answer.SerializeToString()
    )


@asynccontextmanager
async def served_roster(roster: Roster) -> AsyncIterator[str]:
    """Serves what the journal calls of access; yields the address."""
    methods = {
        "diary.access.v1.RosterService": {
            "BatchGetRoster": _method(roster.BatchGetRoster, roster_service_pb2.BatchGetRosterRequest),
            "ListRoster": _method(roster.ListRoster, roster_service_pb2.ListRosterRequest),
        },
        "diary.access.v1.SchoolService": {
            "ListSchools": _method(roster.ListSchools, school_service_pb2.ListSchoolsRequest),
        },
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        tuple(grpc.method_handlers_generic_handler(name, handlers) for name, handlers in methods.items())
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
