# misconception: lock-until-commit
# fails: test_expand_is_short
"""A second column, and a trigger that keeps both in step as long as two versions run"""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"

IN_STEP = """
CREATE FUNCTION attempts_in_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.points := coalesce(NEW.points, NEW.score);
        NEW.score := coalesce(NEW.score, NEW.points);
    ELSIF NEW.points IS DISTINCT FROM OLD.points THEN
        NEW.score := NEW.points;
    ELSIF NEW.score IS DISTINCT FROM OLD.score THEN
        NEW.points := NEW.score;
    END IF;
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '300ms'")
    # Bigger numbers will come one day, and now the table is open anyway.
    op.add_column("attempts", sa.Column("points", sa.Integer()))
    op.alter_column("attempts", "lesson_id", type_=sa.Numeric())
    op.execute(IN_STEP)
    op.execute(
        "CREATE TRIGGER in_step BEFORE INSERT OR UPDATE ON attempts"
        " FOR EACH ROW EXECUTE FUNCTION attempts_in_step()"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '300ms'")
    op.execute("DROP TRIGGER in_step ON attempts")
    op.execute("DROP FUNCTION attempts_in_step")
    op.drop_column("attempts", "points")
