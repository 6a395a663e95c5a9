"""Who may be told, and what is planned for them. In `db.school`, in a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from chassis import sight
from chassis.db import Connection
from services.notify.news.rules import News
from services.notify.plan.rules import Channel, Contacts, Planned, Preferences

_BY_CONTACT = {"email": Channel.EMAIL}

# Looked up for each student, whatever the planner thinks of how many these are.
_VIEWERS = f"""
SELECT DISTINCT told.place, r.account_id, coalesce(p.is_marks_letter_on, true) AS is_on, c.kind AS contact
FROM unnest($2::uuid[], $3::timestamptz[]) WITH ORDINALITY AS told (student_id, fact_time, place)
CROSS JOIN LATERAL (
    SELECT r.account_id FROM relations r
    WHERE r.school_id = $1 AND {sight.sees_student("told.student_id")}
        AND r.valid_from_time <= told.fact_time AND (r.valid_to_time IS NULL OR r.valid_to_time > $4)
    OFFSET 0
) r
CROSS JOIN LATERAL (
    -- A release to come knows kinds of contact that this one has no channel for.
    SELECT c.kind FROM contact_points c WHERE c.account_id = r.account_id AND c.kind = ANY ($5::text[]) OFFSET 0
) c
LEFT JOIN preferences p ON p.school_id = $1 AND p.account_id = r.account_id AND p.student_id = told.student_id
ORDER BY told.place, r.account_id
"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class Viewers:
    """News by viewer, what these want to hear and how they can be told."""

    news: Sequence[News]
    preferences: Preferences
    contacts: Contacts


async def find_viewers(connection: Connection, school_id: UUID, news: Sequence[News], now: datetime) -> Viewers:
    """The news of students for each account that may read and can be told at all. What was before the access is news to
    nobody, however late it is told.
    """
    students, times = [one.student_id for one in news], [one.fact_time for one in news]
    rows = await connection.fetch(_VIEWERS, school_id, students, times, now, list(_BY_CONTACT))
    contacts: dict[UUID | None, set[Channel]] = {}
    for row in rows:
        contacts.setdefault(row["account_id"], set()).add(_BY_CONTACT[row["contact"]])
    told = {(row["place"], row["account_id"]): row["is_on"] for row in rows}
    by_viewer = [replace(news[place - 1], account_id=account_id) for place, account_id in told]
    wanted = {(one.account_id, one.student_id): is_on for one, is_on in zip(by_viewer, told.values(), strict=True)}
    return Viewers(by_viewer, wanted, contacts)


async def insert_planned(
    connection: Connection, school_id: UUID, planned: Sequence[Planned], now: datetime, *, has_files: bool
) -> int:
    """Writes news that nobody has told yet, and the deliveries that tell them; returns how many of these."""
    news = list({one: None for letter in planned for one in letter.news})
    places = {one: place for place, one in enumerate(news, 1)}
    links = [(places[one], place) for place, letter in enumerate(planned, 1) for one in letter.news]
    status = await connection.execute(
        """
        WITH told AS MATERIALIZED (
            SELECT m.*, uuidv7() AS news_id
            FROM unnest($3::smallint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::uuid[], $9::timestamptz[],
                        $10::timestamptz[]) WITH ORDINALITY
                AS m (kind, account_id, applicant_id, student_id, object_ids, fact_key, fact_time, hold_until, place)
        ), made AS (
            INSERT INTO news (school_id, news_id, kind, account_id, applicant_id, student_id, object_ids, fact_key, fact_time,
                              hold_until, create_time)
            SELECT $1, news_id, kind, account_id, applicant_id, student_id, object_ids::uuid[], fact_key, fact_time,
                   hold_until, $2
            FROM told ON CONFLICT DO NOTHING
            RETURNING news_id
        ), letters AS MATERIALIZED (
            SELECT l.*, uuidv7() AS delivery_id
            FROM unnest($11::smallint[], $12::timestamptz[]) WITH ORDINALITY AS l (channel, attempt_time, place)
        ), linked AS (
            INSERT INTO delivery_news (school_id, news_id, channel, delivery_id)
            SELECT $1, t.news_id, l.channel, l.delivery_id
            FROM unnest($13::integer[], $14::integer[]) AS k (news_place, letter_place)
            JOIN letters l ON l.place = k.letter_place
            JOIN told t ON t.place = k.news_place JOIN made m ON m.news_id = t.news_id
            -- Two events of one batch may tell one fact.
            ON CONFLICT DO NOTHING
            RETURNING delivery_id, news_id
        )
        INSERT INTO deliveries (school_id, delivery_id, channel, has_files, account_id, applicant_id, student_id,
                                next_attempt_time, create_time)
        SELECT DISTINCT ON (l.delivery_id) $1, l.delivery_id, l.channel, $15, t.account_id, t.applicant_id, t.student_id,
               l.attempt_time, $2
        FROM linked k JOIN told t ON t.news_id = k.news_id JOIN letters l ON l.delivery_id = k.delivery_id
        ORDER BY l.delivery_id
        """,
        school_id,
        now,
        [one.kind for one in news],
        [one.account_id for one in news],
        [one.applicant_id for one in news],
        [one.student_id for one in news],
        ["{" + ",".join(map(str, one.object_ids)) + "}" for one in news],
        [one.fact_key for one in news],
        [one.fact_time for one in news],
        [one.hold_until for one in news],
        [letter.channel for letter in planned],
        [letter.time for letter in planned],
        [news_place for news_place, _ in links],
        [letter_place for _, letter_place in links],
        has_files,
    )
    return int(status.split()[-1])
