"""Where students do not look: nothing at all, empty tracks, equal numbers, a thousand ids."""

from grader.checks import check, hint

BUDGET = 10
"""Statements that a report may send, however many rows there are."""


def some_tracks(db, data, number, **columns):
    """Tracks with an author each and nothing in them."""
    authors = db.insert("users", *({"username": data.word(4)} for _ in range(number)))
    rows = ({"title": data.text(3), "author_id": a["id"]} | columns for a in authors)
    return db.insert("tracks", *rows)


def lessons_of(track, *minutes):
    return [
        {
            "track_id": track["id"],
            "position": n,
            "title": f"Lesson {n} of {track['id']}",
            "minutes": m,
        }
        for n, m in enumerate(minutes, start=1)
    ]


def only(answer, keys, report):
    shaped = isinstance(answer, list) and all(
        isinstance(row, dict) and set(keys) <= row.keys() for row in answer
    )
    assert shaped, hint(
        f"{report} should return a list of rows with {', '.join(keys)}.",
        misconception="",
        actual=answer,
    )
    return [{key: row[key] for key in keys} for row in answer]


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


@check("A track without lessons stands in the catalog like any other", points=2)
def test_catalog_keeps_empty_tracks(student, db, statements, data):
    empty = student.call("catalog")
    assert empty == [], hint(
        "There are no tracks: the catalog should be empty.", expected=[], actual=empty
    )
    # Stored in another order than that of their ids.
    tracks = [some_tracks(db, data, 1, id=number)[0] for number in range(96, 80, -1)][::-1]
    for track in tracks[1::2]:
        db.insert("lesson_entries", *lessons_of(track, 10, 20))
    catalog = only(student.call("catalog"), ("title", "lessons"), "catalog")
    missing = [t for t in tracks if t["title"] not in [row["title"] for row in catalog]]
    assert not missing, hint(
        f"Sixteen tracks are published, eight of them have no lesson yet. {len(missing)} are not in"
        " the catalog: an author who publishes a new track cannot find it.",
        question="What does a JOIN do with a row that has no partner on the other side?",
        misconception="inner-join-loses-zeros",
        expected="16 tracks",
        actual=f"{len(catalog)} tracks",
        show=statements.last,
    )
    wanted = [
        [] if n % 2 == 0 else [f"Lesson {i} of {t['id']}" for i in (1, 2)]
        for n, t in enumerate(tracks)
    ]
    given = [row["lessons"] for row in catalog]
    assert given == wanted, hint(
        "The tracks are there, but the lessons are not those that they have; a track without any"
        " has an empty list.",
        question="What is in the list of a track without lessons?",
        expected=wanted[:2],
        actual=given[:2],
    )
    within_budget(statements, "catalog", "16 tracks", "lazy-loop")


@check("A track with nothing in it has zeros, and no stars")
def test_totals_of_nothing_are_zero(student, db, statements, data):
    empty = student.call("track_totals")
    assert empty == [], hint("There are no tracks: there are no totals.", expected=[], actual=empty)
    bare, unrated, unwritten, *_ = tracks = some_tracks(db, data, 16)
    db.insert("lesson_entries", *lessons_of(unrated, 10, 25))
    db.insert("reviews", {"track_id": unwritten["id"], "stars": 4})
    keys = ("title", "lessons", "minutes", "reviews", "stars")
    totals = {row["title"]: row for row in only(student.call("track_totals"), keys, "track_totals")}
    missing = [t["title"] for t in tracks if t["title"] not in totals]
    assert not missing, hint(
        f"Sixteen tracks exist, most of them with no lesson or no review. {len(missing)} are not in"
        " the report.",
        question="What does a JOIN do with a row that has no partner on the other side?",
        misconception="inner-join-loses-zeros",
        expected="16 tracks",
        actual=f"{len(totals)} tracks",
        show=statements.last,
    )
    for track, numbers in (
        (bare, (0, 0, 0, None)),
        (unrated, (2, 35, 0, None)),
        (unwritten, (0, 0, 1, 4)),
    ):
        wanted = dict(zip(keys, (track["title"], *numbers), strict=True))
        given = totals[track["title"]]
        assert given == wanted, hint(
            "Nothing is counted as 0, and an average of nothing is None: there is no number of"
            " stars.",
            question="What is the sum of no rows in SQL, and how many rows does a LEFT JOIN give"
            " for none?",
            expected=wanted,
            actual=given,
        )
    within_budget(statements, "track_totals", "16 tracks", "lazy-loop")


@check(
    "Two lessons of the same length count as two, and so do equal reviews",
    misconception="joined-two-collections",
)
def test_equal_values_count_each(student, db, statements, data):
    tracks = some_tracks(db, data, 12)
    length, stars = data.number(10, 30), data.number(3, 5)
    for track in tracks:
        db.insert("lesson_entries", *lessons_of(track, length, length, length + 1))
        db.insert(
            "reviews", *({"track_id": track["id"], "stars": s} for s in (1, stars, stars, stars))
        )
    totals = only(student.call("track_totals"), ("minutes", "reviews", "stars"), "track_totals")
    assert len(totals) == 12, hint(
        "There are 12 tracks.", misconception="", expected=12, actual=len(totals)
    )
    wanted = {"minutes": 3 * length + 1, "reviews": 4, "stars": (1 + 3 * stars) / 4}
    for row in totals:
        given = row | {"stars": row["stars"] and round(float(row["stars"]), 2)}
        assert given == wanted | {"stars": round(wanted["stars"], 2)}, hint(
            f"A track has lessons of {length}, {length} and {length + 1} minutes and four reviews"
            f" of 1, {stars}, {stars} and {stars} stars. The report says {given['minutes']}"
            f" minutes, {given['reviews']} reviews and {given['stars']} stars on average.",
            question="What does DISTINCT throw away: repeated rows, or equal values?"
            if given["minutes"] == 2 * length + 1
            else "How many rows come out when 3 lessons and 4 reviews are joined to a track?",
            expected=wanted,
            actual=given,
            show=statements.last,
        )
    within_budget(statements, "track_totals", "12 tracks", "lazy-loop")


@check("The totals of a hundred tracks stay within ten statements", points=2)
def test_totals_do_not_grow(student, db, statements, data):
    sent = {}
    for more, number in ((20, 20), (80, 100)):
        for track in some_tracks(db, data, more):
            db.insert("lesson_entries", *lessons_of(track, 10, 20))
            db.insert("reviews", {"track_id": track["id"], "stars": 3})
        totals = only(student.call("track_totals"), ("title", "lessons"), "track_totals")
        assert len(totals) == number, hint(
            f"There are {number} tracks.", expected=number, actual=len(totals)
        )
        sent[number] = statements.last.count
    assert max(sent.values()) <= BUDGET, hint(
        f"For 20 tracks track_totals sent {sent[20]} statements, for 100 it sent {sent[100]}. The"
        " cost grows with the school.",
        question="Which line is run once for each track, and does it need the database?",
        misconception="lazy-loop",
        expected=f"at most {BUDGET} statements, at 20 tracks and at 100",
        actual=f"{sent[20]} and {sent[100]} statements",
        show=statements.last,
    )


@check("The menu of a track without lessons is empty, and nobody else's lessons are in it")
def test_menus_do_not_mix(student, db, statements, data):
    first, second, bare = some_tracks(db, data, 3)
    long = list(range(11, 31))
    db.insert("lesson_entries", *reversed(lessons_of(first, *long)), *lessons_of(second, 41, 42))
    before = _texts_read(db)
    for track_id, wanted in (
        (first["id"], long),
        (bare["id"], []),
        (bare["id"] + 1000, []),
    ):
        menu = only(student.call("lesson_menu", track_id), ("title", "minutes"), "lesson_menu")
        within_budget(statements, "lesson_menu", f"{len(wanted)} lessons", "lazy-loop")
        given = [row["minutes"] for row in menu]
        assert given == wanted, hint(
            "The menu should hold the track's own lessons by position, and nothing where there"
            " are none.",
            expected=wanted,
            actual=given,
        )
    read = _texts_read(db) - before
    assert read == 0, hint(
        f"Three menus fetched {read} whole texts from the archive, and showed none of them.",
        question="Which columns does the SELECT name, and which of them does the menu show?",
        misconception="whole-rows",
        expected="0 texts read",
        actual=f"{read} texts read",
        show=statements.total,
    )


def _texts_read(db):
    """How many texts the archive has handed out so far."""
    [row] = db.query("SELECT last_value, is_called FROM public.archive_reads")
    return row["last_value"] if row["is_called"] else 0


@check("An id that nobody has gives None, an id that comes twice gives the name twice", points=2)
def test_badges_keep_their_places(student, db, statements, data):
    none = student.call("badges", [])
    assert none == [], hint("No ids were given: there are no badges.", expected=[], actual=none)
    users = db.insert("users", *({"username": data.word(4)} for _ in range(16)))
    ids = [user["id"] for user in users]
    nobody = max(ids) + data.number(10, 1000)
    asked = [*reversed(ids), nobody, ids[0], nobody + 1, ids[0]]
    names = {user["id"]: user["username"] for user in users}
    wanted = [names.get(user_id) for user_id in asked]
    badges = student.call("badges", asked)
    known = isinstance(badges, list) and all(name in [None, *names.values()] for name in badges)
    assert known, hint(
        "badges should return the usernames of the users asked for.", expected=wanted, actual=badges
    )
    assert len(badges) == len(asked), hint(
        f"{len(asked)} ids were given, some twice and some unknown. badges gave {len(badges)}"
        " names: from there on every badge carries the wrong one.",
        question="How many rows does a SELECT give for an id that comes twice, and how many for"
        " one that nobody has?",
        misconception="in-does-not-order",
        expected=wanted,
        actual=badges,
        show=statements.last,
    )
    assert badges == wanted, hint(
        "The badges do not stand in the order of the ids.",
        question="In which order does a SELECT without ORDER BY give its rows?",
        misconception="in-does-not-order",
        expected=wanted,
        actual=badges,
    )
    within_budget(statements, "badges", f"{len(asked)} ids", "loops-over-get")


@check("A thousand badges stay within ten statements")
def test_badges_do_not_grow(student, db, statements, data):
    users = db.insert("users", *({"username": f"{data.word(3)}{n}"} for n in range(1000)))
    sent = {}
    for number in (20, 1000):
        asked = data.rng.sample(users, number)
        badges = student.call("badges", [user["id"] for user in asked])
        right = isinstance(badges, list) and sorted(map(str, badges)) == sorted(
            user["username"] for user in asked
        )
        assert right, hint(
            f"{number} ids were given, and badges did not return their names.",
            expected=f"{number} names",
            actual=badges,
        )
        sent[number] = statements.last.count
    assert max(sent.values()) <= BUDGET, hint(
        f"For 20 badges {sent[20]} statements were sent, for 1,000 badges {sent[1000]}.",
        question="What if you told the database all the ids at once?",
        misconception="loops-over-get",
        expected=f"at most {BUDGET} statements, for 20 badges and for 1,000",
        actual=f"{sent[20]} and {sent[1000]} statements",
        show=statements.last,
    )
