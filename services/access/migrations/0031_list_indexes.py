"""The due times of cases that stand already, and the indexes of the lists, without locking anybody out.

`(subject || ' ' || clause)` in byte order is what deadlines of one instant are ordered by.
"""

from alembic import op

from chassis.migrate import concurrently

revision = "0031"
down_revision = "0030"

KNOWN_CASES = """
UPDATE applications a SET due_time = q.due_time
FROM (SELECT m.school_id, m.application_id, min(d.due_time) AS due_time
      FROM deadlines d JOIN applicants m ON m.school_id = d.school_id AND m.applicant_id = d.subject_id
      WHERE d.clause = 'R15' GROUP BY 1, 2) q
WHERE a.school_id = q.school_id AND a.application_id = q.application_id AND a.due_time > q.due_time
"""
OWN = "((subject_id::text || ' ' || clause) COLLATE \"C\")"
KNOWN = "((subject_id || ' ' || clause) COLLATE \"C\")"
INDEXES = {
    "applications_by_due_time": "applications (school_id, due_time, application_id)",
    "applications_by_state": "applications (school_id, state, due_time, application_id)",
    "people_by_name": "people (school_id, sort_key, person_id)",
    "deadlines_in_order": f"deadlines (school_id, due_time, {OWN})",
    "deadlines_of_clause": f"deadlines (school_id, clause, due_time, {OWN})",
    "deadlines_open_in_order": f"deadlines (school_id, due_time, {OWN}) WHERE met_time IS NULL",
    "known_deadlines_in_order": f"known_deadlines (school_id, due_time, {KNOWN})",
    "known_deadlines_of_clause": f"known_deadlines (school_id, clause, due_time, {KNOWN})",
    "known_deadlines_open_in_order": f"known_deadlines (school_id, due_time, {KNOWN}) WHERE met_time IS NULL",
    "relations_ending_in_order": (
        'relations (school_id, valid_to_time, ((fact_id::text) COLLATE "C")) WHERE kind = 3 AND valid_to_time IS NOT NULL'
    ),
}


def upgrade() -> None:
    """Forward only."""
    with concurrently():
        op.execute(KNOWN_CASES)
        for name, what in INDEXES.items():
            # One that was left half made is of no use.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {what}")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS deadlines_by_due_time")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS known_deadlines_by_due_time")
