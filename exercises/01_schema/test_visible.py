"""What the tables of the learning tracker must keep. Your grader runs more checks than these."""

from decimal import Decimal
from uuid import UUID

from grader.checks import check, hint

NULL_REFUSED = ("23502", "23514")
NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision", "money")
SUMS = {
    "price": "SELECT sum(price)::text AS total FROM public.tracks",
    "price_cents": "SELECT sum(price_cents)::text AS total FROM public.tracks",
}


def create_all(session, module):
    """What the tracker does when it is installed."""
    module.Base.metadata.create_all(session.connection(), checkfirst=False)


def make_tables(student, schema):
    student.drive(create_all)
    for missing in sorted({"users", "tracks", "lessons"} - schema.tables.keys()):
        schema.table(missing)  # which says what there is instead


def declared(statements, *tables):
    """What PostgreSQL was told of these tables: the statements that are worth showing."""
    named = [(s, "".join(s.text.split()[2:3]).strip('"')) for s in statements.last]
    return [s for s, name in named if name in tables]


def a_user(data, **columns):
    user = {"email": data.email(), "username": data.word(4), "password_hash": data.word(8)}
    return user | columns


def a_track(data, author, **columns):
    return {"author_id": author["id"], "title": data.text(3)} | columns


def a_lesson(data, track, **columns):
    lesson = {
        "track_id": track["id"],
        "position": data.number(1, 50),
        "title": data.text(3),
        "content": data.text(),
        "minutes": data.number(1, 90),
    }
    return lesson | columns


def no_key_of(schema, table):
    """A key that no row of a new table has."""
    kind = schema.table(table).column("id").base_type
    return UUID(int=7, version=4) if kind == "uuid" else 32_000


@check("create_all makes the tables, and a user, a track and a lesson can be stored by the classes")
def test_classes_store_rows(student, schema, db, data):
    make_tables(student, schema)

    def store(session, module, user, track, lesson):
        author = module.User(**user)
        session.add(author)
        session.flush()
        course = module.Track(author_id=author.id, **track)
        session.add(course)
        session.flush()
        session.add(module.Lesson(track_id=course.id, **lesson))
        session.flush()

    nobody = {"id": None}
    user, track, lesson = a_user(data), a_track(data, nobody), a_lesson(data, nobody)
    del track["author_id"], lesson["track_id"]
    student.drive(store, user, track, lesson)
    for table, wanted in (("users", user), ("tracks", track), ("lessons", lesson)):
        rows = db.rows(table)
        assert len(rows) == 1, hint(
            f"One object was stored for {table}, and the table has {len(rows)} rows."
        )
        stored = {column: rows[0].get(column) for column in wanted}
        assert stored == wanted, hint(
            f"The row in {table} is not what the object was made with.",
            question="Which attribute belongs to which column?",
            expected=wanted,
            actual=stored,
        )


@check("A track of an author who is not there is refused, and so is a lesson of no track", points=2)
def test_keys_point_to_rows(student, schema, probe, statements, data):
    make_tables(student, schema)
    author = probe.row("users", **a_user(data))
    track = probe.row("tracks", **a_track(data, author))
    probe.accepts("lessons", a_lesson(data, track))
    for table, column, target, row in (
        ("tracks", "author_id", "users", a_track(data, author)),
        ("lessons", "track_id", "tracks", a_lesson(data, track)),
    ):
        unknown = no_key_of(schema, target)
        refused = probe.refusal(table, row | {column: unknown})
        assert refused is not None, hint(
            f"A row of {table} says {column} = {unknown}, nobody in {target} has that id, and"
            " PostgreSQL stored the row. The page that shows it will look for somebody who has"
            " never been there.",
            question=f"What in the table {table} says that {column} is an id of {target}? And what"
            " says it only in Python?",
            misconception="relationship-makes-the-key",
            expected="refused with 23503 (ForeignKeyViolation)",
            actual=_keys(schema, table),
            show=declared(statements, table),
        )
        assert refused.sqlstate == "23503" and not refused.by_code, hint(
            f"A row of {table} with an unknown {column} was refused, but not by a key of the"
            " table. Only a key also sees what others delete at the same moment.",
            question="Which rule of a table is about rows of another one?",
            expected="refused with 23503 (ForeignKeyViolation)",
            actual=refused.title,
            show=declared(statements, table),
        )


def _keys(schema, table):
    keys = [f"{', '.join(k.columns)} → {k.target}" for k in schema.table(table).foreign_keys]
    return f"foreign keys of {table}: {'; '.join(keys) or 'none'}"


@check("What must be known cannot be NULL", points=2)
def test_required_columns(student, schema, probe, statements, data):
    make_tables(student, schema)
    author = probe.row("users", **a_user(data))
    track = probe.row("tracks", **a_track(data, author))
    price = price_of(schema)
    missing = []
    for table, row, with_default in (
        ("users", a_user(data), ("role", "is_active", "created_at")),
        ("tracks", a_track(data, author), ("difficulty", price, "created_at")),
        ("lessons", a_lesson(data, track), ("is_published",)),
    ):
        probe.accepts(table, row)
        declared_as = schema.table(table)
        for column in (*row, *with_default):
            if not declared_as.column(column).nullable:
                continue
            refused = probe.refusal(table, row | {column: None})
            if refused is None or refused.sqlstate not in NULL_REFUSED:
                missing.append(f"{table}.{column}")
    assert not missing, hint(
        f"PostgreSQL stored rows in which something was NULL that must be known: {len(missing)}"
        " columns let it in. A user without an email cannot be written to, and every program that"
        " reads the table must be ready for it.",
        question="What does a column allow when nothing is said about NULL?",
        misconception="nullable-by-default",
        expected="NULL is refused",
        actual=f"NULL is accepted in {', '.join(missing)}",
        show=declared(statements, *(name.partition(".")[0] for name in missing)),
    )


@check("Rows that another program stores get the defaults as well", points=2)
def test_defaults_are_the_tables(student, schema, probe, statements, data):
    make_tables(student, schema)
    author = probe.row("users", **a_user(data))
    track = probe.row("tracks", **a_track(data, author))
    lesson = probe.row("lessons", **a_lesson(data, track))
    wanted = (
        ("users", author, {"role": "student", "is_active": True}),
        ("tracks", track, {"difficulty": "beginner", price_of(schema): 0}),
        ("lessons", lesson, {"is_published": False}),
    )
    tables = {table: schema.table(table) for table, *_ in wanted}
    empty = [
        f"{table}.{column}"
        for table, _, columns in wanted
        for column in (*columns, *(["created_at"] if table != "lessons" else []), "id")
        if not tables[table].column(column).fills_itself and not tables[table].triggers
    ]
    assert not empty, hint(
        "A partner's import sends INSERTs of its own and leaves out what has a default. In"
        f" PostgreSQL {len(empty)} of these columns have none: the import fails, or stores NULL.",
        question="Who knows about your default: the table, or the class?",
        misconception="python-default",
        expected="a value for every column that may be left out",
        actual=f"no default in PostgreSQL: {', '.join(empty)}",
        show=declared(statements, *(name.partition(".")[0] for name in empty)),
    )
    for table, row, columns in wanted:
        for column, value in columns.items():
            assert _same(row[column], value), hint(
                f"A row of {table} that says nothing about {column} got another value than it"
                " should.",
                question="What exactly is written into the default?",
                misconception="enum-stores-names" if str(row[column]).lower() == value else "",
                expected=f"{column} = {value!r}",
                actual=f"{column} = {row[column]!r}",
                show=declared(statements, table),
            )
    later = probe.row("users", **a_user(data))
    assert later["created_at"] != author["created_at"], hint(
        "Two users were stored one after the other, and PostgreSQL wrote down the same moment for"
        " both. It was the moment when the table was made.",
        question="When is the expression in your default evaluated?",
        expected="two moments",
        actual=later["created_at"],
        show=declared(statements, "users"),
    )


def _same(given, wanted):
    if isinstance(given, str) and not isinstance(wanted, str):  # PostgreSQL's money is a text here
        given = Decimal(given.strip("$").replace(",", ""))
    return given == wanted


def price_of(schema):
    """The name of the column with the price."""
    tracks = schema.table("tracks")
    there = [name for name in SUMS if tracks.find_column(name)]
    assert len(there) == 1, hint(
        "tracks should have a price in whole units, called price, or one in cents, called"
        " price_cents.",
        misconception="",
        expected="price or price_cents",
        actual=", ".join(column.name for column in tracks.columns),
    )
    return there[0]


@check("Prices add up to the cent", points=2)
def test_prices_add_up(student, schema, probe, db, *, statements, data):
    make_tables(student, schema)
    price = price_of(schema)
    column = schema.table("tracks").column(price)
    shown = declared(statements, "tracks")
    assert column.base_type in NUMBERS, hint(
        f"The price is of type {column.type}, and that cannot be added up.",
        question="Which types does PostgreSQL count with?",
        actual=column.type,
        show=shown,
    )
    author = probe.row("users", **a_user(data))
    tenth = 10 if price == "price_cents" else Decimal("0.10")
    tracks = [a_track(data, author, **{price: tenth}) for _ in range(10)]
    probe.accepts("tracks", *tracks, keep=True)
    [row] = db.query(SUMS[price])
    total = Decimal(row["total"].strip("$").replace(",", ""))
    floating = column.base_type in ("real", "double precision")
    assert total == (100 if price == "price_cents" else 1), hint(
        "Ten tracks for 0.10 each were stored, and PostgreSQL added them up. The sum is not what"
        " they cost, and no bookkeeper signs that.",
        question="Can a tenth be written down exactly with halves, quarters and eighths?"
        if floating
        else "What became of the cents?",
        misconception="float-for-money" if floating else "",
        expected="100" if price == "price_cents" else "1.00",
        actual=f"{total}, of type {column.type}",
        show=shown,
    )


@check("No two users share an email, and no two a username")
def test_one_user_for_an_email(student, schema, probe, statements, data):
    make_tables(student, schema)
    ada, eve = a_user(data), a_user(data)
    probe.accepts("users", ada, eve)
    for column in ("email", "username"):
        refused = probe.refusal("users", ada, eve | {column: ada[column]})
        together = any(
            column in index.columns and len(index.columns) > 1
            for index in schema.table("users").uniques
        )
        assert refused is not None, hint(
            f"Two users with the {column} {ada[column]} were stored. Who signs in with it may be"
            " either of them.",
            question="Which values may appear only once, and which only once together?"
            if together
            else "Who notices when two sign up with the same one at the same moment?",
            misconception="unique-per-column" if together else "",
            expected="refused with 23505 (UniqueViolation)",
            actual="accepted",
            show=declared(statements, "users"),
        )
        assert refused.sqlstate in ("23505", "23P01") and not refused.by_code, hint(
            f"A second user with the same {column} was refused, but not by a rule that keeps rows"
            " apart.",
            question="What does a trigger see of the rows that others are just storing?",
            expected="refused with 23505 (UniqueViolation)",
            actual=refused.title,
            show=declared(statements, "users"),
        )
