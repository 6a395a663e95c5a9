"""Takes in a school's roster from a OneRoster 1.1 bundle: all of it or nothing, and twice without a change.

Who is missing in a bundle is left as is: only people end an enrolment or an access. A post that the bundle gives to another
ends for the former holder (Clause R9), unless an order of the school gave it.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from uuid import UUID
from zoneinfo import ZoneInfo

from asyncpg import InsufficientPrivilegeError, IntegrityConstraintViolationError
from google.protobuf.message import Message

from chassis import outbox
from chassis.clock import Clock, today
from chassis.db import Connection
from chassis.imports import ImportRefusedError, Line, Problem
from chassis.imports.kinds import Kind, Progress, Work
from chassis.quarantine import Bounds
from diary.access.v1 import roster_pb2
from services.access.people.convert import changes as convert
from services.access.people.rules.names import build_display_name, build_sort_key
from services.access.people.rules.roles import Role
from services.access.rights.actions.relations import derive_relations
from services.access.roster.convert.bundles import parse_wish, read_roster
from services.access.roster.rules.lines import build_lines, leave_out
from services.access.roster.rules.rosters import ImportedRoster, Wish, find_enrolment_day
from services.access.roster.rules.times import Period, clip_periods
from services.access.roster.store import imported_classes, imported_ids, imported_people, imported_posts, kept
from services.access.roster.store.imported import Saved, Time
from services.access.roster.store.imported_ids import Matched

# The zone of the region, of a new school for which none is stated.
ZONE = "Europe/Simferopol"
# A bundle of 12 MiB, all that is taken, is read in 20 s and 200 MB.
_BOUNDS = Bounds(256 << 20, 120, 3, 180.0)
_MOST_BYTES = 16 << 20
_STEPS = 6
_KINDS = {
    "school": "школа",
    "year": "учебный год",
    "people": "люди",
    "students": "ученики",
    "teachers": "учителя",
    "orders": "приказы о зачислении",
    "classes": "классы",
    "placements": "распределение по классам",
    "class teachers": "классные руководители",
    "study groups": "учебные группы",
    "members": "состав учебных групп",
    "teachings": "учителя учебных групп",
}
_CONTRADICTIONS = {
    "placements_do_not_overlap": "ученик на одни и те же дни числится в двух классах",
    "placements_within_enrolment": "ученик распределён в класс на дни, когда не зачислен",
    "school_years_do_not_overlap": "учебный год пересекается с другим годом школы",
}


@dataclass(slots=True)
class Report:
    """What an import has done, by kind: rows created, changed, unchanged; and what the school should know."""

    school_id: UUID
    counts: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def note(self, kind: str, total: int, saved: Saved) -> Saved:
        """Notes what was written of a kind, and hands it on."""
        created, changed = len(saved.created), len(saved.changed)
        self.counts[kind] = (created, changed, total - created - changed)
        return saved

    def tell(self) -> list[str]:
        """The same in Russian, a line a kind."""
        counted = [
            f"{_KINDS[kind]}: новых {created}, изменено {changed}, без изменений {unchanged}"
            for kind, (created, changed, unchanged) in self.counts.items()
        ]
        return counted + [f"внимание: {note}" for note in self.notes]


async def _list_lines(work: Work[Wish], _roster: ImportedRoster) -> Mapping[Hashable, Line]:
    # Before anything is read: what another list writes meanwhile is none of this one's.
    await imported_ids.lock_school(work.connection, work.wish.code.strip())
    return build_lines(await kept.read_roster(work.connection, work.school_id))


async def _write(work: Work[Wish], roster: ImportedRoster, left_out: Collection[str]) -> Sequence[str]:
    return (await write_roster(work, leave_out(roster, left_out) if left_out else roster)).tell()


ONEROSTER = Kind("oneroster", _MOST_BYTES, _BOUNDS, parse_wish, read_roster, _list_lines, _write)


async def write_roster(work: Work[Wish], roster: ImportedRoster) -> Report:
    """Writes the wish's school, made when it is new, in one transaction. Raises ImportRefusedError."""
    try:
        async with work.connection.transaction():
            return await _Import(work, roster).run()
    except IntegrityConstraintViolationError as error:
        # A name of a constraint, or an id, tells nobody what to mend.
        what = _CONTRADICTIONS.get(error.constraint_name or "", "противоречит тому, что школа уже ведёт в дневнике")
        raise _refuse("выгрузка", what, "исправьте выгрузку или сведения школы и повторите") from error


class _Ids(dict[str, UUID]):
    """Our ids of the bundle's; who is not among them was left out, and whoever needs them was not."""

    def __missing__(self, external_id: str) -> UUID:
        what = f"«{external_id}» не выбрано, а от него зависят выбранные строки"
        raise _refuse("выгрузка", what, "загрузите файл ещё раз и выберите вместе")


class _Import:
    """One import of one school."""

    def __init__(self, work: Work[Wish], roster: ImportedRoster) -> None:
        self._connection: Connection = work.connection
        self._clock: Clock = work.clock
        self._school_id = work.school_id
        self._roster = roster
        self._wish = work.wish
        self._progress: Progress = work.progress
        self._planned_time = work.planned_time
        # Whoever a list of the school has named, also those that this one no longer does.
        self._people: dict[str, UUID] = {}

    async def run(self) -> Report:
        """All kinds, in the order in which they refer to each other."""
        school_id, is_new = await self._find_school(self._wish.code.strip())
        report = Report(school_id)
        report.counts["school"] = (int(is_new), 0, int(not is_new))
        zone = await imported_ids.get_zone(self._connection, school_id)
        # The day that was shown, whenever it is written.
        self._today = self._planned_time.astimezone(ZoneInfo(zone)).date()
        years = await imported_ids.match_year(self._connection, school_id, self._roster.year)
        if len(years) > 1:
            raise _refuse("academicSessions.csv", "учебный год пересекается с двумя годами школы", "исправьте его даты")
        year_id = years[0]
        saved_year = await imported_classes.save_year(
            self._connection, school_id, year_id, self._roster.year, today(self._clock, zone)
        )
        year = report.note("year", 1, saved_year)
        await self._progress(1, _STEPS)
        people = await self._save_people(report)
        await self._progress(2, _STEPS)
        classes, placements, class_ids = await self._save_classes(report, year_id)
        await self._progress(3, _STEPS)
        groups, changed_groups = await self._save_groups(report, year_id, class_ids, people.changed)
        await self._progress(4, _STEPS)
        students = await imported_people.list_students(self._connection, school_id, [*people.written, *placements])
        await imported_ids.raise_versions(self._connection, school_id, people.changed + placements, changed_groups)
        await self._announce(report, year.written, classes.written, students, groups)
        await self._progress(5, _STEPS)
        return report

    async def _find_school(self, code: str) -> tuple[UUID, bool]:
        """The school and whether it is new; one that was imported as another school is refused."""
        external_id = self._roster.school_external_id
        school_id = await imported_ids.lock_school(self._connection, code)
        if school_id is None:
            if (other := await imported_ids.find_code_of(self._connection, external_id)) is not None:
                what = f"школа {external_id} уже ведётся под кодом {other}, а не {code}"
                raise ImportRefusedError([Problem("orgs.csv", 0, "sourcedId", what, f"назовите её код: --school {other}")])
            await self._make_school(code, external_id)
            return self._school_id, True
        if school_id != self._school_id:
            raise _refuse("выгрузка", "школа с этим кодом только что создана", "повторите загрузку")
        known = await imported_ids.list_external_ids(self._connection, school_id, "school")
        if not known:
            await imported_ids.insert_external_id(self._connection, school_id, "school", external_id, school_id)
        elif known != [external_id]:
            what = f"под кодом {code} ведётся школа {known[0]}, а не {external_id}"
            raise ImportRefusedError(
                [Problem("orgs.csv", 0, "sourcedId", what, "проверьте, список ли это вашей школы, и её код")]
            )
        if self._wish.zone not in (None, await imported_ids.get_zone(self._connection, school_id)):
            raise _refuse("--zone", "у школы уже другой часовой пояс", "его задают, когда школа новая: повторите без --zone")
        return school_id, False

    async def _make_school(self, code: str, external_id: str) -> None:
        name, zone = self._roster.school_name, self._wish.zone or ZONE
        try:
            await imported_ids.insert_school(self._connection, self._school_id, code.casefold(), name, zone)
        except InsufficientPrivilegeError as error:
            # The service may carry on what an operator began; a school is made by the operator alone.
            raise _refuse("выгрузка", f"школы с кодом {code} ещё нет", "повторите import-roster") from error
        await imported_ids.insert_external_id(self._connection, self._school_id, "school", external_id, self._school_id)

    async def _save_people(self, report: Report) -> Saved:
        connection, roster, school_id = self._connection, self._roster, report.school_id
        external_ids = [person.external_id for person in roster.people]
        self._people = _Ids(await imported_ids.match_external_ids(connection, school_id, "person", external_ids))
        keys = [build_sort_key(p.name.family_name, p.name.given_name, p.name.patronymic) for p in roster.people]
        ids = [self._people[external_id] for external_id in external_ids]
        people = await imported_people.save_people(connection, school_id, ids, roster.people, keys)
        student_ids = [self._people[external_id] for external_id in roster.students]
        stated = list(roster.students.values())
        first_days = [find_enrolment_day(day, self._wish, roster.year, self._today) for day in stated]
        students = await imported_people.save_students(
            connection, school_id, student_ids, first_days, [day is not None for day in stated]
        )
        teachers = [Time(school_id, self._people[t], roster.year.first_day, roster.year.end_day) for t in roster.teachers]
        appointed = await imported_posts.save_appointments(connection, school_id, Role.TEACHER, teachers, False)
        await self._save_orders(report, student_ids)
        gone = [person.external_id for person in roster.disabled]
        await imported_posts.end_posts_of(connection, school_id, self._today, gone)
        if gone:
            names = ", ".join(build_display_name(person.name) for person in roster.disabled)
            report.notes.append(f"без должности и зачисления, так как enabledUser=false: {names}")
        report.note("people", len(ids), people)
        report.note("students", len(student_ids), students)
        report.note("teachers", len(teachers), appointed)
        return people

    async def _save_orders(self, report: Report, student_ids: Sequence[UUID]) -> None:
        """The school's order where it states one; where none is known, R10 stays unmet and is said so."""
        if self._wish.order is not None:
            order = self._wish.order
            saved = await imported_people.save_order(self._connection, report.school_id, student_ids, order.number, order.day)
            report.note("orders", len(student_ids), saved)
        if count := await imported_people.count_without_order(self._connection, report.school_id, student_ids):
            report.notes.append(
                f"зачислено без приказа: {count}; доступ им не предоставить,"
                " пока не загружен список с номером и датой приказа о зачислении"
            )

    async def _save_classes(self, report: Report, year_id: UUID) -> tuple[Saved, list[UUID], dict[str, UUID]]:
        """The classes written, the students placed, and our ids of the bundle's classes."""
        connection, roster, school_id = self._connection, self._roster, report.school_id
        matched = await self._match("class", school_id, year_id, [of_class.external_id for of_class in roster.classes])
        ids = _Ids({external_id: one.entry_id for external_id, one in matched.items()})
        # What has not changed of a class whose own line was left out still names it.
        named = {p.of_id for p in (*roster.placements, *roster.class_teachers)}
        named |= {group.class_id for group in roster.groups if group.class_id}
        ids |= await imported_ids.find_of_year(connection, school_id, "class", year_id, named - ids.keys())
        written, names = [one.entry_id for one in matched.values()], [of_class.name for of_class in roster.classes]
        if taken := await imported_classes.list_taken_names(connection, school_id, year_id, written, names):
            raise ImportRefusedError([Problem("classes.csv", 0, "title", *_tell_taken(name)) for name in taken])
        classes = await imported_classes.save_classes(connection, school_id, year_id, list(matched.values()), roster.classes)
        times = self._times(await self._clip(school_id, roster.placements), ids)
        if clash := await imported_classes.find_clash(connection, school_id, times):
            raise _refuse("enrollments.csv", *self._tell_clash(*clash))
        placements = await imported_classes.save_placements(connection, school_id, times)
        of_class = self._times(roster.class_teachers, ids)
        ended = await imported_posts.end_replaced_posts(connection, school_id, self._today, of_class)
        appointed = await imported_posts.save_appointments(connection, school_id, Role.CLASS_TEACHER, of_class, True)
        for name, number in await imported_posts.list_others_by_order(connection, school_id, self._today, of_class):
            report.notes.append(f"класс {name}: классный руководитель по приказу № {number} остаётся, в выгрузке — другой")
        report.note("classes", len(matched), classes)
        report.note("placements", len(times), placements)
        report.note("class teachers", len(of_class), Saved(appointed.created, appointed.changed + ended))
        return classes, placements.written, ids

    async def _save_groups(
        self, report: Report, year_id: UUID, class_ids: Mapping[str, UUID], renamed: Sequence[UUID]
    ) -> tuple[list[UUID], list[UUID]]:
        """All study groups concerned, and those whose version must still be raised: only their members or teachers changed."""
        connection, roster, school_id = self._connection, self._roster, report.school_id
        matched = await self._match("study_group", school_id, year_id, [group.external_id for group in roster.groups])
        ids = _Ids({external_id: one.entry_id for external_id, one in matched.items()})
        groups = await imported_classes.save_groups(
            connection, school_id, year_id, list(ids.values()), roster.groups, class_ids
        )
        left_out = {p.of_id for p in (*roster.members, *roster.teachings)} - ids.keys()
        ids |= await imported_ids.find_of_year(connection, school_id, "study_group", year_id, left_out)
        times = self._times(await self._clip(school_id, roster.members), ids)
        members = await imported_classes.save_members(connection, school_id, times)
        named = self._times(roster.teachings, ids)
        ended = await imported_posts.end_replaced_teachings(connection, school_id, self._today, named)
        teachings = await imported_posts.save_teachings(connection, school_id, named)
        report.note("study groups", len(matched), groups)
        report.note("members", len(times), members)
        changed = teachings.changed + ended
        report.note("teachings", len(named), Saved(teachings.created, changed))
        shown = {ids[p.of_id] for p in roster.teachings if self._people[p.person_id] in renamed}
        touched = {*members.written, *teachings.created, *changed, *shown}
        return sorted(touched | set(groups.written)), sorted(touched - set(groups.written))

    async def _match(self, kind: str, school_id: UUID, year_id: UUID, external_ids: Sequence[str]) -> dict[str, Matched]:
        return await imported_ids.match_of_year(self._connection, school_id, kind, year_id, external_ids)

    async def _clip(self, school_id: UUID, periods: Sequence[Period]) -> list[Period]:
        # Also of those whose own lines were left out.
        ids = {p.person_id: self._people[p.person_id] for p in periods if p.person_id in self._people}
        enrolled = await imported_people.list_enrolled(self._connection, school_id, [*ids.values()])
        return clip_periods(periods, {external_id: enrolled.get(ours, ()) for external_id, ours in ids.items()})

    def _tell_clash(self, student_id: UUID, class_name: str) -> tuple[str, str]:
        names = {self._people[person.external_id]: build_display_name(person.name) for person in self._roster.people}
        what = f"{names.get(student_id, 'ученик')}: в дневнике на эти же дни — класс «{class_name}»"
        return what, "добавьте строку прежнего класса с последним днём (endDate)"

    def _times(self, periods: Sequence[Period], ids: Mapping[str, UUID]) -> list[Time]:
        return [Time(ids[p.of_id], self._people[p.person_id], p.first_day, p.end_day) for p in periods]

    async def _announce(
        self, report: Report, years: Sequence[UUID], classes: Sequence[UUID], students: Sequence[UUID], groups: Sequence[UUID]
    ) -> None:
        """Events of what was written, and the relations that follow from it."""
        school_id = report.school_id
        written = (
            (roster_pb2.ROSTER_KIND_SCHOOL, [school_id] if years else []),
            (roster_pb2.ROSTER_KIND_CLASS, classes),
            (roster_pb2.ROSTER_KIND_STUDENT, students),
            (roster_pb2.ROSTER_KIND_STUDY_GROUP, groups),
        )
        messages: chain[Message] = chain.from_iterable(convert.roster_changed(school_id, kind, ids) for kind, ids in written)
        for message in messages:
            await outbox.add(self._connection, self._clock, message, school_id)
        await derive_relations(self._connection, self._clock, school_id, sorted(self._people.values()))


def _tell_taken(name: str) -> tuple[str, str]:
    what = f"класс «{name}» уже есть в этом учебном году под другим sourcedId"
    return what, "выгрузите список из той же системы, что и в прошлый раз, или назовите класс в выгрузке иначе"


def _refuse(file: str, what: str, mend: str) -> ImportRefusedError:
    return ImportRefusedError([Problem(file, 0, "", what, mend)])
