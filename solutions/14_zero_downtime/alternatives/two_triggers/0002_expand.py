"""One trigger for each column, which fires where that column is named."""

from alembic import op

revision = "two_triggers_0002"
down_revision = "0001"


def upgrade():
    op.execute("""
        SET LOCAL lock_timeout = '0.5s';
        ALTER TABLE attempts ADD COLUMN points integer,
            ADD CONSTRAINT known CHECK (points IS NOT NULL) NOT VALID;
        CREATE FUNCTION score_follows() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.score := NEW.points; RETURN NEW; END $$;
        CREATE FUNCTION points_follow() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.points := NEW.score; RETURN NEW; END $$;
        CREATE TRIGGER score_follows BEFORE UPDATE OF points ON attempts
            FOR EACH ROW EXECUTE FUNCTION score_follows();
        CREATE TRIGGER points_follow BEFORE UPDATE OF score ON attempts
            FOR EACH ROW EXECUTE FUNCTION points_follow();
        CREATE TRIGGER new_score BEFORE INSERT ON attempts
            FOR EACH ROW WHEN (NEW.score IS NULL) EXECUTE FUNCTION score_follows();
        CREATE TRIGGER new_points BEFORE INSERT OR UPDATE ON attempts
            FOR EACH ROW WHEN (NEW.points IS NULL) EXECUTE FUNCTION points_follow();
    """)


def downgrade():
    raise NotImplementedError
