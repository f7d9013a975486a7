"""Organizations: tenants with users and tracks of their own

Revision ID: 0003
Revises: 0002
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=True),
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
        sa.CheckConstraint("name <> ''", name=op.f("ck_organizations_name_not_empty")),
        sa.CheckConstraint(
            "slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_organizations_slug_is_url_part")
        ),
        sa.CheckConstraint(
            "domain = lower(domain)", name=op.f("ck_organizations_domain_lower_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("domain", name=op.f("uq_organizations_domain")),
        sa.UniqueConstraint("slug", name=op.f("uq_organizations_slug")),
    )
    op.add_column("tracks", sa.Column("organization_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_tracks_organization_id"), "tracks", ["organization_id"])
    op.create_foreign_key(
        op.f("fk_tracks_organization_id"),
        "tracks",
        "organizations",
        ["organization_id"],
        ["id"],
        ondelete="RESTRICT",
    )
    op.add_column("users", sa.Column("organization_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_users_organization_id"), "users", ["organization_id"])
    op.create_foreign_key(
        op.f("fk_users_organization_id"),
        "users",
        "organizations",
        ["organization_id"],
        ["id"],
        ondelete="RESTRICT",
    )
    op.execute(
        "CREATE TRIGGER set_updated_at BEFORE UPDATE ON organizations "
        "FOR EACH ROW EXECUTE FUNCTION set_updated_at()"
    )


def downgrade() -> None:
    op.drop_constraint("fk_users_organization_id", "users")
    op.drop_index("ix_users_organization_id", table_name="users")
    op.drop_column("users", "organization_id")
    op.drop_constraint("fk_tracks_organization_id", "tracks")
    op.drop_index("ix_tracks_organization_id", table_name="tracks")
    op.drop_column("tracks", "organization_id")
    op.drop_table("organizations")
