"""The figures of each track

Revision ID: 0011
Revises: 0010
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "track_analytics",
        sa.Column("track_id", sa.Uuid(), nullable=False),
        sa.Column("total_enrollments", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("active_enrollments", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "completion_rate",
            sa.Numeric(precision=5, scale=2),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column(
            "average_progress",
            sa.Numeric(precision=5, scale=2),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column(
            "total_revenue_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("average_rating", sa.Numeric(precision=3, scale=2), nullable=True),
        sa.Column(
            "calculated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "active_enrollments BETWEEN 0 AND total_enrollments",
            name=op.f("ck_track_analytics_active_enrollments_in_range"),
        ),
        sa.CheckConstraint(
            "average_progress BETWEEN 0 AND 100",
            name=op.f("ck_track_analytics_average_progress_is_percent"),
        ),
        sa.CheckConstraint(
            "average_rating BETWEEN 1 AND 5",
            name=op.f("ck_track_analytics_average_rating_in_range"),
        ),
        sa.CheckConstraint(
            "completion_rate BETWEEN 0 AND 100",
            name=op.f("ck_track_analytics_completion_rate_is_percent"),
        ),
        sa.CheckConstraint(
            "total_revenue_cents >= 0",
            name=op.f("ck_track_analytics_total_revenue_cents_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["track_id"],
            ["tracks.id"],
            name=op.f("fk_track_analytics_track_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("track_id", name=op.f("pk_track_analytics")),
    )


def downgrade() -> None:
    op.drop_table("track_analytics")
