"""A lock that is asked for without waiting, and a function in one line."""

from alembic import op

revision = "in_python_0002"
down_revision = "0001"


def upgrade():
    op.execute("LOCK TABLE attempts IN ACCESS EXCLUSIVE MODE NOWAIT")
    op.execute("ALTER TABLE attempts ADD points int, ALTER score DROP NOT NULL")
    op.execute("""
        CREATE FUNCTION both_columns() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND NEW.score IS DISTINCT FROM OLD.score
               OR TG_OP = 'INSERT' AND NEW.score IS NOT NULL
            THEN NEW.points = NEW.score; ELSE NEW.score = coalesce(NEW.points, NEW.score); END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER both_columns BEFORE INSERT OR UPDATE ON attempts
            FOR EACH ROW EXECUTE FUNCTION both_columns()
    """)


def downgrade():
    raise NotImplementedError
