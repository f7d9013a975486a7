"""Users, tracks and lessons, as they are in production today."""

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("email", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text),
    )
    op.create_table(
        "tracks",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("difficulty", sa.Text, nullable=False, server_default="beginner"),
    )
    op.create_table(
        "lessons",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("track_id", sa.BigInteger, sa.ForeignKey("tracks.id"), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("duration", sa.Text),
    )


def downgrade() -> None:
    op.drop_table("lessons")
    op.drop_table("tracks")
    op.drop_table("users")
