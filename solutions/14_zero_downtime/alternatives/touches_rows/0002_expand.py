"""A trigger that asks which of the two is another one than before"""

from alembic import op

revision = "touches_rows_0002"
down_revision = "0001"


def upgrade():
    op.execute("SET LOCAL lock_timeout TO 200")
    op.execute("""
        CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            was attempts := OLD;
        BEGIN
            IF NEW.points IS NOT NULL AND NEW.points IS DISTINCT FROM was.points THEN
                NEW.score := NEW.points;
            END IF;
            NEW.points := NEW.score;
            RETURN NEW;
        END $$
    """)
    op.execute("ALTER TABLE attempts ADD COLUMN IF NOT EXISTS points int")
    op.execute(
        "CREATE TRIGGER same BEFORE INSERT OR UPDATE ON attempts"
        " FOR EACH ROW EXECUTE PROCEDURE same()"
    )


def downgrade():
    op.execute("SET LOCAL lock_timeout TO 200")
    op.execute("DROP FUNCTION same CASCADE")
    op.drop_column("attempts", "points")
