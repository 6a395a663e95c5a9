"""A scan counts when the head has confirmed it (R22).

Scans stand in a table of their own until then; the newest of a paper is the one to be confirmed. `signings` keeps beside who
uploaded (`account_id`) who confirmed and when; what was signed before this has no confirmation and stays as it is.
"""

from alembic import op

from chassis import tables

revision = "0006"
down_revision = "0005"

_TABLES = """
CREATE TABLE scans (
    school_id uuid NOT NULL,
    scan_id uuid NOT NULL DEFAULT uuidv7(),
    document_id uuid NOT NULL,
    upload_time timestamptz NOT NULL,
    account_id uuid NOT NULL,
    signed_date date NOT NULL,
    file bytea NOT NULL,
    PRIMARY KEY (school_id, scan_id),
    FOREIGN KEY (school_id, document_id) REFERENCES documents
);
ALTER TABLE scans ALTER COLUMN file SET STORAGE EXTERNAL;
CREATE INDEX scans_by_document ON scans (school_id, document_id, scan_id);

ALTER TABLE signings
    ADD COLUMN scan_id uuid,
    ADD COLUMN confirm_time timestamptz,
    ADD COLUMN confirmer_account_id uuid,
    ADD FOREIGN KEY (school_id, scan_id) REFERENCES scans,
    ADD CONSTRAINT signings_scans_are_confirmed_by_someone CHECK (
        num_nonnulls(scan_id, confirm_time, confirmer_account_id) IN (0, 3)
        AND (confirm_time IS NULL OR way = 2 AND confirm_time >= upload_time)
    );
"""

_RIGHTS = "GRANT SELECT, INSERT ON scans TO diary_documents_app;"


def upgrade() -> None:
    """Forward only."""
    op.execute(_TABLES)
    op.execute(tables.school_table("scans"))
    op.execute(_RIGHTS)
