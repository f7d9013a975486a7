"""Profiles of users, their consent, and how long their data is kept

Revision ID: 0004
Revises: 0003
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("users", sa.Column("timezone", sa.String(length=64), nullable=True))
    op.add_column(
        "users", sa.Column("language", sa.String(length=35), server_default="en", nullable=False)
    )
    op.add_column(
        "users",
        sa.Column(
            "learning_preferences",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column(
        "users", sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("users", sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_users_retain_until_after_created_at"), "users", "retain_until > created_at"
    )


def downgrade() -> None:
    op.drop_constraint("ck_users_retain_until_after_created_at", "users")
    op.drop_column("users", "erased_at")
    op.drop_column("users", "retain_until")
    op.drop_column("users", "consented_at")
    op.drop_column("users", "email_verified_at")
    op.drop_column("users", "learning_preferences")
    op.drop_column("users", "language")
    op.drop_column("users", "timezone")
