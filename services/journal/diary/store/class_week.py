"""A class's week for printouts: the class with its list, then all that its students' sheets are made of, in one statement."""

# ruff: noqa: S608 - the statements are composed of constants of the rooms

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.db import Connection
from services.journal.curriculum.store import period_of_week
from services.journal.diary.rules.class_week import (
    Absence,
    ClassFrame,
    ClassRecords,
    HeldLesson,
    ListedStudent,
    Membership,
    PeriodPlace,
    Revision,
    place_in_period,
)
from services.journal.marks.store.marks import FIVE_POINT
from services.journal.roster.store import read_parts

# $1 school, $2 class, $3 Monday, $4 Sunday, $5 now. A week is of the class of its end (Clause R7, decision 0076), whenever it
# is printed; who is of no class then, since the year or the stay ends within the week, is listed while in the class. The
# period is the class's own; a mean counts from the beginning of the course's (decision 0155).
FIND_FRAME = f"""
SELECT k.name AS class_name, s.name AS school_name, s.time_zone, p.name AS period_name, p.start_date, p.end_date,
    ARRAY(
        SELECT ROW(t.student_id, t.display_name, t.family_name, t.given_name, t.patronymic)
        FROM placements l JOIN students t ON t.school_id = $1 AND t.student_id = l.student_id
        WHERE l.school_id = $1 AND l.class_id = $2 AND l.is_named
          AND l.from_time < w.end_time AND (l.to_time IS NULL OR l.to_time >= w.end_time OR l.to_time > $5 AND l.from_time <= $5
              AND NOT EXISTS (
                  SELECT FROM placements n
                  WHERE n.school_id = $1 AND n.student_id = l.student_id AND n.is_named
                    AND n.from_time < w.end_time AND (n.to_time IS NULL OR n.to_time >= w.end_time)))
        ORDER BY t.sort_key, t.student_id
    ) AS students
FROM classes k
JOIN schools s ON s.school_id = $1
CROSS JOIN LATERAL (SELECT ($4::date + 1)::timestamp AT TIME ZONE s.time_zone AS end_time) AS w
LEFT JOIN {period_of_week("k", "$3", "$4")}
WHERE k.school_id = $1 AND k.class_id = $2
"""

# $1 school, $2 students, $3 Monday, $4 Sunday, $5 and $6 the week's instants. In vacations marks count from Monday on.
LIST_RECORDS = f"""
WITH memberships AS MATERIALIZED (
    SELECT m.student_id, m.course_id, m.from_date, m.to_date, c.subject_name, c.is_marked, c.sort_key,
        coalesce(p.start_date, $3) AS first_date
    FROM course_members m
    JOIN courses c ON c.school_id = $1 AND c.course_id = m.course_id
    LEFT JOIN {period_of_week("c", "$3", "$4")}
    WHERE m.school_id = $1 AND m.student_id = ANY($2) AND m.from_date <= $4
      AND (m.to_date IS NULL OR m.to_date >= greatest($3, m.from_date))
), revisions AS MATERIALIZED (
    SELECT mark_id, revision, lesson_id, course_id, student_id, lesson_date, {FIVE_POINT}, batch_number, reason
    FROM mark_revisions
    WHERE school_id = $1 AND student_id = ANY($2)
      AND lesson_date BETWEEN (SELECT min(first_date) FROM memberships) AND $4
)
SELECT
    ARRAY(
        SELECT ROW(student_id, course_id, from_date, to_date, subject_name, is_marked) FROM memberships
        ORDER BY sort_key, course_id, from_date
    ) AS memberships,
    ARRAY(
        SELECT ROW(l.lesson_id, l.course_id, l.lesson_date, l.topic)
        FROM (SELECT DISTINCT course_id FROM memberships) AS m
        JOIN lessons l ON l.school_id = $1 AND l.course_id = m.course_id AND l.lesson_date BETWEEN $3 AND $4
        WHERE l.state = 2 ORDER BY l.lesson_date, l.lesson_number
    ) AS lessons,
    ARRAY(
        SELECT ROW(r.student_id, r.course_id, r.mark_id, r.revision, r.lesson_date, r.value, coalesce(r.reason, ''),
                   b.create_time >= $5 AND b.create_time < $6, coalesce(w.weight, 100), coalesce(w.name, ''), l.topic)
        FROM revisions r
        JOIN (SELECT DISTINCT course_id, first_date FROM memberships) AS m
            ON m.course_id = r.course_id AND r.lesson_date >= m.first_date
        JOIN lessons l ON l.school_id = $1 AND l.lesson_id = r.lesson_id
        JOIN mark_batches b ON b.school_id = $1 AND b.course_id = r.course_id AND b.batch_number = r.batch_number
        LEFT JOIN work_types w ON w.school_id = $1 AND w.work_type_id = l.work_type_id
        ORDER BY r.lesson_date, l.lesson_number, r.mark_id, r.revision
    ) AS revisions,
    ARRAY(
        SELECT ROW(a.student_id, a.lesson_id, a.code) FROM attendance a
        WHERE a.school_id = $1 AND a.student_id = ANY($2) AND a.lesson_date BETWEEN $3 AND $4 AND a.code > 0
    ) AS absences
"""


async def find_frame(connection: Connection, school_id: UUID, class_id: UUID, monday: date, now: datetime) -> ClassFrame | None:
    """The class with its list of the week and the week's place in its period; None when the school has no such class."""
    row = await connection.fetchrow(FIND_FRAME, school_id, class_id, monday, monday + timedelta(days=6), now)
    if row is None:
        return None
    start = row["start_date"]
    return ClassFrame(
        class_name=row["class_name"],
        school_name=row["school_name"],
        time_zone=row["time_zone"],
        period=place_in_period(row["period_name"], start, row["end_date"], monday) if start else PeriodPlace(),
        students=[ListedStudent(student_id, shown, read_parts(*parts)) for student_id, shown, *parts in row["students"]],
    )


async def list_records(
    connection: Connection, school_id: UUID, student_ids: Sequence[UUID], frame: ClassFrame, monday: date
) -> ClassRecords:
    """What the journal holds of the students for the week."""
    [row] = await connection.fetch(
        LIST_RECORDS,
        school_id,
        student_ids,
        monday,
        monday + timedelta(days=6),
        *_instants(frame.time_zone, monday),
    )
    return ClassRecords(
        [Membership(*values) for values in row["memberships"]],
        [HeldLesson(*values) for values in row["lessons"]],
        [Revision(*values) for values in row["revisions"]],
        [Absence(*values) for values in row["absences"]],
    )


def _instants(time_zone: str, monday: date) -> tuple[datetime, datetime]:
    """When the week begins and ends by the school's clocks."""
    zone = ZoneInfo(time_zone)
    return datetime.combine(monday, time.min, zone), datetime.combine(monday + timedelta(days=7), time.min, zone)
