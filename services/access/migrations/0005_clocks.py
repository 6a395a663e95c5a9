"""What bounds an access besides its own end: coming of age, the guardianship's end, the enrolment's (Clauses R6, R13).

Relations that stand already get their ends with the next change of their person or student.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

# Periods of one guardian over one student that touch each other are one (опекун, then попечитель), but an authority given by
# a grown-up student is none of the parent's; so are enrolments. The
# bounds are those of the period in which the guardianship began, and of the enrolment in which the access was given.
BOUNDS = """
CREATE FUNCTION grant_bounds(of_school uuid, of_grant uuid)
RETURNS TABLE (birth_date date, guardian_from date, guardian_to date, enrolled_to date)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT p.birth_date, lower(h.span), upper(h.span), upper(e.span)
    FROM grants g
    JOIN schools s ON s.school_id = g.school_id
    JOIN people p ON p.school_id = g.school_id AND p.person_id = g.student_id
    LEFT JOIN guardianships f ON f.school_id = g.school_id AND f.guardianship_id = g.guardianship_id
    LEFT JOIN LATERAL (
        SELECT q.span FROM (
            SELECT unnest(range_agg(n.validity)) AS span FROM guardianships n
            WHERE n.school_id = of_school AND n.student_id = f.student_id AND n.guardian_person_id = f.guardian_person_id
              AND (n.kind = 'representative') = (f.kind = 'representative')
        ) q WHERE q.span @> lower(f.validity)
    ) h ON true
    LEFT JOIN LATERAL (
        SELECT q.span FROM (
            SELECT unnest(range_agg(n.validity)) AS span FROM enrolments n
            WHERE n.school_id = of_school AND n.student_id = g.student_id
        ) q WHERE q.span @> (g.grant_time AT TIME ZONE s.time_zone)::date
    ) e ON true
    WHERE g.school_id = of_school AND g.grant_id = of_grant;
END;
"""


# A lapsed grant is one whose bound has passed; its relation ended by itself. Of a guardianship only what has not begun (the
# попечитель's part of one that ends before 14) is ever dropped; what was, stays.
ENDINGS = """
ALTER TABLE grants DROP CONSTRAINT grants_end_ground_is_known;
ALTER TABLE grants ADD CONSTRAINT grants_end_ground_is_known
    CHECK (end_ground IN ('revoked', 'left', 'guardianship_ended', 'declined', 'lapsed'));
ALTER TABLE guardianships ADD COLUMN end_ground text;
ALTER TABLE enrolments ADD COLUMN end_order_number text;
ALTER TABLE enrolments ADD COLUMN end_order_date date;
ALTER TABLE enrolments ADD CONSTRAINT enrolments_end_order_is_whole
    CHECK ((end_order_number IS NULL) = (end_order_date IS NULL));

-- The app role deletes nothing: this drops what has not begun, and nothing else.
CREATE FUNCTION drop_unborn_guardianships(of_school uuid, of_student uuid, of_guardian uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER
BEGIN ATOMIC
    DELETE FROM guardianships g
    WHERE g.school_id = of_school AND g.school_id = nullif(current_setting('diary.school_id', true), '')::uuid
      AND g.student_id = of_student AND g.guardian_person_id = of_guardian AND lower(g.validity) > current_date;
END;
REVOKE ALL ON FUNCTION drop_unborn_guardianships FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_unborn_guardianships TO diary_access_app;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(ENDINGS)
    op.execute(BOUNDS)
