"""Payments

Revision ID: 0010
Revises: 0009
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column(
            "status",
            sa.Enum("pending", "completed", "failed", "refunded", name="payment_status"),
            server_default="pending",
            nullable=False,
        ),
        sa.Column("provider", sa.String(length=50), nullable=False),
        sa.Column("provider_payment_id", sa.String(length=255), nullable=False),
        sa.Column("details", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("track_id", sa.Uuid(), nullable=True),
        sa.Column("track_title", sa.String(length=200), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(status = 'refunded') = (refunded_at IS NOT NULL)",
            name=op.f("ck_payments_refunded_has_date"),
        ),
        sa.CheckConstraint(
            "(status IN ('completed', 'refunded')) = (completed_at IS NOT NULL)",
            name=op.f("ck_payments_completed_has_date"),
        ),
        sa.CheckConstraint(
            "currency ~ '^[A-Z]{3}$'", name=op.f("ck_payments_currency_is_iso_4217")
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_payments_amount_cents_positive")),
        sa.CheckConstraint(
            "refunded_at >= completed_at", name=op.f("ck_payments_refunded_after_completed")
        ),
        sa.ForeignKeyConstraint(
            ["track_id"], ["tracks.id"], name=op.f("fk_payments_track_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_payments_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint(
            "provider", "provider_payment_id", name=op.f("uq_payments_provider_provider_payment_id")
        ),
    )
    op.create_index(
        op.f("ix_payments_completed_at"),
        "payments",
        ["completed_at"],
        postgresql_where=sa.text("status = 'completed'"),
    )
    op.create_index(
        op.f("ix_payments_created_at"),
        "payments",
        ["created_at"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(op.f("ix_payments_track_id"), "payments", ["track_id"])
    op.create_index(op.f("ix_payments_user_id_created_at"), "payments", ["user_id", "created_at"])
    op.execute(
        "CREATE TRIGGER set_updated_at BEFORE UPDATE ON payments "
        "FOR EACH ROW EXECUTE FUNCTION set_updated_at()"
    )
    op.execute(
        "CREATE TRIGGER require_transition BEFORE UPDATE OF status ON payments "
        "FOR EACH ROW EXECUTE FUNCTION require_transition("
        "'pending>completed', 'pending>failed', 'completed>refunded')"
    )


def downgrade() -> None:
    op.drop_table("payments")
    op.execute("DROP TYPE payment_status")
