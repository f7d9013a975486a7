"""What the revisions must do. Your grader runs more checks than these."""

from grader.checks import check, hint

NAME, MINUTES, DIFFICULTY = "0002_display_name.py", "0003_minutes.py", "0004_difficulty.py"
LEVELS = ("beginner", "intermediate", "advanced")


def revision(migrations, file):
    """The id by which a file calls its revision."""
    return next(r.id for r in migrations.history if r.file == file)


def as_duration(minutes):
    return None if minutes is None else f"{minutes // 60}:{minutes % 60:02}"


def lengths(data):
    """Minutes of some lessons: with and without hours, with a nought, unknown."""
    return [data.number(61, 69), data.number(10, 59), 60 * data.number(10, 20), None, 5]


def a_track(db, data, difficulty="beginner"):
    [track] = db.insert("tracks", {"title": data.text(2), "difficulty": difficulty})
    return track["id"]


def some_lessons(db, data, minutes):
    """Lessons of these lengths in the old table; their ids."""
    track = a_track(db, data)
    rows = [
        {"track_id": track, "title": data.text(3), "duration": as_duration(length)}
        for length in minutes
    ]
    return [row["id"] for row in db.insert("lessons", *rows)]


def values(db, table, column):
    return {row["id"]: row.get(column) for row in db.rows(table, order_by="id")}


def quoted(items):
    return ", ".join("NULL" if item is None else repr(item) for item in items)


def at_the_beginning(migrations):
    migrations.upgrade("0001")


@check("From 0001 there is one way up, and it has one end")
def test_one_end(migrations, db, data):
    heads = migrations.heads
    assert len(heads) == 1, hint(
        f"Your revisions end in {len(heads)} heads: {', '.join(heads)}. On the evening of the"
        " release somebody types alembic upgrade head, and Alembic does not know which one is"
        " meant.",
        question="Which revision does each of them build on?",
        misconception="two-heads",
        expected="one head",
        actual="; ".join(
            f"{r.file} builds on {', '.join(r.down) or 'nothing'}" for r in migrations.history
        ),
    )
    at_the_beginning(migrations)
    migrations.upgrade("head")
    assert migrations.current == heads, hint(
        "alembic upgrade head ended without an error, and the database is somewhere else.",
        expected=", ".join(heads),
        actual=", ".join(migrations.current) or "before the first revision",
    )


NULLS_IN_IT = hint(
    "PostgreSQL refused: the column must not be NULL, and the users who are there have nothing in"
    " it yet. On an empty table the same revision runs, so nobody noticed.",
    question="What should these users have in the new column, and when must it be there?",
    misconception="not-null-at-once",
)


@check("Every user who is there gets a display name, and every new one needs one", points=2)
def test_display_names(migrations, db, probe, data):
    at_the_beginning(migrations)
    names = [f"{data.name()} {data.word()}" for _ in range(4)]
    before = db.insert("users", *({"email": data.email(), "name": name} for name in names))
    migrations.upgrade(revision(migrations, NAME), refused={"23502": NULLS_IN_IT})
    after = db.rows("users", order_by="id")
    shown = {row.get("display_name") for row in after}
    assert [row.get("display_name") for row in after] == names, hint(
        "The users who were there have another display name than their name.",
        question="What is in the new column of a row that is older than the column?",
        misconception="default-for-everybody" if len(shown) == 1 and shown != {None} else "",
        expected=quoted(names),
        actual=quoted(row.get("display_name") for row in after),
    )
    kept = [{column: row[column] for column in before[0]} for row in after]
    assert kept == before, hint(
        "The display names are there, and something else of the users has changed."
    )
    nobody = {"email": data.email(), "name": names[0], "display_name": None}
    assert probe.refusal("users", nobody) is not None, hint(
        "The users who were there have a display name. Then a new user was stored without one, and"
        " nothing kept it out.",
        question="By what does PostgreSQL know that a column must not be empty: by its rows, or by"
        " something that it was told?",
        misconception="filled-is-required",
        expected="refused",
        actual="accepted, with NULL as display_name",
    )


@check("Minutes say what the durations said", points=2)
def test_minutes(migrations, db, data):
    at_the_beginning(migrations)
    wanted = lengths(data)
    ids = some_lessons(db, data, wanted)
    migrations.upgrade(revision(migrations, MINUTES))
    found = values(db, "lessons", "minutes")
    assert [found.get(i) for i in ids] == wanted, hint(
        f"Five lessons had a duration, and one of them NULL: {quoted(map(as_duration, wanted))}."
        " After the way up they have other minutes.",
        question="Where did the old values go: who read them before their column was dropped?"
        if not any(found.values())
        else "How do you get from 1:05 to 65?",
        misconception="autogenerate-knows" if not any(found.values()) else "",
        expected=quoted(wanted),
        actual=quoted(found.get(i) for i in ids),
    )
    row = db.rows("lessons")[0]
    assert "duration" not in row and isinstance(row["minutes"], int | None), hint(
        "The minutes are right. The table should have them as an integer, and no duration any"
        " more.",
        expected="minutes",
        actual=", ".join(row),
    )


def believed(what):
    return hint(
        f"PostgreSQL refused: {what} Autogenerate does not know it either: it saw two types, and"
        " wrote down that they differ.",
        question="What has to be there, or out of the way, before the column can change its type?",
        misconception="autogenerate-knows",
    )


REFUSED = {
    "42704": believed("the column should get a type that nobody has made."),
    "42804": believed(
        "it does not know by itself how a text, or the text's default, becomes a value of the new"
        " type."
    ),
}


@check("Every track keeps its difficulty, which has a type of its own", points=2)
def test_difficulties(migrations, db, schema, data):
    at_the_beginning(migrations)
    tracks = {a_track(db, data, level): level for level in data.rng.sample(LEVELS * 2, 6)}
    migrations.upgrade(revision(migrations, DIFFICULTY), refused=REFUSED)
    found = values(db, "tracks", "difficulty")
    assert found == tracks, hint(
        "Six tracks had a difficulty, and after the way up they have another one.",
        expected=quoted(tracks.values()),
        actual=quoted(found.values()),
    )
    labels = db.query(
        "SELECT enumlabel::text AS label FROM pg_enum"
        " JOIN pg_attribute ON atttypid = enumtypid"
        " WHERE attrelid = 'public.tracks'::regclass AND attname = 'difficulty'"
        " ORDER BY enumsortorder"
    )
    assert [row["label"] for row in labels] == list(LEVELS), hint(
        "tracks.difficulty should have an enumerated type with three labels, from easy to hard."
        " ORDER BY difficulty goes by that order.",
        question="By what does PostgreSQL sort the values of an enum?",
        expected=quoted(LEVELS),
        actual=quoted(row["label"] for row in labels)
        or schema.table("tracks").column("difficulty").type,
    )


@check("Down again, every lesson has the duration that it had", points=3)
def test_durations_come_back(migrations, db, data):
    at_the_beginning(migrations)
    ids = some_lessons(db, data, lengths(data))
    before = values(db, "lessons", "duration")
    migrations.upgrade(revision(migrations, MINUTES))
    migrations.downgrade("0001")
    after = values(db, "lessons", "duration")
    assert after == before, hint(
        "The release went wrong, the revision was taken back, and the old application reads the old"
        " table again. It finds other durations than before.",
        question="Your way down makes a column. Who fills it?"
        if not any(after.values())
        else "How does 65 become 1:05 again, and 5 become 0:05?",
        misconception="down-is-only-structure" if not any(after.values()) else "",
        expected=quoted(before[i] for i in ids),
        actual=quoted(after.get(i) for i in ids),
    )
