"""In one ALTER TABLE."""

from alembic import op

revision = "difficulty"
down_revision = "0001"


def upgrade():
    op.execute("CREATE TYPE difficulty AS ENUM ('beginner', 'advanced')")
    op.execute("ALTER TYPE difficulty ADD VALUE 'intermediate' BEFORE 'advanced'")
    op.execute("""
        ALTER TABLE tracks
            ALTER difficulty DROP DEFAULT,
            ALTER difficulty TYPE difficulty USING CASE
                WHEN difficulty ILIKE 'b%' THEN 'beginner'::difficulty
                ELSE lower(difficulty)::difficulty
            END,
            ALTER difficulty SET DEFAULT 'beginner'
    """)


def downgrade():
    op.execute("""
        ALTER TABLE tracks
            ALTER difficulty DROP DEFAULT,
            ALTER difficulty TYPE text USING difficulty::text,
            ALTER difficulty SET DEFAULT 'beginner'
    """)
    op.execute("DROP TYPE difficulty")
