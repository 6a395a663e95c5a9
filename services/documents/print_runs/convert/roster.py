"""The roster of access as documents keeps it."""

from collections.abc import Iterable
from datetime import UTC
from uuid import UUID

from chassis.places import read_place
from diary.access.v1 import roster_pb2, school_pb2
from services.documents.print_runs.rules.paper_families import (
    PaperMode,
    Roster,
    SchoolCode,
    SchoolZone,
)


def read_roster(entries: Iterable[roster_pb2.RosterEntry]) -> Roster:
    """Schools' zones, students' classes and declarations; other kinds of entries are not for the paper families."""
    roster = Roster([], [], [])
    for entry in entries:
        match entry.WhichOneof("entry"):
            case "school":
                roster.zones.append(SchoolZone(entry.school.school.time_zone, entry.school.version))
            case "student":
                roster.places.append(read_place(entry.student))
            case "paper_declaration":
                roster.modes.append(_read_mode(entry.paper_declaration))
    return roster


def read_school_code(message: school_pb2.School) -> SchoolCode:
    """What anyone may know of a school by its code."""
    return SchoolCode(message.code, UUID(message.school_id), message.name)


def _read_mode(message: roster_pb2.RosterPaperDeclaration) -> PaperMode:
    return PaperMode(
        declaration_id=UUID(message.declaration_id),
        student_id=UUID(message.student_id),
        guardian_id=UUID(message.guardian_person_id) if message.guardian_person_id else None,
        number=message.number,
        declines_printouts=message.declines_printouts,
        revoked=message.revoke_time.ToDatetime(tzinfo=UTC) if message.HasField("revoke_time") else None,
        version=message.version,
    )
