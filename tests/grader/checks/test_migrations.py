"""Migrations are judged by what they do to a database with rows in it, and to those who use it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.results import CheckResult, Outcome, Reason
from grader.submissions import Submission
from tests.grader.courses import EXERCISE, HERE, write_files
from tests.grader.examining import Course, errored, failed

Migrate = Callable[..., CheckResult]
TOML = """title = "Migrations"
notebook = "11_migrations"
minutes = 5
answer = ["0002_level.py", "models.py"]
given = ["0001_lessons.py"]
[worker]
module = ""
seconds = 5
privileges = "tables"
"""
BASE = """
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

def upgrade():
    op.create_table(
        "lessons",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
    )

def downgrade():
    op.drop_table("lessons")
"""
HEAD = """
import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
level = sa.Enum("easy", "hard", name="lesson_level")
"""
RIGHT = (
    HEAD
    + """
def upgrade():
    level.create(op.get_bind())
    op.add_column(
        "lessons", sa.Column("level", level, nullable=False, server_default="easy")
    )

def downgrade():
    op.drop_column("lessons", "level")
    level.drop(op.get_bind())
"""
)
IN_SQL = (
    HEAD
    + """
def upgrade():
    op.execute("CREATE TYPE lesson_level AS ENUM ('easy', 'hard')")
    op.execute("ALTER TABLE lessons ADD COLUMN level lesson_level")
    op.execute("UPDATE lessons SET level = 'easy'")
    op.execute("ALTER TABLE lessons ALTER COLUMN level SET NOT NULL")
    op.execute("ALTER TABLE lessons ALTER COLUMN level SET DEFAULT 'easy'")

def downgrade():
    op.execute("ALTER TABLE lessons DROP COLUMN level")
    op.execute("DROP TYPE lesson_level")
"""
)
NOT_NULL_AT_ONCE = RIGHT.replace(', server_default="easy"', "")
ENUM_LEFT = RIGHT.replace("    level.drop(op.get_bind())\n", "")
NO_WAY_DOWN = RIGHT.partition("def downgrade")[0] + "def downgrade():\n    pass\n"
LOSES_ROWS = RIGHT.replace(
    '    op.drop_column("lessons", "level")\n',
    """
    op.execute("DELETE FROM lessons WHERE level = 'hard'")
    op.drop_column("lessons", "level")
""",
)
MODELS = """
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): pass

class Lesson(Base):
    __tablename__ = "lessons"
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
    title: Mapped[str] = mapped_column(sa.Text)
    level: Mapped[str] = mapped_column(
        sa.Enum("easy", "hard", name="lesson_level"), server_default="easy"
    )
"""
HEAD_OF_CHECK = "from grader.checks import Raises, check, hint\n\n\n@check('It holds', points=2)\n"


@pytest.fixture
def migrate(course: Course) -> Migrate:
    """Run one check on migrations: ``migrate(check, {"0002_level.py": …}, given={…})``."""

    def migrate(
        check: str,
        answer: dict[str, str] | str = RIGHT,
        given: dict[str, str] | None = None,
        toml: str = TOML,
    ) -> CheckResult:
        files = {"0002_level.py": answer} if isinstance(answer, str) else answer
        course.made += 1
        root = write_files(
            course.root / str(course.made),
            {
                f"{HERE}/exercise.toml": toml,
                f"{HERE}/README.md": "Migrate.\n",
                f"{HERE}/0001_lessons.py": BASE,
                f"{HERE}/test_visible.py": HEAD_OF_CHECK + check,
                **{f"{HERE}/{name}": text for name, text in (given or {}).items()},
            },
        )
        from grader.catalog import load_course

        exercise = load_course(root).exercises[EXERCISE]
        taken = {EXERCISE: {name: text.encode() for name, text in files.items()}}
        with course.judge.desk(Submission("ada", taken), exercise) as desk:
            return desk.run(exercise.checks[0])

    return migrate


def passed(result: CheckResult) -> None:
    assert result.outcome is Outcome.PASSED, result.failure


UP_AND_DOWN = """
def test_it(db, migrations, statements):
    assert (migrations.heads, migrations.current) == (["0002"], [])
    assert [r.id for r in migrations.history] == ["0001", "0002"]
    migrations.upgrade("0001")
    db.insert("lessons", {"title": "Joins"}, {"title": "Locks"})
    rows, shape = db.rows("lessons", order_by="id"), migrations.shape()
    migrations.upgrade("head")
    assert migrations.current == migrations.heads
    assert {row["level"] for row in db.rows("lessons")} == {"easy"}, hint("Not easy.")
    assert any("lesson_level" in text for text in statements.last.texts)
    db.query("SELECT 1")
    db.insert("lessons", {"title": "Views", "level": "hard"})
    migrations.downgrade("-1")
    left = migrations.differences(shape)
    assert not left, hint("It left: " + "; ".join(left))
    assert db.count("lessons") == 3, hint("Lessons were lost.")
    assert db.rows("lessons", order_by="id")[:2] == rows
    migrations.upgrade("+1")
    migrations.downgrade("base")
    assert (migrations.current, migrations.shape()) == ([], {})
"""


@pytest.mark.parametrize("answer", [RIGHT, IN_SQL])
def test_up_down_and_up_again_by_whatever_means(migrate: Migrate, answer: str) -> None:
    passed(migrate(UP_AND_DOWN, answer))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (ENUM_LEFT, "It left: type lesson_level was not there before"),
        (
            NO_WAY_DOWN,
            "It left: column lessons.level was not there before; "
            "type lesson_level was not there before",
        ),
        (LOSES_ROWS, "Lessons were lost."),
    ],
)
def test_what_goes_wrong_on_the_way_down_is_told(migrate: Migrate, answer: str, told: str) -> None:
    assert failed(migrate(UP_AND_DOWN, answer)) == told


def test_a_column_that_must_not_be_null_meets_the_rows_that_are_there(migrate: Migrate) -> None:
    result = migrate(UP_AND_DOWN, NOT_NULL_AT_ONCE)
    assert failed(result, Reason.RAISED) == (
        "alembic upgrade head raised IntegrityError (SQLSTATE 23502)."
    )
    assert result.failure is not None
    assert result.failure.question == (
        "What do the rows that are already there have in that column?"
    )
    assert result.failure.location.startswith("versions/0002_level.py:")


def test_a_refusal_can_be_told_in_the_words_of_the_exercise(migrate: Migrate) -> None:
    check = """
def test_it(db, migrations):
    migrations.upgrade("0001")
    db.insert("lessons", {"title": "Joins"})
    said = hint("Joins has no level.", question="What has it?", misconception="not-null-at-once")
    migrations.upgrade("0002", refused={"23502": said})
    migrations.downgrade("0001", refused={"23502": said})
"""
    passed(migrate(check))
    result = migrate(check, NOT_NULL_AT_ONCE)
    assert failed(result, Reason.RAISED) == "Joins has no level."
    assert result.failure is not None
    assert result.failure.question == "What has it?"
    assert result.failure.misconception == "not-null-at-once"
    assert result.failure.location.startswith("versions/0002_level.py:")
    assert "null values" in result.failure.actual
    down = (
        RIGHT
        + """
    op.execute("ALTER TABLE lessons ADD COLUMN old text NOT NULL")
"""
    )
    assert failed(migrate(check, down), Reason.RAISED) == "Joins has no level."
    other = RIGHT.replace("def downgrade():", "def downgrade():\n    op.drop_table('nothing')")
    assert failed(migrate(check, other), Reason.RAISED).endswith("(SQLSTATE 42P01).")


def test_faults_of_a_script_are_told_before_anything_runs(migrate: Migrate) -> None:
    up = "def test_it(migrations): migrations.upgrade()"
    told = {
        RIGHT.replace("def upgrade()", "def upgrade("): (
            Reason.IMPORT,
            "0002_level.py is not valid Python: line 9 cannot be read.",
        ),
        RIGHT + "deep = " + "-" * 10_000 + "1": (
            Reason.IMPORT,
            "0002_level.py is not valid Python: it cannot be read.",
        ),
        RIGHT.replace('revision: str = "0002"', "revision = str(2)"): (
            Reason.ASSERTION,
            "0002_level.py does not say its revision as plain text, so nobody can tell its place "
            "in the history.",
        ),
        RIGHT.replace('revision: str = "0002"', 'revision = "0001"'): (
            Reason.ASSERTION,
            "0002_level.py and 0001_lessons.py both call themselves 0001.",
        ),
        RIGHT.replace('= "0001"', '= "0002"'): (
            Reason.ASSERTION,
            "The history has no beginning: by way of the others, 0002_level.py comes before "
            "itself.",
        ),
        RIGHT.replace("import sqlalchemy as sa", "import sqlalchemie as sa"): (
            Reason.RAISED,
            "alembic upgrade head raised ModuleNotFoundError.",
        ),
        RIGHT.replace('= "0001"', '= "0000"'): (
            Reason.RAISED,
            "alembic upgrade head raised KeyError.",
        ),
        RIGHT.replace("def upgrade", "def upgrading"): (
            Reason.RAISED,
            "alembic upgrade head raised AttributeError.",
        ),
    }
    for answer, (reason, message) in told.items():
        assert failed(migrate(up, answer), reason) == message


def test_two_heads_are_told(migrate: Migrate) -> None:
    toml = TOML.replace('"models.py"', '"0003_more.py"')
    second = RIGHT.replace('"0002"', '"0003"')
    check = """
def test_it(migrations):
    assert migrations.heads == ["0002", "0003"]
    migrations.upgrade("head")
"""
    result = migrate(check, {"0002_level.py": RIGHT, "0003_more.py": second}, toml=toml)
    assert failed(result).startswith("Your revisions end in 2 heads (0002, 0003), so Alembic does")


def test_an_upgrade_that_must_fail_can_be_asked_for(migrate: Migrate) -> None:
    check = """
def test_it(migrations):
    migrations.upgrade("0001")
    migrations.upgrade("0002")
    assert migrations.upgrade("nowhere", expect=Raises("CommandError")).sqlstate is None
    migrations.downgrade("0001", expect=Raises)
"""
    result = migrate(check)
    assert failed(result).startswith("alembic downgrade 0001 should have raised an exception")


def test_models_are_compared_with_the_database(migrate: Migrate) -> None:
    check = """
def test_it(migrations):
    migrations.upgrade()
    drift = migrations.drift()
    assert drift == [], hint("; ".join(drift))
"""
    passed(migrate(check, {"0002_level.py": RIGHT, "models.py": MODELS}))
    more = MODELS + "    minutes: Mapped[int]\n    __table_args__ = (sa.Index('by', 'title'),)\n"
    result = migrate(check, {"0002_level.py": RIGHT, "models.py": more})
    assert failed(result) == "add_column lessons.minutes; add_index lessons.by"
    less = MODELS.replace("sa.Text)", "sa.String(9))").replace(', server_default="easy"', "")
    told = failed(migrate(check, {"0002_level.py": RIGHT, "models.py": less}))
    assert told == "modify_type lessons.title; modify_default lessons.level"


# What a migration does to those who use the database meanwhile.

INDEX = (
    HEAD
    + """
def upgrade():
    op.create_index("by_title", "lessons", ["title"])

def downgrade():
    op.drop_index("by_title")
"""
)
CONCURRENTLY = (
    HEAD
    + """
def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("by_title", "lessons", ["title"], postgresql_concurrently=True)

def downgrade():
    op.drop_index("by_title")
"""
)
PAUSED = """
def test_it(db, migrations):
    migrations.upgrade("0001")
    with migrations.paused() as pause:
        assert not pause.stops("writes", "lessons"), hint(
            f"Writers wait for {pause.locks['lessons']}."
        )
        assert not pause.stops("reads", "lessons")
    assert migrations.current == ["0002"]
    assert [len(t) for t in migrations.transactions][-1] >= 1
"""


def test_the_locks_of_a_migration_are_seen(migrate: Migrate) -> None:
    passed(migrate(PAUSED, CONCURRENTLY))
    assert failed(migrate(PAUSED, INDEX)) == "Writers wait for ShareLock."
    assert failed(migrate(PAUSED, RIGHT)) == "Writers wait for AccessExclusiveLock."


def test_concurrently_inside_a_transaction_fails_with_a_question(migrate: Migrate) -> None:
    answer = INDEX.replace('["title"])', '["title"], postgresql_concurrently=True)')
    result = migrate(PAUSED, answer)
    assert failed(result, Reason.RAISED) == (
        "alembic upgrade +1 raised InternalError (SQLSTATE 25001)."
    )
    assert result.failure is not None
    assert "leave" in result.failure.question


def test_rows_that_a_backfill_keeps_from_others_are_counted(migrate: Migrate) -> None:
    check = """
def test_it(db, migrations):
    migrations.upgrade("0001")
    db.insert("lessons", *({"title": str(n)} for n in range(10)))
    with migrations.paused() as pause:
        held = pause.locked_rows["lessons"]
        assert held <= 4, hint(f"{held} rows are held, by {len(pause.statements.writes)} writes.")
    assert db.count("lessons", title="done") == 10
    assert [len(t.writes) for t in migrations.transactions if t.writes][:3] == [1, 1, 1]
"""
    at_once = (
        HEAD
        + """
def upgrade():
    op.execute("UPDATE lessons SET title = 'done'")
"""
    )
    in_batches = (
        HEAD
        + """
def upgrade():
    with op.get_context().autocommit_block():
        for low in (0, 4, 8):
            op.execute(
                f"UPDATE lessons SET title = 'done' WHERE id > {low} AND id <= {low + 4}"
            )
"""
    )
    assert failed(migrate(check, at_once)) == "10 rows are held, by 1 writes."
    passed(migrate(check.replace('["lessons"]', '.get("lessons", 0)'), in_batches))


HOLDS = """
def test_it(db, migrations, rivals):
    migrations.upgrade("0001")
    rows = db.insert("lessons", *({"title": str(n)} for n in range(10)))
    last = rows[-1]["id"]
    with rivals.holding("SELECT FROM public.lessons WHERE id = %s FOR UPDATE", [last]):
        migrations.start("upgrade", "head")
        assert migrations.is_waiting
        held = migrations.holds().locked_rows["lessons"] - 1
        assert held < 5, hint(f"{held} rows are held.")
    migrations.finish()
    assert db.count("lessons", title="done") == 10
"""


def test_rows_that_are_held_while_it_waits_are_counted_also_where_each_statement_commits(
    migrate: Migrate,
) -> None:
    backfill = (
        HEAD
        + """
def upgrade():
    with op.get_context().autocommit_block():
        for low in range(0, 12, STEP):
            op.execute(
                f"UPDATE lessons SET title = 'done' WHERE id > {low} AND id <= {low + STEP}"
            )
"""
    )
    assert failed(migrate(HOLDS, backfill.replace("STEP", "12"))) == "9 rows are held."
    passed(migrate(HOLDS, backfill.replace("STEP", "4")))


def test_a_lock_that_is_only_waited_for_stops_those_who_come_later(migrate: Migrate) -> None:
    check = """
def test_it(db, migrations, rivals):
    migrations.upgrade("0001")
    with rivals.holding("LOCK TABLE public.lessons IN ROW EXCLUSIVE MODE"):
        migrations.start("upgrade", "head")
        seen = migrations.holds()
        assert migrations.is_waiting
    migrations.finish()
    assert not seen.stops("writes", "lessons"), hint(f"In line for a {seen.wanted['lessons']}.")
    assert seen.locks["lessons"] == "ShareUpdateExclusiveLock" and not seen.wanted
"""
    passed(migrate(check, CONCURRENTLY))
    # In a transaction of its own it would hold nothing any more before the revision is committed.
    by_itself = CONCURRENTLY.replace(", postgresql_concurrently=True", "")
    passed(migrate(PAUSED, by_itself))
    for answer in (INDEX, by_itself):
        assert failed(migrate(check, answer)) == "In line for a ShareLock."
    assert failed(migrate(check, RIGHT)) == "In line for a AccessExclusiveLock."


def test_who_never_gives_up_is_told_so_in_the_words_of_the_exercise(migrate: Migrate) -> None:
    check = """
def test_it(migrations, rivals):
    migrations.upgrade("0001")
    with rivals.holding("SELECT FROM public.lessons"):
        migrations.upgrade("head", expect=Raises(otherwise=hint("It waits, and all behind it.")))
"""
    toml = TOML.replace("seconds = 5", "seconds = 3")
    result = migrate(check, RIGHT, toml=toml)
    assert failed(result, Reason.TIMEOUT) == "It waits, and all behind it."


def test_whether_a_migration_gives_up_when_it_does_not_get_its_lock(migrate: Migrate) -> None:
    check = """
def test_it(db, migrations, rivals):
    migrations.upgrade("0001")
    with rivals.holding("INSERT INTO public.lessons (title) VALUES ('open')"):
        said = migrations.upgrade("head", expect=Raises)
        assert said.sqlstate == "55P03", hint("It did not give up by itself.")
    migrations.upgrade("head")
    assert db.count("lessons") == 1
"""
    polite = RIGHT.replace(
        "def upgrade():\n",
        """def upgrade():
    op.execute("SET LOCAL lock_timeout = '200ms'")
""",
    )
    passed(migrate(check, polite))
    toml = TOML.replace("seconds = 5", "seconds = 3")
    result = migrate(check, RIGHT, toml=toml)
    assert failed(result, Reason.TIMEOUT) == (
        "alembic upgrade head gave no answer: there was no answer within 3 seconds. "
        "It was still waiting for a lock that this check holds."
    )


WRITING = """
def test_it(db, migrations):
    migrations.upgrade("0001")
    db.insert("lessons", *({"title": str(n)} for n in range(10)))
    with migrations.writing("lessons") as writers:
        migrations.upgrade("head")
    assert writers.longest < 0.6, hint("Long, for " + "; ".join(writers.stopped_by))
    assert writers.writes > 5 and not writers.failed
    assert db.count("lessons") == 10
"""
LONG = (
    HEAD
    + """
def upgrade():
    op.execute("ALTER TABLE lessons ADD COLUMN level text")
    op.execute("SELECT pg_sleep(1)")
"""
)


def test_how_long_writers_wait_for_a_migration_is_told(migrate: Migrate) -> None:
    sleep = '    op.execute("SELECT pg_sleep(1)")\n'
    alter = '    op.execute("ALTER TABLE lessons ADD COLUMN level text")\n'
    in_between = (
        HEAD
        + """
def upgrade():
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE lessons ADD COLUMN level text")
        op.execute("SELECT pg_sleep(1)")
        op.execute("CREATE INDEX CONCURRENTLY ON lessons (level)")
"""
    )
    for answer in (LONG.replace(alter + sleep, sleep + alter), in_between):
        passed(migrate(WRITING, answer))
    told = failed(migrate(WRITING, LONG))
    assert told.startswith("Long, for ")
    assert "SELECT pg_sleep(1)" in told


def test_writers_wait_for_rows_too(migrate: Migrate) -> None:
    backfill = (
        HEAD
        + """
def upgrade():
    with op.get_context().autocommit_block():
        for low in range(0, 12, STEP):
            op.execute(
                "WITH slow AS (SELECT pg_sleep(STEP * 0.1)), done AS (UPDATE lessons SET title ="
                f" 'done' WHERE id > {low} AND id <= {low + STEP} RETURNING 1) TABLE done"
                " UNION ALL SELECT 1 FROM slow"
            )
"""
    )
    passed(migrate(WRITING, backfill.replace("STEP", "2")))
    told = failed(migrate(WRITING, backfill.replace("STEP", "12")))
    assert told.startswith("Long, for WITH slow")


def test_a_writer_goes_out_of_the_way_of_a_migration_that_locks_more_and_more(
    migrate: Migrate,
) -> None:
    check = """
def test_it(db, migrations):
    migrations.upgrade("0001")
    db.insert("lessons", {"title": "Joins"})
    with migrations.writing("lessons") as writers:
        migrations.upgrade("head")
    assert writers.failed["57014"] == 1 and writers.failed.total() == 1
"""
    first = BASE.replace("nullable=False)", 'nullable=False), sa.Column("level", sa.Text)')
    rising = (
        HEAD
        + """
def upgrade():
    op.execute("UPDATE lessons SET level = 'easy'")
    op.execute("SELECT pg_sleep(0.3)")
    op.execute("ALTER TABLE lessons ALTER COLUMN level SET NOT NULL")
"""
    )
    passed(migrate(check, rising, given={"0001_lessons.py": first}))


NEVER_ENDS = (
    "LOOP BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP;"
)


def test_a_writer_goes_on_when_its_column_is_gone_and_gives_up_where_it_must(
    migrate: Migrate,
) -> None:
    check = """
def test_it(db, migrations):
    migrations.upgrade("0001")
    db.insert("lessons", {"title": "Joins"})
    with migrations.writing("lessons") as writers:
        migrations.upgrade("head")
        done = writers.writes
        for _ in range(1000):
            if writers.writes > done + 1:
                break
            db.query("SELECT pg_sleep(0.005)")
    assert writers.failed["42703"] == 1 and writers.writes > done + 1
"""
    renames = HEAD + "def upgrade(): op.alter_column('lessons', 'title', new_column_name='name')\n"
    passed(migrate(check, renames))
    lacks = check.replace('    db.insert("lessons", {"title": "Joins"})\n', "")
    refuses = BASE + (
        '    op.execute("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS '
        "'BEGIN RAISE EXCEPTION $$no$$; END'\")\n"
        "    op.execute('CREATE TRIGGER no BEFORE UPDATE ON lessons EXECUTE FUNCTION no()')\n"
    )
    refuses = refuses.replace('def downgrade():\n    op.drop_table("lessons")\n', "")
    result = migrate(lacks, renames, given={"0001_lessons.py": refuses})
    assert failed(result) == "No row of lessons can be written, even while no migration runs."
    waits = refuses.replace("RAISE EXCEPTION $$no$$;", NEVER_ENDS)
    toml = TOML.replace("seconds = 5", "seconds = 1")
    result = migrate(lacks, renames, given={"0001_lessons.py": waits}, toml=toml)
    assert failed(result) == "No row of lessons can be written, even while no migration runs."
    nothing = lacks.replace('writing("lessons")', 'writing("pages")')
    assert failed(migrate(nothing, renames)) == "There is no table pages in the schema public."


TOGETHER = """
def test_it(migrations):
    migrations.upgrade("0001")
    results = migrations.together(3)
    failures = [r.sqlstate for r in results if not r.answered]
    assert not failures, hint(f"{len(failures)} of 3 failed: {failures[0]}")
    assert migrations.current == ["0002"]
"""
LOCKING = """
from alembic import context
from sqlalchemy import create_engine, text

engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(7)"))
        context.run_migrations()
"""


def test_upgrades_at_the_same_time_need_a_lock(migrate: Migrate) -> None:
    add = HEAD + "def upgrade():\n    op.execute('ALTER TABLE lessons ADD COLUMN n int')\n"
    patient = TOML.replace("seconds = 5", "seconds = 30")  # four processes, on a busy machine
    assert failed(migrate(TOGETHER, add, toml=patient)) == "2 of 3 failed: 42701"
    toml = patient.replace('given = ["', 'given = ["env.py", "')
    passed(migrate(TOGETHER, add, given={"env.py": LOCKING}, toml=toml))


def test_a_check_that_pauses_at_the_wrong_time_is_at_fault(migrate: Migrate) -> None:
    check = """
def test_it(migrations):
    with migrations.paused():
        pass
"""
    assert "A first revision must be there" in errored(migrate(check))
