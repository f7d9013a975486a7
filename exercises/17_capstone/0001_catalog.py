"""Users, tracks and lessons, as an import made them last year. Given, and not to be changed."""

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.UniqueConstraint("email", name="users_email_key"),
    )
    op.create_table(
        "tracks",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("difficulty", sa.Text, nullable=False),
        sa.Column("price", sa.Numeric(10, 2)),  # NULL: it costs nothing
        sa.Column("published", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.CheckConstraint("price > 0", name="tracks_price_check"),
    )
    op.create_table(
        "lessons",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("track_id", sa.BigInteger, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name="lessons_track_id_fkey"),
        sa.UniqueConstraint("track_id", "position", name="lessons_track_id_position_key"),
    )


def downgrade() -> None:
    op.drop_table("lessons")
    op.drop_table("tracks")
    op.drop_table("users")
