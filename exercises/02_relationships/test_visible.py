"""What belongs together in the learning tracker. Your grader runs more checks than these."""

from uuid import UUID

from grader.checks import NotPassed, check, hint

TABLES = ("users", "profiles", "tracks", "lessons", "enrollments", "tags")
KEYS = (
    ("profiles", "user_id", "users"),
    ("tracks", "author_id", "users"),
    ("lessons", "track_id", "tracks"),
    ("enrollments", "user_id", "users"),
    ("enrollments", "track_id", "tracks"),
)
KEPT_APART = ("23505", "23P01")


def create_all(session, module):
    """What the tracker does when it is installed."""
    module.Base.metadata.create_all(session.connection(), checkfirst=False)


def make_tables(student, schema):
    student.drive(create_all)
    for missing in sorted(set(TABLES) - schema.tables.keys()):
        schema.table(missing)  # which says what there is instead


def declared(statements, *tables):
    """What PostgreSQL was told of these tables: the statements that are worth showing."""
    named = [(s, "".join(s.text.split()[2:3]).strip('"')) for s in statements.last]
    return [s for s, name in named if name in tables]


def a_user(data, **columns):
    return {"email": data.email(), "name": data.name()} | columns


def a_track(data, author, **columns):
    return {"author_id": author["id"], "title": data.text(3)} | columns


def a_lesson(data, track, **columns):
    lesson = {"track_id": track["id"], "position": data.number(1, 50), "title": data.text(3)}
    return lesson | columns


def an_enrollment(data, user, track):
    return {"user_id": user["id"], "track_id": track["id"], "progress": data.number(1, 99)}


def rows_of_each(data, user, track):
    """One row of each table that points to another one."""
    return {
        "profiles": {"user_id": user["id"], "bio": data.text()},
        "tracks": a_track(data, user),
        "lessons": a_lesson(data, track),
        "enrollments": an_enrollment(data, user, track),
    }


def no_key_of(schema, table):
    """A key that no row of a new table has."""
    kind = schema.table(table).column("id").base_type
    return UUID(int=7, version=4) if kind == "uuid" else 32_000


@check("What is joined by the attributes is stored in rows that point to each other", points=2)
def test_attributes_store_rows(student, schema, db, data):
    make_tables(student, schema)

    def store(session, module, users, told, names):
        author, learner = (module.User(**user) for user in users)
        author.profile = module.Profile(bio=told["bio"])
        course = module.Track(title=told["title"], author=author)
        course.lessons = [module.Lesson(**lesson) for lesson in told["lessons"]]
        tags = [module.Tag(name=name) for name in names]
        session.add_all([author, learner, course, *tags])
        session.flush()
        course.tags = tags
        session.add(module.Enrollment(user=learner, track=course, progress=told["progress"]))
        session.flush()

    author, learner, bio, title = a_user(data), a_user(data), data.text(), data.text(3)
    lessons = [{"position": n, "title": data.text(2)} for n in (1, 2)]
    names, progress = [data.word(4), data.word(4)], data.number(1, 99)
    told = {"title": title, "bio": bio, "progress": progress, "lessons": lessons}
    student.drive(store, [author, learner], told, names)
    wrote, learns = (db.one("users", email=user["email"]) for user in (author, learner))
    stored = db.one("tracks", title=title)
    assert wrote and learns and stored, hint(
        "Two users and a track were added to the session, and not all of them are stored.",
        expected="2 users, 1 track",
        actual=f"{db.count('users')} users, {db.count('tracks')} tracks",
    )
    for what, table, wanted in (
        ("profile", "profiles", [{"user_id": wrote["id"], "bio": bio}]),
        ("track", "tracks", [{"author_id": wrote["id"], "title": title}]),
        ("lessons", "lessons", [{"track_id": stored["id"]} | lesson for lesson in lessons]),
        (
            "enrollment",
            "enrollments",
            [{"user_id": learns["id"], "track_id": stored["id"], "progress": progress}],
        ),
        ("tags", "tags", [{"name": name} for name in names]),
    ):
        found = [{column: row.get(column) for column in wanted[0]} for row in db.rows(table)]
        assert sorted(found, key=repr) == sorted(wanted, key=repr), hint(
            f"After the commit, what is in {table} is not what the attributes said of the {what}.",
            question="Which column should the attribute have filled in, and from what?",
            expected=wanted,
            actual=found,
        )


@check("A user has one profile at most", points=2)
def test_one_profile(student, schema, probe, statements, data):
    make_tables(student, schema)
    ada, eve = (probe.row("users", **a_user(data)) for _ in range(2))
    first, second = ({"user_id": ada["id"], "bio": data.text()} for _ in range(2))
    probe.accepts("profiles", first, second | {"user_id": eve["id"]})
    refused = probe.refusal("profiles", first, second)
    assert refused is not None, hint(
        f"An INSERT that did not come from your classes gave user {ada['id']} a second profile."
        " user.profile shows one of them from now on, and nobody knows which.",
        question="What in the table profiles says that a user_id may be there only once? And what"
        " says it only in Python?",
        misconception="one-object-is-one-row",
        expected="refused with 23505 (UniqueViolation)",
        actual=f"2 profiles of user {ada['id']}",
        show=declared(statements, "profiles"),
    )
    assert refused.sqlstate in KEPT_APART and not refused.by_code, hint(
        "A second profile of the same user was refused, but not by a rule that keeps rows apart.",
        question="What does a trigger see of the rows that others are just storing?",
        expected="refused with 23505 (UniqueViolation)",
        actual=refused.title,
        show=declared(statements, "profiles"),
    )


@check("A user is enrolled in a track once, in many tracks, and beside many others", points=2)
def test_enrolled_once(student, schema, probe, statements, data):
    make_tables(student, schema)
    ada, eve = (probe.row("users", **a_user(data)) for _ in range(2))
    sql, python = (probe.row("tracks", **a_track(data, ada)) for _ in range(2))
    first = an_enrollment(data, eve, sql)
    for other, what in (
        (an_enrollment(data, eve, python), "a user in a second track"),
        (an_enrollment(data, ada, sql), "a second user in a track"),
    ):
        refused = probe.refusal("enrollments", first, other)
        alone = refused is not None and refused.sqlstate in KEPT_APART
        assert refused is None, hint(
            f"An enrollment was refused that should be possible: {what}.",
            question="Which of the two ids may appear only once, and which only once together?"
            if alone
            else "Which rule refuses it?",
            misconception="unique-per-column" if alone else "",
            expected="accepted",
            actual=refused.title,
            show=declared(statements, "enrollments"),
        )
    refused = probe.refusal("enrollments", first, an_enrollment(data, eve, sql))
    key = schema.table("enrollments").primary_key
    own = bool(key) and not {"user_id", "track_id"} & set(key)
    assert refused is None or (refused.sqlstate in KEPT_APART and not refused.by_code), hint(
        "A second enrollment of the same user in the same track was refused, but not by a rule"
        " that keeps rows apart.",
        question="What does a trigger see of the rows that others are just storing?",
        expected="refused with 23505 (UniqueViolation)",
        actual=refused.title if refused else "",
        show=declared(statements, "enrollments"),
    )
    assert refused is not None, hint(
        "One user was enrolled twice in one track. Every list of learners shows them twice, and"
        " which progress is theirs nobody can say.",
        question="The two rows differ. In which column, and does it say anything about the learner?"
        if own
        else "Which columns together may not be the same in two rows?",
        misconception="an-id-keeps-rows-apart" if own else "",
        expected="refused with 23505 (UniqueViolation)",
        actual=f"accepted; the primary key is ({', '.join(key)})",
        show=declared(statements, "enrollments"),
    )


@check(
    "Every column is known, and an id that points to a row points to one that is there", points=2
)
def test_keys_point_to_rows(student, schema, probe, statements, data):
    make_tables(student, schema)
    user = probe.row("users", **a_user(data))
    track = probe.row("tracks", **a_track(data, user))
    rows = rows_of_each(data, user, track)
    for table, column, target in KEYS:
        probe.accepts(table, rows[table])
        unknown = no_key_of(schema, target)
        refused = probe.refusal(table, rows[table] | {column: unknown})
        assert refused is not None, hint(
            f"A row of {table} says {column} = {unknown}, nothing in {target} has that id, and"
            " PostgreSQL stored the row. It belongs to nobody.",
            question=f"What in the table {table} says that {column} is an id of {target}? And what"
            " says it only in Python?",
            misconception="relationship-makes-the-key"
            if not schema.table(table).references(target, column)
            else "",
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
        refused = probe.refusal(table, rows[table] | {column: None})
        assert refused is not None, hint(
            f"A row of {table} was stored with {column} = NULL: it belongs to nobody, and no key"
            " looks at it.",
            question="What does a key say about NULL?",
            misconception="nullable-by-default",
            expected=f"{table}.{column} is always known",
            actual="accepted",
            show=declared(statements, table),
        )
    rows |= {"users": a_user(data), "tags": {"name": data.word(4)}}
    for table, row in rows.items():
        for column in row:
            refused = probe.refusal(table, row | {column: None})
            assert refused is not None, hint(
                f"A row of {table} was stored with {column} = NULL.",
                question="Which of your columns may be unknown, and who said so?",
                misconception="nullable-by-default",
                expected=f"{table}.{column} is always known",
                actual="accepted",
                show=declared(statements, table),
            )
    _fills_itself(schema, probe, {"user_id": user["id"], "track_id": track["id"]})


def _fills_itself(schema, probe, columns):
    """An enrollment that says no more than who learns where is whole all the same."""
    stored = probe.row("enrollments", **columns)
    assert stored["progress"] == 0 and stored["enrolled_at"], hint(
        "An enrollment was stored with nothing but its user and its track. Its progress should be 0"
        " then, and its enrolled_at now.",
        question="Who fills in what an INSERT leaves out: your program, or the table?",
        expected="progress = 0, enrolled_at = now",
        actual=f"progress = {stored['progress']}, enrolled_at = {stored['enrolled_at']}",
    )
    refused = probe.refusal("enrollments", columns | {"enrolled_at": None})
    assert refused is not None and refused.sqlstate != "23505", hint(
        "An enrollment was stored with enrolled_at = NULL.",
        question="A default is there for what is left out. What is there against NULL?",
        misconception="nullable-by-default",
        expected="enrollments.enrolled_at is always known",
        actual=refused.title if refused else "accepted",
    )
    kind = schema.table("enrollments").column("enrolled_at").base_type
    assert kind == "timestamp with time zone", hint(
        f"enrolled_at is a {kind}. It says what a clock showed, and not where that clock hung.",
        question="At what moment was it 08:00?",
        misconception="naive-timestamp",
        expected="timestamp with time zone",
        actual=kind,
    )


def _keys(schema, table):
    keys = [f"{', '.join(k.columns)} → {k.target}" for k in schema.table(table).foreign_keys]
    return f"foreign keys of {table}: {'; '.join(keys) or 'none'}"


def delete_by_session(session, module, track_id):
    """What a page does: load the track, and delete it."""
    try:
        session.delete(session.get(module.Track, track_id))
        session.commit()
    except Exception:
        session.rollback()


@check("Who deletes a track with psql takes its lessons and enrollments along", points=2)
def test_parts_go_with_their_whole(student, schema, db, probe, *, statements, data):
    make_tables(student, schema)
    made = declared(statements, "lessons", "enrollments")
    users = [probe.row("users", **a_user(data)) for _ in range(3)]
    tracks = [probe.row("tracks", **a_track(data, users[0])) for _ in range(3)]
    for user, here in zip(users, tracks, strict=True):
        for _ in range(3):
            probe.row("lessons", **a_lesson(data, here))
        probe.row("enrollments", **an_enrollment(data, user, here))
    track, other, _ = tracks
    said = None
    try:
        probe.deletes("tracks", {"id": track["id"]}, keep=True)
    except NotPassed as refused:
        said = refused.failure
        student.drive(delete_by_session, other["id"])
    in_python = said is not None and db.one("tracks", id=other["id"]) is None
    assert said is None, hint(
        "Somebody wanted to delete a track with psql, and PostgreSQL refused: the track has lessons"
        " and learners."
        + (" Your program can delete a track; nobody else can." if in_python else ""),
        question="Who carries out what you said about deleting, and who has never heard of it?"
        if in_python
        else "What does a key do by itself when the row that it points to is to go?",
        misconception="delete-orphan-is-on-delete" if in_python else "",
        expected="1 track deleted, with 3 lessons and 1 enrollment",
        actual=said.actual if said else "",
        show=made,
    )
    left = {
        table: (db.count(table, track_id=track["id"]), db.count(table))
        for table in ("lessons", "enrollments")
    }
    assert left == {"lessons": (0, 6), "enrollments": (0, 2)}, hint(
        "Somebody deleted a track with psql, and what is left afterwards is not what belongs to the"
        " two others.",
        question="What should become of a lesson without its track?",
        expected="6 lessons, 2 enrollments",
        actual=", ".join(f"{number} {table}" for table, (_, number) in left.items()),
        show=made,
    )
    assert (db.count("users"), db.count("tracks")) == (3, 2), hint(
        "Somebody deleted one of three tracks, and something went along that should have stayed:"
        f" {db.count('users')} of 3 users and {db.count('tracks')} of the 2 other tracks are left.",
        question="In which direction does a deletion go along a key?",
        expected="3 users, 2 tracks",
        actual=f"{db.count('users')} users, {db.count('tracks')} tracks",
        show=made,
    )
