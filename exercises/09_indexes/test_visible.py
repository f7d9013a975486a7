"""What the five queries may read, and what the indexes may cost. Your grader runs more checks."""

from datetime import UTC, datetime, timedelta

from grader.checks import check, hint

BEGIN = datetime(2024, 1, 1, 8, tzinfo=UTC)
MOST_PAGES = 100
MOST_MB = 10
GIVEN = ("attempts_user", "attempts_graded")
MB = 1024 * 1024


def two_days(data):
    """Of a lesson with which everybody begins."""
    since = BEGIN + timedelta(days=data.number(1, 600))
    return {"lesson": data.number(1, 5), "since": since, "until": since + timedelta(days=2)}


def read(sql, plan, name, **values):
    """How PostgreSQL runs a query with these values: its plan, with the pages that were read."""
    text = sql.text(name)
    for number, key in enumerate(values, 1):
        text = text.replace(f":{key}", f"${number}")
    return plan.of(text, [str(value) for value in values.values()], analyze=True)


def prepared(sql, plan, *tables):
    """The file has run, and PostgreSQL has looked at these tables."""
    sql.run("indexes.sql", autocommit=True)
    plan.refresh_statistics(*tables, vacuum=True)


def made(schema, table):
    """The indexes of a table that can be used, but for those of its keys."""
    return [i for i in schema.table(table).indexes if i.valid and not i.constraint]


def about(statements, table):
    """The statements of the file that name this table: what is worth showing."""
    return [s for s in statements.last if table in s.text.lower()]


def rows(number):
    return "1 row" if number == 1 else f"{number:g} rows"


def how(seen):
    """What a plan reads, in the order in which it does, in a line."""
    told = []
    for node in seen.nodes:
        if node.kind == "Bitmap Index Scan":
            told.append(f"what the index {node.index} says")
        elif node.kind == "Index Only Scan":
            told.append(f"{node.rows:g} entries of the index {node.index}")
        elif node.kind in ("Index Scan", "Bitmap Heap Scan"):
            by = f", one by one as the index {node.index} says" if node.index else ""
            told.append(f"{rows(node.rows)} of {node.table}{by}")
        elif node.scans:
            told.append(f"all of {node.table}, {rows(node.rows)} that were asked for")
        elif node.kind == "Sort":
            told.append("a sort")
        if node.rows_removed and told:
            told[-1] += f", and {node.rows_removed:g} more that were thrown away"
    return "; then ".join(reversed(told))


def within(seen, who, question, **words):
    assert seen.buffers <= MOST_PAGES, hint(
        f"{who}: PostgreSQL read {seen.buffers} pages to answer with {rows(seen.root.rows)}.",
        question=question,
        expected=f"at most {MOST_PAGES} pages",
        actual=f"{seen.buffers} pages: {how(seen)}",
        **words,
    )


def places(indexes, first, second):
    """How two columns stand in the indexes: the second one first, or each in one of its own."""
    keys = [i.columns for i in indexes if not i.where]
    both = [k for k in keys if first in k and second in k]
    if any(k.index(second) < k.index(first) for k in both):
        return "order-of-columns"
    if not both and any(k[0] == first for k in keys) and any(k[0] == second for k in keys):
        return "index-per-column"
    return ""


@check("A learner's last ten attempts are looked up, for a company as for anybody else", points=2)
def test_last_attempts(sql, plan, schema, statements, data):
    prepared(sql, plan, "attempts")
    belief = places(made(schema, "attempts"), "user_id", "handed_in")
    for who, learner in (
        ("A company with two thousand attempts opens the first page", data.number(1, 10)),
        ("A learner with a handful of attempts opens the first page", data.number(11, 20_000)),
    ):
        within(
            read(sql, plan, "last_attempts.sql", learner=learner),
            who,
            "In which order do the entries of your index stand, and where in it are the last ten of"
            " one learner?"
            if belief == "order-of-columns"
            else "Once the learner's attempts are found, how many of them must be read to know"
            " which are the last ten?",
            misconception=belief,
            show=about(statements, "attempts"),
        )


@check("How much a learner has done is read from an index", points=2)
def test_time_spent(sql, plan, schema, statements, data):
    prepared(sql, plan, "attempts")
    seen = read(sql, plan, "time_spent.sql", learner=data.number(1, 10))
    indexes = made(schema, "attempts")
    found = any(
        i.columns[0] == "user_id" and i.name not in GIVEN and i.name in seen.indexes
        for i in indexes
    )
    apart = places(indexes, "user_id", "handed_in")
    within(
        seen,
        "The minutes of a company with two thousand attempts are added up",
        "Your index says where the two thousand rows are. Where are the minutes?"
        if found
        else "What must an index hold, so that nobody has to look into the table?",
        misconception=apart or ("found-is-read" if found else ""),
        show=about(statements, "attempts"),
    )


@check("What waits to be graded is looked up, and not looked for", points=2)
def test_to_grade(sql, plan, schema, statements):
    prepared(sql, plan, "attempts")
    seen = read(sql, plan, "to_grade.sql")
    flag = [i for i in made(schema, "attempts") if i.columns == ("graded",)]
    by_flag = any(i.name in seen.indexes for i in flag)
    within(
        seen,
        "A teacher asks for the twenty that have waited longest, of a thousand that wait",
        "The index says which thousand wait. What does it say about who has waited longest?"
        if by_flag
        else "What would an index have to hold, of which the first twenty entries are the answer?",
        misconception="index-on-a-boolean" if by_flag else "",
        show=about(statements, "attempts"),
    )


@check("Who signs in is looked up, whatever letters are capitals")
def test_sign_in(sql, db, plan, schema, *, statements, data):
    prepared(sql, plan, "users")
    user = db.one("users", id=data.number(1, 20_000))
    plain = [i.name for i in made(schema, "users") if i.columns[0] == "email"]
    for email in (user["email"].swapcase(), f"{data.word(5)}@example.org"):
        within(
            read(sql, plan, "sign_in.sql", email=email),
            f"Somebody signs in as {email}",
            "By what is your index sorted, and what does the query compare?"
            if plain
            else "Of what would a list have to be made in which you can look up lower(email)?",
            misconception="function-hides-the-column" if plain else "",
            show=about(statements, "users"),
        )


@check("A lesson's report reads that lesson's attempts, from that time")
def test_a_lessons_report(sql, plan, schema, statements, data):
    prepared(sql, plan, "attempts")
    belief = places(made(schema, "attempts"), "lesson_id", "handed_in")
    for what, values in (
        ("Two days of a lesson with which everybody begins", two_days(data)),
        (
            "Two years of a lesson that few attempt",
            {"lesson": data.number(6, 1505), "since": BEGIN, "until": BEGIN + timedelta(days=800)},
        ),
    ):
        within(
            read(sql, plan, "lesson_report.sql", **values),
            what,
            "If a telephone book were sorted by first names, where in it would all the Lovelaces"
            " be?"
            if belief == "order-of-columns"
            else "The lesson is one value, and the time is a range. Where in your index do the"
            " entries stand that are asked for?",
            misconception=belief,
            show=about(statements, "attempts"),
        )


@check(f"All indexes together take at most {MOST_MB} MB", points=2)
def test_disk(sql, db, plan, schema, data):
    prepared(sql, plan, "users", "attempts")
    some_are_quick(sql, db, plan, data)
    indexes = [i for table in ("users", "attempts") for i in made(schema, table)]
    size = sum(i.bytes for i in indexes) / MB
    largest = sorted(indexes, key=lambda i: -i.bytes)
    whole = [i for i in indexes if "graded" in i.columns and not i.where and len(i.columns) > 1]
    assert size <= MOST_MB, hint(
        f"Your indexes take {size:.1f} MB; the tables themselves take 9. They all want to be in"
        " memory at the same time.",
        question="Of the hundred thousand entries of the index with graded in it, how many does a"
        " query ever ask for?"
        if whole
        else "Which of them hold more than a query asks for?",
        misconception="an-index-holds-every-row" if whole else "",
        expected=f"at most {MOST_MB} MB",
        actual=", ".join(f"{i.name} {i.bytes / MB:.1f} MB" for i in largest),
    )


def some_are_quick(sql, db, plan, data):
    """What indexes cost is asked only where they are of use: with most of the queries."""
    company = db.one("users", id=data.number(1, 10))
    seen = [
        read(sql, plan, "last_attempts.sql", learner=company["id"]),
        read(sql, plan, "time_spent.sql", learner=company["id"]),
        read(sql, plan, "to_grade.sql"),
        read(sql, plan, "sign_in.sql", email=company["email"].lower()),
        read(sql, plan, "lesson_report.sql", **two_days(data)),
    ]
    quick = sum(each.buffers <= MOST_PAGES for each in seen)
    assert quick >= 3, hint(
        f"Of the five queries, {quick} {'is' if quick == 1 else 'are'} quick with your indexes."
        " What they cost is looked at when it is three.",
        question="Which of the five queries do you begin with?",
        misconception="",
        expected=f"at least 3 queries that read at most {MOST_PAGES} pages",
        actual=f"pages read: {', '.join(str(each.buffers) for each in seen)}",
    )
