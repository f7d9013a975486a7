# misconception: create-index-only-reads
# fails: test_index_lets_writers_go_on
"""In a transaction of its own the lock is soon gone: a user's attempts are found quickly"""

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("attempts_of_user", "attempts", ["user_id"])


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("attempts_of_user", postgresql_concurrently=True)
