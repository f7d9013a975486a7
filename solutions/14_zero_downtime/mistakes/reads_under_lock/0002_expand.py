# misconception: lock-until-commit
# fails: test_contract_reads_nothing
"""A second column, and a trigger that keeps both in step as long as two versions run"""

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"

IN_STEP = """
CREATE FUNCTION attempts_in_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Before an INSERT, OLD.points is NULL.
    IF NEW.points IS DISTINCT FROM OLD.points THEN
        NEW.score := NEW.points;
    ELSE
        NEW.points := NEW.score;
    END IF;
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '300ms'")
    op.execute("ALTER TABLE attempts ADD COLUMN points integer")
    op.execute(IN_STEP)
    op.execute(
        "CREATE TRIGGER in_step BEFORE INSERT OR UPDATE ON attempts"
        " FOR EACH ROW EXECUTE FUNCTION attempts_in_step()"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '300ms'")
    op.execute("DROP TRIGGER in_step ON attempts")
    op.execute("DROP FUNCTION attempts_in_step")
    op.execute("ALTER TABLE attempts DROP COLUMN points")
