"""Takes in a school's roster from a OneRoster 1.1 bundle: all of it or nothing, and twice without a change.

Who is missing in a bundle is left as is: only people end an enrolment, an appointment or an access.
"""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from uuid import UUID

from asyncpg import IntegrityConstraintViolationError
from google.protobuf.message import Message

from chassis import outbox
from chassis.clock import Clock
from chassis.db import Connection
from diary.access.v1 import roster_service_pb2
from services.access import convert
from services.access.actions.relations import derive_relations
from services.access.rules.names import build_sort_key
from services.access.rules.oneroster import Problem, RosterRefusedError, read_bundle
from services.access.rules.roles import Role
from services.access.rules.rosters import ZONE, ImportedRoster, Period, build_roster
from services.access.store import imports as store
from services.access.store.imports import Saved, Time

# Stands as the order of enrolments and appointments that a bundle brings without one.
ORDER = "по списку OneRoster"
_MOST_FILES, _MOST_BYTES = 50, 64 * 2**20


@dataclass(slots=True)
class Report:
    """What an import has done, by kind: rows created, changed, unchanged."""

    school_id: UUID
    counts: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def note(self, kind: str, total: int, saved: Saved) -> Saved:
        """Notes what was written of a kind, and hands it on."""
        created, changed = len(saved.created), len(saved.changed)
        self.counts[kind] = (created, changed, total - created - changed)
        return saved


def read_zip(path: Path) -> dict[str, str]:
    """The texts of the files of a bundle, at most 64 MiB unpacked. Raises RosterRefusedError."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > _MOST_FILES or sum(entry.file_size for entry in entries) > _MOST_BYTES:
                raise _refuse(path.name, f"is more than {_MOST_FILES} files or 64 MiB", "send the bundle of one school")
            names = [entry.filename.rpartition("/")[2] for entry in entries]
            if len(set(names)) < len(names):
                raise _refuse(path.name, "holds a file twice", "send one bundle")
            return {name: _read_entry(archive, entry) for name, entry in zip(names, entries, strict=True)}
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise _refuse(path.name, f"cannot be read as a ZIP ({error})", "send the bundle as an open, whole ZIP") from error


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    # The declared size is checked above; reading never goes past it.
    with archive.open(entry) as file:
        content = file.read(entry.file_size)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        problem = Problem(entry.filename, row, "", "is not UTF-8", "export the bundle in UTF-8")
        raise RosterRefusedError([problem]) from error


async def import_roster(
    connection: Connection, clock: Clock, files: Mapping[str, str], code: str, move_to_year: int | None
) -> Report:
    """Imports the school `code`, made when it is new, in one transaction. As the owner. Raises RosterRefusedError."""
    roster = build_roster(read_bundle(files), code, move_to_year)
    try:
        async with connection.transaction():
            return await _Import(connection, clock, roster).run(code)
    except IntegrityConstraintViolationError as error:
        what = f"contradicts what the school has ({error.constraint_name}: {error.detail})"
        raise _refuse("the bundle", what, "correct it in the bundle or in the school") from error


class _Import:
    """One import of one school."""

    def __init__(self, connection: Connection, clock: Clock, roster: ImportedRoster) -> None:
        self._connection = connection
        self._clock = clock
        self._roster = roster
        self._people: dict[str, UUID] = {}

    async def run(self, code: str) -> Report:
        """All kinds, in the order in which they refer to each other."""
        school_id, is_new = await self._find_school(code)
        report = Report(school_id)
        report.counts["school"] = (int(is_new), 0, int(not is_new))
        year_id = await self._match_one("year", school_id, self._roster.year.external_id)
        year = report.note("year", 1, await store.save_year(self._connection, school_id, year_id, self._roster.year))
        people = await self._save_people(report)
        classes, placements = await self._save_classes(report, year_id)
        groups, changed_groups = await self._save_groups(report, year_id, people.changed)
        students = self._students_among([*people.written, *placements])
        await store.raise_versions(
            self._connection, school_id, self._students_among(people.changed + placements), changed_groups
        )
        await self._announce(report, year.written, classes.written, students, groups)
        return report

    async def _find_school(self, code: str) -> tuple[UUID, bool]:
        """The school and whether it is new; one that was imported as another school is refused."""
        external_id = self._roster.school_external_id
        school_id = await store.lock_school(self._connection, code)
        if school_id is None:
            school_id = await store.insert_school(self._connection, code, self._roster.school_name, ZONE)
            await store.insert_external_id(self._connection, school_id, "school", external_id, school_id)
            return school_id, True
        known = await store.list_external_ids(self._connection, school_id, "school")
        if not known:
            await store.insert_external_id(self._connection, school_id, "school", external_id, school_id)
        elif known != [external_id]:
            what = f"{external_id} is not {known[0]}, from which the school {code} was imported"
            raise RosterRefusedError([Problem("orgs.csv", 0, "sourcedId", what, "name the right school with --school")])
        return school_id, False

    async def _match_one(self, kind: str, school_id: UUID, external_id: str) -> UUID:
        return (await store.match_external_ids(self._connection, school_id, kind, [external_id]))[external_id]

    async def _save_people(self, report: Report) -> Saved:
        connection, roster, school_id = self._connection, self._roster, report.school_id
        external_ids = [person.external_id for person in roster.people]
        self._people = await store.match_external_ids(connection, school_id, "person", external_ids)
        keys = [build_sort_key(p.name.family_name, p.name.given_name, p.name.patronymic) for p in roster.people]
        ids = [self._people[external_id] for external_id in external_ids]
        people = await store.save_people(connection, school_id, ids, roster.people, keys)
        student_ids = [self._people[external_id] for external_id in roster.students]
        students = await store.save_students(connection, school_id, student_ids, list(roster.students.values()), ORDER)
        teachers = [Time(school_id, self._people[t], roster.year.first_day, roster.year.end_day) for t in roster.teachers]
        appointed = await store.save_appointments(connection, school_id, Role.TEACHER, teachers, False, ORDER)
        report.note("people", len(ids), people)
        report.note("students", len(student_ids), students)
        report.note("teachers", len(teachers), appointed)
        return people

    async def _save_classes(self, report: Report, year_id: UUID) -> tuple[Saved, list[UUID]]:
        """The classes written, and the students placed."""
        connection, roster, school_id = self._connection, self._roster, report.school_id
        external_ids = [of_class.external_id for of_class in roster.classes]
        ids = await store.match_external_ids(connection, school_id, "class", external_ids)
        matched = [ids[external_id] for external_id in external_ids]
        classes = await store.save_classes(connection, school_id, year_id, matched, roster.classes)
        placements = await store.save_placements(connection, school_id, self._times(roster.placements, ids))
        of_class = self._times(roster.class_teachers, ids)
        appointed = await store.save_appointments(connection, school_id, Role.CLASS_TEACHER, of_class, True, ORDER)
        report.note("classes", len(matched), classes)
        report.note("placements", len(roster.placements), placements)
        report.note("class teachers", len(of_class), appointed)
        return classes, placements.written

    async def _save_groups(self, report: Report, year_id: UUID, renamed: Sequence[UUID]) -> tuple[list[UUID], list[UUID]]:
        """All study groups concerned, and those whose version must still be raised: only their members or teachers changed."""
        connection, roster, school_id = self._connection, self._roster, report.school_id
        external_ids = [group.external_id for group in roster.groups]
        ids = await store.match_external_ids(connection, school_id, "study_group", external_ids)
        matched = [ids[external_id] for external_id in external_ids]
        groups = await store.save_groups(connection, school_id, year_id, matched, roster.groups)
        members = await store.save_members(connection, school_id, self._times(roster.members, ids))
        teachings = await store.save_teachings(connection, school_id, self._times(roster.teachings, ids))
        report.note("study groups", len(matched), groups)
        report.note("members", len(roster.members), members)
        report.note("teachings", len(roster.teachings), teachings)
        shown = {ids[p.of_id] for p in roster.teachings if self._people[p.person_id] in renamed}
        touched = {*members.written, *teachings.written, *shown}
        return sorted(touched | set(groups.written)), sorted(touched - set(groups.written))

    def _times(self, periods: Sequence[Period], ids: Mapping[str, UUID]) -> list[Time]:
        return [Time(ids[p.of_id], self._people[p.person_id], p.first_day, p.end_day) for p in periods]

    def _students_among(self, person_ids: Sequence[UUID]) -> list[UUID]:
        students = {self._people[external_id] for external_id in self._roster.students}
        return sorted(students.intersection(person_ids))

    async def _announce(
        self, report: Report, years: Sequence[UUID], classes: Sequence[UUID], students: Sequence[UUID], groups: Sequence[UUID]
    ) -> None:
        """Events of what was written, and the relations that follow from it."""
        school_id = report.school_id
        written = (
            (roster_service_pb2.ROSTER_KIND_SCHOOL, [school_id] if years else []),
            (roster_service_pb2.ROSTER_KIND_CLASS, classes),
            (roster_service_pb2.ROSTER_KIND_STUDENT, students),
            (roster_service_pb2.ROSTER_KIND_STUDY_GROUP, groups),
        )
        messages: chain[Message] = chain.from_iterable(convert.roster_changed(school_id, kind, ids) for kind, ids in written)
        for message in messages:
            await outbox.add(self._connection, self._clock, message, school_id)
        await derive_relations(self._connection, self._clock, school_id, list(self._people.values()))


def _refuse(file: str, what: str, mend: str) -> RosterRefusedError:
    return RosterRefusedError([Problem(file, 0, "", what, mend)])
