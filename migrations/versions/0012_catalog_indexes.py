"""Indexes for the catalog and the home page: only what is published is in them

Revision ID: 0012
Revises: 0011
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "ix_tracks_catalog",
        "tracks",
        ["created_at", "id"],
        postgresql_where=sa.text("is_published"),
    )
    op.create_index(
        "ix_tracks_featured",
        "tracks",
        ["created_at", "id"],
        postgresql_where=sa.text("is_published AND is_featured"),
    )


def downgrade() -> None:
    op.drop_index("ix_tracks_featured", table_name="tracks")
    op.drop_index("ix_tracks_catalog", table_name="tracks")
