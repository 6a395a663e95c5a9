-- The transaction of RecordMarks with nothing before it: the school set, the reading statement, the saving statement, of
-- services/journal/marks/store/marks.py, with made-up ids and payloads of the live sizes. Kept equal by hand when the store changes.
-- Its event is of a subject that nobody handles: what cannot be read would be tried and set aside beside the rounds of Diary.
\set n random(1, :classes)
SELECT school_id, course_id, account_id, lesson_id, lesson_date FROM public.bench_classes WHERE class_number = :n \gset
SELECT set_config('role', 'diary_journal_app', false), set_config('diary.school_id', :school_id::text, false);
SELECT gen_random_uuid() AS session_id, gen_random_uuid() AS request_id \gset
SELECT h.seq + 1 AS batch_number,
    q.digest, q.answer, c.is_marked, s.mark_min, s.time_zone,
    ARRAY(
        SELECT ROW(l.lesson_id, l.lesson_date, l.state = 2, coalesce(p.is_closed, true)) FROM journal.lessons l
        LEFT JOIN journal.periods p ON p.school_id = c.school_id AND p.kind = c.period_kind
            AND l.lesson_date BETWEEN p.start_date AND p.end_date
        WHERE l.school_id = :school_id AND l.lesson_id = ANY(ARRAY[:lesson_id::uuid]) AND l.course_id = :course_id
    ) AS lessons,
    ARRAY(
        SELECT ROW(m.student_id, m.from_date, m.to_date) FROM journal.course_members m
        WHERE m.school_id = :school_id AND m.course_id = :course_id
    ) AS members,
    ARRAY(
        SELECT ROW(newest.mark_id, newest.lesson_id, newest.student_id, newest.kind, newest.value, newest.revision, b.account_id,
                   f.create_time)
        FROM (
            SELECT DISTINCT ON (mark_id) mark_id, lesson_id, student_id, course_id, kind, value, revision, batch_number
            FROM journal.mark_revisions
            WHERE school_id = :school_id AND mark_id = ANY(ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 25)))
            ORDER BY mark_id, revision DESC
        ) AS newest
        JOIN journal.mark_batches b
            ON b.school_id = :school_id AND b.course_id = newest.course_id AND b.batch_number = newest.batch_number
        JOIN journal.mark_revisions r ON r.school_id = :school_id AND r.mark_id = newest.mark_id AND r.revision = 1
        JOIN journal.mark_batches f ON f.school_id = :school_id AND f.course_id = r.course_id AND f.batch_number = r.batch_number
    ) AS marks
FROM journal.courses c
JOIN journal.schools s ON s.school_id = :school_id
JOIN journal.course_chains h ON h.school_id = :school_id AND h.course_id = :course_id
LEFT JOIN journal.requests q ON q.account_id = :account_id AND q.request_id = :request_id
WHERE c.school_id = :school_id AND c.course_id = :course_id AND EXISTS (
    SELECT FROM journal.relations r
    WHERE r.school_id = :school_id AND r.account_id = :account_id AND r.object_id = :course_id AND r.kind = 5 AND r.role = 5
      AND r.valid_from_time <= now() AND (r.valid_to_time IS NULL OR r.valid_to_time > now())
) AND NOT EXISTS (SELECT FROM journal.ended_sessions e WHERE e.session_id = :session_id) \gset
WITH fallen AS (
    SELECT FROM unnest(ARRAY[:lesson_id::uuid]) AS r (lesson_id)
    WHERE NOT EXISTS (SELECT FROM journal.lessons l
                      WHERE l.school_id = :school_id AND l.lesson_id = r.lesson_id AND l.course_id = :course_id AND l.state = 2
                        AND EXISTS (SELECT FROM journal.courses pc
                                    JOIN journal.periods p ON p.school_id = pc.school_id AND p.kind = pc.period_kind
                                        AND l.lesson_date BETWEEN p.start_date AND p.end_date
                                    WHERE pc.school_id = :school_id AND pc.course_id = :course_id AND NOT p.is_closed))
    UNION ALL
    SELECT FROM unnest((SELECT student_ids FROM public.bench_classes WHERE class_number = :n)) AS r (student_id)
    WHERE NOT EXISTS (SELECT FROM journal.course_members m
                      WHERE m.school_id = :school_id AND m.course_id = :course_id AND m.student_id = r.student_id
                        AND m.from_date <= :lesson_date AND (m.to_date IS NULL OR :lesson_date <= m.to_date))
), saved AS (
    UPDATE journal.course_chains SET head = sha256(head || sha256('digest'::bytea)), seq = seq + 1
    WHERE school_id = :school_id AND course_id = :course_id AND seq = :batch_number - 1 AND NOT EXISTS (SELECT FROM fallen)
    RETURNING head
), batch AS (
    INSERT INTO journal.mark_batches (school_id, course_id, batch_number, account_id, create_time, row_digests, head, format)
    SELECT :school_id::uuid, :course_id::uuid, :batch_number::bigint, :account_id::uuid, now(), convert_to(repeat('d', 800), 'UTF8'), head, 3 FROM saved
), revisions AS (
    INSERT INTO journal.mark_revisions (school_id, course_id, batch_number, mark_id, revision, lesson_id, student_id, lesson_date,
                                        kind, value, salt, reason)
    SELECT :school_id::uuid, :course_id::uuid, :batch_number::bigint, gen_random_uuid(), 1, :lesson_id::uuid, r.student_id, :lesson_date::date, 1, 4,
        '\x000102030405060708090a0b0c0d0e0f'::bytea, ''
    FROM saved, unnest((SELECT student_ids FROM public.bench_classes WHERE class_number = :n)) AS r (student_id)
), told AS (
    INSERT INTO journal.outbox (event_id, school_id, subject, payload, create_time)
    SELECT gen_random_uuid(), :school_id::uuid, 'diary.journal.v1.BenchRecorded', convert_to(repeat('p', 3000), 'UTF8'), now() FROM saved
), answered AS (
    INSERT INTO journal.requests (account_id, request_id, rpc, digest, answer, create_time)
    SELECT :account_id::uuid, :request_id::uuid, 'RecordMarks', sha256('request'::bytea), convert_to(repeat('a', 1100), 'UTF8'), now() FROM saved
)
SELECT FROM saved;
