"""A table is built anew beside the old one for a moment."""

from alembic import op

revision = "display_name"
down_revision = "0001"


def upgrade():
    op.execute("""
        CREATE TEMPORARY TABLE shown ON COMMIT DROP AS
            SELECT id, name AS display_name FROM users WHERE name > ''
            UNION ALL
            SELECT id, regexp_replace(email, '@.*', '') FROM users WHERE name IS NULL OR name = '';
        ALTER TABLE users ADD COLUMN display_name text;
        UPDATE users SET display_name = shown.display_name FROM shown WHERE shown.id = users.id;
        ALTER TABLE users ADD CONSTRAINT shown CHECK (display_name IS NOT NULL) NOT VALID;
        ALTER TABLE users VALIDATE CONSTRAINT shown;
        ALTER TABLE users ALTER COLUMN display_name SET NOT NULL;
        ALTER TABLE users DROP CONSTRAINT shown;
    """)


def downgrade():
    op.drop_column("users", "display_name")
