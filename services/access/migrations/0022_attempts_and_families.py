"""Attempts under way apart from failed ones, failed codes of second factors, and sessions that know all their refresh tokens.

A refresh token names its family by a secret of the session, whose digest stands here; so every earlier token of the session is
known without keeping each (docs/decisions/0079-sign-in.md). Sessions of the release before have no family until their next
refresh, and `refresh_digest` stays the newest token for that release's code.
"""

from alembic import op

revision = "0022"
down_revision = "0020"


def upgrade() -> None:
    """Forward only."""
    op.execute(
        """
        ALTER TABLE sign_in_failures ADD COLUMN pending_times timestamptz[] NOT NULL DEFAULT '{}';

        ALTER TABLE second_factors ADD COLUMN fail_times timestamptz[] NOT NULL DEFAULT '{}';

        ALTER TABLE sessions
            ADD COLUMN family_digest bytea,
            ADD COLUMN current_digests bytea[] NOT NULL DEFAULT '{}',
            ADD COLUMN previous_digests bytea[] NOT NULL DEFAULT '{}',
            ADD COLUMN rotate_time timestamptz,
            ADD COLUMN address_digest bytea;
        -- Every row has none yet, so that it is built at once.
        CREATE UNIQUE INDEX sessions_family_is_one_session ON sessions (family_digest);
        """
    )
