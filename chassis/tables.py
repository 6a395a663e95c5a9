"""SQL of the tables that every service has, for the services' first migrations.

A constant is never edited once released: a change is a new constant and a new migration in each service.
`{schema}` is the service's schema; roles are diary_<service>_{owner,app,jobs,region}.
"""

# Region tables: of no school; reached by db.region(), and by the app role where a fact is written beside them.
CHASSIS_V1 = """
CREATE TABLE outbox (
    event_number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL,
    school_id uuid,
    subject text NOT NULL,
    payload bytea NOT NULL,
    traceparent text NOT NULL DEFAULT '',
    create_time timestamptz NOT NULL,
    published_time timestamptz,
    stream_seq bigint,
    CONSTRAINT outbox_published_has_seq CHECK ((published_time IS NULL) = (stream_seq IS NULL))
);
CREATE INDEX outbox_waiting ON outbox (event_number) WHERE published_time IS NULL;
CREATE INDEX outbox_published ON outbox (stream_seq) WHERE published_time IS NOT NULL;

CREATE TABLE outbox_streams (
    stream text PRIMARY KEY,
    stream_create_time timestamptz NOT NULL,
    lowest_floor bigint NOT NULL,
    update_time timestamptz NOT NULL
);

CREATE TABLE inbox (
    event_id uuid PRIMARY KEY,
    handle_time timestamptz NOT NULL
);
CREATE INDEX inbox_handle_time ON inbox (handle_time);

CREATE TABLE dead_events (
    event_id uuid PRIMARY KEY,
    school_id uuid,
    subject text NOT NULL,
    payload bytea NOT NULL,
    error text NOT NULL,
    dead_time timestamptz NOT NULL
);

CREATE TABLE requests (
    account_id uuid NOT NULL,
    request_id uuid NOT NULL,
    rpc text NOT NULL,
    digest bytea NOT NULL,
    answer bytea NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (account_id, request_id)
);
CREATE INDEX requests_create_time ON requests (create_time);

GRANT SELECT, INSERT, UPDATE ON outbox, outbox_streams TO {role}_region;
GRANT SELECT, INSERT ON inbox, dead_events, requests TO {role}_region;
GRANT DELETE ON outbox, inbox, requests TO {role}_region;
GRANT INSERT ON outbox, inbox TO {role}_app;
GRANT SELECT ON inbox TO {role}_app;
GRANT SELECT, INSERT ON requests TO {role}_app;
"""

# Attempts are counted by us, dead events can be handed to their handler again and then go.
CHASSIS_V2 = """
CREATE TABLE event_attempts (
    event_id uuid PRIMARY KEY,
    attempts smallint NOT NULL,
    attempt_time timestamptz NOT NULL
);
ALTER TABLE dead_events ADD COLUMN fact_time timestamptz;
GRANT SELECT, INSERT, UPDATE, DELETE ON event_attempts TO {role}_region;
GRANT DELETE ON dead_events TO {role}_region;
"""

# A statement that is its own transaction says the number of its event, which the relay then need not read back.
CHASSIS_V3 = """
GRANT SELECT (event_number) ON outbox TO {role}_app;
"""

# In a migration of nothing else, `concurrently`: what is past its term is found without reading the table.
OUTBOX_PUBLISHED_TIME = (
    "DROP INDEX CONCURRENTLY IF EXISTS outbox_published_time",
    "CREATE INDEX CONCURRENTLY outbox_published_time ON outbox (published_time) WHERE published_time IS NOT NULL",
)

# The projection of access's relations that journal, notify and documents keep.
RELATIONS_V1 = """
CREATE TABLE relations (
    school_id uuid NOT NULL,
    relation_id uuid NOT NULL,
    kind smallint NOT NULL,
    object_id uuid NOT NULL,
    account_id uuid NOT NULL,
    role smallint NOT NULL,
    version bigint NOT NULL,
    valid_from_time timestamptz NOT NULL,
    valid_to_time timestamptz,
    PRIMARY KEY (school_id, relation_id),
    CONSTRAINT relations_end_after_start CHECK (valid_to_time IS NULL OR valid_to_time >= valid_from_time)
);
CREATE INDEX relations_by_account ON relations (school_id, account_id, object_id)
    INCLUDE (kind, role, valid_from_time, valid_to_time);
CREATE INDEX relations_by_object ON relations (school_id, object_id);
ALTER TABLE relations ENABLE ROW LEVEL SECURITY;
CREATE POLICY school ON relations
    USING (school_id = nullif(current_setting('diary.school_id', true), '')::uuid)
    WITH CHECK (school_id = nullif(current_setting('diary.school_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON relations TO {role}_app;

CREATE TABLE ended_sessions (
    session_id uuid PRIMARY KEY,
    ended_time timestamptz NOT NULL
);
CREATE INDEX ended_sessions_ended_time ON ended_sessions (ended_time);
GRANT SELECT, INSERT ON ended_sessions TO {role}_app;
GRANT SELECT, INSERT, DELETE ON ended_sessions TO {role}_region;
"""


# Imports (chassis/imports): school tables; the jobs role claims what waits and forgets what is over. No reference to the
# service's schools: a school may come into being by its import.
IMPORTS_V1 = """
CREATE TABLE imports (
    school_id uuid NOT NULL,
    import_id uuid NOT NULL,
    kind text NOT NULL,
    file_name text NOT NULL,
    digest bytea NOT NULL,
    wish text NOT NULL,
    state smallint NOT NULL,
    attempt smallint NOT NULL,
    steps_done integer NOT NULL DEFAULT 0,
    steps_total integer NOT NULL DEFAULT 0,
    summary text[] NOT NULL DEFAULT '{{}}',
    create_time timestamptz NOT NULL,
    planned_time timestamptz,
    next_attempt_time timestamptz,
    finish_time timestamptz,
    PRIMARY KEY (school_id, import_id),
    CONSTRAINT imports_state_is_known CHECK (state BETWEEN 1 AND 6),
    CONSTRAINT imports_are_confirmed_as_planned CHECK (state NOT BETWEEN 3 AND 5 OR planned_time IS NOT NULL),
    CONSTRAINT imports_end_with_their_state CHECK ((state >= 5) = (finish_time IS NOT NULL)),
    CONSTRAINT imports_wait_until_their_end CHECK ((finish_time IS NULL) = (next_attempt_time IS NOT NULL))
);
CREATE UNIQUE INDEX imports_same_file_is_one ON imports (school_id, kind, digest) WHERE finish_time IS NULL;
CREATE INDEX imports_waiting ON imports (next_attempt_time) WHERE next_attempt_time IS NOT NULL;
CREATE INDEX imports_finish_time ON imports (finish_time) WHERE finish_time IS NOT NULL;

CREATE TABLE import_bodies (
    school_id uuid NOT NULL,
    import_id uuid NOT NULL,
    number integer NOT NULL,
    chunk bytea NOT NULL,
    PRIMARY KEY (school_id, import_id, number),
    FOREIGN KEY (school_id, import_id) REFERENCES imports ON DELETE CASCADE
);

CREATE TABLE import_changes (
    school_id uuid NOT NULL,
    import_id uuid NOT NULL,
    number integer NOT NULL,
    subject text NOT NULL,
    what text NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    is_chosen boolean NOT NULL DEFAULT false,
    PRIMARY KEY (school_id, import_id, number),
    FOREIGN KEY (school_id, import_id) REFERENCES imports ON DELETE CASCADE
);

CREATE TABLE import_problems (
    school_id uuid NOT NULL,
    import_id uuid NOT NULL,
    number integer NOT NULL,
    file text NOT NULL,
    sheet text NOT NULL,
    row_number integer NOT NULL,
    column_name text NOT NULL,
    what text NOT NULL,
    mend text NOT NULL,
    PRIMARY KEY (school_id, import_id, number),
    FOREIGN KEY (school_id, import_id) REFERENCES imports ON DELETE CASCADE
);

GRANT SELECT, INSERT,
    UPDATE (state, attempt, steps_done, steps_total, summary, planned_time, next_attempt_time, finish_time)
    ON imports TO {role}_app;
GRANT SELECT, INSERT ON import_bodies, import_problems TO {role}_app;
GRANT SELECT, INSERT, UPDATE (is_chosen) ON import_changes TO {role}_app;
GRANT SELECT (school_id, import_id, kind, state, attempt, next_attempt_time, finish_time),
    UPDATE (attempt, next_attempt_time), DELETE ON imports TO {role}_jobs;
GRANT SELECT (school_id, import_id, number), DELETE ON import_bodies TO {role}_jobs;
CREATE POLICY jobs ON imports TO {role}_jobs USING (true) WITH CHECK (true);
CREATE POLICY jobs ON import_bodies TO {role}_jobs USING (true);
"""
IMPORT_TABLES = ("imports", "import_bodies", "import_changes", "import_problems")


def school_table(table: str) -> str:
    """SQL that puts the school's wall around a table: USING and WITH CHECK on `diary.school_id`."""
    wall = "school_id = nullif(current_setting('diary.school_id', true), '')::uuid"
    return f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;CREATE POLICY school ON {table} USING ({wall}) WITH CHECK ({wall});"
