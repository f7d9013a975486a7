"""Track pages: a slug, a price, objectives, prerequisites, a date of publication

Revision ID: 0002
Revises: 0001
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "track_prerequisites",
        sa.Column("track_id", sa.Uuid(), nullable=False),
        sa.Column("prerequisite_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "track_id <> prerequisite_id",
            name=op.f("ck_track_prerequisites_not_its_own_prerequisite"),
        ),
        sa.ForeignKeyConstraint(
            ["prerequisite_id"],
            ["tracks.id"],
            name=op.f("fk_track_prerequisites_prerequisite_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["track_id"],
            ["tracks.id"],
            name=op.f("fk_track_prerequisites_track_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("track_id", "prerequisite_id", name=op.f("pk_track_prerequisites")),
    )
    op.create_index(
        op.f("ix_track_prerequisites_prerequisite_id"), "track_prerequisites", ["prerequisite_id"]
    )
    op.add_column("tracks", sa.Column("slug", sa.String(length=100), nullable=True))
    op.add_column("tracks", sa.Column("category", sa.String(length=100), nullable=True))
    op.add_column(
        "tracks",
        sa.Column(
            "learning_objectives",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column("tracks", sa.Column("thumbnail_url", sa.String(length=2048), nullable=True))
    op.add_column("tracks", sa.Column("video_url", sa.String(length=2048), nullable=True))
    op.add_column(
        "tracks",
        sa.Column("price_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "tracks", sa.Column("currency", sa.CHAR(length=3), server_default="USD", nullable=False)
    )
    op.add_column("tracks", sa.Column("capacity", sa.Integer(), nullable=True))
    op.add_column(
        "tracks",
        sa.Column("is_featured", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("tracks", sa.Column("published_at", sa.DateTime(timezone=True), nullable=True))
    fill_in_slug_and_date()
    op.alter_column("tracks", "slug", nullable=False)
    op.create_unique_constraint(op.f("uq_tracks_slug"), "tracks", ["slug"])
    op.create_check_constraint(op.f("ck_tracks_capacity_positive"), "tracks", "capacity > 0")
    op.create_check_constraint(
        op.f("ck_tracks_currency_is_iso_4217"), "tracks", "currency ~ '^[A-Z]{3}$'"
    )
    op.create_check_constraint(
        op.f("ck_tracks_price_cents_not_negative"), "tracks", "price_cents >= 0"
    )
    op.create_check_constraint(
        op.f("ck_tracks_published_has_date"),
        "tracks",
        "NOT is_published OR published_at IS NOT NULL",
    )
    op.create_check_constraint(
        op.f("ck_tracks_slug_is_url_part"), "tracks", "slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'"
    )
    op.execute("ALTER TYPE difficulty ADD VALUE 'expert'")


def fill_in_slug_and_date() -> None:
    """Give the tracks that are there a slug from title and identifier, and a date if published.

    Nobody has edited them, so the trigger that would say so is off for this statement.
    """
    op.execute("ALTER TABLE tracks DISABLE TRIGGER set_updated_at")
    op.execute(
        """
        UPDATE tracks
           SET slug = coalesce(
                   nullif(trim(BOTH '-' FROM left(
                       regexp_replace(lower(title), '[^a-z0-9]+', '-', 'g'), 80)), ''),
                   'untitled') || '-' || right(id::text, 12),
               published_at = CASE WHEN is_published THEN created_at END
        """
    )
    op.execute("ALTER TABLE tracks ENABLE TRIGGER set_updated_at")


def downgrade() -> None:
    # A label cannot be taken from an enum type: make a new type without it, and move the column.
    # What was for experts becomes advanced, the nearest that is left.
    op.execute("ALTER TABLE tracks ALTER difficulty DROP DEFAULT")
    op.execute("ALTER TYPE difficulty RENAME TO old_difficulty")
    op.execute("CREATE TYPE difficulty AS ENUM ('beginner', 'intermediate', 'advanced')")
    op.execute(
        "ALTER TABLE tracks ALTER difficulty TYPE difficulty"
        " USING replace(difficulty::text, 'expert', 'advanced')::difficulty"
    )
    op.execute("ALTER TABLE tracks ALTER difficulty SET DEFAULT 'beginner'")
    op.execute("DROP TYPE old_difficulty")
    op.drop_constraint("ck_tracks_slug_is_url_part", "tracks")
    op.drop_constraint("ck_tracks_published_has_date", "tracks")
    op.drop_constraint("ck_tracks_price_cents_not_negative", "tracks")
    op.drop_constraint("ck_tracks_currency_is_iso_4217", "tracks")
    op.drop_constraint("ck_tracks_capacity_positive", "tracks")
    op.drop_constraint("uq_tracks_slug", "tracks")
    op.drop_column("tracks", "published_at")
    op.drop_column("tracks", "is_featured")
    op.drop_column("tracks", "capacity")
    op.drop_column("tracks", "currency")
    op.drop_column("tracks", "price_cents")
    op.drop_column("tracks", "video_url")
    op.drop_column("tracks", "thumbnail_url")
    op.drop_column("tracks", "learning_objectives")
    op.drop_column("tracks", "category")
    op.drop_column("tracks", "slug")
    op.drop_table("track_prerequisites")
