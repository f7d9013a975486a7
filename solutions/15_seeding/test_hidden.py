"""Where seeds go wrong: other machines, rows of others, gaps, failures, two at once, many rows."""

from datetime import date

from test_visible import (
    MOST_STATEMENTS,
    TABLES,
    a_school,
    attempt,
    differences,
    empty,
    ending,
    ids_came_by_returning,
    in_words,
    shown,
    what_changed,
)

from grader.checks import check, hint

NAMES = ("sql", "python", "git", "statistics", "backups", "privacy")


def school(db, number):
    """The rows of a school, each by what it is known by, and what was drawn for it."""
    slugs = [f"{name}-{number}" for name in NAMES]
    users = db.query(
        "SELECT email, name, joined_at FROM public.users WHERE split_part(email, '@', 2) = %s",
        [f"school{number}.example"],
    )
    tracks = db.query("SELECT slug, title FROM public.tracks WHERE slug = ANY (%s)", [slugs])
    lessons = db.query(
        "SELECT t.slug, l.position, l.title, l.minutes FROM public.lessons l"
        " JOIN public.tracks t ON t.id = l.track_id WHERE t.slug = ANY (%s)",
        [slugs],
    )
    enrollments = db.query(
        "SELECT u.email, t.slug, e.enrolled_at, e.progress FROM public.enrollments e"
        " JOIN public.users u ON u.id = e.user_id JOIN public.tracks t ON t.id = e.track_id"
        " WHERE split_part(u.email, '@', 2) = %s",
        [f"school{number}.example"],
    )
    return {
        "users": {r["email"]: (r["name"], r["joined_at"]) for r in users},
        "tracks": {r["slug"]: (r["title"],) for r in tracks},
        "lessons": {(r["slug"], r["position"]): (r["title"], r["minutes"]) for r in lessons},
        "enrollments": {
            (r["email"], r["slug"]): (r["enrolled_at"], r["progress"]) for r in enrollments
        },
    }


def seeded(student, db, number, arguments):
    """The plain case, before a check looks at another one. Gives the rows that are there then."""
    student.call("seed", number, **arguments)
    found = school(db, number)
    least = {"users": arguments["learners"], "tracks": len(NAMES), "lessons": 4 * len(NAMES)}
    least["enrollments"] = arguments["learners"]
    counts = {table: len(rows) for table, rows in found.items()}
    assert all(counts[table] >= least[table] for table in TABLES), hint(
        f"Before anything special happened, school {number} was seeded with"
        f" {arguments['learners']} learners, and it is not whole.",
        question="What should be in the four tables after that, and has it been committed?",
        misconception="",
        expected=f"at least {in_words(least)}",
        actual=in_words(counts),
        show=(),
    )
    return found


def elsewhere(session, module, number, arguments, settings):
    """Seed in a fresh Python, as on another machine: other hashes of texts, another time zone."""
    import json
    import os
    import subprocess
    import sys

    url = os.environ["DATABASE_URL"]
    url = "postgresql+psycopg://" + url.partition("://")[2]
    program = (
        "import datetime, importlib, json, sys\n"
        "path, name, url, number, arguments = json.loads(sys.argv[1])\n"
        "sys.path[:] = path\n"
        "from sqlalchemy import create_engine\n"
        "from sqlalchemy.orm import Session\n"
        "arguments['until'] = datetime.date.fromisoformat(arguments['until'])\n"
        "with Session(create_engine(url, use_native_hstore=False)) as session:\n"
        "    importlib.import_module(name).seed(session, number, **arguments)\n"
    )
    plain = {**arguments, "until": arguments["until"].isoformat()}
    told = json.dumps([sys.path, module.__name__, url, number, plain])
    done = subprocess.run(
        [sys.executable, "-s", "-B", "-c", program, told],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    return {"failed": done.stderr.strip().splitlines()[-1:] if done.returncode else []}


@check("On another machine, in another time zone, the same number gives the same rows", points=2)
def test_another_machine(student, db, rivals, data):
    number, arguments = a_school(data)
    first = seeded(student, db, number, arguments)
    empty(db)
    zone = data.pick(["Pacific/Kiritimati", "Pacific/Marquesas", "Asia/Kathmandu"])
    settings = {"PYTHONHASHSEED": str(data.number(1, 10**9)), "TZ": zone, "PGTZ": zone}
    told = student.drive(elsewhere, number, arguments, settings)
    assert not told["failed"], hint(
        "A school could be seeded here, and not in another process on another machine.",
        question="What does your code know of the machine on which it runs?",
        misconception="",
        actual="".join(told["failed"]),
        show=(),
    )
    changed = differences(first, school(db, number))
    misconception = ""
    if changed and is_the_same_here(db, rivals, first, number, arguments):
        only_moments = all("_at in " in each for each in changed)
        misconception = "naive-timestamp" if only_moments else "hash-is-the-same-everywhere"
    assert not changed, hint(
        "The same school was seeded on two machines, with the same arguments. Their clocks are set"
        " to different time zones, and Python hashes texts differently on each, as it does in every"
        " process. These are two schools.",
        question="What in your code depends on a clock's zone, and what on the order of a set or on"
        " hash()?",
        misconception=misconception,
        expected="the same rows",
        actual="; ".join(changed),
        show=(),
    )


def is_the_same_here(db, rivals, first, number, arguments):
    """Whether another process on this machine gives the rows that were there first."""
    empty(db)
    [process] = rivals.enter(1)
    process.start("seed", number, **arguments)
    process.finish()
    return not differences(first, school(db, number))


def others(db, data):
    """Rows of people who were here before: the first ids of each table are theirs."""
    people = [
        {
            "email": data.email(),
            "name": data.text(2),
            "password_hash": "",
            "joined_at": "2020-01-01Z",
        }
        for _ in range(9)
    ]
    users = db.insert("users", *people)
    tracks = db.insert("tracks", *({"slug": data.word(4), "title": data.text(3)} for _ in range(8)))
    lesson = {"title": data.text(2), "minutes": 90}
    db.insert("lessons", *({"track_id": t["id"], "position": 1, **lesson} for t in tracks))
    went = {"enrolled_at": "2020-01-01Z", "progress": 50}
    for user, track in zip(users, tracks, strict=False):
        db.insert("enrollments", {"user_id": user["id"], "track_id": track["id"], **went})


def chooses_ids(sent):
    """Whether rows were inserted with ids that the database did not give."""
    for text in sent.texts:
        head = " ".join(text.lower().replace('"', "").split())[:120]
        if head.startswith(("insert into ", "copy ")) and "(id," in head.replace(" ", ""):
            return True
    return False


@check("Rows of others stay as they are, and those who come later find free ids", points=2)
def test_others(student, db, statements, data):
    number, arguments = a_school(data, learners=20)
    others(db, data)
    before = db.snapshot()
    told = student.drive(attempt, number, arguments)
    sent = statements.last
    own_ids = "an-id-of-my-own" if chooses_ids(sent) else ""
    changes = db.changes(before)
    touched = {t: c for t, c in changes.items() if c.updated or c.deleted}
    assert not touched, hint(
        "Nine users and eight tracks of other people were in the tables before the seed. They were"
        " changed or deleted by it.",
        question="Which rows may a seed touch, and how does it know them?",
        misconception="seeding-is-resetting",
        expected="no row of others changed or deleted",
        actual=what_changed(touched),
        show=shown(sent),
    )
    found = school(db, number)
    of_slug = [sum(1 for s, _ in found["lessons"] if s == f"{name}-{number}") for name in NAMES]
    learners = {email for email, slug in found["enrollments"] if slug in found["tracks"]}
    whole = len(found["users"]) == 20 == len(learners) and min(of_slug) >= 4
    counts = {table: len(rows) for table, rows in found.items()}
    assert "raised" not in told and whole, hint(
        "Nine users and eight tracks of other people were in the tables before the seed. The school"
        " did not become whole beside them.",
        question="How does your code come to the ids that it uses?"
        if own_ids
        else "What does your code conclude from rows that are there already?",
        misconception=own_ids
        or ("something-is-everything" if told.get("answer") == dict.fromkeys(TABLES, 0) else ""),
        expected="20 users, 6 tracks with their lessons; each of the 20 enrolled in these tracks",
        actual=f"{ending(told)}; of this school: {in_words(counts)}",
        show=shown(sent),
    )
    added = {table: len(change.inserted) for table, change in changes.items()}
    assert told["answer"] == added, hint(
        "Rows of other people were in the tables before the seed. What seed says that it added is"
        " not what was added.",
        question="Where does your code learn how many rows were really added?",
        misconception="",
        expected=added,
        actual=told["answer"],
        show=(),
    )
    somebody_comes_later(db, data, found, number, own_ids)


def somebody_comes_later(db, data, found, number, own_ids):
    """Rows without ids, as every sign-up form inserts them."""
    try:
        [user] = db.insert(
            "users",
            {
                "email": data.email(),
                "name": data.text(2),
                "password_hash": "",
                "joined_at": "2020-01-01Z",
            },
        )
        [track] = db.insert("tracks", {"slug": data.word(4), "title": data.text(3)})
        db.insert("lessons", {"track_id": track["id"], "position": 1, "title": "", "minutes": 9})
        row = {"user_id": user["id"], "track_id": track["id"], "progress": 0}
        db.insert("enrollments", {**row, "enrolled_at": "2020-01-01Z"})
        refused = ""
    except Exception as error:
        if getattr(error, "sqlstate", "") != "23505":
            raise
        refused = str(error)
    assert not refused, hint(
        "After the seed somebody signed up. PostgreSQL gave them the next id, and it was taken.",
        question="Who counts the ids of a table, and who has told them about yours?",
        misconception=own_ids,
        expected="a free id",
        actual=refused,
        show=(),
    )


@check("A seeding that fails in the middle leaves nothing, and the next one is whole", points=2)
def test_all_or_nothing(student, db, faults, data):
    number, arguments = a_school(data, learners=20)
    seeded(student, db, number, arguments)
    empty(db)
    before = db.snapshot()
    for table, at, lost in (("enrollments", 7, False), ("lessons", 9, False), ("users", 11, False),
                            ("enrollments", 12, True)):  # fmt: skip
        if lost:
            faults.lose_connection(table, at=at, times=None)
        else:
            faults.fail_insert(table, at=at, times=None)
        told = student.drive(attempt, number, arguments)
        assert "raised" in told, hint(
            f"From row {at} of {table} on nothing could be stored, and seed returned as if all were"
            " well.",
            question="Which errors does your code know what to do about?",
            misconception="swallowed-error",
            expected="raised the error",
            actual=ending(told),
            show=(),
        )
        left = db.changes(before)
        assert not left, hint(
            f"From row {at} of {table} on nothing could be stored"
            + (", because the connection was lost" if lost else "")
            + ". What had been stored before is there: a part of a school, which nobody asked for.",
            question="When do your transactions end, and how many are there?",
            misconception="commit-in-the-loop",
            expected="nothing is added",
            actual=what_changed(left),
            show=(),
        )
        faults.clear()
    answer = student.call("seed", number, **arguments)
    added = {table: db.count(table) for table in TABLES}
    assert answer == added and added["users"] == 20, hint(
        "After failures the school was seeded once more, and nothing failed.",
        question="What did the failures leave behind in your code?",
        misconception="",
        expected="a whole school, and its numbers",
        actual=f"returned {answer!r}; {in_words(added)}",
        show=(),
    )


@check("What is missing comes back as it was, and nothing else changes", points=2)
def test_gaps(student, db, statements, rivals, data):
    number, arguments = a_school(data)
    first = seeded(student, db, number, arguments)
    gone = make_gaps(db, number)
    told = student.drive(attempt, number, arguments)
    sent = statements.last
    found = school(db, number)
    missing = {table: len(first[table].keys() - found[table].keys()) for table in TABLES}
    others_came = any(found[table].keys() - first[table].keys() for table in TABLES)
    is_whole = "raised" not in told and (others_came or not any(missing.values()))
    assert is_whole, hint(
        "Two learners, a track and two lessons had been deleted, with all that hung on them, and"
        " some enrollments. Then the school was seeded again, and it is not whole.",
        question="For each missing row: by what does your code see that it is missing, and how does"
        " it come to the ids that the row needs?",
        misconception=why_not_whole(told, sent, missing == gone),
        expected="returned; no row is missing",
        actual=f"{ending(told)}; missing: "
        + (", ".join(f"{table}: {many}" for table, many in missing.items() if many) or "nothing"),
        show=shown(sent),
    )
    told_apart = differences(first, found)
    is_same = bool(told_apart) and is_the_same_here(db, rivals, first, number, arguments)
    assert not told_apart, hint(
        "Some rows had been deleted, and the school was seeded again. Rows came, but not those that"
        " were there before.",
        question="If a row that is there is passed over, which draws does the next row get?"
        if is_same
        else "On what do your draws depend, beside the arguments?",
        misconception="one-stream-of-draws" if is_same else "",
        expected="the rows that were deleted",
        actual="; ".join(told_apart) if is_same else "other rows",
        show=(),
    )
    assert told["answer"] == gone, hint(
        "Some rows had been deleted, and they are there again. What seed says that it added is not"
        " what was missing.",
        question="Where does your code learn how many rows were really added?",
        misconception="",
        expected=gone,
        actual=told["answer"],
        show=(),
    )


def why_not_whole(told, sent, nothing_came):
    """The misconception that fits a school which keeps its gaps."""
    if ids_came_by_returning(sent):
        return "nothing-done-returns-nothing"
    if told.get("sqlstate") == "23505":
        return "a-seed-runs-once"
    return "something-is-everything" if nothing_came and "raised" not in told else ""


def make_gaps(db, number):
    """Somebody deletes rows of each table; how many are gone."""
    before = {table: db.count(table) for table in TABLES}
    with db.author() as connection:
        connection.execute(
            "DELETE FROM public.users WHERE email = ANY (%s)",
            [[f"learner{n}@school{number}.example" for n in (3, 17)]],
        )
        connection.execute("DELETE FROM public.tracks WHERE slug = %s", [f"git-{number}"])
        connection.execute(
            "DELETE FROM public.lessons l USING public.tracks t WHERE t.id = l.track_id"
            " AND t.slug = %s AND l.position IN (1, 3)",
            [f"statistics-{number}"],
        )
        connection.execute(
            "DELETE FROM public.enrollments e USING public.users u WHERE u.id = e.user_id"
            " AND u.email = ANY (%s)",
            [[f"learner{n}@school{number}.example" for n in (5, 6)]],
        )
    return {table: before[table] - db.count(table) for table in TABLES}


@check("Two who seed the same school at the same moment get it once, and none fails")
def test_two_at_once(student, db, rivals, data):
    number, arguments = a_school(data, learners=20)
    alone = seeded(student, db, number, arguments)
    empty(db)
    a, b = rivals.enter(2)
    with rivals.gate("users"):
        a.start("seed", number, **arguments)
        b.start("seed", number, **arguments)
        sent = b.statements
    results = rivals.finish()
    states = [result.sqlstate or "" for result in results if not result.answered]
    assert not states, hint(
        "Two processes seeded the same school at the same moment. One of them stored a row that the"
        " other one was about to store, and the other one failed."
        if states[:1] == ["23505"]
        else "Two processes seeded the same school at the same moment, and one of them failed.",
        question="What can happen between your look and your INSERT?"
        if states[:1] == ["23505"]
        else "What does your code do when somebody else is at work?",
        misconception="check-then-insert" if states == ["23505"] and looks_first(sent) else "",
        expected="both returned",
        actual="; ".join(sorted(map(_ended, results))),
        show=shown(sent),
    )
    found = school(db, number)
    counts = {table: db.count(table) for table in TABLES}
    assert found == alone and counts == {t: len(rows) for t, rows in alone.items()}, hint(
        "Two processes seeded the same school at the same moment. What is there is not what one of"
        " them would have stored alone.",
        misconception="",
        question="Which of your rows depend on something that is not the same for both?",
        expected="the rows of one seeding",
        actual=in_words(counts) if found == alone else "other rows",
        show=(),
    )


def _ended(result):
    """How a rival's call ended, in words; which of them came first was chance."""
    if result.answered:
        return "returned"
    state = f" (SQLSTATE {result.sqlstate})" if result.sqlstate else ""
    return f"raised {result.raised.type}{state}"


def looks_first(sent):
    """Whether the users were looked at before the first row came to the gate."""
    return any("select" in t.lower() and "on conflict" not in t.lower() for t in sent.texts)


@check("A school may have no learner, or 1,000, and end on a leap day")
def test_sizes(student, db, statements, data):
    without_learners(student, db, data)
    for _ in range(3):
        empty(db)
        number, arguments = a_school(data, learners=1_000)
        arguments["until"] = date(data.pick([2020, 2024, 2028]), 2, 29)
        student.call("seed", number, **arguments)
        sent = statements.last
        everybody_joined_in_time(db, number, arguments["until"])
        assert sent.count <= MOST_STATEMENTS, hint(
            f"To seed 1,000 learners, PostgreSQL received {sent.count} statements.",
            question="Which of these statements differ only in their values?",
            misconception="one-statement-a-row",
            expected=f"at most {MOST_STATEMENTS} statements",
            actual=f"{sent.count} statements",
            show=shown(sent),
        )


def without_learners(student, db, data):
    """A dozen schools with nobody in them, which have tracks and lessons all the same."""
    for _ in range(12):
        empty(db)
        number, arguments = a_school(data, learners=0)
        told = student.drive(attempt, number, arguments)
        added = {table: db.count(table) for table in TABLES}
        is_whole = "raised" not in told and added["tracks"] == 6 and added["lessons"] >= 24
        assert is_whole and (added["users"], added["enrollments"]) == (0, 0), hint(
            "A school without learners was seeded. It has its tracks and lessons all the same.",
            question="What does a statement for a list of rows do with an empty list?",
            misconception="",
            expected="returned; users: 0, tracks: 6, lessons: at least 24, enrollments: 0",
            actual=f"{ending(told)}; {in_words(added)}",
            show=(),
        )
        assert told["answer"] == added, hint(
            "A school without learners was seeded. What seed says that it added is not what is"
            " there.",
            question="How many rows did you add to the table of which there was nothing to add?",
            misconception="",
            expected=added,
            actual=told["answer"],
            show=(),
        )
        lessons_are_as_many_and_as_long(db)


def lessons_are_as_many_and_as_long(db):
    """Whether the draws keep to the bounds; one school is too small to see that."""
    wrong = db.query(
        "SELECT count(*) AS lessons, min(minutes) AS least, max(minutes) AS most"
        " FROM public.lessons GROUP BY track_id"
        " HAVING count(*) NOT BETWEEN 4 AND 9 OR min(minutes) < 5 OR max(minutes) > 60"
    )
    assert not wrong, hint(
        "Among a dozen schools is a track whose lessons are not those that README.md allows.",
        question="Which are the smallest and the largest number that your draws can give?",
        misconception="",
        expected="4 to 9 lessons of 5 to 60 minutes",
        actual=f"{wrong[0]['lessons']} lessons of {wrong[0]['least']} to {wrong[0]['most']} minutes"
        if wrong
        else "",
        show=(),
    )


def everybody_joined_in_time(db, number, until):
    """Whether the learners of a school are there, enrolled, and joined in the year before."""
    [found] = db.query(
        "SELECT count(DISTINCT u.id) AS enrolled, bool_and(joined_at < midnight"
        " AND joined_at >= midnight - interval '8760 hours') AS in_time"
        " FROM public.users u JOIN public.enrollments e ON e.user_id = u.id,"
        " LATERAL (SELECT %s::date::timestamp AT TIME ZONE 'UTC' AS midnight) AS until"
        " WHERE split_part(u.email, '@', 2) = %s",
        [until, f"school{number}.example"],
    )
    assert (found["enrolled"], found["in_time"]) == (1_000, True), hint(
        "A school of 1,000 learners was seeded until a leap day.",
        question="How does your code come to the first day that counts?",
        misconception="",
        expected="1,000 learners, all enrolled, who joined in the 365 days before",
        actual=f"{found['enrolled']} learners who are enrolled"
        + ("" if found["in_time"] else "; some joined at another time"),
        show=(),
    )
