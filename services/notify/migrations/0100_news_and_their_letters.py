"""What happened stands apart from the letters that tell it (docs/decisions/0156): `news`, and which delivery tells which.

A kind of news has no column here: what it tells of are `object_ids`, and the kind's file says whether these are marks, a grant
or a document. `deliveries` keeps whom a letter goes to and over which channel, and loses with the next release the columns of
kinds.

Until then two triggers stand between this release and the one before, which run side by side while an upgrade rolls: a letter
that the one before writes gets its news, and none when its fact is news already; a letter of this one gets the columns by which
the one before lists, takes and writes it. No code of this release names them.
"""

from alembic import op

from chassis import tables

revision = "0100"
down_revision = "0093"

NEWS = """
CREATE TABLE news (
    school_id uuid NOT NULL,
    news_id uuid NOT NULL,
    kind smallint NOT NULL,
    account_id uuid,
    applicant_id uuid,
    student_id uuid,
    object_ids uuid[] NOT NULL,
    fact_key uuid NOT NULL,
    fact_time timestamptz NOT NULL,
    hold_until timestamptz,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (school_id, news_id),
    CONSTRAINT news_once_a_fact UNIQUE NULLS NOT DISTINCT (school_id, fact_key, account_id, student_id, applicant_id, kind),
    CONSTRAINT news_have_one_viewer CHECK (num_nonnulls(account_id, applicant_id) = 1),
    CONSTRAINT news_tell_of_something CHECK (cardinality(object_ids) > 0 AND array_position(object_ids, NULL) IS NULL)
);
COMMENT ON COLUMN news.kind IS 'diary.notify.v1.NoticeKind';
COMMENT ON COLUMN news.object_ids IS 'what it tells of; the kind says what they are';
COMMENT ON COLUMN news.fact_key IS 'the fact, by whatever event it was told; the event where it has no key of its own';
COMMENT ON COLUMN news.hold_until IS 'told to nobody before';
GRANT SELECT, INSERT ON news TO diary_notify_app;

CREATE TABLE delivery_news (
    school_id uuid NOT NULL,
    news_id uuid NOT NULL,
    channel smallint NOT NULL,
    delivery_id uuid NOT NULL,
    -- Whatever plans again, a piece of news goes over a channel once.
    PRIMARY KEY (school_id, news_id, channel),
    FOREIGN KEY (school_id, news_id) REFERENCES news,
    FOREIGN KEY (school_id, delivery_id) REFERENCES deliveries
);
CREATE INDEX delivery_news_by_delivery ON delivery_news (school_id, delivery_id) INCLUDE (news_id);
GRANT SELECT, INSERT ON delivery_news TO diary_notify_app;
"""

# The release before reads these columns of kinds that it knows, which have them.
DELIVERIES = """
ALTER TABLE deliveries
    ADD COLUMN channel smallint NOT NULL DEFAULT 1,
    ADD COLUMN has_files boolean NOT NULL DEFAULT false,
    -- squawk-ignore ban-drop-not-null
    ALTER COLUMN kind DROP NOT NULL,
    -- squawk-ignore ban-drop-not-null
    ALTER COLUMN event_id DROP NOT NULL,
    -- squawk-ignore ban-drop-not-null
    ALTER COLUMN mark_ids DROP NOT NULL,
    -- squawk-ignore ban-drop-not-null
    ALTER COLUMN fact_time DROP NOT NULL,
    ADD CONSTRAINT deliveries_have_one_receiver CHECK (num_nonnulls(account_id, applicant_id) = 1) NOT VALID;
COMMENT ON COLUMN deliveries.class_id IS 'whose class teacher may see the letter, where it is about no student';
-- So that the queue takes what it has a channel for, and a bounded number of letters with files at once.
GRANT SELECT (channel, has_files) ON deliveries TO diary_notify_jobs;
"""

# The release before knows four kinds: credentials, marks, decisions, warnings.
SIDE_BY_SIDE = """
CREATE FUNCTION fact_key_of(letter deliveries) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN coalesce(letter.document_id, letter.fact_key, letter.event_id);

CREATE FUNCTION object_ids_of(letter deliveries) RETURNS uuid[] LANGUAGE sql IMMUTABLE
RETURN CASE letter.kind WHEN 2 THEN letter.mark_ids WHEN 3 THEN ARRAY[letter.document_id] ELSE ARRAY[letter.grant_id] END;

CREATE FUNCTION write_letter_side_by_side() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    told record;
BEGIN
    IF NEW.kind IS NOT NULL THEN
        IF EXISTS (
            SELECT FROM news n WHERE n.school_id = NEW.school_id AND n.fact_key = fact_key_of(NEW) AND n.kind = NEW.kind
                AND n.account_id IS NOT DISTINCT FROM NEW.account_id AND n.student_id IS NOT DISTINCT FROM NEW.student_id
                AND n.applicant_id IS NOT DISTINCT FROM NEW.applicant_id
        ) THEN
            RETURN NULL;
        END IF;
        NEW.has_files := NEW.kind = 3;
        RETURN NEW;
    END IF;
    SELECT n.kind, n.object_ids, n.fact_time INTO told
    FROM delivery_news l JOIN news n ON n.school_id = l.school_id AND n.news_id = l.news_id
    WHERE l.school_id = NEW.school_id AND l.delivery_id = NEW.delivery_id LIMIT 1;
    -- No event of its own: what tells the two apart below.
    NEW.event_id := NEW.delivery_id;
    NEW.fact_time := told.fact_time;
    IF told.kind BETWEEN 1 AND 4 THEN
        NEW.kind := told.kind;
        NEW.grant_id := CASE WHEN told.kind IN (1, 4) THEN told.object_ids[1] END;
        NEW.mark_ids := CASE WHEN told.kind = 2 THEN told.object_ids ELSE '{}' END;
        NEW.document_id := CASE WHEN told.kind = 3 THEN told.object_ids[1] END;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION write_news_side_by_side() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    -- Who tells the fact at this very moment wins; the event of the other comes again, and finds it told.
    INSERT INTO news (school_id, news_id, kind, account_id, applicant_id, student_id, object_ids, fact_key, fact_time,
                      create_time)
    VALUES (NEW.school_id, NEW.delivery_id, NEW.kind, NEW.account_id, NEW.applicant_id, NEW.student_id, object_ids_of(NEW),
            fact_key_of(NEW), NEW.fact_time, NEW.create_time);
    INSERT INTO delivery_news (school_id, news_id, channel, delivery_id)
    VALUES (NEW.school_id, NEW.delivery_id, NEW.channel, NEW.delivery_id);
    RETURN NULL;
END $$;

CREATE TRIGGER deliveries_side_by_side BEFORE INSERT ON deliveries
    FOR EACH ROW EXECUTE FUNCTION write_letter_side_by_side();
CREATE TRIGGER deliveries_of_the_release_before AFTER INSERT ON deliveries
    FOR EACH ROW WHEN (NEW.event_id <> NEW.delivery_id) EXECUTE FUNCTION write_news_side_by_side();
"""


def upgrade() -> None:
    """Forward only."""
    for part in (NEWS, DELIVERIES, SIDE_BY_SIDE):
        op.execute(part)
    for table in ("news", "delivery_news"):
        op.execute(tables.school_table(table))
