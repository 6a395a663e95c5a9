"""Whether a guardianship has begun is asked by the day of the school's zone, not by that of the connection."""

from alembic import op

revision = "0064"
down_revision = "0040"

UNBORN = """
CREATE OR REPLACE FUNCTION drop_unborn_guardianships(of_school uuid, of_student uuid, of_guardian uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER
BEGIN ATOMIC
    DELETE FROM guardianships g USING schools s
    WHERE g.school_id = of_school AND g.school_id = nullif(current_setting('diary.school_id', true), '')::uuid
      AND g.student_id = of_student AND g.guardian_person_id = of_guardian
      AND s.school_id = of_school AND lower(g.validity) > (now() AT TIME ZONE s.time_zone)::date;
END;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(UNBORN)
