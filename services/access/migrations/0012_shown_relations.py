"""A guardianship exists only where its relation was shown and accepted; how an authority ends; what a refusal prints of it
(Clauses R2, R6, R8, R19).

An application is judged by what was filed with it: its granting makes the guardianship. The release before reads a case without
one as not proved yet. `end_kind` and `authority_ending` are numbers of diary.access.v1.AuthorityEnding.
"""

from alembic import op

revision = "0012"
down_revision = "0011"

AUTHORITIES = """
ALTER TABLE applicants
    ADD COLUMN authority_date date,
    ADD COLUMN authority_last_date date,
    DROP CONSTRAINT applicants_guardian_has_a_kind,
    ADD CONSTRAINT applicants_guardianship_has_a_kind CHECK (guardianship_id IS NULL OR guardian_kind IS NOT NULL);
ALTER TABLE guardianships
    ADD COLUMN end_kind smallint,
    ADD COLUMN end_date date,
    ADD COLUMN end_act_number text NOT NULL DEFAULT '',
    ADD COLUMN end_act_date date,
    ADD CONSTRAINT guardianships_end_kind_is_known CHECK (end_kind IN (1, 2, 3, 6)),
    ADD CONSTRAINT guardianships_end_act_is_whole CHECK ((end_act_number = '') = (end_act_date IS NULL)),
    ADD CONSTRAINT guardianships_end_by_an_act_names_it CHECK ((end_kind IN (1, 2)) IS NOT TRUE OR end_act_date IS NOT NULL);
ALTER TABLE refusals
    ADD COLUMN authority_ending smallint,
    ADD COLUMN fact_order_date date,
    ADD CONSTRAINT refusals_authority_ending_is_known CHECK (authority_ending BETWEEN 1 AND 6),
    ADD CONSTRAINT refusals_ended_authority_has_a_day CHECK (authority_ending IS NULL OR reason = 3 AND fact_date IS NOT NULL);
"""

# What counts: proved by a document, and ended by no act. The one reading of it; whether a day belongs to `validity` is asked
# beside it, and an act holds from its moment on, so the day of an act does not belong.
STANDING = """
CREATE VIEW standing_guardianships WITH (security_invoker = true) AS
    SELECT school_id, guardianship_id, guardian_person_id, student_id, kind, document, validity
    FROM guardianships WHERE document <> '' AND end_ground IS NULL;
"""

# Relations that nobody has shown. Who shows a document later names it in an application of one's own; where access was given on
# it since, the document is the relation's.
HEALED = """
UPDATE guardianships g SET document = m.authority_document
FROM grants n JOIN applicants m ON m.school_id = n.school_id AND m.grant_id = n.grant_id
WHERE g.document = '' AND n.school_id = g.school_id AND n.guardianship_id = g.guardianship_id AND m.authority_document <> '';
UPDATE applicants m SET guardianship_id = NULL
FROM guardianships g
WHERE g.school_id = m.school_id AND g.guardianship_id = m.guardianship_id AND g.document = ''
  AND NOT EXISTS (SELECT FROM grants n WHERE n.school_id = g.school_id AND n.guardianship_id = g.guardianship_id);
DELETE FROM guardianships g
WHERE g.document = ''
  AND NOT EXISTS (SELECT FROM grants n WHERE n.school_id = g.school_id AND n.guardianship_id = g.guardianship_id);
"""

RIGHTS = """
GRANT SELECT ON standing_guardianships TO diary_access_app;
GRANT UPDATE (guardianship_id) ON applicants TO diary_access_app;
GRANT UPDATE (regulation_id) ON applications TO diary_access_app;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(AUTHORITIES)
    op.execute(STANDING)
    op.execute(HEALED)
    op.execute(RIGHTS)
