"""What lists are ordered by stands in a column under an index (docs/decisions/0065); who may see whom is asked of one place.

`due_time` of a case is that of its first deadline, whoever writes it: the release before does not know of the column. Cases
that stand already get theirs, and the lists their indexes, with the next migration.
"""

from alembic import op

revision = "0030"
down_revision = "0026"

CASES = """
ALTER TABLE applications ADD COLUMN due_time timestamptz NOT NULL DEFAULT '9999-01-01T00:00:00Z';

CREATE FUNCTION keep_due_time() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE applications a SET due_time = q.due_time
    FROM (SELECT m.school_id, m.application_id, min(d.due_time) AS due_time
          FROM made d JOIN applicants m ON m.school_id = d.school_id AND m.applicant_id = d.subject_id
          WHERE d.clause = 'R15' GROUP BY 1, 2) q
    WHERE a.school_id = q.school_id AND a.application_id = q.application_id AND a.due_time > q.due_time;
    RETURN NULL;
END $$;
CREATE TRIGGER deadlines_keep_due_time AFTER INSERT ON deadlines
    REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION keep_due_time();
GRANT UPDATE (due_time) ON applications TO diary_access_app;
"""

SIGHT = """
-- The roles in which an account acts now: for the whole school by appointment, but a teacher's; for a class as its class
-- teacher (Clause R9).
CREATE FUNCTION acting_roles(of_school uuid, of_account uuid, at timestamptz) RETURNS TABLE (role smallint, class_id uuid)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT r.role, CASE WHEN r.kind = 4 THEN r.object_id END
    FROM relations r
    WHERE r.school_id = of_school AND r.account_id = of_account
      AND r.valid_from_time <= at AND (r.valid_to_time IS NULL OR r.valid_to_time > at)
      AND (r.kind = 6 AND r.role NOT IN (5, 6) OR r.kind = 4 AND r.role = 6);
END;

-- The students whose class it is: those whose first placement that is not over is in it, as student_card has it.
CREATE FUNCTION students_of_class(of_school uuid, of_class uuid, at timestamptz) RETURNS TABLE (student_id uuid)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT l.student_id
    FROM (SELECT (at AT TIME ZONE time_zone)::date AS today FROM schools WHERE school_id = of_school) t
    JOIN placements l ON l.school_id = of_school AND l.class_id = of_class AND coalesce(upper(l.validity), 'infinity') > t.today
    WHERE NOT EXISTS (
        SELECT FROM placements o
        WHERE o.school_id = of_school AND o.student_id = l.student_id AND coalesce(upper(o.validity), 'infinity') > t.today
          AND lower(o.validity) < lower(l.validity));
END;

CREATE OR REPLACE FUNCTION roles_towards(of_school uuid, of_student uuid, of_account uuid, at timestamptz) RETURNS smallint[]
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(array_agg(DISTINCT a.role), '{}')
    FROM acting_roles(of_school, of_account, at) a
    WHERE a.class_id IS NULL OR a.class_id = (SELECT c.class_id FROM student_card(of_school, of_student, at) c);
END;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(CASES)
    op.execute(SIGHT)
