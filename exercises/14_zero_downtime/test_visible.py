"""What the four revisions must do. Your grader runs more checks than these."""

from grader.checks import check, hint

EXPAND, BACKFILL, CONTRACT, INDEX = (
    "0002_expand.py",
    "0003_backfill.py",
    "0004_contract.py",
    "0005_index.py",
)
MANY, MOST = 1500, 500
STORE = {
    "old": "INSERT INTO attempts (user_id, lesson_id, score) VALUES (:user, :lesson, :n)"
    " RETURNING id",
    "new": "INSERT INTO attempts (user_id, lesson_id, points) VALUES (:user, :lesson, :n)"
    " RETURNING id",
}
FILL = (
    "INSERT INTO public.attempts (user_id, lesson_id, score)"
    " SELECT n * %s %% 97, n %% 11, n * %s %% 101 FROM generate_series(1, %s) AS n"
)
# Whoever has changed a row finds it at the end of the table.
MOVE = "UPDATE public.attempts SET user_id = user_id + 1 WHERE id % 3 = 0"
WRITE = "LOCK TABLE public.attempts IN ROW EXCLUSIVE MODE"  # as any write does


def revision(migrations, file):
    """The id by which a file calls its revision."""
    return next(r.id for r in migrations.history if r.file == file)


def sent(migrations):
    """What the last command sent."""
    return [statement for transaction in migrations.transactions for statement in transaction]


def filled(migrations, rivals, data, rows=MANY):
    """The table as it is in production, with so many rows; each has another score."""
    migrations.upgrade("0001")
    with rivals.holding(FILL, [data.number(3, 90), data.number(3, 90), rows]) as school:
        school.execute(MOVE)


def expanded(migrations, db):
    """The table after 0002, for checks on what comes later."""
    migrations.upgrade(revision(migrations, EXPAND))
    columns = {
        row["name"]
        for row in db.query(
            "SELECT attname::text AS name FROM pg_attribute"
            " WHERE attrelid = 'public.attempts'::regclass AND attnum > 0 AND NOT attisdropped"
        )
    }
    assert "score" in columns, hint(
        "After 0002, attempts has no score any more. The old version is still running on some"
        " servers, and each of its statements fails from now on.",
        question="Which names must the table know as long as both versions run?",
        misconception="one-shot-rename",
        expected="score and points",
        actual=", ".join(sorted(columns)),
        show=sent(migrations),
    )
    assert "points" in columns, hint(
        "After 0002, attempts has no points, and the new version is about to start.",
        misconception="",
        expected="score and points",
        actual=", ".join(sorted(columns)),
        show=sent(migrations),
    )


def write(session, module, statement, values):
    """A statement of one of the two versions: the row that it has written, or why it failed."""
    from sqlalchemy import text

    try:
        row = session.execute(text(statement), values).mappings().one()
        session.commit()
    except Exception as error:
        session.rollback()
        cause = getattr(error, "orig", None) or error
        return {"failed": str(cause).split("\n")[0]}
    return dict(row)


def told(row, column):
    return f"{column} = {'NULL' if row.get(column) is None else row[column]}"


@check("Whatever one version stores after 0002, the other one reads", points=2)
def test_both_versions_store(migrations, student, db, rivals, data):
    filled(migrations, rivals, data, 20)
    expanded(migrations, db)
    up = sent(migrations)
    for version, column, other in (("old", "score", "points"), ("new", "points", "score")):
        values = {"user": data.number(1, 99), "lesson": data.number(1, 9), "n": data.number(1, 99)}
        statement = STORE[version]
        said = student.drive(write, statement, values)
        assert "id" in said, hint(
            f"The {version} version stored an attempt, as it always does, and PostgreSQL refused"
            " it. It knows nothing of the other column.",
            question="Both versions run now. Who gives the other column its value?",
            misconception="one-version-at-a-time",
            expected="stored",
            actual=said.get("failed"),
            show=up,
        )
        row = db.one("attempts", id=said["id"])
        assert (row[column], row[other]) == (values["n"], values["n"]), hint(
            f"The {version} version stored an attempt with {column} = {values['n']}. Whoever reads"
            f" it in the other version finds something else.",
            question="Both versions run now. Who gives the other column its value?",
            misconception="one-version-at-a-time",
            expected=f"{column} = {other} = {values['n']}",
            actual=f"{told(row, column)}, {told(row, other)}",
            show=up,
        )


@check("0002 changes no row and rewrites nothing", points=2)
def test_expand_is_short(migrations, db, rivals, data):
    filled(migrations, rivals, data, 200)
    query = "SELECT id, xmin::text AS written FROM public.attempts ORDER BY id"
    where = "SELECT pg_relation_filenode('public.attempts')::text AS file"
    rows, file = db.query(query), db.query(where)
    expanded(migrations, db)
    changed = sum(a != b for a, b in zip(rows, db.query(query), strict=True))
    assert not changed and db.query(where) == file, hint(
        (
            f"0002 changed {changed} of 200 rows."
            if changed
            else "0002 made PostgreSQL write the whole table anew."
        )
        + " With some million rows that takes minutes, and from the ALTER TABLE until the commit"
        " nobody else can read or write a single row.",
        question="Until when does a transaction keep a lock that one of its statements has taken?",
        misconception="lock-until-commit",
        expected="no row changed, nothing rewritten",
        actual=f"{changed} rows changed" if changed else "the table was rewritten",
        show=sent(migrations),
    )


@check("After 0003 every row has points, and never were more than 500 kept from others", points=2)
def test_backfill_in_batches(migrations, db, rivals, data):
    filled(migrations, rivals, data)
    expanded(migrations, db)
    last, before = db.query("SELECT id, xmin::text FROM public.attempts ORDER BY id")[-1].values()
    held = 0
    with rivals.holding("SELECT FROM public.attempts WHERE id = %s FOR UPDATE", [last]):
        migrations.start("upgrade", revision(migrations, BACKFILL))
        if migrations.is_waiting:
            held = migrations.holds().locked_rows.get("attempts", MANY + 1) - 1
    migrations.finish()
    # Rows that one transaction has changed bear its number.
    together = db.query(
        "SELECT count(*) AS rows FROM public.attempts WHERE xmin::text <> %s"
        " GROUP BY xmin::text ORDER BY 1 DESC LIMIT 1",
        [before],
    )
    held = max(held, *(row["rows"] for row in together), 0)
    assert held <= MOST, hint(
        f"While 0003 was at work, {held} of {MANY} rows could be changed by nobody else. Of some"
        " million rows that would be all, for minutes: whoever wants to change one of them waits.",
        question="When does PostgreSQL let go of the rows that a transaction has changed?",
        misconception="backfill-in-one-go",
        expected=f"at most {MOST} rows at the same moment",
        actual=f"{held} rows",
        show=sent(migrations),
    )
    wrong = db.query(
        "SELECT count(*) FILTER (WHERE points IS NULL) AS without,"
        " count(*) FILTER (WHERE points <> score) AS other,"
        " count(DISTINCT points) AS values FROM public.attempts"
    )[0]
    alike = wrong["values"] == 1 and not wrong["without"]
    assert (wrong["without"], wrong["other"]) == (0, 0), hint(
        f"After 0003, {wrong['without']} of {MANY} rows have no points, and {wrong['other']} have"
        " other points than their score.",
        question="What did the rows have in points when 0003 began, and which of them did it look"
        " for?"
        if alike
        else "Which rows does your walk through the table leave out?",
        misconception="backfill-finds-null" if alike else "",
        expected="points = score in every row",
        actual=f"{wrong['without']} without points, {wrong['other']} with other ones",
        show=sent(migrations),
    )


def left_over(before, after):
    """What is there besides points. A CHECK may stay that says what the column does not."""
    new = sorted(after.keys() - before.keys() - {"column attempts.points"})
    if "NOT NULL" in after["column attempts.points"]:
        return new
    return [what for what in new if not what.startswith("constraint")]


@check("After 0004 the new version goes on without score", points=2)
def test_contract(migrations, student, db, rivals, *, schema, data):
    filled(migrations, rivals, data, 40)
    scores = {row["id"]: row["score"] for row in db.rows("attempts")}
    before = migrations.shape()
    expanded(migrations, db)
    migrations.upgrade(revision(migrations, CONTRACT))
    up = sent(migrations)
    table = schema.table("attempts")
    assert table.find_column("score") is None and table.column("points").type == "integer", hint(
        "After 0004, attempts should have points, an integer, and no score.",
        actual=", ".join(f"{column.name} {column.type}" for column in table.columns),
        show=up,
    )
    points = {row["id"]: row["points"] for row in db.rows("attempts")}
    assert points == scores, hint(
        f"{sum(points.get(i) != scores[i] for i in scores)} of {len(scores)} old attempts have"
        " other points than they had as a score.",
        show=up,
    )
    values = {"user": data.number(1, 99), "lesson": data.number(1, 9), "n": data.number(1, 99)}
    for statement in (
        "INSERT INTO attempts (user_id, lesson_id, points) VALUES (:user, :lesson, :n)"
        " RETURNING points",
        "UPDATE attempts SET points = :n WHERE id = (SELECT max(id) FROM attempts)"
        " RETURNING points",
    ):
        said = student.drive(write, statement, values)
        assert said == {"points": values["n"]}, hint(
            "After 0004 the new version wrote an attempt, and could not, or found something else in"
            " it.",
            question="What is still there that speaks of score?",
            misconception="functions-are-not-looked-into" if "failed" in said else "",
            expected=f"points = {values['n']}",
            actual=said.get("failed") or told(said, "points"),
            show=up,
        )
    said = student.drive(write, statement, values | {"n": None})
    assert "failed" in said, hint(
        "After 0004 an attempt was stored without points. The new version never does that; another"
        " program will.",
        question="What was told to the table about this column?",
        misconception="filled-is-required",
        expected="refused",
        actual="accepted",
        show=up,
    )
    left = left_over(before, migrations.shape())
    assert not left, hint(
        "After 0004 there is still something that was needed on the way alone. Each write does its"
        " work, and whoever reads the table in a year asks what it is for.",
        question="What have your revisions made so that two versions could run, and which of it"
        " does the new version need?",
        misconception="functions-are-not-looked-into" if "function" in str(left) else "",
        expected="points in the place of score, and nothing else",
        actual=", ".join(left),
        show=up,
    )


@check("While 0005 builds the index, writers go on", points=2)
def test_index_lets_writers_go_on(migrations, db, schema, rivals, data):
    filled(migrations, rivals, data, 40)
    migrations.upgrade(revision(migrations, CONTRACT))
    with rivals.holding(WRITE):
        migrations.start("upgrade", revision(migrations, INDEX))
        seen = migrations.holds()
    # Whoever may have no lock beside the one that it waits for stands in line behind it.
    lock = seen.wanted.get("attempts") or seen.locks.get("attempts", "")
    assert not seen.stops("writes", "attempts"), hint(
        f"Somebody was writing to attempts when 0005 came. It asked for {lock} on the table:"
        " whoever wanted to write after that stood in line behind it, and would have waited until"
        " the index was built.",
        question="Which lock does CREATE INDEX take, and which way of building one takes less?",
        misconception="create-index-only-reads",
        expected="a lock that lets writers go on, or none",
        actual=lock,
        show=seen.statements,
    )
    migrations.finish()
    index = schema.table("attempts").index_on("user_id")
    assert index is not None and index.valid, hint(
        "After 0005 there is no index that can be used to find the attempts of a user.",
        question="What does \\d attempts say about it?",
        misconception="",
        expected="a valid index on attempts (user_id)",
        actual="; ".join(i.definition for i in schema.table("attempts").indexes),
    )
    ends = migrations.heads
    assert len(ends) == 1, hint(
        f"Each of your revisions works, and they end in {len(ends)} heads. Whoever looks after the"
        " release runs alembic upgrade head, and it does not know which of them is meant.",
        question="Which revision does each of your files name as the one before it?",
        misconception="two-heads",
        expected="one head",
        actual=", ".join(ends),
    )
