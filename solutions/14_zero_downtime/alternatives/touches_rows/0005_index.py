"""Through Alembic, with a column that is only carried along."""

from alembic import op

revision = "touches_rows_0005"
down_revision = "touches_rows_0004"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_attempts_user_id",
            "attempts",
            ["user_id"],
            postgresql_concurrently=True,
            postgresql_include=["lesson_id"],
        )


def downgrade():
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_attempts_user_id")
