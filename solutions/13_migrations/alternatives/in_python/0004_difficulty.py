"""The values are written in small letters first; the type's create is told to look before."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"

tracks = sa.table("tracks", sa.column("difficulty", sa.Text))
kind = postgresql.ENUM("beginner", "intermediate", "advanced", name="difficulty", create_type=False)


def upgrade() -> None:
    op.execute(tracks.update().values(difficulty=sa.func.lower(tracks.c.difficulty)))
    kind.create(op.get_bind(), checkfirst=True)
    with op.batch_alter_table("tracks") as batch:
        batch.alter_column("difficulty", server_default=None)
        batch.alter_column("difficulty", type_=kind, postgresql_using="difficulty::difficulty")
        batch.alter_column("difficulty", server_default=sa.text("'beginner'::difficulty"))


def downgrade() -> None:
    op.alter_column("tracks", "difficulty", server_default=None)
    op.alter_column("tracks", "difficulty", type_=sa.String())
    op.execute(
        "ALTER TABLE tracks ALTER difficulty TYPE text, ALTER difficulty SET DEFAULT 'beginner'"
    )
    kind.drop(op.get_bind(), checkfirst=True)
