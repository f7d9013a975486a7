"""Where migrations go wrong: on the way down, the second time, with the rows nobody thought of."""

from test_visible import a_track, as_duration, quoted, revision, values

from grader.checks import Raises, check, hint

NAME, MINUTES, DIFFICULTY = "0002_display_name.py", "0003_minutes.py", "0004_difficulty.py"


def there(migrations):
    """Revisions that this check goes up to: all of them, even where they have several ends."""
    return "heads" if len(migrations.heads) > 1 else "head"


@check("The way down leaves nothing behind, and the next way up works", points=2)
def test_nothing_is_left(migrations, db, data):
    migrations.upgrade("0001")
    shape = migrations.shape()
    target = there(migrations)
    migrations.upgrade(target)
    up = migrations.differences(shape)
    assert up, hint("The way up has changed nothing in the tables.")
    migrations.downgrade("0001")
    left = migrations.differences(shape)
    types = [what for what in left if what.startswith("type ")]
    assert not left, hint(
        "The revisions were taken back, and the database is not what it was before. The next way up"
        " meets what is left.",
        question="Does a type go when the last column goes that had it?"
        if types
        else "Which step of the way up has no step of the way down that takes it back?",
        misconception="type-goes-with-the-column" if types else "",
        expected="the tables of 0001",
        actual="; ".join(left),
    )
    migrations.upgrade(target)


@check("Lessons that came after the way up have a duration after the way down", points=2)
def test_later_lessons(migrations, db, data):
    migrations.upgrade("0001")
    track = a_track(db, data)
    old = {"track_id": track, "title": data.text(2), "duration": "1:30"}
    [first] = db.insert("lessons", old)
    target = revision(migrations, MINUTES)
    migrations.upgrade(target)
    lengths = [data.number(1, 9), data.number(70, 99), 60 * data.number(10, 30), None, 0]
    rows = [{"track_id": track, "title": data.text(2), "minutes": m} for m in lengths]
    assert "minutes" in (db.one("lessons", id=first["id"]) or {}), hint(
        "After the way up the lessons have no minutes."
    )
    ids = [row["id"] for row in db.insert("lessons", *rows)]
    migrations.downgrade("0001")
    after = values(db, "lessons", "duration")
    wanted = [as_duration(m) for m in lengths]
    found = [after.get(i) for i in ids]
    kept = after.get(first["id"]) == "1:30"
    assert found == wanted, hint(
        "After the way up, teachers stored five more lessons. After the way down they have other"
        " durations, or none." + (" The old lesson has kept its own." if kept else ""),
        question="From what does your way down make a duration: from what is in the table now, or"
        " from what was in it before?",
        misconception=""
        if any(found)
        else "old-copy-is-the-way-back"
        if kept
        else "down-is-only-structure",
        expected=quoted(wanted),
        actual=quoted(found),
    )


@check("A duration that cannot be read stops the upgrade, and nothing has changed", points=2)
def test_what_cannot_be_read(migrations, db, data):
    migrations.upgrade("0001")
    track = a_track(db, data)
    texts = ["0:45", data.pick(["about an hour", "an evening", "soon"]), "1:05"]
    rows = [{"track_id": track, "title": data.text(2), "duration": text} for text in texts]
    ids = [row["id"] for row in db.insert("lessons", *rows)]
    history = {r.id: r.down for r in migrations.history}
    target = revision(migrations, MINUTES)
    for below in history[target]:
        migrations.upgrade(below)
    shape, before = migrations.shape(), values(db, "lessons", "duration")
    migrations.upgrade(
        target,
        expect=Raises(
            otherwise=hint(
                f"A lesson had the duration {texts[1]!r}. The upgrade ended as if all were well,"
                " and nobody will ever know what was there.",
                question="What does your migration do with a value that is not what it expects, and"
                " who learns of it?",
                misconception="unreadable-is-null",
            )
        ),
    )
    left = migrations.differences(shape)
    assert not left and values(db, "lessons", "duration") == before, hint(
        f"A lesson had the duration {texts[1]!r}, and the upgrade stopped, which is right. But a"
        " part of it stayed: the database is between two revisions now, and neither application"
        " fits.",
        question="Which transaction does each of your steps belong to?",
        misconception="failed-is-undone",
        expected="the table as it was",
        actual="; ".join(left) or quoted(values(db, "lessons", "duration").get(i) for i in ids),
    )


@check("After the way up, autogenerate finds nothing more to do", points=1)
def test_no_drift(migrations, db, data):
    migrations.upgrade("0001")
    migrations.upgrade(there(migrations))
    drift = migrations.drift()
    assert not drift, hint(
        "The tables and models.py do not agree after the last revision. Whoever runs autogenerate"
        " next gets your rest mixed into their own change.",
        question="What is in the table that models.py does not have, or the other way round?",
        misconception="",
        expected="nothing to do",
        actual="; ".join(drift),
    )


@check("Users without a name get one from their email")
def test_users_without_a_name(migrations, db, data):
    migrations.upgrade("0001")
    words = [data.word() for _ in range(3)]
    rows = [
        {"email": f"{words[0]}@example.org", "name": None},
        {"email": f"{words[1]}+school@example.com", "name": ""},
        {"email": f"{words[2]}@example.net", "name": words[2].title()},
    ]
    db.insert("users", *rows)
    migrations.upgrade(
        revision(migrations, NAME),
        refused={
            "23502": hint(
                "PostgreSQL refused: a user who was there has NULL in the new column.",
                question="What is in the name of a user who never gave one?",
                misconception="not-null-at-once",
            )
        },
    )
    wanted = [words[0], f"{words[1]}+school", words[2].title()]
    found = [row.get("display_name") for row in db.rows("users", order_by="id")]
    assert found == wanted, hint(
        "Of three users, the first has NULL as a name, the second an empty text. All three should"
        " be called something afterwards.",
        question="Which of the two is NULL, and which is only short?" if "" in found else "",
        misconception="null-is-empty" if found[0] == wanted[0] and found[1] == "" else "",
        expected=quoted(wanted),
        actual=quoted(found),
    )


@check("Difficulties in capital letters come along, and come back")
def test_capital_letters(migrations, db, data):
    migrations.upgrade("0001")
    levels = ["Advanced", "beginner", "INTERMEDIATE", "advanced"]
    ids = [a_track(db, data, level) for level in levels]
    target = revision(migrations, DIFFICULTY)
    for step in (lambda: migrations.upgrade(target), lambda: migrations.downgrade("0001")):
        step()
        found = values(db, "tracks", "difficulty")
        assert [found.get(i) for i in ids] == [level.lower() for level in levels], hint(
            "Tracks had difficulties in capital letters, and have other ones now.",
            expected=quoted(level.lower() for level in levels),
            actual=quoted(found.get(i) for i in ids),
        )


@check("Up, down and up again, a full school is the same as after the first time")
def test_a_full_school(migrations, db, data):
    migrations.upgrade("0001")
    db.insert("users", *({"email": data.email(), "name": data.name()} for _ in range(60)))
    tracks = [a_track(db, data, data.pick(["beginner", "advanced"])) for _ in range(20)]
    db.insert(
        "lessons",
        *(
            {
                "track_id": data.pick(tracks),
                "title": data.text(2),
                "duration": as_duration(data.number(1, 900)),
            }
            for _ in range(120)
        ),
    )
    old, target = db.snapshot(), there(migrations)
    migrations.upgrade(target)
    first = {table: db.rows(table, order_by="id") for table in ("users", "tracks", "lessons")}
    assert "display_name" in first["users"][0] and "minutes" in first["lessons"][0], hint(
        "After the way up, users have no display_name or lessons no minutes."
    )
    migrations.downgrade("0001")
    changed = db.changes(old)
    changed.pop("alembic_version", None)
    others = [
        f"{len(found.updated)} {table} are other ones, {len(found.deleted)} are gone"
        for table, found in changed.items()
    ]
    assert not changed, hint(
        "A school of 60 users, 20 tracks and 120 lessons went up and down, and is not what it was.",
        question="What did your way down make these rows from?",
        expected="nothing has changed",
        actual="; ".join(others),
    )
    migrations.upgrade(target)
    for table, rows in first.items():
        again = db.rows(table, order_by="id")
        differ = sum(row not in again for row in rows)
        assert not differ, hint(
            f"The second time up, {differ} rows of {table} are not what they were the first time.",
            expected="the same rows",
            actual=f"{len(again)} rows, {differ} of them otherwise",
        )
