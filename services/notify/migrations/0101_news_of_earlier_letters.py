"""Letters of before get their news, those that wait and those that left: a school a transaction, locking nobody out.

Letters that are written meanwhile have theirs by a trigger (0100). Run again, it does what is left.
"""

from alembic import op

from chassis.migrate import concurrently

revision = "0101"
down_revision = "0100"

_OF_EACH_SCHOOL = """
DO $$
DECLARE
    school uuid;
BEGIN
    FOR school IN SELECT DISTINCT school_id FROM deliveries LOOP
        WITH earlier AS MATERIALIZED (
            SELECT d AS letter, d.* FROM deliveries d
            WHERE d.school_id = school AND d.event_id <> d.delivery_id
                AND NOT EXISTS (SELECT FROM delivery_news l WHERE l.school_id = d.school_id AND l.delivery_id = d.delivery_id)
        ), told AS (
            INSERT INTO news (school_id, news_id, kind, account_id, applicant_id, student_id, object_ids, fact_key, fact_time,
                              create_time)
            SELECT school_id, delivery_id, kind, account_id, applicant_id, student_id, object_ids_of(letter),
                   fact_key_of(letter), fact_time, create_time
            FROM earlier
        )
        INSERT INTO delivery_news (school_id, news_id, channel, delivery_id)
        SELECT school_id, delivery_id, channel, delivery_id FROM earlier;
        UPDATE deliveries SET has_files = true WHERE school_id = school AND kind = 3 AND state IN (1, 5) AND NOT has_files;
        COMMIT;
    END LOOP;
END $$
"""


def upgrade() -> None:
    """Forward only."""
    with concurrently():
        op.execute(_OF_EACH_SCHOOL)
