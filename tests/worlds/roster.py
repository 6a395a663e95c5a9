"""access's roster as its neighbours see it: entries in memory, behind its real protos."""

from diary.access.v1 import relation_pb2, roster_pb2, roster_service_pb2, school_service_pb2
from tests.worlds.neighbours import Neighbours

_KINDS = {
    "school": roster_pb2.ROSTER_KIND_SCHOOL,
    "class": roster_pb2.ROSTER_KIND_CLASS,
    "student": roster_pb2.ROSTER_KIND_STUDENT,
    "study_group": roster_pb2.ROSTER_KIND_STUDY_GROUP,
    "relation": roster_pb2.ROSTER_KIND_RELATION,
    "paper_declaration": roster_pb2.ROSTER_KIND_PAPER_DECLARATION,
}


def entry_id(entry: roster_pb2.RosterEntry) -> str:
    """The id of an entry of any kind."""
    kind = entry.WhichOneof("entry")
    if kind == "school":
        return entry.school.school.school_id
    if kind == "paper_declaration":
        return entry.paper_declaration.declaration_id
    return str(getattr(getattr(entry, str(kind)), f"{kind}_id"))


class Roster:
    """Entries by school, kind and id, in pages of two, so that every list has several."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._entries: dict[tuple[str, int], dict[str, roster_pb2.RosterEntry]] = {}
        neighbours.answer("diary.access.v1.RosterService/BatchGetRoster", self._batch_get)
        neighbours.answer("diary.access.v1.RosterService/ListRoster", self._list)
        neighbours.answer("diary.access.v1.SchoolService/ListSchools", self._list_schools)

    def put(self, school_id: str, *entries: roster_pb2.RosterEntry) -> None:
        """Adds or replaces entries."""
        for entry in entries:
            kind = _KINDS[str(entry.WhichOneof("entry"))]
            self._entries.setdefault((school_id, kind), {})[entry_id(entry)] = entry

    def put_relation(self, school_id: str, relation: relation_pb2.Relation) -> None:
        """Adds or replaces a relation."""
        self.put(school_id, roster_pb2.RosterEntry(relation=relation))

    def find(self, key: str) -> roster_pb2.RosterEntry | None:
        """The entry with an id, to be changed in its place."""
        return next((kept[key] for kept in self._entries.values() if key in kept), None)

    def get(self, key: str) -> roster_pb2.RosterEntry:
        """The entry with an id that is there."""
        entry = self.find(key)
        assert entry is not None
        return entry

    def _batch_get(self, request: roster_service_pb2.BatchGetRosterRequest) -> roster_service_pb2.BatchGetRosterResponse:
        kept = self._entries.get((request.school_id, request.kind), {})
        return roster_service_pb2.BatchGetRosterResponse(entries=[kept[one] for one in request.ids if one in kept])

    def _list(self, request: roster_service_pb2.ListRosterRequest) -> roster_service_pb2.ListRosterResponse:
        kept = self._entries.get((request.school_id, request.kind), {})
        later = sorted(key for key in kept if key > request.page_token)
        page = later[:2]
        token = page[-1] if len(later) > len(page) else ""
        return roster_service_pb2.ListRosterResponse(entries=[kept[key] for key in page], next_page_token=token)

    def _list_schools(self, _: school_service_pb2.ListSchoolsRequest) -> school_service_pb2.ListSchoolsResponse:
        schools = [
            entry.school.school
            for (_, kind), entries in self._entries.items()
            for entry in entries.values()
            if kind == roster_pb2.ROSTER_KIND_SCHOOL
        ]
        return school_service_pb2.ListSchoolsResponse(schools=schools)
