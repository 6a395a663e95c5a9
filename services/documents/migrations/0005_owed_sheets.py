"""R7 is owed to declared families alone: a sheet to each declared guardian, the terms that nobody is owed are taken back.

`guardian_person_id` names whom a sheet is for; all zeros: nobody in particular, as all sheets from before. The keys take it
in, so that a run has a sheet for each of two parents; rows of the release before fit them as they are. `lesson_weeks` keeps
until which day of a week lessons were held, since who declares within a week is owed it while a lesson of it remains.
`schools_by_code` and `print_run_digests` say to anyone with a sheet or its file in hand that the school issued it: no names of
people.

Before, a printing alone began a term, and what was printed for nobody on paper counted as owed. Terms that owed nothing are
dropped and access is told so; the others are counted anew by what they owed.
"""

from datetime import UTC
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from chassis import tables
from diary.documents.v1 import events_pb2

revision = "0005"
down_revision = "0004"

_TABLES = """
ALTER TABLE paper_modes ADD COLUMN guardian_person_id uuid;

ALTER TABLE owed_printouts
    ADD COLUMN guardian_person_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    DROP CONSTRAINT owed_printouts_pkey,
    ADD PRIMARY KEY (school_id, class_id, monday_date, student_id, guardian_person_id);

ALTER TABLE printouts
    ADD COLUMN guardian_person_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    ADD COLUMN recipient_name text NOT NULL DEFAULT '';
ALTER TABLE hand_overs
    ADD COLUMN guardian_person_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    DROP CONSTRAINT hand_overs_school_id_print_run_id_student_id_fkey;
ALTER TABLE printouts
    DROP CONSTRAINT printouts_pkey,
    ADD PRIMARY KEY (school_id, print_run_id, student_id, guardian_person_id);
ALTER TABLE hand_overs ADD FOREIGN KEY (school_id, print_run_id, student_id, guardian_person_id) REFERENCES printouts;
CREATE INDEX printouts_by_student ON printouts (school_id, student_id);
CREATE INDEX print_runs_by_week ON print_runs (school_id, monday_date);

CREATE TABLE lesson_weeks (
    school_id uuid NOT NULL,
    class_id uuid NOT NULL,
    monday_date date NOT NULL,
    last_lesson_date date NOT NULL,
    PRIMARY KEY (school_id, class_id, monday_date),
    CONSTRAINT lesson_weeks_lesson_is_of_the_week CHECK (last_lesson_date BETWEEN monday_date AND monday_date + 6)
);

CREATE TABLE schools_by_code (
    code text PRIMARY KEY,
    school_id uuid NOT NULL,
    name text NOT NULL
);
CREATE TABLE print_run_digests (
    pdf_sha256 bytea PRIMARY KEY,
    school_id uuid NOT NULL,
    print_run_id uuid NOT NULL
);
INSERT INTO print_run_digests (pdf_sha256, school_id, print_run_id)
SELECT pdf_sha256, school_id, print_run_id FROM print_runs ON CONFLICT DO NOTHING;
"""

_RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON lesson_weeks TO diary_documents_app;
GRANT SELECT, INSERT, UPDATE ON schools_by_code TO diary_documents_region;
GRANT INSERT ON print_run_digests TO diary_documents_app;
GRANT SELECT ON print_run_digests TO diary_documents_region;
"""

_VOID = """
DELETE FROM deadlines d
WHERE NOT EXISTS (
    SELECT FROM owed_printouts o
    WHERE o.school_id = d.school_id AND o.class_id = d.class_id AND o.monday_date = d.monday_date
)
RETURNING school_id, clause, subject_id, start_time, due_time, NULL::timestamptz AS met_time, '' AS evidence, true AS is_void
"""

# What each week owed, and whether its families were on paper until its end, stands fast; a sheet counts by its newest record.
_RECOUNT = """
WITH handed AS (
    SELECT p.school_id, p.monday_date, o.student_id, h.hand_over_id,
           least(h.record_time, (h.handed_date + 1)::timestamp AT TIME ZONE p.time_zone) AS hand_time
    FROM print_runs p
    JOIN printouts o USING (school_id, print_run_id)
    CROSS JOIN LATERAL (
        SELECT * FROM hand_overs
        WHERE school_id = o.school_id AND print_run_id = o.print_run_id AND student_id = o.student_id
        ORDER BY hand_over_id DESC LIMIT 1
    ) h
    WHERE h.channel < 4
), given AS (
    SELECT DISTINCT ON (school_id, monday_date, student_id) * FROM handed
    ORDER BY school_id, monday_date, student_id, hand_time
), counted AS (
    SELECT o.school_id, o.class_id, o.monday_date, bool_and(g.hand_time IS NOT NULL) AS is_met, max(g.hand_time) AS met_time,
           (array_agg(g.hand_over_id ORDER BY g.hand_time DESC))[1]::text AS evidence
    FROM owed_printouts o
    JOIN students s ON s.school_id = o.school_id AND s.student_id = o.student_id AND s.class_id = o.class_id
    JOIN deadlines d ON d.school_id = o.school_id AND d.class_id = o.class_id AND d.monday_date = o.monday_date
    LEFT JOIN given g ON g.school_id = o.school_id AND g.monday_date = o.monday_date AND g.student_id = o.student_id
    WHERE EXISTS (
        SELECT FROM paper_modes m
        WHERE m.school_id = o.school_id AND m.student_id = o.student_id AND NOT m.declines_printouts
          AND (m.revoke_time IS NULL OR m.revoke_time >= d.due_time)
    )
    GROUP BY o.school_id, o.class_id, o.monday_date
)
UPDATE deadlines d SET met_time = c.met_time, evidence = c.evidence
FROM counted c
WHERE d.school_id = c.school_id AND d.class_id = c.class_id AND d.monday_date = c.monday_date AND c.is_met
  AND d.met_time IS DISTINCT FROM c.met_time
RETURNING d.school_id, d.clause, d.subject_id, d.start_time, d.due_time, d.met_time, d.evidence, false AS is_void
"""

_TELL = sa.text(
    "INSERT INTO outbox (event_id, school_id, subject, payload, create_time)"
    " VALUES (:event, :school, :subject, :payload, now())"
)


def upgrade() -> None:
    """Forward only."""
    op.execute(_TABLES)
    op.execute(tables.school_table("lesson_weeks"))
    op.execute(_RIGHTS)
    connection = op.get_bind()
    for row in [*connection.execute(sa.text(_VOID)).mappings(), *connection.execute(sa.text(_RECOUNT)).mappings()]:
        told = events_pb2.DeadlineChanged(
            school_id=str(row["school_id"]),
            clause=row["clause"],
            subject_id=str(row["subject_id"]),
            evidence_id=row["evidence"],
            is_void=row["is_void"],
        )
        told.start_time.FromDatetime(row["start_time"].astimezone(UTC))
        told.due_time.FromDatetime(row["due_time"].astimezone(UTC))
        if row["met_time"] is not None:
            told.met_time.FromDatetime(row["met_time"].astimezone(UTC))
        connection.execute(
            _TELL,
            {
                "event": uuid4(),
                "school": row["school_id"],
                "subject": told.DESCRIPTOR.full_name,
                "payload": told.SerializeToString(),
            },
        )
