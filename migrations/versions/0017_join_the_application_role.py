"""Whoever owns the tables may work as the role of the application

Until now only who made the role could: the owner of a second database on the same server could not.

Revision ID: 0017
Revises: 0016
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Not everybody may grant that. Who may not is told what to ask for when it is needed.
JOIN_APP_ROLE = """
DO $$
BEGIN
    GRANT tracker_app TO CURRENT_USER;
EXCEPTION
    WHEN insufficient_privilege OR unique_violation THEN
        NULL;
END
$$
"""


def upgrade() -> None:
    op.execute(JOIN_APP_ROLE)


def downgrade() -> None:
    """Take nothing back: whether the owner had been granted it before, nobody has noted."""
