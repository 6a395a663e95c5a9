"""Names of students in their parts, beside the name for display: nobody cuts a name apart.

Empty until access has told them: with the student's next change, or by `rebuild`.
"""

from alembic import op

revision = "0010"
down_revision = "0001"

_NAMES = """
ALTER TABLE students
    ADD COLUMN family_name text,
    ADD COLUMN given_name text,
    ADD COLUMN patronymic text,
    ADD CONSTRAINT students_name_whole CHECK (
        num_nulls(family_name, given_name, patronymic) IN (0, 3) AND family_name <> ''
    ) NOT VALID;
"""


def upgrade() -> None:
    """Forward only."""
    op.execute(_NAMES)
