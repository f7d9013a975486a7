"""Where migrations are in the way: in line, under way, and while two versions run."""

from test_visible import FILL, MOVE, WRITE, revision, sent

from grader.checks import Raises, check, hint

EXPAND, BACKFILL, CONTRACT, INDEX = (
    "0002_expand.py",
    "0003_backfill.py",
    "0004_contract.py",
    "0005_index.py",
)
MANY = 1500
CHANGE = {
    "score": "UPDATE attempts SET score = :value WHERE id = :id",
    "points": "UPDATE attempts SET points = :value WHERE id = :id",
}
READ = "SELECT FROM public.attempts LIMIT 1"
# What PostgreSQL knew about points before the transaction that is open now.
KNOWN = (
    "SELECT a.attnotnull OR coalesce(bool_or(k.convalidated), false) AS known,"
    " count(k.oid) > 0 AS begun FROM pg_attribute a LEFT JOIN pg_constraint k"
    " ON k.conrelid = a.attrelid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)"
    " AND k.conbin::text LIKE '%NULLTEST%nulltesttype 1%'"  # as a text it would want a lock
    " WHERE a.attrelid = 'public.attempts'::regclass AND a.attname = 'points'"
    " GROUP BY a.attnotnull"
)
DONE = "SELECT id, xmin::text AS written FROM public.attempts WHERE points IS NOT NULL ORDER BY id"


def filled(migrations, rivals, data, rows):
    """The table as it is in production, with so many rows; each has another score."""
    migrations.upgrade("0001")
    with rivals.holding(FILL, [data.number(3, 90), data.number(3, 90), rows]) as school:
        school.execute(MOVE)


def expanded(migrations, db):
    """The table after 0002, where it has both columns."""
    migrations.upgrade(revision(migrations, EXPAND))
    row = db.rows("attempts")[0]
    assert {"score", "points"} <= row.keys(), hint(
        "After 0002 both versions run, and attempts does not have both columns.",
        question="Which names must the table know as long as both versions run?",
        misconception="" if "score" in row else "one-shot-rename",
        expected="score and points",
        actual=", ".join(row),
        show=sent(migrations),
    )


def change(session, module, statement, value, id_):
    """What a version does to change a row; why it failed, where it did."""
    from sqlalchemy import text

    try:
        session.execute(
            text(statement),
            {"value": value, "id": id_},
        )
        session.commit()
    except Exception as error:
        session.rollback()
        cause = getattr(error, "orig", None) or error
        return str(cause).split("\n")[0]
    return ""


@check("Whatever one version changes after 0002, the other one reads", points=2)
def test_both_versions_change(migrations, student, db, rivals, data):
    filled(migrations, rivals, data, 4)
    expanded(migrations, db)
    up = sent(migrations)
    one, two, three, _ = (row["id"] for row in db.rows("attempts", order_by="id"))
    for id_, columns in (
        (one, ["score"]),
        (two, ["points"]),
        (three, ["points", "score", "points", "score"]),
    ):
        for column in columns:
            value = 200 + data.number(1, 700)
            failed = student.drive(change, CHANGE[column], value, id_)
            row = db.one("attempts", id=id_)
            version = "old" if column == "score" else "new"
            assert not failed and row["score"] == row["points"] == value, hint(
                f"The {version} version changed an attempt to {column} = {value}."
                + (" PostgreSQL refused." if failed else " The other version reads something else.")
                + " Users see one number or the other, depending on the server that answers.",
                question="Who keeps the two columns in step when one of them is changed?",
                misconception="one-version-at-a-time",
                expected=f"score = points = {value}",
                actual=failed or f"score = {row['score']}, points = {row['points']}",
                show=up,
            )


def in_line(file, **also):
    return hint(
        f"Somebody was at work on attempts, and {file} wanted to change the table. It stood in line"
        " until it was stopped from outside. Whoever came later, also only to read, stood in line"
        " behind it.",
        question="How long should a migration wait for its lock, and who says so?",
        misconception="waiting-harms-nobody",
        **also,
    )


def stood(said, migrations):
    """Whether it has stood in line: whoever sets no limit is ended by the kit's, after seconds."""
    limited = any("statement_timeout" in s.text.lower() for s in sent(migrations))
    return said is not None and said.sqlstate == "57014" and not limited


@check("0002 and 0004 give up rather than let everybody stand in line", points=2)
def test_nobody_stands_in_line(migrations, db, rivals, data):
    filled(migrations, rivals, data, 20)
    for file in (EXPAND, CONTRACT):
        target = revision(migrations, file)
        if file == CONTRACT:
            migrations.upgrade(revision(migrations, BACKFILL))
        shape = migrations.shape()
        with rivals.holding(READ):
            said = migrations.upgrade(target, expect=Raises(otherwise=in_line(file)))
        assert not stood(said, migrations), in_line(file, show=sent(migrations))
        left = migrations.differences(shape)
        assert not left, hint(
            f"{file} gave up, which is right, but a part of it stayed.",
            question="Which transaction does each of your steps belong to?",
            misconception="failed-is-undone",
            expected="the table as it was",
            actual="; ".join(left),
            show=sent(migrations),
        )
        migrations.upgrade(target)


@check("0004 does not read the table while others wait", points=1)
def test_contract_reads_nothing(migrations, db, rivals, data):
    filled(migrations, rivals, data, 20)
    expanded(migrations, db)
    migrations.upgrade(revision(migrations, BACKFILL))
    # Its own limit may end it before it was looked at.
    for _ in range(5):
        with rivals.gate("alembic_version"):
            migrations.start("upgrade", revision(migrations, CONTRACT))
            pause, [row] = migrations.holds(), db.query(KNOWN)
            is_seen = migrations.is_waiting
        migrations.finish(expect=Raises(required=not is_seen))
        if is_seen:
            break
    else:
        migrations.upgrade(revision(migrations, CONTRACT))
    # One that looks first, and only then locks the table, may do both in one transaction.
    looked = row["begun"] and any("validate" in s.text.lower() for s in pause.statements)
    reads = pause.stops("reads", "attempts") and not row["known"] and not looked
    assert not reads, hint(
        "0004 held a lock on attempts that lets nobody read or write, and under this lock"
        " PostgreSQL had to read the table from the first row to the last, to find out whether one"
        " of them has NULL in points. Of some million rows that takes a while.",
        question="How can PostgreSQL have learned before, beside those who write, that no row has"
        " NULL?",
        misconception="lock-until-commit",
        expected="a constraint that was validated before the table was locked",
        actual="one that is not validated" if row["begun"] else "none",
        show=pause.statements,
    )


@check("0003 locks no table for those who write", points=1)
def test_backfill_locks_no_table(migrations, db, rivals, data):
    filled(migrations, rivals, data, 40)
    expanded(migrations, db)
    with migrations.paused(revision(migrations, BACKFILL)) as pause:
        assert not pause.stops("writes", "attempts"), hint(
            "0003 had given the rows their points and was about to commit. It held a"
            f" {pause.locks['attempts']} on attempts, and has held it since the statement that"
            " took it: all the time nobody could write.",
            question="Until when does a transaction keep a lock that one of its statements has"
            " taken?",
            misconception="lock-until-commit",
            expected="locks on rows alone",
            actual=pause.locks["attempts"],
            show=pause.statements,
        )
    left = db.count("attempts", points=None)
    assert not left, hint(f"After 0003, {left} of 40 rows have no points.", misconception="")


@check("What somebody writes while 0003 is at work is not overwritten", points=1)
def test_backfill_overwrites_nothing(migrations, db, rivals, data):
    filled(migrations, rivals, data, 40)
    expanded(migrations, db)
    ids = [row["id"] for row in db.rows("attempts", order_by="id")]
    busy, value = ids[data.number(10, 30)], 200 + data.number(1, 700)
    statement = "UPDATE public.attempts SET score = %s WHERE id = %s"
    with rivals.holding(statement, [value, busy]):
        migrations.start("upgrade", revision(migrations, BACKFILL))
    migrations.finish()
    row = db.one("attempts", id=busy)
    assert row["score"] == row["points"] == value, hint(
        f"While 0003 was at work, the old version changed the score of an attempt to {value}."
        " Afterwards the row holds something else: the old value is back, or the two columns"
        " differ.",
        question="From which moment is the value that your backfill writes, and what can happen"
        " since then?",
        misconception="read-modify-write" if row["points"] not in (None, value) else "",
        expected=f"score = points = {value}",
        actual=f"score = {row['score']}, points = {row['points']}",
        show=sent(migrations),
    )


@check("A backfill that was interrupted has kept what it did, and goes on", points=2)
def test_backfill_goes_on(migrations, db, rivals, faults, data):
    filled(migrations, rivals, data, MANY)
    expanded(migrations, db)
    target = revision(migrations, BACKFILL)
    faults.fail_update("attempts", at=1200)
    migrations.upgrade(
        target,
        expect=Raises(
            otherwise=hint(
                f"0003 did not change as many rows as there were to change: {MANY}.",
                question="Which revision gives the old rows their points?",
                misconception="",
            )
        ),
    )
    done = MANY - db.count("attempts", points=None)
    assert done, hint(
        f"Of {MANY} rows, 0003 had done 1,199 when it was interrupted. Nothing of it stayed. On a"
        " table of some million rows the next attempt begins at the first one, and so does the one"
        " after that.",
        question="When is a row that your backfill has changed changed for good?",
        misconception="backfill-in-one-go",
        expected="rows that are done stay done",
        actual="no row has points",
        show=sent(migrations),
    )
    before = db.query(DONE)
    migrations.upgrade(target)
    after = {row["id"]: row["written"] for row in db.query(DONE)}
    again = sum(after.get(row["id"]) != row["written"] for row in before)
    assert not again, hint(
        f"0003 was interrupted when {len(before)} of {MANY} rows were done. The next attempt wrote"
        f" {again} of them once more: it began at the first row instead of going on.",
        question="How does your backfill tell a row that is done from one that is not?",
        misconception="",
        expected="rows that are done are left alone",
        actual=f"{again} rows were written again",
        show=sent(migrations),
    )
    left = db.count("attempts", points=None)
    assert not left, hint(
        f"0003 was interrupted and started again, and {left} rows have no points.",
        misconception="",
        show=sent(migrations),
    )


def refusal(file):
    return Raises(
        "NotImplementedError",
        hint(
            f"The way down of {file} neither went through nor said that there is none.",
            question="Has somebody ever gone this way? If not, what should who tries it learn?",
            misconception="",
            expected="the way down, or NotImplementedError",
        ),
        required=False,
    )


@check("A way down takes back what its way up did, or says that it does not", points=1)
def test_ways_down(migrations, db, rivals, data):
    filled(migrations, rivals, data, 20)
    for file, lower in ((EXPAND, ""), (CONTRACT, BACKFILL), (INDEX, CONTRACT)):
        below = revision(migrations, lower) if lower else "0001"
        migrations.upgrade(below)
        before = migrations.shape()
        target = revision(migrations, file)
        migrations.upgrade(target)
        after = migrations.shape()
        words = in_line(f"the way down of {file}")
        with rivals.holding(WRITE):
            migrations.start("downgrade", below)
            in_the_way = migrations.holds().stops("writes", "attempts")
            if in_the_way:
                said = migrations.finish(expect=Raises(otherwise=words, required=False))
                assert not stood(said, migrations), words
        if not in_the_way:
            migrations.finish(expect=Raises(required=False))
        if target in migrations.current:
            migrations.downgrade(below, expect=refusal(file))
        refused = target in migrations.current
        wrong = migrations.differences(after if refused else before)
        assert not wrong, hint(
            f"The way down of {file} "
            + (
                "says that there is none, and has changed something."
                if refused
                else "went through, and Alembic notes that the database is at the revision before"
                " it. The tables are not."
            ),
            question="Which step of the way up has no step of the way down that takes it back?",
            misconception="",
            expected="the tables as they were",
            actual="; ".join(wrong),
            show=sent(migrations),
        )
