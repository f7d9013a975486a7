"""What the four reports must give and may cost. Your grader runs more checks than these."""

from grader.checks import check, hint

BUDGET = 10
"""Statements that a report may send, however many rows there are."""


def a_school(db, data, tracks, *, every_track_has=1):
    """Tracks with an author each, lessons and reviews; returns what the reports should say."""
    catalog, totals = [], []
    authors = db.insert("users", *({"username": data.word(4)} for _ in range(tracks)))
    rows = db.insert("tracks", *({"title": data.text(3), "author_id": a["id"]} for a in authors))
    lessons, reviews = [], []
    for track, author in zip(rows, authors, strict=True):
        number = data.number(every_track_has, 4)
        mine = [
            {"track_id": track["id"], "position": n, "title": data.text(2), "minutes": minutes}
            for n, minutes in enumerate(data.rng.sample(range(5, 60), number), start=1)
        ]
        stars = data.rng.sample(range(1, 6), data.number(every_track_has, 4))
        lessons += mine
        reviews += [{"track_id": track["id"], "stars": s} for s in stars]
        catalog.append(
            {
                "title": track["title"],
                "author": author["username"],
                "lessons": [lesson["title"] for lesson in mine],
            }
        )
        totals.append(
            {
                "title": track["title"],
                "lessons": len(mine),
                "minutes": sum(lesson["minutes"] for lesson in mine),
                "reviews": len(stars),
                "stars": sum(stars) / len(stars) if stars else None,
            }
        )
    data.rng.shuffle(lessons)  # the order in which lessons were stored is not the order in a track
    db.insert("lesson_entries", *lessons)
    db.insert("reviews", *reviews)
    return catalog, totals


def only(answer, keys, report):
    """The rows of a report with just these keys; whatever else a row holds does not matter."""
    shaped = isinstance(answer, list) and all(
        isinstance(row, dict) and set(keys) <= row.keys() for row in answer
    )
    assert shaped, hint(
        f"{report} should return a list of rows with {', '.join(keys)}.",
        misconception="",
        actual=answer,
    )
    return [{key: row[key] for key in keys} for row in answer]


def totals_in(answer):
    """The rows of track_totals, with stars as a number of two digits: any number type will do."""
    rows = only(answer, ("title", "lessons", "minutes", "reviews", "stars"), "track_totals")
    return [row | {"stars": rounded(row["stars"])} for row in rows]


def rounded(stars):
    return None if stars is None else round(float(stars), 2)


def first_difference(wanted, given):
    pairs = ((w, g) for w, g in zip(wanted, given, strict=False) if w != g)
    return next(pairs, (f"{len(wanted)} rows", f"{len(given)} rows"))


def within_budget(statements, report, what, misconception):
    sent = statements.last.count
    assert sent <= BUDGET, hint(
        f"{report} sent {sent} statements for {what}; {BUDGET} are allowed. Each is a journey to"
        " the database and back, and the page waits for every one.",
        question="Which of these statements differ only in a number?",
        misconception=misconception,
        expected=f"at most {BUDGET} statements",
        actual=f"{sent} statements",
        show=statements.last,
    )


@check("The catalog lists each published track with its author and lessons", points=2)
def test_catalog_is_right_and_cheap(student, db, statements, data):
    wanted, _ = a_school(db, data, 20)
    [hidden] = db.insert("users", {"username": data.word(4)})
    db.insert("tracks", {"title": data.text(3), "author_id": hidden["id"], "is_published": False})
    catalog = only(student.call("catalog"), ("title", "author", "lessons"), "catalog")
    expected, actual = first_difference(wanted, catalog)
    assert catalog == wanted, hint(
        "The catalog is not what it should be: the published tracks in the order of their ids,"
        " each with its author's username and its lessons' titles by position. This is the first"
        " track that differs.",
        question="Is this track there, whole, and once?",
        expected=expected,
        actual=actual,
    )
    within_budget(statements, "catalog", "20 tracks", "lazy-loop")


@check("The catalog of a hundred tracks stays within ten statements", points=2)
def test_catalog_does_not_grow(student, db, statements, data):
    sent = {}
    titles = []
    for more, tracks in ((20, 20), (80, 100)):
        wanted, _ = a_school(db, data, more)
        titles += [track["title"] for track in wanted]
        catalog = only(student.call("catalog"), ("title", "author", "lessons"), "catalog")
        assert [track["title"] for track in catalog] == titles, hint(
            f"There are {tracks} published tracks, and the catalog does not list just them.",
            expected=f"{tracks} tracks",
            actual=f"{len(catalog)} tracks",
        )
        sent[tracks] = statements.last.count
    assert max(sent.values()) <= BUDGET, hint(
        f"For 20 tracks the catalog sent {sent[20]} statements, for 100 it sent {sent[100]}. The"
        " cost grows with the school: at a thousand tracks the page will not open any more.",
        question="Which line is run once for each track, and does it need the database?",
        misconception="lazy-loop",
        expected=f"at most {BUDGET} statements, at 20 tracks and at 100",
        actual=f"{sent[20]} and {sent[100]} statements",
        show=statements.last,
    )


@check("The totals count every lesson and every review once", points=2)
def test_totals_are_right_and_cheap(student, db, statements, data):
    _, wanted = a_school(db, data, 20, every_track_has=2)
    given = totals_in(student.call("track_totals"))
    wanted = [row | {"stars": rounded(row["stars"])} for row in wanted]
    assert [row["title"] for row in given] == [row["title"] for row in wanted], hint(
        "track_totals should list every track once, in the order of their ids.",
        expected=[row["title"] for row in wanted],
        actual=[row["title"] for row in given],
    )
    expected, actual = first_difference(wanted, given)
    multiplied = given != wanted and (
        actual["lessons"] == expected["lessons"] * expected["reviews"]
        or actual["reviews"] == expected["lessons"] * expected["reviews"]
        or actual["minutes"] == expected["minutes"] * expected["reviews"]
    )
    assert not multiplied, hint(
        f"A track has {expected['lessons']} lessons of {expected['minutes']} minutes in all, and"
        f" {expected['reviews']} reviews. The report says {actual['lessons']} lessons,"
        f" {actual['minutes']} minutes and {actual['reviews']} reviews: something was counted"
        " several times.",
        question=f"How many rows come out when {expected['lessons']} lessons and"
        f" {expected['reviews']} reviews of one track are joined to it at once?",
        misconception="joined-two-collections",
        expected=expected,
        actual=actual,
        show=statements.last,
    )
    assert given == wanted, hint(
        "The totals of a track are wrong; this is the first.", expected=expected, actual=actual
    )
    within_budget(statements, "track_totals", "20 tracks", "lazy-loop")


def texts_read(db):
    """How many texts the archive has handed out so far."""
    [row] = db.query("SELECT last_value, is_called FROM public.archive_reads")
    return row["last_value"] if row["is_called"] else 0


@check("The lesson menu has titles and minutes, and reads no lesson's text", points=2)
def test_menu_reads_no_text(student, db, statements, data):
    a_school(db, data, 5, every_track_has=3)
    for track in db.rows("tracks", order_by="id")[:2]:
        wanted = [
            {"title": row["title"], "minutes": row["minutes"]}
            for row in db.rows("lesson_entries", order_by="position", track_id=track["id"])
        ]
        before = texts_read(db)
        menu = only(student.call("lesson_menu", track["id"]), ("title", "minutes"), "lesson_menu")
        assert menu == wanted, hint(
            "The menu should hold the track's own lessons by position.",
            expected=wanted,
            actual=menu,
        )
        read = texts_read(db) - before
        assert read == 0, hint(
            f"The menu shows a title and a number for {len(wanted)} lessons, and to do so it"
            f" fetched {read} whole texts from the archive. They travelled to your program and"
            " were thrown away.",
            question="Which columns does the SELECT below name, and which of them does the menu"
            " show?",
            misconception="whole-rows",
            expected="0 texts read",
            actual=f"{read} texts read",
            show=statements.last,
        )
        within_budget(statements, "lesson_menu", "one track", "lazy-loop")


@check("The badges come in the order of the ids, all fetched together", points=2)
def test_badges_are_in_order_and_cheap(student, db, statements, data):
    users = db.insert("users", *({"username": data.word(4)} for _ in range(40)))
    asked = data.rng.sample(users, 20)
    wanted = [user["username"] for user in asked]
    badges = student.call("badges", [user["id"] for user in asked])
    assert isinstance(badges, list) and sorted(map(str, badges)) == sorted(wanted), hint(
        "badges should return the usernames of the users asked for.", expected=wanted, actual=badges
    )
    assert badges == wanted, hint(
        "These are the right names, in another order than the ids were given in. The printer"
        " prints the wrong name on each badge.",
        question="In which order does a SELECT without ORDER BY give its rows?",
        misconception="in-does-not-order",
        expected=wanted,
        actual=badges,
        show=statements.last,
    )
    within_budget(statements, "badges", "20 ids", "loops-over-get")
