"""The tables of a generated region: reading a school's projection and loading what is generated, as owner, by COPY."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from chassis.db import Connection
from services.journal.curriculum.rules import Period, PeriodKind
from services.journal.curriculum.store import list_periods
from services.journal.marks.rules.history import Batch, link
from services.journal.marks.store.marks import write_kind, write_number
from services.journal.roster.rules import Member
from services.journal.seed.timetable import Slot

_TEACHES = 5  # numbers of diary.options.v1: relation COURSE, role TEACHER


@dataclass(frozen=True, slots=True)
class SeedCourse:
    """A course with all that its lessons and marks are made of. `grades`: of its class; `teacher_ids`: accounts."""

    course_id: UUID
    class_id: UUID | None
    grades: Sequence[int]
    subject_name: str
    group_name: str
    is_marked: bool
    start_date: date
    end_date: date
    teacher_ids: Sequence[UUID]
    members: Sequence[Member]

    @property
    def taught_grades(self) -> Sequence[int]:
        """The grades of the class that have the course: all, or the one by which a group of a combined class is called."""
        return [grade for grade in self.grades if self.group_name == f"{grade} класс"] or self.grades


@dataclass(frozen=True, slots=True)
class SeedSchool:
    """A school as the projection has it. Work types by name; `periods` are quarters, between which nobody is taught."""

    school_id: UUID
    name: str
    time_zone: str
    mark_min: int
    periods: Sequence[Period]
    work_types: dict[str, UUID]
    courses: Sequence[SeedCourse]


async def list_unseeded(connection: Connection) -> list[UUID]:
    """Schools without a timetable."""
    rows = await connection.fetch(
        """
        SELECT school_id FROM schools s
        WHERE NOT EXISTS (SELECT FROM timetable_slots t WHERE t.school_id = s.school_id) ORDER BY school_id
        """
    )
    return [row["school_id"] for row in rows]


async def get_school(connection: Connection, school_id: UUID) -> SeedSchool:
    """All that a school's lessons are made of."""
    school = await connection.fetchrow("SELECT name, time_zone, mark_min FROM schools WHERE school_id = $1", school_id)
    work_types = await connection.fetch("SELECT name, work_type_id FROM work_types WHERE school_id = $1", school_id)
    if school is None:
        raise LookupError(f"no school {school_id} in the projection")
    return SeedSchool(
        school_id=school_id,
        **school,
        periods=await list_periods(connection, school_id, PeriodKind.QUARTER),
        work_types=dict(map(tuple, work_types)),
        courses=await _list_courses(connection, school_id),
    )


async def _list_courses(connection: Connection, school_id: UUID) -> list[SeedCourse]:
    members: dict[UUID, list[Member]] = defaultdict(list)
    for course_id, *member in await connection.fetch(
        """
        SELECT course_id, student_id, from_date, to_date FROM course_members
        WHERE school_id = $1 AND (to_date IS NULL OR to_date >= from_date) ORDER BY course_id, student_id, from_date
        """,
        school_id,
    ):
        members[course_id].append(Member(*member))
    rows = await connection.fetch(
        """
        SELECT c.course_id, c.class_id, coalesce(k.grades, '{}') AS grades, c.subject_name, c.group_name, c.is_marked,
            c.start_date, c.end_date,
            ARRAY(
                SELECT r.account_id FROM relations r
                WHERE r.school_id = $1 AND r.object_id = c.course_id AND r.kind = $2 AND r.role = $2
                  AND (r.valid_to_time IS NULL OR r.valid_to_time >= c.end_date)
                ORDER BY r.account_id
            ) AS teacher_ids
        FROM courses c LEFT JOIN classes k ON k.school_id = $1 AND k.class_id = c.class_id
        WHERE c.school_id = $1 ORDER BY k.sort_key, c.sort_key, c.course_id
        """,
        school_id,
        _TEACHES,
    )
    return [SeedCourse(**row, members=members[row["course_id"]]) for row in rows]


async def copy_slots(connection: Connection, school_id: UUID, slots: Iterable[Slot]) -> None:
    """Loads the timetable."""
    columns = "school_id course_id weekday lesson_number start_date end_date"
    rows = [(school_id, s.course_id, s.weekday, s.lesson_number, s.start_date, s.end_date) for s in slots]
    await _copy(connection, "timetable_slots", columns, rows)


async def copy_lessons(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Loads lessons."""
    columns = (
        "school_id lesson_id course_id class_id lesson_date lesson_number state topic homework work_type_id attendance_revision"
    )
    await _copy(connection, "lessons", columns, rows)


async def copy_absences(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Loads absences."""
    columns = "school_id lesson_id student_id course_id lesson_date code account_id update_time"
    await _copy(connection, "attendance", columns, rows)


async def copy_batches(connection: Connection, school_id: UUID, chains: dict[UUID, list[Batch]], head: bytes) -> None:
    """Loads marks batch by batch and links them as the live path does; `head` is that of an empty chain."""
    batches, revisions, heads = [], [], []
    for course_id, chain in chains.items():
        newest = head
        for batch in chain:
            newest = link(newest, batch.digest)
            header = batch.header
            who = header.account_id, header.create_time, header.format
            batches.append((school_id, course_id, header.batch_number, *who, batch.row_digests, newest))
            for row in batch.rows:
                r = row.revision
                revisions.append(
                    (
                        school_id,
                        course_id,
                        header.batch_number,
                        r.mark_id,
                        r.revision,
                        r.lesson_id,
                        r.student_id,
                        r.lesson_date,
                        write_kind(r.value),
                        write_number(r.value),
                        row.salt,
                        "",
                    )
                )
        heads.append((course_id, newest, len(chain)))
    columns = "school_id course_id batch_number account_id create_time format row_digests head"
    await _copy(connection, "mark_batches", columns, batches)
    columns = "school_id course_id batch_number mark_id revision lesson_id student_id lesson_date kind value salt reason"
    await _copy(connection, "mark_revisions", columns, revisions)
    await connection.executemany(
        "UPDATE course_chains SET head = $3, seq = $4 WHERE school_id = $1 AND course_id = $2",
        [(school_id, *row) for row in heads],
    )


async def settle(connection: Connection) -> None:
    """Gives the planner its figures and the index-only scans their map, as autovacuum would after a while."""
    for table in (
        "relations",
        "students",
        "courses",
        "course_members",
        "lessons",
        "mark_batches",
        "mark_revisions",
        "attendance",
    ):
        await connection.execute(f"VACUUM (ANALYZE) {table}", timeout=600)


async def _copy(connection: Connection, table: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
    await connection.copy_records_to_table(table, records=rows, columns=columns.split(), timeout=600)
