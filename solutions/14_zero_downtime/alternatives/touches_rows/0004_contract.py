"""A CHECK that stays, in place of NOT NULL."""

from alembic import op

revision = "touches_rows_0004"
down_revision = "touches_rows_0003"


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout TO 200")
        op.create_check_constraint(
            "has_points", "attempts", "points IS NOT NULL", postgresql_not_valid=True
        )
        op.execute("ALTER TABLE attempts VALIDATE CONSTRAINT has_points")
    op.execute("DROP TRIGGER same ON attempts")
    op.drop_column("attempts", "score")
    op.execute("DROP FUNCTION same")


def downgrade():
    op.execute("SET LOCAL lock_timeout TO 200")
    op.execute("ALTER TABLE attempts ADD score int, DROP CONSTRAINT has_points")
    op.execute("UPDATE attempts SET score = points")
    op.alter_column("attempts", "score", nullable=False)
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
    op.execute(
        "CREATE TRIGGER same BEFORE INSERT OR UPDATE ON attempts"
        " FOR EACH ROW EXECUTE PROCEDURE same()"
    )
