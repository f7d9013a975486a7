"""SQL throughout; a generated id; a function that is there for a moment."""

from alembic import op

revision = "1f3a"
down_revision = "77c0"


def upgrade():
    op.execute("""
        ALTER TABLE users ADD display_name text;
        UPDATE users SET display_name = CASE WHEN name <> '' THEN name
            ELSE substr(email, 1, position('@' IN email) - 1) END;
        ALTER TABLE users ALTER display_name SET NOT NULL;
    """)


def downgrade():
    op.execute("ALTER TABLE users DROP display_name")
