"""A code is found as people type it from paper: what it is compared by stands beside it.

The key has letters and digits alone, Cyrillic letters as the Latin ones they look like, o as 0, i and l as 1, which no code
tells apart: the same as `rules.register.fold_code` makes of what was typed.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

_KEY = "translate(lower(regexp_replace(code, '[^[:alnum:]]', '', 'g')), 'асеорхукмтнвіѕјoil', 'ace0pxykmthb1sj011')"
_KEYS = f"""
ALTER TABLE sealed_documents ADD COLUMN code_key text NOT NULL GENERATED ALWAYS AS ({_KEY}) STORED;
CREATE INDEX sealed_documents_by_code_key ON sealed_documents (code_key);
ALTER TABLE schools_by_code ADD COLUMN code_key text NOT NULL GENERATED ALWAYS AS ({_KEY}) STORED;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(_KEYS)
