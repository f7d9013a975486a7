"""A second column with the new type, which takes the name of the first."""

from alembic import op

revision = "9b21"
down_revision = "0001"


def upgrade():
    op.execute("""
        CREATE TYPE difficulty AS ENUM ('beginner', 'intermediate', 'advanced');
        ALTER TABLE tracks RENAME difficulty TO was;
        ALTER TABLE tracks ADD difficulty difficulty NOT NULL DEFAULT 'beginner';
        UPDATE tracks SET difficulty = lower(was)::difficulty;
        ALTER TABLE tracks DROP was;
    """)


def downgrade():
    op.execute("""
        ALTER TABLE tracks ALTER difficulty DROP DEFAULT;
        ALTER TABLE tracks ALTER difficulty TYPE text;
        ALTER TABLE tracks ALTER difficulty SET DEFAULT 'beginner';
        DROP TYPE difficulty;
    """)
