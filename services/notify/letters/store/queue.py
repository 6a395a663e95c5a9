"""The queue of deliveries: claimed across schools by the jobs role, taken, ended and cancelled within a school."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from google.protobuf.message import Message

from chassis import calls, sight
from chassis.db import Committed, Connection, announce
from chassis.relations import Relation
from services.notify.letters.rules import PAUSES, Attempt, Claim, Next
from services.notify.news.kinds import NOTICES
from services.notify.news.rules import Taken

# A letter about what only a release to come can tell is left to it for so long.
_LEFT_FOR = timedelta(minutes=1)


async def claim_deliveries(
    connection: Connection,
    now: datetime,
    lease_end: datetime,
    limit: int,
    files_limit: int,
    apart_from: Sequence[UUID],
    channels: Collection[int],
) -> list[Claim]:
    """Claims due deliveries over these channels, oldest first, also those whose sender's lease has run out. In `db.jobs`.

    Letters with files have a limit of their own: many decisions are signed at once.
    """
    rows = await connection.fetch(
        """
        WITH letters AS (
            SELECT school_id, delivery_id FROM deliveries
            WHERE state IN (1, 5) AND NOT has_files AND channel = ANY ($6::smallint[]) AND next_attempt_time <= $1
                AND (lease_end_time IS NULL OR lease_end_time <= $1) AND delivery_id <> ALL ($5::uuid[])
            ORDER BY next_attempt_time LIMIT $3 FOR UPDATE SKIP LOCKED
        ), with_files AS (
            SELECT school_id, delivery_id FROM deliveries
            WHERE state IN (1, 5) AND has_files AND channel = ANY ($6::smallint[]) AND next_attempt_time <= $1
                AND (lease_end_time IS NULL OR lease_end_time <= $1) AND delivery_id <> ALL ($5::uuid[])
            ORDER BY next_attempt_time LIMIT $4 FOR UPDATE SKIP LOCKED
        )
        UPDATE deliveries d SET lease_end_time = $2
        FROM (SELECT * FROM letters UNION ALL SELECT * FROM with_files) AS due
        WHERE d.school_id = due.school_id AND d.delivery_id = due.delivery_id
        RETURNING d.school_id, d.delivery_id, d.has_files
        """,
        now,
        lease_end,
        limit,
        files_limit,
        apart_from,
        channels,
    )
    return [Claim(row["school_id"], row["delivery_id"], row["has_files"], lease_end) for row in rows]


async def renew_leases(connection: Connection, claims: Sequence[Claim], now: datetime, lease_end: datetime) -> set[UUID]:
    """Prolongs leases that have not run out; returns the deliveries that are still ours. In `db.jobs`."""
    rows = await connection.fetch(
        """
        UPDATE deliveries d SET lease_end_time = $5
        FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS ours (school_id, delivery_id, lease_end_time)
        WHERE d.school_id = ours.school_id AND d.delivery_id = ours.delivery_id AND d.state = 5
            AND d.lease_end_time = ours.lease_end_time AND d.lease_end_time > $4
        RETURNING d.delivery_id
        """,
        [claim.school_id for claim in claims],
        [claim.delivery_id for claim in claims],
        [claim.lease_end_time for claim in claims],
        now,
        lease_end,
    )
    return {row["delivery_id"] for row in rows}


async def count_waiting(connection: Connection) -> int:
    """Deliveries not yet sent. In `db.jobs`."""
    count: int = await connection.fetchval("SELECT count(*) FROM deliveries WHERE state IN (1, 5)")
    return count


async def take_delivery(connection: Connection, claim: Claim, now: datetime) -> Taken | None:
    """Takes a claimed delivery to be sent now, or cancels it when its receiver may not read or does not want its news: None.

    Each kind says whether it needs sight of the student still, and whether it may be switched off; of others their owner says
    whether they are wanted, when they are fetched. A kind of a release to come is left to it.
    The lock on the relation orders this against ApplyRelations: either the ending waits for this letter, or this statement
    sees the ending. None also when the claim has run out. An attempt whose sender died is noted with outcome UNKNOWN (4), and
    the pause after this one is set now, lest a letter that kills its sender be sent again and again.
    """
    rows = await connection.fetch(
        f"""
        WITH claimed AS (
            SELECT account_id, student_id, state, attempt_count FROM deliveries
            WHERE school_id = $1 AND delivery_id = $2 AND state IN (1, 5) AND lease_end_time = $3 AND lease_end_time > $4
        ), open_relation AS MATERIALIZED (
            SELECT r.relation_id FROM claimed c
            JOIN relations r ON r.school_id = $1 AND r.account_id = c.account_id AND {sight.sees_student("c.student_id")}
                AND {sight.is_open("$4")}
            FOR SHARE OF r
        ), lost AS (
            INSERT INTO delivery_attempts (school_id, delivery_id, attempt_number, outcome, provider_answer, create_time)
            SELECT $1, $2, attempt_count, 4, '', $4 FROM claimed WHERE state = 5
            ON CONFLICT DO NOTHING
        ), told AS MATERIALIZED (
            SELECT n.news_id, n.kind, n.object_ids, n.fact_time,
                (n.kind <> ALL ($5::smallint[]) OR (SELECT count(*) FROM open_relation) > 0)
                AND (n.kind <> ALL ($6::smallint[]) OR coalesce(p.is_marks_letter_on, true)) AS is_wanted
            FROM claimed c
            JOIN delivery_news l ON l.school_id = $1 AND l.delivery_id = $2
            JOIN news n ON n.school_id = $1 AND n.news_id = l.news_id
            LEFT JOIN preferences p ON p.school_id = $1 AND p.account_id = c.account_id AND p.student_id = c.student_id
        ), verdict AS (
            SELECT bool_and(kind = ANY ($8::smallint[])) AS is_known, bool_or(is_wanted) AS is_wanted FROM told
            HAVING count(*) > 0
        ), taken AS (
            UPDATE deliveries d
            SET state = CASE WHEN NOT is_known THEN 1 WHEN is_wanted THEN 5 ELSE 4 END,
                attempt_count = d.attempt_count + (is_known AND is_wanted)::int,
                is_copy_possible = d.is_copy_possible OR d.state = 5,
                lease_end_time = CASE WHEN is_known THEN d.lease_end_time END,
                next_attempt_time = $4 + CASE WHEN is_known
                    THEN ($7::interval[])[least(d.attempt_count + 1, cardinality($7))] ELSE $9 END
            FROM verdict
            WHERE d.school_id = $1 AND d.delivery_id = $2 AND d.state IN (1, 5) AND d.lease_end_time = $3
            RETURNING d.state, d.channel, d.account_id, d.applicant_id, d.student_id, d.attempt_count, d.is_copy_possible
        )
        SELECT t.channel, t.account_id, t.applicant_id, t.student_id, t.attempt_count, t.is_copy_possible,
            n.kind, n.object_ids, n.fact_time
        FROM taken t JOIN told n ON n.is_wanted WHERE t.state = 5 ORDER BY n.news_id
        """,  # noqa: S608 - of constants
        claim.school_id,
        claim.delivery_id,
        claim.lease_end_time,
        now,
        [notice.kind for notice in NOTICES.values() if notice.needs_sight],
        [notice.kind for notice in NOTICES.values() if notice.may_be_off],
        PAUSES,
        list(NOTICES),
        _LEFT_FOR,
    )
    if not rows:
        return None
    first = rows[0]
    return Taken(
        claim.school_id,
        claim.delivery_id,
        first["channel"],
        first["kind"],
        first["account_id"],
        first["applicant_id"],
        first["student_id"],
        [object_id for row in rows for object_id in row["object_ids"]],
        [row["fact_time"] for row in rows],
        first["attempt_count"],
        first["is_copy_possible"],
    )


async def end_attempt(
    connection: Connection, taken: Taken, attempt: Attempt, following: Next, told: Message | None, now: datetime
) -> None:
    """Notes an attempt and what follows, and tells it to the others, in one statement and so in one transaction. Nothing when
    another sender has taken the delivery meanwhile.
    """
    event_id, traceparent = uuid4(), calls.traceparent()
    subject, payload = ("", b"") if told is None else (told.DESCRIPTOR.full_name, told.SerializeToString())
    number = await connection.fetchval(
        """
        WITH ended AS (
            UPDATE deliveries
            SET state = $4::smallint, provider_answer = $6, lease_end_time = NULL,
                next_attempt_time = coalesce($7::timestamptz, next_attempt_time),
                send_time = CASE WHEN $4::smallint = 2 THEN $8::timestamptz END,
                is_copy_possible = is_copy_possible OR $5::smallint = 4
            WHERE school_id = $1 AND delivery_id = $2 AND attempt_count = $3 AND state = 5
            RETURNING delivery_id
        ), noted AS (
            INSERT INTO delivery_attempts (school_id, delivery_id, attempt_number, outcome, provider_answer, create_time)
            SELECT $1, delivery_id, $3, $5::smallint, $6, $8::timestamptz FROM ended
        )
        INSERT INTO outbox (event_id, school_id, subject, payload, traceparent, create_time)
        SELECT $9, $1, $10, $11, $12, $8::timestamptz FROM ended WHERE $10 <> ''
        RETURNING event_number
        """,
        taken.school_id,
        taken.delivery_id,
        taken.attempt_count,
        following.state,
        attempt.outcome,
        attempt.answer,
        following.attempt_time,
        now,
        event_id,
        subject,
        payload,
        traceparent,
    )
    if number is not None:
        announce(connection, Committed(number, event_id, taken.school_id, subject, payload, traceparent, now))


async def cancel_ended(connection: Connection, school_id: UUID, relations: Sequence[Relation], now: datetime) -> None:
    """Cancels what waits for accounts and students of these relations that no open relation ties any more."""
    await connection.execute(
        f"""
        UPDATE deliveries d SET state = 4, lease_end_time = NULL
        FROM (SELECT DISTINCT * FROM unnest($2::uuid[], $3::uuid[])) AS pair (account_id, student_id)
        WHERE d.school_id = $1 AND d.account_id = pair.account_id AND d.student_id = pair.student_id AND d.state = 1
            AND NOT EXISTS (
                SELECT FROM relations r WHERE r.school_id = $1 AND r.account_id = d.account_id
                    AND {sight.sees_student("d.student_id")} AND (r.valid_to_time IS NULL OR r.valid_to_time > $4)
            )
        """,  # noqa: S608 - of constants
        school_id,
        [relation.account_id for relation in relations],
        [relation.object_id for relation in relations],
        now,
    )


async def is_being_sent(connection: Connection, school_id: UUID, relations: Sequence[Relation], now: datetime) -> bool:
    """Whether a letter of these accounts and students is on its way, first credentials included; those name no student."""
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM unnest($2::uuid[], $3::uuid[]) AS pair (account_id, student_id)
            JOIN deliveries d ON d.school_id = $1 AND d.account_id = pair.account_id
                AND (d.student_id = pair.student_id OR d.student_id IS NULL)
            WHERE d.state = 5 AND d.lease_end_time > $4
        )
        """,
        school_id,
        [relation.account_id for relation in relations],
        [relation.object_id for relation in relations],
        now,
    )
    return found
