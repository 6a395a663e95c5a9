"""The register of papers: decisions as sealed PDFs, how each was signed, and what anyone may verify by a code (R22, R23).

A paper is proof, so that neither it nor its signing is ever changed: `documents` and `signings` can only be added to. `kind`
and `way` have the numbers of DocumentKind and DocumentState.
"""

from alembic import op

from chassis import tables

revision = "0003"
down_revision = "0002"

_TABLES = """
CREATE TABLE documents (
    school_id uuid NOT NULL,
    document_id uuid NOT NULL DEFAULT uuidv7(),
    kind smallint NOT NULL,
    number text NOT NULL,
    document_date date NOT NULL,
    time_zone text NOT NULL,
    addressee_name text NOT NULL,
    application_id uuid NOT NULL,
    applicant_id uuid NOT NULL,
    account_id uuid,
    class_id uuid,
    code text NOT NULL,
    page_count smallint NOT NULL,
    create_time timestamptz NOT NULL,
    pdf bytea NOT NULL,
    pdf_sha256 bytea NOT NULL,
    pdf_streebog256 bytea NOT NULL,
    pdf_streebog512 bytea NOT NULL,
    PRIMARY KEY (school_id, document_id),
    CONSTRAINT documents_one_of_a_kind_for_an_applicant UNIQUE (school_id, kind, applicant_id),
    CONSTRAINT documents_code_is_used_once UNIQUE (school_id, code),
    CONSTRAINT documents_kind_is_known CHECK (kind = 1),
    CONSTRAINT documents_digest_is_of_the_pdf CHECK (sha256(pdf) = pdf_sha256),
    CONSTRAINT documents_have_pages CHECK (page_count > 0)
);
-- A PDF is compressed already.
ALTER TABLE documents ALTER COLUMN pdf SET STORAGE EXTERNAL;
CREATE INDEX documents_by_application ON documents (school_id, application_id);
CREATE INDEX documents_by_streebog256 ON documents (school_id, pdf_streebog256);
CREATE INDEX documents_by_streebog512 ON documents (school_id, pdf_streebog512);

-- A paper is signed once: on paper, `file` being its scan as PDF, or electronically, `file` being the detached signature.
CREATE TABLE signings (
    school_id uuid NOT NULL,
    document_id uuid NOT NULL,
    way smallint NOT NULL,
    upload_time timestamptz NOT NULL,
    account_id uuid NOT NULL,
    file bytea NOT NULL,
    signed_date date,
    owner_name text,
    serial_number text,
    valid_from_time timestamptz,
    valid_to_time timestamptz,
    PRIMARY KEY (school_id, document_id),
    FOREIGN KEY (school_id, document_id) REFERENCES documents,
    CONSTRAINT signings_way_is_known CHECK (way IN (2, 3)),
    CONSTRAINT signings_on_paper_have_a_day CHECK ((way = 2) = (signed_date IS NOT NULL)),
    CONSTRAINT signings_electronic_name_their_certificate CHECK (
        num_nonnulls(owner_name, serial_number, valid_from_time, valid_to_time) = CASE way WHEN 3 THEN 4 ELSE 0 END
    ),
    CONSTRAINT signings_certificate_was_in_force CHECK (way <> 3 OR upload_time BETWEEN valid_from_time AND valid_to_time)
);
ALTER TABLE signings ALTER COLUMN file SET STORAGE EXTERNAL;

-- What anyone may ask with a code or a file in hand, of whatever school: no names.
CREATE TABLE sealed_documents (
    code text PRIMARY KEY,
    pdf_sha256 bytea NOT NULL,
    school_id uuid NOT NULL,
    document_id uuid NOT NULL,
    kind smallint NOT NULL,
    document_date date NOT NULL,
    CONSTRAINT sealed_documents_file_is_one_paper UNIQUE (pdf_sha256)
);
"""

_SCHOOL_TABLES = ("documents", "signings")

_RIGHTS = """
GRANT SELECT, INSERT ON documents, signings TO diary_documents_app;
GRANT INSERT ON sealed_documents TO diary_documents_app;
GRANT SELECT ON sealed_documents TO diary_documents_region;

-- Jobs count what waits for a signature over all schools, and see nothing of whom it concerns.
CREATE POLICY jobs ON documents FOR SELECT TO diary_documents_jobs USING (true);
CREATE POLICY jobs ON signings FOR SELECT TO diary_documents_jobs USING (true);
GRANT SELECT (school_id, document_id, create_time) ON documents TO diary_documents_jobs;
GRANT SELECT (school_id, document_id) ON signings TO diary_documents_jobs;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(_TABLES)
    for table in _SCHOOL_TABLES:
        op.execute(tables.school_table(table))
    op.execute(_RIGHTS)
