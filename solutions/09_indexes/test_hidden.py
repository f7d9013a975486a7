"""What indexes cost: at each write, on disk, and in what was there before."""

from datetime import UTC, datetime, timedelta

from grader.checks import check, hint

BEGIN = datetime(2024, 1, 1, 8, tzinfo=UTC)
MOST_PAGES = 100
MOST_ENTRIES = 3
STORED = 1_000
NEW_ATTEMPTS = """
INSERT INTO attempts (user_id, lesson_id, handed_in, minutes, answer)
SELECT 11 + n * 19 % 19990, 1 + n * 7 % 1500, now() + n * interval '1 second', n % 45, 'an answer'
FROM generate_series(1, 1000) AS n
"""
FEW = 1_750
LATER = """
INSERT INTO public.attempts (user_id, lesson_id, handed_in, minutes, score, graded, answer)
SELECT CASE WHEN n %% 8 = 0 THEN %(new)s ELSE %(other)s + n %% 5000 END, 6 + n * 7 %% 1500,
       '2026-01-01 08:05+00'::timestamptz + n * 31 %% 14000 * interval '3 minutes',
       1 + n %% 40, 50 + n %% 40, true, 'an answer'
FROM generate_series(1, 14000) AS n
"""


def questions(db, data, company=None):
    """The five queries, some of them with two kinds of values.

    Args:
        company: its id; one of those that are in the tables where none is given.
    """
    company = db.one("users", id=company or data.number(1, 10))
    since = BEGIN + timedelta(days=data.number(1, 600))
    few, many = data.number(6, 1505), data.number(1, 5)
    return [
        ("last_attempts.sql", {"learner": company["id"]}),
        ("last_attempts.sql", {"learner": data.number(11, 20_000)}),
        ("time_spent.sql", {"learner": company["id"]}),
        ("to_grade.sql", {}),
        ("sign_in.sql", {"email": company["email"].swapcase()}),
        ("lesson_report.sql", {"lesson": many, "since": since, "until": since + timedelta(days=2)}),
        (
            "lesson_report.sql",
            {"lesson": few, "since": BEGIN, "until": BEGIN + timedelta(days=800)},
        ),
    ]


def answered(sql, plan, asked):
    """How PostgreSQL runs each of these questions."""
    found = []
    for name, values in asked:
        text = sql.text(name)
        for number, key in enumerate(values, 1):
            text = text.replace(f":{key}", f"${number}")
        found.append(plan.of(text, [str(value) for value in values.values()], analyze=True))
    return found


def prepared(sql, plan):
    """The file has run, and PostgreSQL has looked at the tables."""
    sql.run("indexes.sql", autocommit=True)
    plan.refresh_statistics("users", "attempts", vacuum=True)


def of_use(sql, plan, asked):
    """Their plans; what indexes cost is asked only where most queries are quick."""
    found = answered(sql, plan, asked)
    slow = {name for (name, _), seen in zip(asked, found, strict=True) if seen.buffers > MOST_PAGES}
    quick = len({name for name, _ in asked} - slow)
    assert quick >= 3, hint(
        f"Of the five queries, {quick} {'is' if quick == 1 else 'are'} quick with your indexes."
        " What they cost is looked at when it is three.",
        question="Which of the five queries do you begin with?",
        misconception="",
        expected=f"at least 3 queries that read at most {MOST_PAGES} pages",
        actual=f"too many pages: {', '.join(sorted(slow))}",
    )
    return found


def made(schema, table):
    """The indexes of a table but for those of its keys."""
    return [i for i in schema.table(table).indexes if not i.constraint]


def serves_too(other, index):
    """Whether one index holds what another one holds, and in the same order."""
    return (
        other.name != index.name
        and other.method == index.method
        and other.where == index.where
        and other.columns[: len(index.columns)] == index.columns
        and set(index.include) <= {*other.columns, *other.include}
    )


def shorter_ones(schema):
    """The indexes of which another one begins with the same columns, each with that one."""
    return {
        index.name: other
        for table in ("users", "attempts")
        for index in made(schema, table)
        for other in schema.table(table).indexes
        if serves_too(other, index)
    }


def about(statements, *names):
    return [s for s in statements.last if any(name in s.text.lower() for name in names)]


@check(f"An attempt that is stored writes at most {MOST_ENTRIES} index entries", points=3)
def test_writes(sql, db, plan, schema, *, statements, data):
    prepared(sql, plan)
    read = {name for seen in of_use(sql, plan, questions(db, data)) for name in seen.indexes}
    records = plan.of(NEW_ATTEMPTS, analyze=True).root.log_records
    assert records >= 2 * STORED, hint(
        "A thousand attempts were stored, and PostgreSQL's log holds next to nothing of them: after"
        " a power failure they would be gone.",
        question="What does UNLOGGED take from a table?",
        misconception="",
        expected="a row and an entry in the key's index for each attempt",
        actual=f"{records} records in the log",
    )
    entries = records / STORED - 2
    indexes = made(schema, "attempts")
    first = [i.columns[0] for i in indexes if not i.where]
    shorter = [i.name for i in indexes if i.name in shorter_ones(schema)]
    twice = [i.name for i in indexes if not i.where and first.count(i.columns[0]) > 1]
    unread = [i.name for i in indexes if i.name not in read]
    # A page that is full is divided, which is logged as well; an entry more would be one each time.
    assert entries < MOST_ENTRIES + 1, hint(
        "A thousand attempts were stored. For each of them, besides the row and its key, PostgreSQL"
        f" wrote {entries:.0f} entries into indexes. All day long somebody hands something in.",
        question="Two of your indexes begin alike. What would one index have to hold to do the work"
        " of both?"
        if shorter or twice
        else "Which of your indexes does none of the five queries read?"
        if unread
        else "Which of the queries could share an index, and what would it have to hold?",
        misconception="shorter-index-is-needed"
        if shorter
        else "index-per-query"
        if twice
        else "unused-costs-nothing"
        if unread
        else "",
        expected=f"at most {MOST_ENTRIES} entries for each attempt",
        actual=", ".join(i.definition.split(" USING ")[1] for i in indexes),
        show=about(statements, "attempts"),
    )


@check("Every index has a reason: without it, one of the queries reads too much", points=3)
def test_every_index_has_a_reason(sql, db, plan, schema, *, statements, data):
    prepared(sql, plan)
    asked = questions(db, data)
    before = of_use(sql, plan, asked)
    needless = []
    for index in (*made(schema, "users"), *made(schema, "attempts")):
        if index.unique:
            continue  # it keeps a rule, whoever reads it
        with plan.without(index.name):
            after = answered(sql, plan, asked)
        both = [(a.buffers, b.buffers) for a, b in zip(before, after, strict=True)]
        if not any(now > MOST_PAGES and now > 1.1 * then for then, now in both):
            needless.append(index)
    shorter = shorter_ones(schema)
    doubled = [i for i in needless if i.name in shorter]
    names = ", ".join(i.name for i in needless)
    assert not needless, hint(
        f"Taken away for a moment: {names}. None of the five queries read more than it may for it."
        " All who write to the table keep it up to date, and nobody needs it."
        + (
            f" What {doubled[0].name} holds stands in {shorter[doubled[0].name].name}, too, in the"
            " same order."
            if doubled
            else ""
        ),
        question=f"What can be looked up in {doubled[0].name} that cannot be looked up in"
        f" {shorter[doubled[0].name].name}?"
        if doubled
        else "For which query did you make it, and which index does that query read?",
        misconception="shorter-index-is-needed" if doubled else "unused-costs-nothing",
        expected="each index is needed by one of the five queries",
        actual=f"not needed: {names}",
        show=about(statements, *(i.name for i in needless)),
    )


@check("A company that came later is as quick as the others", points=2)
def test_a_new_company(sql, db, plan, schema, *, statements, data):
    [new] = db.insert("users", {"email": f"{data.word(5)}@School.example", "name": data.name()})
    with db.author() as connection:
        connection.execute(LATER, {"new": new["id"], "other": data.number(11, 10_000)})
    prepared(sql, plan)
    known = of_use(sql, plan, questions(db, data))
    asked = questions(db, data, new["id"])
    quick = [
        (name, seen)
        for (name, values), old, seen in zip(asked, known, answered(sql, plan, asked), strict=True)
        if values.get("learner") == new["id"] and old.buffers <= MOST_PAGES
    ]
    assert quick, hint(
        "Neither last_attempts.sql nor time_spent.sql is quick for the companies that were there"
        " before.",
        question="What do these two queries look up, and which index has that first?",
        misconception="",
        expected=f"at most {MOST_PAGES} pages",
        actual=f"{known[0].buffers} and {known[2].buffers} pages",
    )
    conditions = [i.where for i in made(schema, "attempts") if "user_id" in (i.where or "")]
    for name, seen in quick:
        assert seen.buffers <= MOST_PAGES, hint(
            f"A company came, of which your file could know nothing, with {FEW} attempts. For"
            f" {name} PostgreSQL read {seen.buffers} pages.",
            question="To which learners does the condition of your index apply, and who will come"
            " next month?"
            if conditions
            else "Which of your indexes is of use for this learner?",
            misconception="todays-values" if conditions else "",
            expected=f"at most {MOST_PAGES} pages",
            actual=f"{seen.buffers} pages"
            + (f"; an index WHERE {conditions[0]}" if conditions else ""),
            show=about(statements, "attempts"),
        )


@check("The tables are what they were: rows, columns, rules, and where the rows stand", points=2)
def test_the_tables_are_what_they_were(sql, db, plan, schema, statements, *, data):
    before, rules = state_of(db), rules_of(schema)
    rows = rows_of(db)
    sql.run("indexes.sql", autocommit=True)
    after, kept = state_of(db), rules_of(schema)
    lost = [rule for rule in rules if rule not in kept]
    unique = any("UNIQUE" in rule or "PRIMARY" in rule for rule in lost)
    assert not lost, hint(
        "Your file took a rule away from a table."
        + (
            " From now on two users may sign up with the same email, and nobody knows whose"
            " attempts are whose."
            if unique
            else ""
        ),
        question="Who reads the index of a unique rule, when nobody asks a query?"
        if unique
        else "What did this rule keep out?",
        misconception="unique-is-an-index" if unique else "",
        expected="; ".join(lost),
        actual="gone",
        show=about(statements, "constraint") or statements.last,
    )
    new = [rule for rule in kept if rule not in rules and "UNIQUE" not in rule]
    assert not new, hint(
        "Your file changes more than indexes, and the programs that use these tables know nothing"
        " of it.",
        question="Which statements make an index, and what do your others do?",
        expected="the same columns, keys, triggers, tables and views",
        actual="; ".join(new),
    )
    assert rows_of(db) == rows, hint(
        "Rows are gone, or hold other values than before your file ran.",
        question="Whose attempts were they?",
        expected="the rows as they were",
    )
    moved = [table for table, place in before.items() if after[table] != place]
    clustered = "cluster" in " ".join(s.text.lower() for s in statements.last)
    assert not moved, hint(
        f"All rows of {moved[0]} were written anew, in another place. Nobody could read or write"
        " them meanwhile, and what is stored from now on stands wherever there is room.",
        question="In which order do the rows of next week stand?"
        if clustered
        else "Which of your statements writes a table anew?",
        misconception="cluster-stays" if clustered else "",
        expected="the rows stay where they are",
        actual=f"written anew: {', '.join(moved)}",
        show=about(statements, "cluster", "vacuum full", "alter table"),
    )
    plan.refresh_statistics("users", "attempts", vacuum=True)
    of_use(sql, plan, questions(db, data))


def rules_of(schema):
    """What is known of each table, its indexes apart; and what other tables and views there are."""
    rules = []
    for relation in schema.relations:
        name = relation.title
        rules += [f"{relation.kind} {name}"] + ([f"{name} UNLOGGED"] if relation.unlogged else [])
        rules += [f"{name}: column {c.name} {c.type}" for c in relation.columns]
        rules += [f"{name}: {c.name} NOT NULL" for c in relation.columns if not c.nullable]
        rules += [f"{name}: {c.name} DEFAULT {c.default}" for c in relation.columns if c.default]
        rules += [
            f"{name}: {'PRIMARY KEY' if i.primary else 'UNIQUE'} ({', '.join(i.columns)})"
            for i in relation.indexes
            if i.unique and i.valid and not i.where
        ]
        rules += [
            f"{name}: FOREIGN KEY ({', '.join(k.columns)}) REFERENCES {k.target}"
            for k in relation.foreign_keys
            if k.holds
        ]
        rules += [f"{name}: {c.expression}" for c in relation.checks if c.holds]
        rules += [f"{name}: trigger {t.name}" for t in relation.triggers]
        rules += [f"{name}: rule {rule}" for rule in (*relation.rules, *relation.policies)]
    return rules


def state_of(db):
    """For each of the tables, which file its rows stand in."""
    return {
        row["name"]: row["place"]
        for row in db.query(
            "SELECT relname AS name, pg_relation_filenode(oid) AS place FROM pg_class"
            " WHERE oid IN ('public.users'::regclass, 'public.attempts'::regclass)"
        )
    }


def rows_of(db):
    """One number for all rows of the tables, and how many there are."""
    return db.query(
        "SELECT count(*), sum(hashtextextended(u::text, 0)) FROM public.users AS u"
        " UNION ALL"
        " SELECT count(*), sum(hashtextextended(a::text, 0)) FROM public.attempts AS a"
    )
