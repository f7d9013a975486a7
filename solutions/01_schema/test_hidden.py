"""Where tables are not looked at first: moments, spelling, order, long texts."""

from decimal import Decimal

from grader.checks import check, hint

ROLES = ("student", "instructor", "admin")
LEVELS = ("beginner", "intermediate", "advanced")


def create_all(session, module):
    module.Base.metadata.create_all(session.connection(), checkfirst=False)


def declared(statements, table):
    """What PostgreSQL was told of a table: the statements that are worth showing."""
    named = [(s, "".join(s.text.split()[2:3]).strip('"')) for s in statements.last]
    return [s for s, name in named if name == table]


def made(student, probe, data):
    """The tables, with an author and a track in them."""
    student.drive(create_all)
    author = probe.row("users", **a_user(data))
    return author, probe.row("tracks", author_id=author["id"], title=data.text(3))


def a_user(data, **columns):
    user = {"email": data.email(), "username": data.word(4), "password_hash": data.word(8)}
    return user | columns


def a_lesson(data, track, **columns):
    lesson = {
        "track_id": track["id"],
        "position": data.number(1, 50),
        "title": data.text(3),
        "content": data.text(),
        "minutes": data.number(1, 90),
    }
    return lesson | columns


@check("A moment that is written in two time zones is one moment", points=2)
def test_moments(student, schema, probe, statements, data):
    author, _ = made(student, probe, data)
    day = f"20{data.number(20, 29)}-0{data.number(1, 9)}-1{data.number(0, 9)}"
    here, there = f"{day} 12:00:00+00:00", f"{day} 21:00:00+09:00"
    for table, one, other in (
        ("users", a_user(data), a_user(data)),
        ("tracks", *({"author_id": author["id"], "title": data.text(3)} for _ in range(2))),
    ):
        column = schema.table(table).column("created_at")
        first = probe.row(table, **one, created_at=here)
        second = probe.row(table, **other, created_at=there)
        assert first["created_at"] == second["created_at"], hint(
            f"Noon in Reykjavík and nine in the evening in Tokyo are one moment. Stored in"
            f" {table}.created_at, they are {_apart(first, second)}: the zones are gone, and who"
            " came first cannot be told any more.",
            question="What does PostgreSQL do with +09:00 when the column is of this type?",
            misconception="naive-timestamp"
            if column.base_type == "timestamp without time zone"
            else "",
            expected=f"{here} and {there} are equal",
            actual=f"{first['created_at']} and {second['created_at']} ({column.type})",
            show=declared(statements, table),
        )


def _apart(first, second):
    try:
        apart = abs(second["created_at"] - first["created_at"])
        return f"{apart.total_seconds() / 3600:g} hours apart"
    except TypeError:
        return "different"


@check(
    "Roles and difficulties are those that are listed, spelled like that, and no others",
    points=2,
)
def test_listed_values(student, schema, probe, statements, data):
    author, _ = made(student, probe, data)
    for table, column, listed, row in (
        ("users", "role", ROLES, a_user(data)),
        ("tracks", "difficulty", LEVELS, {"author_id": author["id"], "title": data.text(3)}),
    ):
        known = schema.table(table).column(column).values
        for value in listed:
            refused = probe.refusal(table, row | {column: value})
            shouted = value.upper() in known or (
                refused is not None and probe.refusal(table, row | {column: value.upper()}) is None
            )
            assert refused is None, hint(
                f"{table}.{column} should take {value!r}, and PostgreSQL refused it."
                + (f" It takes {value.upper()!r} instead." if shouted else ""),
                question="Which of the two does a Python enum hand on: its names or its values?"
                if shouted
                else "Which rule refuses it?",
                misconception="enum-stores-names" if shouted else "",
                expected=", ".join(listed),
                actual=", ".join(known) or refused.title,
                show=declared(statements, table),
            )
        wrong = data.word(2)
        refused = probe.refusal(table, row | {column: wrong})
        assert refused is not None, hint(
            f"Somebody stored a row of {table} with {column} = {wrong!r}. There is no such"
            f" {column}; every page that decides by it must guess now.",
            question="Who knows the list: Python, or PostgreSQL too?",
            misconception="enum-as-free-text",
            expected=f"only {', '.join(listed)}",
            actual=f"{wrong!r} is accepted ({schema.table(table).column(column).type})",
            show=declared(statements, table),
        )


@check("Two lessons of a track never have the same place; those of two tracks may", points=2)
def test_places(student, schema, probe, statements, data):
    author, track = made(student, probe, data)
    other = probe.row("tracks", author_id=author["id"], title=data.text(3))
    place = data.number(1, 20)
    first = a_lesson(data, track, position=place)
    second = a_lesson(data, track, position=place)
    probe.accepts("lessons", first, second | {"position": place + 1})
    refused = probe.refusal("lessons", first, second)
    assert refused is not None, hint(
        f"A track has two lessons in place {place}. Which one comes first is a matter of luck, and"
        " another one on the next page.",
        question="Which columns together may not be the same in two lessons?",
        expected="refused with 23505 (UniqueViolation)",
        actual="accepted",
        show=declared(statements, "lessons"),
    )
    assert refused.sqlstate in ("23505", "23P01") and not refused.by_code, hint(
        "A second lesson in the same place was refused, but not by a rule that keeps rows apart.",
        question="What does a trigger see of the rows that others are just storing?",
        expected="refused with 23505 (UniqueViolation)",
        actual=refused.title,
        show=declared(statements, "lessons"),
    )
    refused = probe.refusal("lessons", first, second | {"track_id": other["id"]})
    assert refused is None, hint(
        f"One track has a lesson in place {place}, so no other track can have one there. Only one"
        " track of the school can have a first lesson.",
        question="Is it the place that may appear only once, or the place within a track?",
        misconception="unique-per-column",
        expected="accepted",
        actual=refused.title,
        show=declared(statements, "lessons"),
    )


@check("A negative price is refused, and so is a lesson in place 0 or of no minutes", points=2)
def test_numbers_make_sense(student, schema, probe, statements, data):
    author, track = made(student, probe, data)
    price = "price" if schema.table("tracks").find_column("price") else "price_cents"
    a_track = {"author_id": author["id"], "title": data.text(3)}
    for table, row, column, least in (
        ("tracks", a_track, price, 0),
        ("lessons", a_lesson(data, track), "position", 1),
        ("lessons", a_lesson(data, track), "minutes", 1),
    ):
        kind = Decimal if column == "price" else int
        probe.accepts(table, row | {column: kind(least)})
        for wrong in (least - 1, -data.number(2, 500)):
            refused = probe.refusal(table, row | {column: kind(wrong)})
            assert refused is not None, hint(
                f"An INSERT that did not come from your classes stored {column} = {wrong} in"
                f" {table}, and PostgreSQL had nothing against it.",
                question="Whom does a rule in Python hold, and who else writes to this table?",
                misconception="validates-is-a-rule",
                expected=f"refused: {column} is at least {least}",
                actual="accepted",
                show=declared(statements, table),
            )


@check("What may be missing may be missing")
def test_optional_columns(student, probe, data):
    author, _ = made(student, probe, data)
    why = "The README says that it may be missing."
    probe.accepts("users", a_user(data, bio=None), because=why)
    a_track = {"author_id": author["id"], "title": data.text(3), "description": None}
    stored = probe.accepts("tracks", a_track, because=why)
    assert stored["description"] is None, hint(
        "A track without a description got one all the same.", actual=stored["description"]
    )
    same = {"author_id": author["id"], "title": data.text(3)}
    probe.accepts(
        "tracks", same, same, because="An author may write two tracks, even of the same title."
    )


@check("Long texts are kept whole, and the dearest track can be stored")
def test_large_values(student, schema, probe, statements, data):
    author, track = made(student, probe, data)
    long = data.text(20) * 200
    cents = not schema.table("tracks").find_column("price")
    dear = {"price_cents": 999_999} if cents else {"price": "9999.99"}
    base = {"author_id": author["id"], "title": data.text(3)}
    refused = probe.refusal("tracks", base | dear)
    assert refused is None, hint(
        "A track for 9,999.99 was refused.",
        question="How many digits has the largest number that your type can hold?",
        expected="accepted",
        actual=f"{refused.title}: {refused.message}",
        show=declared(statements, "tracks"),
    )
    for table, row, column in (
        ("lessons", a_lesson(data, track, content=long), "content"),
        ("users", a_user(data, bio=long), "bio"),
        ("tracks", base | {"description": long}, "description"),
    ):
        refused = probe.refusal(table, row)
        assert refused is None, hint(
            f"A text of {len(long):,} characters in {table}.{column} was refused.",
            question="How long may a text be in the type that you chose?",
            expected="accepted",
            actual=f"{refused.title}: {refused.message}",
            show=declared(statements, table),
        )
        stored = probe.accepts(table, row)
        assert stored[column] == long, hint(
            f"{table}.{column} was given {len(long):,} characters and kept"
            f" {len(stored[column] or '')}.",
            show=declared(statements, table),
        )
