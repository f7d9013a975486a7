"""A DO block that commits after every hundred rows."""

from alembic import op

revision = "two_triggers_0003"
down_revision = "two_triggers_0002"


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("""
            DO $$
            DECLARE low bigint := 0; high bigint;
            BEGIN
                SELECT max(id) INTO high FROM attempts;
                WHILE low <= coalesce(high, 0) LOOP
                    UPDATE attempts SET points = score
                    WHERE id > low AND id <= low + 100 AND points IS NULL;
                    low := low + 100;
                    COMMIT;
                END LOOP;
            END $$
        """)


def downgrade():
    raise NotImplementedError
