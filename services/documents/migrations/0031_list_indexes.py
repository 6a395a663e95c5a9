"""The states of papers and the weeks of sheets that stand already, and the indexes of the lists, locking nobody out."""

from alembic import op

from chassis.migrate import concurrently

revision = "0031"
down_revision = "0030"

KNOWN = (
    """
    UPDATE documents d SET state = s.way FROM signings s
    WHERE s.school_id = d.school_id AND s.document_id = d.document_id AND d.state <> s.way
    """,
    """
    UPDATE documents d SET state = 4
    WHERE d.state = 1 AND EXISTS (SELECT FROM scans c WHERE c.school_id = d.school_id AND c.document_id = d.document_id)
    """,
    """
    UPDATE printouts o SET monday_date = p.monday_date FROM print_runs p
    WHERE p.school_id = o.school_id AND p.print_run_id = o.print_run_id AND o.monday_date IS NULL
    """,
)
INDEXES = {
    "documents_by_state": "documents (school_id, state, document_id)",
    "documents_by_class": "documents (school_id, class_id, document_id)",
    "documents_by_account": "documents (school_id, account_id, document_id)",
    "printouts_of_week": "printouts (school_id, student_id, monday_date)",
}


def upgrade() -> None:
    """Forward only."""
    with concurrently():
        for statement in KNOWN:
            op.execute(statement)
        for name, what in INDEXES.items():
            # One that was left half made is of no use.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {what}")
