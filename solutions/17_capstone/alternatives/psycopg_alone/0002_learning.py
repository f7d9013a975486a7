"""In SQL, with keys and names of its own."""

from alembic import op

revision = "learning"
down_revision = "0001"


def upgrade():
    op.execute("""
        ALTER TABLE tracks ADD seats integer CONSTRAINT there_is_a_seat CHECK (seats >= 1);
        CREATE TABLE enrollments (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            user_id bigint NOT NULL REFERENCES users,
            track_id bigint NOT NULL REFERENCES tracks,
            enrolled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT once UNIQUE (track_id, user_id)
        );
        CREATE TABLE lesson_progress (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            user_id bigint NOT NULL REFERENCES users,
            lesson_id bigint NOT NULL REFERENCES lessons,
            minutes integer NOT NULL DEFAULT 0,
            score integer,
            completed_at timestamptz,
            CONSTRAINT one_record UNIQUE (lesson_id, user_id),
            CONSTRAINT makes_sense CHECK (minutes >= 0 AND score >= 0 AND score <= 100)
        );
    """)


def downgrade():
    op.execute("DROP TABLE lesson_progress, enrollments; ALTER TABLE tracks DROP seats")
