"""How a paper stands, beside it, and the week of a sheet, beside it, so that lists walk along an index (docs/decisions/0065).

Triggers keep them, whoever signs or prints: the release before does not know of the columns, and papers and sheets can only be
added to, as before. Those that stand already get theirs, and the lists their indexes, with the next migration. States have the
numbers of DocumentState: 1 awaits a signature, 2 and 3 are the ways of `signings`, 4 has a scan that nobody has confirmed.
"""

from alembic import op

revision = "0030"
down_revision = "0020"

STATES = """
ALTER TABLE documents ADD COLUMN state smallint NOT NULL DEFAULT 1;

CREATE FUNCTION keep_scanned() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE documents d SET state = 4 FROM made m
    WHERE d.school_id = m.school_id AND d.document_id = m.document_id AND d.state = 1;
    RETURN NULL;
END $$;
CREATE FUNCTION keep_signed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE documents d SET state = m.way FROM made m WHERE d.school_id = m.school_id AND d.document_id = m.document_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION keep_scanned(), keep_signed() FROM PUBLIC;
CREATE TRIGGER scans_keep_state AFTER INSERT ON scans
    REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION keep_scanned();
CREATE TRIGGER signings_keep_state AFTER INSERT ON signings
    REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION keep_signed();
"""

WEEKS = """
ALTER TABLE printouts ADD COLUMN monday_date date;

CREATE FUNCTION keep_week() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.monday_date := (
        SELECT monday_date FROM print_runs WHERE school_id = NEW.school_id AND print_run_id = NEW.print_run_id
    );
    RETURN NEW;
END $$;
CREATE TRIGGER printouts_keep_week BEFORE INSERT ON printouts FOR EACH ROW EXECUTE FUNCTION keep_week();
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(STATES)
    op.execute(WEEKS)
