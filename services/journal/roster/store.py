"""Writing the projection of access's roster: only higher versions, ended rows stay."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from chassis.db import Connection
from chassis.names import PersonName
from chassis.places import put_placements
from services.journal.curriculum.rules import PeriodKind, WorkType
from services.journal.roster.rules import EMPTY_HEAD, Course, School, SchoolClass, Student


async def lock_projection(connection: Connection, school_id: UUID) -> None:
    """Lets the writers of a school's projection take turns: events and a rebuild lock its rows in different orders."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"journal roster {school_id}")


async def update_school(connection: Connection, school: School) -> bool:
    """Writes a school of a higher version; whether it did."""
    status = await connection.execute(
        """
        INSERT INTO schools AS kept (school_id, name, time_zone, year_start_date, year_end_date, mark_min, version,
                                     year_starts, year_ends)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (school_id) DO UPDATE
        SET name = $2, time_zone = $3, year_start_date = $4, year_end_date = $5, mark_min = $6, version = $7,
            year_starts = $8, year_ends = $9
        WHERE kept.version < $7
        """,
        school.school_id,
        school.name,
        school.time_zone,
        school.year_start_date,
        school.year_end_date,
        school.mark_min,
        school.version,
        [first for first, _ in school.years],
        [last for _, last in school.years],
    )
    return status.endswith(" 1")


async def list_years(connection: Connection, school_id: UUID) -> list[tuple[date, date]]:
    """First and last days of the years of a school that is told."""
    rows = await connection.fetch(
        """
        SELECT year_start_date, year_end_date FROM schools WHERE school_id = $1
        UNION
        SELECT y.* FROM schools s, unnest(s.year_starts, s.year_ends) AS y WHERE s.school_id = $1
        """,
        school_id,
    )
    return [(first, last) for first, last in rows]


async def list_class_kinds(connection: Connection, school_id: UUID) -> set[PeriodKind]:
    """The kinds of periods by which a school's classes go."""
    rows = await connection.fetch("SELECT DISTINCT period_kind FROM classes WHERE school_id = $1", school_id)
    return {PeriodKind(kind) for (kind,) in rows}


async def insert_work_types(connection: Connection, school_id: UUID, work_types: Sequence[WorkType]) -> None:
    """Writes the work types that are not there yet, in this order."""
    await connection.executemany(
        """
        INSERT INTO work_types (school_id, work_type_id, name, weight, list_number) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (school_id, work_type_id) DO NOTHING
        """,
        [(school_id, w.work_type_id, w.name, w.weight, number) for number, w in enumerate(work_types, 1)],
    )


async def update_classes(connection: Connection, school_id: UUID, classes: Sequence[SchoolClass]) -> None:
    """Writes classes of a higher version; one in which a lesson was held keeps its kind of periods."""
    await connection.executemany(
        """
        INSERT INTO classes AS kept (school_id, class_id, name, grades, sort_key, version, period_kind)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (school_id, class_id) DO UPDATE SET name = $3, grades = $4, sort_key = $5, version = $6,
            period_kind = CASE WHEN EXISTS (
                SELECT FROM courses c JOIN lessons l ON l.school_id = $1 AND l.course_id = c.course_id AND l.state = 2
                WHERE c.school_id = $1 AND c.class_id = $2
            ) THEN kept.period_kind ELSE $7 END
        WHERE kept.version < $6
        """,
        [(school_id, c.class_id, c.name, c.grades, c.sort_key, c.version, c.period_kind) for c in classes],
    )


async def list_course_kinds(
    connection: Connection,
    school_id: UUID,
    course_ids: Collection[UUID],
    class_ids: Collection[UUID],
    student_ids: Collection[UUID],
) -> dict[UUID, set[PeriodKind]]:
    """The kinds of periods of a course's class, or of the classes that its students were of while in it, by course.

    Of these courses, those of the classes, and those of the students that gather classes; without those in which a lesson was
    held, since what was recorded stays where it is.
    """
    rows = await connection.fetch(
        """
        SELECT c.course_id, ARRAY(
            SELECT k.period_kind FROM classes k WHERE k.school_id = $1 AND k.class_id = c.class_id
            UNION
            SELECT k.period_kind
            FROM course_members m
            JOIN placements p ON p.school_id = $1 AND p.student_id = m.student_id AND p.is_named
                AND p.from_time < (coalesce(m.to_date, c.end_date) + 1)::timestamp AT TIME ZONE s.time_zone
                AND (p.to_time IS NULL OR p.to_time > m.from_date::timestamp AT TIME ZONE s.time_zone)
            JOIN classes k ON k.school_id = $1 AND k.class_id = p.class_id
            WHERE c.class_id IS NULL AND m.school_id = $1 AND m.course_id = c.course_id
              AND (m.to_date IS NULL OR m.to_date >= m.from_date)
        ) AS kinds
        FROM courses c
        JOIN schools s ON s.school_id = $1
        WHERE c.school_id = $1
          AND (c.course_id = ANY($2) OR c.class_id = ANY($3) OR c.class_id IS NULL AND EXISTS (
              SELECT FROM course_members m
              WHERE m.school_id = $1 AND m.course_id = c.course_id
                AND (m.student_id = ANY($4) OR EXISTS (
                    SELECT FROM placements p
                    WHERE p.school_id = $1 AND p.student_id = m.student_id AND p.is_named AND p.class_id = ANY($3)))))
          AND NOT EXISTS (SELECT FROM lessons l WHERE l.school_id = $1 AND l.course_id = c.course_id AND l.state = 2)
        """,
        school_id,
        list(course_ids),
        list(class_ids),
        list(student_ids),
    )
    return {course_id: {PeriodKind(kind) for kind in kinds} for course_id, kinds in rows}


async def update_course_kinds(connection: Connection, school_id: UUID, kinds: Mapping[UUID, PeriodKind]) -> None:
    """Writes what courses go by."""
    await connection.execute(
        """
        UPDATE courses c SET period_kind = v.kind FROM unnest($2::uuid[], $3::smallint[]) AS v (course_id, kind)
        WHERE c.school_id = $1 AND c.course_id = v.course_id AND c.period_kind <> v.kind
        """,
        school_id,
        list(kinds),
        list(kinds.values()),
    )


async def update_students(connection: Connection, school_id: UUID, students: Sequence[Student]) -> None:
    """Writes students of a higher version with their placements. In a transaction."""
    rows = await connection.fetchmany(
        """
        INSERT INTO students AS kept (school_id, student_id, display_name, sort_key, class_id, version, family_name, given_name,
                                      patronymic)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (school_id, student_id) DO UPDATE
        SET display_name = $3, sort_key = $4, class_id = $5, version = $6, family_name = $7, given_name = $8, patronymic = $9
        WHERE kept.version < $6
        RETURNING student_id
        """,
        [(school_id, s.student_id, s.display_name, s.sort_key, s.class_id, s.version, *_split(s.name)) for s in students],
    )
    written = {row["student_id"] for row in rows}
    of_students = {student.student_id: student.placements for student in students if student.student_id in written}
    await put_placements(connection, school_id, of_students)


async def update_courses(connection: Connection, school_id: UUID, courses: Sequence[Course]) -> None:
    """Writes courses of a higher version with their members, and an empty chain for each new one. In a transaction."""
    rows = await connection.fetchmany(
        """
        INSERT INTO courses AS kept (school_id, course_id, class_id, subject_name, group_name, sort_key, is_marked,
                                     teacher_names, start_date, end_date, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (school_id, course_id) DO UPDATE
        SET class_id = $3, subject_name = $4, group_name = $5, sort_key = $6, is_marked = $7, teacher_names = $8,
            start_date = $9, end_date = $10, version = $11
        WHERE kept.version < $11
        RETURNING course_id
        """,
        [
            (
                school_id,
                c.course_id,
                c.class_id,
                c.subject_name,
                c.group_name,
                c.sort_key,
                c.is_marked,
                c.teacher_names,
                c.start_date,
                c.end_date,
                c.version,
            )
            for c in courses
        ],
    )
    written = {row["course_id"] for row in rows}
    await _update_members(connection, school_id, [course for course in courses if course.course_id in written])


async def _update_members(connection: Connection, school_id: UUID, courses: Sequence[Course]) -> None:
    """Members as the courses name them; one no longer named is kept as never having been, since nothing is deleted."""
    course_ids = [course.course_id for course in courses]
    members = [(course, member) for course in courses for member in course.members]
    await connection.execute(
        """
        INSERT INTO course_chains (school_id, course_id, head, seq) SELECT $1, unnest($2::uuid[]), $3, 0 ON CONFLICT DO NOTHING
        """,
        school_id,
        course_ids,
        EMPTY_HEAD,
    )
    await connection.execute(
        """
        INSERT INTO course_members (school_id, course_id, course_version, student_id, from_date, to_date)
        SELECT $1, * FROM unnest($2::uuid[], $3::bigint[], $4::uuid[], $5::date[], $6::date[])
        ON CONFLICT (school_id, course_id, student_id, from_date) DO UPDATE
        SET to_date = excluded.to_date, course_version = excluded.course_version
        """,
        school_id,
        [course.course_id for course, _ in members],
        [course.version for course, _ in members],
        [member.student_id for _, member in members],
        [member.from_date for _, member in members],
        [member.to_date for _, member in members],
    )
    await connection.execute(
        """
        UPDATE course_members AS m SET to_date = m.from_date - 1, course_version = c.version
        FROM courses c
        WHERE m.school_id = $1 AND m.course_id = ANY($2) AND c.school_id = $1 AND c.course_id = m.course_id
          AND m.course_version < c.version
        """,
        school_id,
        course_ids,
    )


def _split(name: PersonName | None) -> tuple[str | None, str | None, str | None]:
    return (name.family_name, name.given_name, name.patronymic) if name else (None, None, None)


def read_parts(family_name: str | None, given_name: str | None, patronymic: str | None) -> PersonName | None:
    """The name, or None while the roster has not told its parts."""
    if family_name is None or given_name is None or patronymic is None:
        return None
    return PersonName(family_name, given_name, patronymic)
