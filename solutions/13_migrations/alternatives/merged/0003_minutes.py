"""Two lines come together here, which also does some work."""

from alembic import op

revision = "minutes"
down_revision = ("display_name", "difficulty")


def upgrade():
    op.execute("""
        CREATE FUNCTION pg_temp.minutes_of(duration text) RETURNS integer
            LANGUAGE sql IMMUTABLE STRICT AS
            $$ SELECT
                parts[1]::int * 60 + parts[2]::int FROM string_to_array(duration, ':') AS parts $$;
        ALTER TABLE lessons ALTER COLUMN duration TYPE integer USING pg_temp.minutes_of(duration);
        ALTER TABLE lessons RENAME COLUMN duration TO minutes;
        DROP FUNCTION pg_temp.minutes_of;
    """)


def downgrade():
    op.execute("ALTER TABLE lessons RENAME COLUMN minutes TO duration")
    op.execute(
        "ALTER TABLE lessons ALTER COLUMN duration TYPE text"
        " USING format('%s:%s', duration / 60, to_char(duration % 60, 'FM00'))"
    )
    op.execute("UPDATE lessons SET duration = NULL WHERE duration = ':'")
