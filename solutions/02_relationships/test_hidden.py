"""What happens when something leaves: by psql, by the session, and out of a list."""

from test_visible import (
    KEPT_APART,
    a_user,
    create_all,
    declared,
)

from grader.checks import NotPassed, check, hint

LISTS = ("[]", "json", "jsonb")


def school(student, db, probe, data):
    """Ada wrote two tracks and learns in the first, Eve in the second; both, and the tracks."""
    if not db.query("SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'public'"):
        student.drive(create_all)
    ada, eve = (probe.row("users", **a_user(data)) for _ in range(2))
    for user in (ada, eve):
        probe.row("profiles", user_id=user["id"], bio=data.text())
    tracks = [probe.row("tracks", author_id=ada["id"], title=data.text(3)) for _ in range(2)]
    for user, track in zip((ada, eve), tracks, strict=True):
        probe.row("enrollments", user_id=user["id"], track_id=track["id"], progress=7)
        for position in (1, 2):
            probe.row("lessons", track_id=track["id"], position=position, title=data.text(2))
    return ada, eve, tracks


def delete(probe, table, row):
    """Delete a row as somebody with psql does; what PostgreSQL said if it refused."""
    try:
        probe.deletes(table, {"id": row["id"]}, keep=True)
    except NotPassed as refused:
        return refused.failure
    return None


def tag(session, module, titles, names, author):
    """Give the first track all tags but the last; put the last tag on both tracks."""
    ada = module.User(**author)
    track, other = (module.Track(title=title, author=ada) for title in titles)
    tags = [module.Tag(name=name) for name in names]
    track.tags = tags[:-1]
    tags[-1].tracks = [track, other]
    # The track is found by its tags, the last tag by the track, and the other track by that tag.
    session.add_all(tags[:-1])
    session.flush()


@check("Tags and tracks are joined by pairs, and a pair goes with either of them", points=2)
def test_tags(student, schema, db, probe, *, statements, data):
    student.drive(create_all)
    schema.table("tags"), schema.table("tracks")
    links = [t for t in schema.tables_between("tracks", "tags") if t.name not in ("tracks", "tags")]
    columns = [
        f"{table}.{column.name} is {column.type}"
        for table in ("tracks", "tags")
        for column in schema.table(table).columns
        if column.type.endswith(LISTS)
    ]
    assert links, hint(
        "No table of yours joins tags and tracks by keys, so PostgreSQL cannot know which tags are"
        " on which tracks: it would keep a tag that was never there, and one that is gone.",
        question="What does PostgreSQL look up when it stores an element of a list?"
        if columns
        else "How many tags can a track have in the column that you chose, and how many tracks a"
        " tag?",
        misconception="list-in-a-column" if columns else "",
        expected="a table with keys to both",
        actual="; ".join(columns) or f"tables: {', '.join(sorted(schema.tables))}",
        show=declared(statements, "tracks", "tags"),
    )
    [link, *_] = links
    made = declared(statements, link.name)
    titles, names = [data.text(4), data.text(5)], [data.word(4) for _ in range(3)]
    student.drive(tag, titles, names, a_user(data))
    wanted = {(titles[0], name) for name in names} | {(titles[1], names[-1])}
    found = pairs(db, link)
    assert found == wanted, hint(
        "A track got tags by track.tags, and a tag got tracks by tag.tracks. Then two of the tags"
        f" were stored, and what they were joined to with them. The table {link.name} has other"
        " pairs than that.",
        question="Which rows should each of the two attributes add, and which of them tells the"
        " other?",
        misconception="" if found else "two-sides-find-each-other",
        expected=_told(wanted),
        actual=_told(found),
    )
    [row] = [row for row in db.rows(link.name) if _pair(db, link, row) == (titles[1], names[-1])]
    again = {column: row[column] for column in _ends(link)}
    refused = probe.refusal(link.name, again)
    assert refused is not None and refused.sqlstate in KEPT_APART and not refused.by_code, hint(
        "One tag was put on one track twice. A list of tracks by tag shows that track twice.",
        question="Which columns of the table that joins them may not be the same in two rows?",
        expected="refused with 23505 (UniqueViolation)",
        actual=refused.title if refused else "accepted",
        show=made,
    )
    for table, column, name, stays in (
        ("tags", "name", names[-1], "tracks"),
        ("tracks", "title", titles[0], "tags"),
    ):
        before, gone = db.count(stays), db.one(table, **{column: name})
        wanted = {pair for pair in wanted if name not in pair}
        refused = delete(probe, table, gone)
        assert refused is None, hint(
            f"Somebody wanted to delete a row of {table} with psql, and PostgreSQL refused because"
            " of the pairs that it is in. Who deletes one end does not know all the others.",
            question="What does a key do by itself when the row that it points to is to go?",
            expected="the row and its pairs are deleted",
            actual=refused.actual if refused else "",
            show=made,
        )
        assert (db.count(stays), pairs(db, link)) == (before, wanted), hint(
            f"Somebody deleted one row of {table} with psql. What is left is not what has nothing"
            " to do with it.",
            question="What belongs to a tag alone, what to a track alone, and what to both?",
            expected=f"{before} {stays}; {_told(wanted)}",
            actual=f"{db.count(stays)} {stays}; {_told(pairs(db, link))}",
            show=made,
        )


def pairs(db, link):
    """Which tags are on which tracks, by title and name."""
    return {_pair(db, link, row) for row in db.rows(link.name)}


def _pair(db, link, row):
    at = {}
    for table in ("tracks", "tags"):
        key = link.references(table)[0]
        ends = zip(key.target_columns, key.columns, strict=True)
        at[table] = db.one(table, **{target: row[column] for target, column in ends}) or {}
    return at["tracks"].get("title"), at["tags"].get("name")


def _ends(link):
    return {c for table in ("tracks", "tags") for c in link.references(table)[0].columns}


def _told(found):
    return "; ".join(f"{title}: {name}" for title, name in sorted(found, key=repr)) or "no pairs"


@check("Profile and enrollments go with a user; nobody who wrote a track can go", points=2)
def test_users_leave(student, db, probe, statements, data):
    student.drive(create_all)
    made = declared(statements, "profiles", "tracks", "enrollments")
    ada, eve, _ = school(student, db, probe, data)
    refused = delete(probe, "users", eve)
    assert refused is None, hint(
        "Somebody wanted to delete a user with psql who wrote nothing, and PostgreSQL refused.",
        question="What does a key do by itself when the row that it points to is to go?",
        expected="the user, with profile and enrollment, is deleted",
        actual=refused.actual if refused else "",
        show=made,
    )
    left = {table: db.count(table) for table in ("users", "profiles", "enrollments", "tracks")}
    wanted = {"users": 1, "profiles": 1, "enrollments": 1, "tracks": 2}
    assert left == wanted, hint(
        "A user who had a profile and learned in a track was deleted with psql.",
        question="What of it means something without that user?",
        expected=_counted(wanted),
        actual=_counted(left),
        show=made,
    )
    try:
        lost = probe.deletes("users", {"id": ada["id"]})
    except NotPassed:
        lost = {}  # refused, as it should be
    tracks, lessons = lost.get("tracks", 0), lost.get("lessons", 0)
    assert not lost, hint(
        f"Somebody deleted a user, and PostgreSQL said DELETE 1. {tracks} tracks went along, with"
        f" {lessons} lessons. Learners were in the middle of them, and nobody was asked."
        if tracks
        else "Somebody deleted a user who wrote two tracks, and was not refused.",
        question="Is a track a part of its author?" if tracks else "Who wrote these tracks now?",
        misconception="cascade-on-every-key" if tracks else "",
        expected="refused with 23503 (ForeignKeyViolation)",
        actual=f"deleted: {_counted(lost)}",
        show=made,
    )


def _counted(tables):
    return ", ".join(f"{n} {t[:-1] if n == 1 else t}" for t, n in tables.items())


def let_go(session, module, what, user_id, track_id):
    """What a page does when somebody takes something out of a list."""
    user, track = session.get(module.User, user_id), session.get(module.Track, track_id)
    try:
        if what == "lesson":
            track.lessons.remove(track.lessons[0])
        elif what == "profile":
            user.profile = None
        else:
            user.enrollments.remove(user.enrollments[0])
        session.commit()
    except Exception as error:
        session.rollback()
        cause = getattr(error, "orig", None)
        return {"raised": type(error).__name__, "sqlstate": getattr(cause, "sqlstate", None)}
    return {}


@check("What is taken out of a list is deleted, and so is a profile that is let go", points=2)
def test_orphans_are_deleted(student, schema, db, probe, data):
    _, eve, [track, _] = school(student, db, probe, data)
    for what, table, key, action in (
        ("lesson", "lessons", ("tracks", "track_id"), "A lesson was taken out of track.lessons"),
        (
            "enrollment",
            "enrollments",
            ("users", "user_id"),
            "An enrollment was taken out of user.enrollments",
        ),
        ("profile", "profiles", ("users", "user_id"), "A page set user.profile = None"),
    ):
        before = db.count(table)
        ended = student.drive(let_go, what, eve["id"], track["id"]) or {}
        now = db.count(table)
        cascades = "CASCADE" in [k.on_delete for k in schema.table(table).references(*key)]
        refused = ended.get("sqlstate")
        assert now == before - 1, hint(
            f"{action}, and after the commit the row is still there."
            + (" PostgreSQL refused what was sent in place of a DELETE." if refused else ""),
            question="ON DELETE says what follows a DELETE. Who sends one here, and of which row?"
            if cascades
            else "What does the session do with an object that leaves the list that it was in?",
            misconception="on-delete-tells-the-orm" if cascades else "",
            expected=f"{before - 1} rows in {table}",
            actual=f"{now} rows in {table}" + _raised(ended),
        )


def _raised(ended):
    if not ended.get("raised"):
        return ""
    code = f" (SQLSTATE {ended['sqlstate']})" if ended.get("sqlstate") else ""
    return f"; the commit raised {ended['raised']}{code}"


def delete_by_session(session, module, name, key, shown=()):
    """What a page does: load an object without what belongs to it, show some of that, and delete
    the object.
    """
    from sqlalchemy.orm import lazyload

    try:
        alone = [lazyload("*")]
        found = session.get(getattr(module, name), key, options=alone)
        for attribute in shown:
            str(getattr(found, attribute))
        session.delete(found)
        session.commit()
    except Exception as error:
        session.rollback()
        cause = getattr(error, "orig", None)
        return {"raised": type(error).__name__, "sqlstate": getattr(cause, "sqlstate", None)}
    return {}


@check("session.delete does what a DELETE does")
def test_session_deletes(student, schema, db, probe, data):
    shown = {"Track": ["lessons", "enrollments", "tags"], "User": ["profile", "enrollments"]}
    for loads in (False, True):
        for table in ("lessons", "enrollments", "profiles", "tracks", "users"):
            for row in db.rows(table) if loads else ():
                probe.deletes(table, row, keep=True)
        _, eve, [track, _] = school(student, db, probe, data)
        for name, row, wanted in (
            (
                "Track",
                track,
                {"users": 2, "profiles": 2, "tracks": 1, "lessons": 2, "enrollments": 1},
            ),
            ("User", eve, {"users": 1, "profiles": 1, "tracks": 1, "lessons": 2, "enrollments": 0}),
        ):
            loaded = shown[name] if loads else []
            ended = student.drive(delete_by_session, name, row["id"], loaded) or {}
            left = {table: db.count(table) for table in wanted}
            both = ("lessons", "enrollments")
            keys = [key for table in both for key in schema.table(table).references("tracks")]
            cascades = bool(keys) and all(key.on_delete == "CASCADE" for key in keys)
            unasked = cascades and bool(ended.get("raised"))
            before = f", after {_listed(loaded)} had been shown" if loaded else ""
            assert left == wanted, hint(
                f"session.delete() was given a {name.lower()}{before}"
                + (", and the commit failed." if ended.get("raised") else ".")
                + (
                    " PostgreSQL would have taken the parts along, had it been asked."
                    if unasked
                    else ""
                ),
                question="What does SQLAlchemy send about the parts before it sends the DELETE?"
                if unasked
                else "What should be left of the parts, and of the others?",
                misconception="on-delete-tells-the-orm" if unasked else "",
                expected=_counted(wanted),
                actual=_counted(left) + _raised(ended),
            )


def _listed(names):
    return " and ".join([", ".join(names[:-1]), names[-1]])


def fill(session, module, title, lessons, author):
    """A track with many lessons."""
    track = module.Track(title=title, author=module.User(**author))
    track.lessons = [module.Lesson(position=n, title=f"{title} {n}") for n in range(1, lessons + 1)]
    session.add_all([track.author, track])


@check("To delete what has a hundred parts takes no more statements than where it has three")
def test_deletes_do_not_grow(student, schema, db, statements, data):
    student.drive(create_all)
    counted = []
    for lessons in (3, 100):
        title = data.text(4)
        student.drive(fill, title, lessons, a_user(data))
        track = db.one("tracks", title=title)
        stored = db.count("lessons", track_id=track["id"]) if track else 0
        ended = student.drive(delete_by_session, "Track", track and track["id"]) or {}
        left = db.one("tracks", title=title)
        assert stored == lessons and left is None and not db.count("lessons"), hint(
            f"A track with {lessons} lessons was stored, and session.delete() should have removed"
            " it again with all of them.",
            question="What should be in the tables after each of the two?",
            expected=f"{lessons} lessons stored, none left",
            actual=f"{stored} lessons stored, {db.count('lessons')} left" + _raised(ended),
        )
        counted.append(len(statements.last))  # what a trigger does is PostgreSQL's own work
    few, many = counted
    keys = schema.table("lessons").references("tracks")
    cascades = any(key.on_delete == "CASCADE" for key in keys)
    assert many <= few, hint(
        f"To delete a track with 3 lessons took {few} statements, and with 100 lessons {many}. The"
        " larger a track is, the longer must wait who deletes it.",
        question="Which of these statements would happen by themselves if only the last were sent?",
        misconception=("parts-go-first" if cascades else "delete-orphan-is-on-delete")
        if keys
        else "",
        expected=f"at most {few} statements",
        actual=f"{many} statements",
    )
    for name, what in (
        ("Track", "a track with {} learners"),
        ("User", "a user who learns in {} tracks"),
    ):
        counted = []
        for number in (3, 100):
            people = [a_user(data) for _ in range(number + 1)]
            try:
                key = student.drive(enroll_many, name, people, data.text(3))
            except NotPassed:  # that is another check's matter
                return
            student.drive(delete_by_session, name, key)
            counted.append(len(statements.last))
        few, many = counted
        assert many <= few, hint(
            f"To delete {what.format(3)} took {few} statements, and to delete {what.format(100)}"
            f" took {many}.",
            question="Which of these statements would happen by themselves if only the last were"
            " sent?",
            expected=f"at most {few} statements",
            actual=f"{many} statements",
        )


def enroll_many(session, module, name, people, title):
    """A track that many users take, or a user who takes many tracks; its key."""
    ada, *others = (module.User(**person) for person in people)
    if name == "Track":
        made = module.Track(title=title, author=ada)
        pairs = [(user, made) for user in others]
    else:
        made, author = others[0], ada
        pairs = [(made, module.Track(title=title, author=author)) for _ in others]
    session.add_all([module.Enrollment(user=user, track=track) for user, track in pairs])
    session.flush()
    return made.id


def shuffled(session, module, title, places, author):
    """A track whose lessons are stored in another order than they are read in."""
    track = module.Track(title=title, author=module.User(**author))
    session.add_all([track.author, track])
    for place in places:
        track.lessons.append(module.Lesson(position=place, title=f"{title} {place}"))
        session.flush()


def places_of(session, module, track_id):
    """The places of a track's lessons, as a page lists them."""
    return [lesson.position for lesson in session.get(module.Track, track_id).lessons]


@check("The lessons of a track come in the order of their places")
def test_lessons_come_in_order(student, db, data):
    student.drive(create_all)
    title, places = data.text(4), list(range(1, 10))
    data.rng.shuffle(places)
    places = [9, *(place for place in places if place != 9)]
    student.drive(shuffled, title, places, a_user(data))
    track = db.one("tracks", title=title)
    listed = student.drive(places_of, track["id"]) if track else []
    in_table = {row["position"] for row in db.rows("lessons")}
    assert in_table == set(places), hint(
        "Nine lessons were appended to track.lessons, and not all of them are stored.",
        expected=sorted(places),
        actual=sorted(in_table),
    )
    assert listed == sorted(places), hint(
        "The lessons of a track were stored as somebody wrote them, the last one first. The page"
        " lists them like that: learners begin at the end.",
        question="Which part of the SELECT that was sent says in which order the rows come?",
        misconception="list-keeps-its-order" if sorted(listed or []) == sorted(places) else "",
        expected=sorted(places),
        actual=listed,
    )


SIDES = (
    ("Profile", "user", "User", "profile"),
    ("Track", "author", "User", "tracks"),
    ("Lesson", "track", "Track", "lessons"),
    ("Enrollment", "user", "User", "enrollments"),
    ("Enrollment", "track", "Track", "enrollments"),
)
"""A part, what it calls its whole, the whole, and what that calls its part or parts."""


def join(session, module, sides, user_id, told):
    """Join a new part and a new whole by the first of two attributes, and add only the object on
    the other side. Whatever else they need is somebody else's, who is there already.
    """
    name, attribute, owner, attributes, from_part = sides
    user = module.User(**told["user"])
    track = module.Track(title=told["title"], author=session.get(module.User, user_id))
    whole = user if owner == "User" else track
    part = {
        "Profile": lambda: module.Profile(bio=told["title"]),
        "Track": lambda: module.Track(title=told["title"]),
        "Lesson": lambda: module.Lesson(position=1, title=told["title"]),
        "Enrollment": lambda: module.Enrollment(
            **({"track": track} if owner == "User" else {"user": user})
        ),
    }[name]()
    if from_part:
        setattr(part, attribute, whole)
    elif attributes == "profile":
        whole.profile = part
    else:
        getattr(whole, attributes).append(part)
    session.add(whole if from_part else part)


@check("What is joined from one side is joined from the other side at once")
def test_both_sides(student, db, data):
    student.drive(create_all)
    student.drive(add_user, a_user(data))
    [author] = db.rows("users")
    for sides in SIDES:
        part, attribute, whole, attributes = sides
        table = f"{part.lower()}s"
        for from_part in (True, False):
            before = db.count(table)
            told = {"title": data.text(3), "user": a_user(data)}
            failed = None
            try:
                student.drive(join, [*sides, from_part], author["id"], told)
            except NotPassed as failure:
                failed = failure.failure
            stored = db.count(table) - before
            here, there = f"{part}.{attribute}", f"{whole}.{attributes}"
            assert stored == 1, hint(
                (
                    f"{here} was set to a new {whole.lower()}, and only that was added to the"
                    f" session. Its {there} should lead to the new {part.lower()}, and does not:"
                    if from_part
                    else f"A new {part.lower()} was put into {there}, and only that {part.lower()}"
                    f" was added to the session. Its {here} should lead to the {whole.lower()}, and"
                    " does not:"
                )
                + (
                    " the commit failed."
                    if failed
                    else f" no {part.lower()} is stored, and nothing was said."
                ),
                question="After Lesson(track=t), who has told t?",
                misconception="two-sides-find-each-other",
                expected=f"1 more row in {table}",
                actual=f"{stored} more",
            )


def add_user(session, module, user):
    session.add(module.User(**user))
