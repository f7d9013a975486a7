from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE accounts ADD COLUMN level int NOT NULL DEFAULT 1")


def downgrade():
    op.execute("ALTER TABLE accounts DROP COLUMN level")
