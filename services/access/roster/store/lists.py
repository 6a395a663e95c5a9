"""Classes, students and study groups as staff and the other services see them. In `db.school`.

Each list is paged by id after `after`, and only of `ids` where they are given.
"""

# ruff: noqa: S608 - the statements are composed of constants of this room and of chassis

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg
from asyncpg import Range

from chassis.db import Connection, among
from services.access.people.rules.guardianships import GuardianKind
from services.access.people.rules.names import PersonName
from services.access.people.store.people import read_name
from services.access.roster.rules.lists import (
    ClassRow,
    ListedGuardianship,
    ListedStudent,
    Member,
    Placement,
    RosterClass,
    RosterStudent,
    RosterStudyGroup,
)


async def list_class_rows(
    connection: Connection, school_id: UUID, today: date, after_grade: int, after_name: str, limit: int
) -> list[ClassRow]:
    """Classes of the current year by lowest grade and name, after one of them."""
    rows = await connection.fetch(
        """
        SELECT c.class_id, c.name, c.grades, t.family_name, t.given_name, t.patronymic,
               (SELECT count(*) FROM placements p
                WHERE p.school_id = $1 AND p.class_id = c.class_id AND p.validity @> $2::date) AS student_count
        FROM schools s
        JOIN classes c ON c.school_id = s.school_id AND c.year_id = (SELECT current_year($1, $2))
        LEFT JOIN LATERAL (
            SELECT p.family_name, p.given_name, p.patronymic
            FROM appointments a JOIN people p USING (school_id, person_id)
            WHERE a.school_id = $1 AND a.class_id = c.class_id AND a.validity @> $2::date
            ORDER BY lower(a.validity) DESC, a.appointment_id LIMIT 1
        ) t ON true
        WHERE s.school_id = $1 AND (c.grades[1], c.name COLLATE "C") > ($3, $4)
        ORDER BY c.grades[1], c.name COLLATE "C" LIMIT $5
        """,
        school_id,
        today,
        after_grade,
        after_name,
        limit,
    )
    return [
        ClassRow(
            row["class_id"],
            row["name"],
            row["grades"],
            read_name(row) if row["family_name"] else None,
            row["student_count"],
        )
        for row in rows
    ]


async def list_classes(
    connection: Connection, school_id: UUID, ids: Sequence[UUID] | None, after: UUID, limit: int, today: date
) -> list[RosterClass]:
    """Classes of all years, each with its class teacher of today."""
    rows = await connection.fetch(
        f"""
        SELECT c.class_id, c.name, c.grades, c.version, t.family_name, t.given_name, t.patronymic
        FROM classes c
        LEFT JOIN LATERAL (
            SELECT p.family_name, p.given_name, p.patronymic
            FROM appointments a JOIN people p USING (school_id, person_id)
            WHERE a.school_id = $1 AND a.class_id = c.class_id AND a.validity @> $5::date
            ORDER BY lower(a.validity) DESC, a.appointment_id LIMIT 1
        ) t ON true
        WHERE c.school_id = $1 AND c.class_id > $3 AND {among("c.class_id", ids)}
        ORDER BY c.class_id LIMIT $4
        """,
        school_id,
        ids,
        after,
        limit,
        today,
    )
    return [
        RosterClass(row["class_id"], row["name"], row["grades"], row["version"], read_name(row) if row["family_name"] else None)
        for row in rows
    ]


async def list_students(
    connection: Connection, school_id: UUID, ids: Sequence[UUID] | None, after: UUID, limit: int, today: date
) -> list[RosterStudent]:
    """Students, those who have left too, each with all placements and the class of the first that is not over."""
    rows = await connection.fetch(
        f"""
        SELECT s.student_id, p.family_name, p.given_name, p.patronymic, p.sort_key, l.class_id, s.version,
               ARRAY(SELECT ROW(a.class_id, lower(a.validity)::timestamp AT TIME ZONE o.time_zone,
                                upper(a.validity)::timestamp AT TIME ZONE o.time_zone)
                     FROM placements a WHERE a.school_id = $1 AND a.student_id = s.student_id ORDER BY a.validity) AS placements
        FROM students s
        JOIN schools o ON o.school_id = s.school_id
        JOIN people p ON p.school_id = s.school_id AND p.person_id = s.student_id
        LEFT JOIN LATERAL (
            SELECT class_id FROM placements
            WHERE school_id = $1 AND student_id = s.student_id AND coalesce(upper(validity), 'infinity') > $5::date
            ORDER BY lower(validity) LIMIT 1
        ) l ON true
        WHERE s.school_id = $1 AND s.student_id > $3 AND {among("s.student_id", ids)}
        ORDER BY s.student_id LIMIT $4
        """,
        school_id,
        ids,
        after,
        limit,
        today,
    )
    return [
        RosterStudent(
            row["student_id"],
            read_name(row),
            row["sort_key"],
            row["class_id"],
            row["version"],
            [Placement(*placement) for placement in row["placements"]],
        )
        for row in rows
    ]


# Students of a page by name, for whom an account ($2) acts in one of the roles ($4).
_LISTED = """
    WITH acting AS MATERIALIZED (SELECT class_id FROM acting_roles($1, $2, $3) WHERE role = ANY ($4::smallint[])),
         page AS ({page})
    SELECT p.person_id AS student_id, p.family_name, p.given_name, p.patronymic, p.sort_key, c.class_id, c.class_name
    FROM page
    JOIN people p ON p.school_id = $1 AND p.person_id = page.student_id
    CROSS JOIN LATERAL student_card($1, p.person_id, $3) c
    WHERE {staying}
    ORDER BY p.sort_key, p.person_id
"""
_STAYS = """
    c.from_date IS NOT NULL OR NOT EXISTS (
        SELECT FROM enrolments e WHERE e.school_id = $1 AND e.student_id = p.person_id)
"""
# Those who have left are passed by along the way: their names stand between the others.
_STAYING = """
    SELECT coalesce(bool_or(coalesce(upper(e.validity), 'infinity') > (
        SELECT ($3::timestamptz AT TIME ZONE time_zone)::date FROM schools WHERE school_id = $1)), true) AS is_staying
    FROM enrolments e WHERE e.school_id = $1 AND e.student_id = p.person_id
"""
_NAMED_AFTER = """
    SELECT l.student_id, p.sort_key FROM ({students}) l JOIN people p ON p.school_id = $1 AND p.person_id = l.student_id
    WHERE (p.sort_key, p.person_id) > ($5, $6)
"""
_LISTED_STUDENT = _LISTED.format(page="SELECT $5::uuid AS student_id WHERE roles_towards($1, $5, $2, $3) && $4", staying=_STAYS)
_OF_CLASS = """
    SELECT student_id FROM students_of_class($1, $7, $3)
    WHERE EXISTS (SELECT FROM acting WHERE class_id IS NULL OR class_id = $7)
"""
# Whom a printed week ($9) lists: who is in the class at its end; of who is in none then, since the year or the stay ends within
# the week, who is in it today (decision 0109; store/class_week.py of the journal).
_OF_CLASS_IN_WEEK = """
    SELECT l.student_id FROM placements l
    WHERE l.school_id = $1 AND l.class_id = $7 AND l.validity && $9::daterange
      AND EXISTS (SELECT FROM acting WHERE class_id IS NULL OR class_id = $7)
      AND (l.validity @> upper($9::daterange) - 1
           OR l.validity @> (SELECT ($3::timestamptz AT TIME ZONE time_zone)::date FROM schools WHERE school_id = $1)
              AND NOT EXISTS (SELECT FROM placements o WHERE o.school_id = $1 AND o.student_id = l.student_id
                                                         AND o.validity @> upper($9::daterange) - 1))
"""
_OF_OWN_CLASSES = "SELECT l.student_id FROM acting t CROSS JOIN LATERAL students_of_class($1, t.class_id, $3) l"
_OF_ALL = """
    SELECT student_id FROM (
        (SELECT p.person_id AS student_id, p.sort_key
         FROM people p JOIN students t ON t.school_id = p.school_id AND t.student_id = p.person_id
         CROSS JOIN LATERAL ({staying}) e
         WHERE p.school_id = $1 AND (p.sort_key, p.person_id) > ($5, $6) AND e.is_staying
           AND EXISTS (SELECT FROM acting WHERE class_id IS NULL)
         ORDER BY p.sort_key, p.person_id LIMIT $7)
        UNION {own}
    ) q ORDER BY q.sort_key, q.student_id LIMIT $7
"""
_OF_NAME = "ORDER BY p.sort_key, p.person_id LIMIT $8"
_LISTED_CLASS = _LISTED.format(page=_NAMED_AFTER.format(students=_OF_CLASS) + _OF_NAME, staying=_STAYS)
_LISTED_WEEK = _LISTED.format(page=_NAMED_AFTER.format(students=_OF_CLASS_IN_WEEK) + _OF_NAME, staying="true")
_LISTED_ALL = _LISTED.format(
    page=_OF_ALL.format(staying=_STAYING, own=_NAMED_AFTER.format(students=_OF_OWN_CLASSES)), staying=_STAYS
)


async def list_listed_students(
    connection: Connection,
    school_id: UUID,
    account_id: UUID,
    now: datetime,
    roles: frozenset[int],
    after: tuple[str, UUID],
    limit: int,
    *,
    class_id: UUID | None = None,
    monday: date | None = None,
) -> list[ListedStudent]:
    """Students for whom an account may act in one of `roles`, by name after a key; those who have left are not among them. With
    `monday` those of a class in its week, whoever has moved or left since.
    """
    asked = (school_id, account_id, now, roles, *after)
    if class_id is None:
        rows = await connection.fetch(_LISTED_ALL, *asked, limit)
    elif monday is not None:
        rows = await connection.fetch(_LISTED_WEEK, *asked, class_id, limit, Range(monday, monday + timedelta(days=7)))
        # Where who has moved studies now is not for the teacher of the class before (Clause R9).
        return [_leave_class_out(_read_listed(row), class_id) for row in rows]
    else:
        rows = await connection.fetch(_LISTED_CLASS, *asked, class_id, limit)
    return [_read_listed(row) for row in rows]


def _leave_class_out(student: ListedStudent, class_id: UUID) -> ListedStudent:
    return student if student.class_id == class_id else replace(student, class_id=None, class_name="")


async def find_listed_student(
    connection: Connection, school_id: UUID, account_id: UUID, now: datetime, roles: frozenset[int], student_id: UUID
) -> ListedStudent | None:
    """A student as a list shows one, if the account may act for the student in one of `roles`."""
    row = await connection.fetchrow(_LISTED_STUDENT, school_id, account_id, now, roles, student_id)
    return _read_listed(row) if row else None


async def may_list_class(
    connection: Connection, school_id: UUID, account_id: UUID, now: datetime, roles: frozenset[int], class_id: UUID
) -> bool:
    """Whether the school has the class and the account may act for its students in one of `roles`."""
    may: bool = await connection.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM classes c JOIN acting_roles($1, $2, $3) t ON t.class_id IS NULL OR t.class_id = c.class_id
            WHERE c.school_id = $1 AND c.class_id = $5 AND t.role = ANY ($4::smallint[]))
        """,
        school_id,
        account_id,
        now,
        roles,
        class_id,
    )
    return may


async def list_guardianships(
    connection: Connection, school_id: UUID, student_id: UUID, today: date, after: tuple[str, UUID], limit: int
) -> list[ListedGuardianship]:
    """Guardianships over a student in force today, by the guardian's name after a key: those proved alone (Clauses R6, R19)."""
    rows = await connection.fetch(
        """
        SELECT g.guardianship_id, g.guardian_person_id, p.family_name, p.given_name, p.patronymic, p.sort_key, g.student_id,
               g.kind, g.document, upper(g.validity) AS to_date
        FROM standing_guardianships g
        JOIN people p ON p.school_id = g.school_id AND p.person_id = g.guardian_person_id
        WHERE g.school_id = $1 AND g.student_id = $2 AND g.validity @> $3::date
          AND (p.sort_key, g.guardianship_id) > ($4, $5)
        ORDER BY p.sort_key, g.guardianship_id LIMIT $6
        """,
        school_id,
        student_id,
        today,
        *after,
        limit,
    )
    return [
        ListedGuardianship(
            guardianship_id=row["guardianship_id"],
            guardian_person_id=row["guardian_person_id"],
            name=read_name(row),
            sort_key=row["sort_key"],
            student_id=row["student_id"],
            kind=GuardianKind(row["kind"]),
            document=row["document"],
            to_date=row["to_date"],
        )
        for row in rows
    ]


async def list_study_groups(
    connection: Connection, school_id: UUID, ids: Sequence[UUID] | None, after: UUID, limit: int, today: date
) -> list[RosterStudyGroup]:
    """Study groups of all years; their teachers are those whose time is not over, by name."""
    rows = await connection.fetch(
        f"""
        SELECT g.study_group_id, g.class_id, g.subject_name, g.group_name, g.is_marked, g.version,
               lower(g.validity) AS start_date, upper(g.validity) - 1 AS end_date,
               t.family_names, t.given_names, t.patronymics, m.student_ids, m.from_dates, m.to_dates
        FROM study_groups g
        LEFT JOIN LATERAL (
            SELECT array_agg(p.family_name ORDER BY p.sort_key, p.person_id) AS family_names,
                   array_agg(p.given_name ORDER BY p.sort_key, p.person_id) AS given_names,
                   array_agg(p.patronymic ORDER BY p.sort_key, p.person_id) AS patronymics
            FROM study_group_teachers t JOIN people p USING (school_id, person_id)
            WHERE t.school_id = $1 AND t.study_group_id = g.study_group_id
              AND coalesce(upper(t.validity), 'infinity') > $5::date
        ) t ON true
        LEFT JOIN LATERAL (
            SELECT array_agg(student_id ORDER BY student_id, validity) AS student_ids,
                   array_agg(lower(validity) ORDER BY student_id, validity) AS from_dates,
                   array_agg(upper(validity) ORDER BY student_id, validity) AS to_dates
            FROM study_group_members WHERE school_id = $1 AND study_group_id = g.study_group_id
        ) m ON true
        WHERE g.school_id = $1 AND g.study_group_id > $3 AND {among("g.study_group_id", ids)}
        ORDER BY g.study_group_id LIMIT $4
        """,
        school_id,
        ids,
        after,
        limit,
        today,
    )
    return [
        RosterStudyGroup(
            study_group_id=row["study_group_id"],
            class_id=row["class_id"],
            subject_name=row["subject_name"],
            group_name=row["group_name"],
            is_marked=row["is_marked"],
            version=row["version"],
            start_date=row["start_date"],
            end_date=row["end_date"],
            teacher_names=[
                PersonName(*name)
                for name in zip(row["family_names"] or (), row["given_names"] or (), row["patronymics"] or (), strict=True)
            ],
            members=[
                Member(*member)
                for member in zip(row["student_ids"] or (), row["from_dates"] or (), row["to_dates"] or (), strict=True)
            ],
        )
        for row in rows
    ]


def _read_listed(row: asyncpg.Record) -> ListedStudent:
    return ListedStudent(row["student_id"], read_name(row), row["sort_key"], row["class_id"], row["class_name"])
