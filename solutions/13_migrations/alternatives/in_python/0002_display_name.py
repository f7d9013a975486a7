"""Rows are read and written in Python, by Core."""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"

users = sa.table(
    "users", sa.column("id"), sa.column("email"), sa.column("name"), sa.column("display_name")
)


def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.Text(), server_default="?", nullable=False))
    connection = op.get_bind()
    for user in connection.execute(sa.select(users)).all():
        shown = user.name or user.email.partition("@")[0]
        connection.execute(users.update().where(users.c.id == user.id).values(display_name=shown))
    op.alter_column("users", "display_name", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("users") as batch:
        batch.drop_column("display_name")
