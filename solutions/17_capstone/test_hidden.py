"""Where trackers that remember go wrong: in the middle, twice at once, after a hundred rows."""

from test_visible import NOBODY, a_track, a_user, answered, kind, serve, told

from grader.checks import check, hint

BUDGET = 6


def ready(migrations):
    migrations.upgrade("head")


def learns(db, user, track, *lessons, minutes=0):
    """An enrollment with a record for each lesson, as another program stores it."""
    db.insert("enrollments", {"user_id": user, "track_id": track})
    rows = ({"user_id": user, "lesson_id": lesson, "minutes": minutes} for lesson in lessons)
    db.insert("lesson_progress", *rows)


def counts(db, *tables):
    return ", ".join(f"{db.count(table)} in {table}" for table in tables)


# Part 1: tables


@check("1 · Up, down and up again: nothing is left behind, and no row is lost")
def test_up_down_up(migrations, db, data):
    migrations.upgrade("0001")
    prices = [data.number(100, 9000) / 100, None]
    rows = ({"title": data.text(2), "difficulty": "beginner", "price": p} for p in prices)
    tracks = db.insert("tracks", *rows)
    lesson = {"track_id": tracks[0]["id"], "position": 1, "title": data.word(), "minutes": 20}
    db.insert("lessons", lesson)
    user = a_user(db, data)
    shape, before = migrations.shape(), db.snapshot()
    ready(migrations)
    db.insert("enrollments", {"user_id": user, "track_id": tracks[0]["id"]})
    db.insert("lesson_progress", {"user_id": user, "lesson_id": db.rows("lessons")[0]["id"]})
    db.insert("tracks", {"title": data.word(), "difficulty": "beginner", "seats": 3})
    migrations.downgrade("0001")
    left = migrations.differences(shape)
    assert not left, hint(
        "After the way down the tables are not what they were at 0001. The next way up, or the old"
        " program, will meet that.",
        question="What else went or came with the columns and tables: rules, defaults, types?",
        expected="nothing left, nothing missing",
        actual="; ".join(left),
    )
    changed = db.changes(before)
    lost = {table for table, c in changed.items() if c.deleted or c.updated}
    assert lost <= {"alembic_version"} and changed["tracks"].inserted, hint(
        "After the way down, rows of users, tracks or lessons are missing or have changed.",
        question="Which of your steps touches rows that are older than the column?",
        actual=", ".join(sorted(lost)),
    )
    ready(migrations)
    assert migrations.current == migrations.heads, hint("The second way up did not get there.")


# Part 2: the catalog


@check("2 · Whatever somebody searches for means itself")
def test_searches(migrations, db, api, statements, data):
    ready(migrations)
    word = data.word(4)
    titles = [f"{word} 100% sure", f"{word} 100 sure", f"{word}_{word}", f"it's {word}; \\o/"]
    tracks = {title: a_track(db, data, title=title)[0] for title in titles}
    serve(api)
    for search, wanted in (
        ("100%25", titles[:1]),
        (f"{word}_", titles[2:3]),
        ("it's", titles[3:]),
        ("%5Co", titles[3:]),
        ("%25", titles[:1]),
        ("'; DROP TABLE tracks; --".replace(" ", "%20").replace(";", "%3B"), []),
    ):
        page = api.get(f"/tracks?search={search}")
        found = [one["id"] for one in answered(page)["items"]]
        assert found == [tracks[title] for title in wanted[::-1]], hint(
            f"Somebody asked for {page.request}. Every character of that means itself.",
            question="Who reads this text: only your users, or PostgreSQL as well?",
            misconception="like-wildcards" if len(found) > len(wanted) else "",
            expected=wanted,
            actual=[title for title, number in tracks.items() if number in found],
        )


@check("2 · A track is stored with all of its lessons, or not at all", points=2)
def test_a_track_in_the_middle(migrations, db, api, faults, data):
    ready(migrations)
    serve(api)
    lessons = [{"title": data.word(), "minutes": 10} for _ in range(data.number(4, 7))]
    new = {"title": data.text(2), "lessons": lessons}
    faults.fail_insert("lessons", at=3)
    answer = api.post("/tracks", json=new)
    tried_again = answer.status == 201 and db.count("lessons") == len(lessons)
    if not tried_again:
        assert (db.count("tracks"), db.count("lessons")) == (0, 0), hint(
            f"A track of {len(lessons)} lessons was to be stored, and at the third lesson the disk"
            " was full. A part of the track stayed, and nobody will ever look for it.",
            question="How many transactions did this one track take?",
            misconception="commit-in-the-loop" if db.count("lessons") else "two-transactions",
            expected="0 in tracks, 0 in lessons",
            actual=counts(db, "tracks", "lessons"),
        )
        assert answer.status >= 500, hint(
            "Nothing was stored, and the answer says that all went well.",
            question="Which line of yours hears about the error, and who hears about it after?",
            misconception="swallowed-error",
            actual=told(answer),
        )
        answer = api.post("/tracks", json=new)
    again = answered(answer, 201)
    stored = [row["title"] for row in db.rows("lessons", order_by="position")]
    wanted = [lesson["title"] for lesson in lessons]
    shown = [lesson["title"] for lesson in again["lessons"]]
    assert stored == shown == wanted, hint(
        "The disk had room again, and the same track was stored. Its lessons are not those that"
        " were sent, in their order.",
        expected=wanted,
        actual=f"stored {stored}, answered {shown}",
    )


@check("2 · Of two who register one email at once, one is told that it is taken")
def test_one_email(migrations, db, api, data):
    ready(migrations)
    serve(api)
    email = data.email()
    new = ("POST", "/users", {"email": email, "name": data.name()})
    answers = sorted(kind(one) for one in api.together(new, new, gate="users"))
    assert answers == ["201", "409 email-taken"] and db.count("users", email=email) == 1, hint(
        "Two registered the same email at the same moment. One of them should get it, and the other"
        " one a word that they understand.",
        question="What can happen between your look and your INSERT?",
        misconception="check-then-insert",
        expected="201, 409 email-taken",
        actual=", ".join(answers),
        show=[],  # whose statement comes first is chance
    )
    third = api.post("/users", json={"email": email, "name": data.name()})
    assert kind(third) == "409 email-taken" and db.count("users") == 1, hint(
        "A third one came later with the same email.",
        expected="409 email-taken",
        actual=told(third),
    )
    other = data.email()
    made = answered(api.post("/users", json={"email": other, "name": data.name()}), 201)
    row = db.one("users", email=other)
    assert row is not None and row["id"] == made["id"], hint(
        "After a refusal somebody with another email registered, and is not there."
    )


# Part 3: enrolling


def enrolls(session, module, user, track):
    """A process of the application with a store of its own, and one request in it."""
    import importlib
    import os

    contract = importlib.import_module("contract")
    store = importlib.import_module("store").open_store(os.environ["DATABASE_URL"])
    try:
        store.enroll(user, track)
        return "enrolled"
    except contract.StoreError as error:
        return type(error).__name__
    finally:
        store.close()


def sold_twice_by_one_process(db, api, data):
    """Whether even a single process gives its last seat to two."""
    track, _ = a_track(db, data, seats=1)
    serve(api)
    address = f"/tracks/{track}/enrollments"
    asked = [("POST", address, {"user_id": a_user(db, data)}) for _ in range(2)]
    api.together(*asked, gate="enrollments")
    return db.count("enrollments", track_id=track) > 1


@check("3 · The last seat is given once, also by two processes", points=2)
def test_two_processes(migrations, db, rivals, api, data):
    ready(migrations)
    users = [a_user(db, data) for _ in range(2)]
    track, lessons = a_track(db, data, seats=1)
    processes = rivals.enter(2)
    with rivals.gate("enrollments"):
        for process, user in zip(processes, users, strict=True):
            process.start_driver("enroll", enrolls, user, track)
    ended = sorted(str(result.value) for result in rivals.finish())
    taken = db.count("enrollments")
    alone = taken > 1 and not sold_twice_by_one_process(db, api, data)
    assert taken == 1, hint(
        "The application runs on two machines. One seat was left, two users asked for it at the"
        f" same moment, each on another machine, and {taken} are enrolled.",
        question="Who knows of both of them: a lock in your process, or something else?"
        if alone
        else "What did each of the two know when it wrote, and from when was that?",
        misconception="my-process-is-the-only-one" if alone else "read-is-not-locked",
        expected="1 enrollment",
        actual=f"{taken} enrollments; {', '.join(ended)}",
        show=processes[0].statements,
    )
    assert ended == ["TrackFull", "enrolled"], hint(
        "One of two got the last seat. The other one should be told that the track is full.",
        expected="enrolled, TrackFull",
        actual=", ".join(ended),
        show=processes[0].statements,
    )
    assert db.count("lesson_progress") == len(lessons), hint(
        "Who was refused left records behind.", actual=counts(db, "lesson_progress")
    )


@check("3 · Of two clicks of one user, one enrolls")
def test_two_clicks(migrations, db, api, data):
    ready(migrations)
    user, (track, lessons) = a_user(db, data), a_track(db, data, seats=1)
    serve(api)
    click = ("POST", f"/tracks/{track}/enrollments", {"user_id": user})
    answers = sorted(kind(one) for one in api.together(click, click, gate="enrollments"))
    stored = (db.count("enrollments"), db.count("lesson_progress"))
    assert stored == (1, len(lessons)) and answers == ["201", "409 already-enrolled"], hint(
        "One user pressed the button twice, for the last seat. They have it: neither is the track"
        " full for them, nor did anything unforeseen happen.",
        question="Which error would each of your looks give to the second click?",
        misconception="check-then-insert" if "500 unforeseen" in answers else "",
        expected=f"201, 409 already-enrolled; 1 in enrollments, {len(lessons)} in lesson_progress",
        actual=f"{', '.join(answers)}; {counts(db, 'enrollments', 'lesson_progress')}",
        show=[],
    )


@check("3 · An enrollment that fails in the middle leaves nothing, and the next one works")
def test_an_enrollment_in_the_middle(migrations, db, api, faults, data):
    ready(migrations)
    user, (track, lessons) = a_user(db, data), a_track(db, data, lessons=data.number(4, 7))
    serve(api)
    address, body = f"/tracks/{track}/enrollments", {"user_id": user}
    for lost in (False, True):
        if lost:
            faults.lose_connection("lesson_progress", at=3)
        else:
            faults.fail_insert("lesson_progress", at=3)
        answer = api.post(address, json=body)
        found = (db.count("enrollments"), db.count("lesson_progress"))
        tried_again = (answer.status, found) == (201, (1, len(lessons)))
        if tried_again:
            return
        assert found == (0, 0), hint(
            f"The track has {len(lessons)} lessons. When the third record was written,"
            f" {'the connection was lost' if lost else 'the disk was full'}, and the first part of"
            " the work stayed.",
            question="How many transactions did this one enrollment take?",
            misconception="commit-in-the-loop" if found[1] else "two-transactions",
            expected="0 in enrollments, 0 in lesson_progress",
            actual=counts(db, "enrollments", "lesson_progress"),
        )
        assert answer.status >= 500, hint(
            "Nothing was stored, and the answer says something else.",
            question="Which line of yours hears about the error, and who hears about it then?",
            misconception="swallowed-error",
            expected="a status of 500 or more",
            actual=told(answer),
        )
    answer = api.post(address, json=body)
    assert answer.status == 201 and db.count("lesson_progress") == len(lessons), hint(
        "It failed twice, and then all was well again. The third time should enroll the user.",
        question="In which state did the failure leave your connection, and who gets it next?",
        expected="201",
        actual=f"{told(answer)}; {counts(db, 'lesson_progress')}",
    )


# Part 4: learning, and what it comes to


def studies(session, module, user, lesson, minutes):
    """One device of a user, served by a process of its own."""
    import importlib
    import os

    store = importlib.import_module("store").open_store(os.environ["DATABASE_URL"])
    store.study(user, lesson, minutes, None)
    store.close()


@check("4 · Who learns on two devices at once loses nothing", points=2)
def test_two_devices(migrations, db, rivals, data):
    ready(migrations)
    user, (track, lessons) = a_user(db, data), a_track(db, data)
    before = data.number(50, 90)
    learns(db, user, track, *lessons, minutes=before)
    minutes = data.number(5, 20), data.number(21, 40)
    processes = rivals.enter(2)
    with rivals.holding(
        "SELECT FROM public.lesson_progress WHERE lesson_id = %s FOR UPDATE", [lessons[0]]
    ):
        for process, spent in zip(processes, minutes, strict=True):
            process.start_driver("study", studies, user, lessons[0], spent)
    for process in processes:
        process.finish()
    row = db.one("lesson_progress", user_id=user, lesson_id=lessons[0])
    assert row["minutes"] == before + sum(minutes), hint(
        f"A user had learned for {before} minutes. Then it was {minutes[0]} more on one device and"
        f" {minutes[1]} on another, and both sent it at the same moment.",
        question="Who adds the minutes up, and which number does it add them to?",
        misconception="read-modify-write" if row["minutes"] > before else "upsert-means-reset",
        expected=f"{before + sum(minutes)} minutes",
        actual=f"{row['minutes']} minutes",
        show=processes[0].statements,
    )


PAGES = ("/tracks?limit=100", "/popular?limit=100", "/users/{}/enrollments", "/users/{}/progress")


@check("4 · No page sends more statements when there is more to show", points=2)
def test_budgets(migrations, db, api, statements, data):
    ready(migrations)
    user, other = a_user(db, data), a_user(db, data)
    tracks = [a_track(db, data, lessons=2) for _ in range(30)]
    for track, lessons in tracks:
        learns(db, user, track, *lessons)
    learns(db, other, tracks[0][0], *tracks[0][1])
    long, _ = a_track(db, data, lessons=40)
    serve(api)
    for page in (*PAGES, f"/tracks/{long}"):
        response = api.get(page.format(user))
        sent = statements.last.count
        answered(response)
        assert sent <= BUDGET, hint(
            f"{response.request} sent {sent} statements for some thirty rows; {BUDGET} are allowed."
            " Each is a journey to the database and back, and the page waits for all of them.",
            question="Which of these statements differ only in a number?",
            misconception="lazy-loop",
            expected=f"at most {BUDGET} statements",
            actual=f"{sent} statements",
            show=statements.last,
        )
    listed = answered(api.get(PAGES[2].format(user)))
    shown = answered(api.get(PAGES[0]))["items"]
    numbers = {one["id"]: (one["lessons"], one["learners"]) for one in shown}
    assert len(listed) == 30 and numbers[tracks[0][0]] == (2, 2) and numbers[long] == (40, 0), hint(
        "The pages are cheap, and tell something else than what is in the tables.",
        expected="30 tracks; 2 lessons and 2 learners; 40 lessons and none",
        actual=f"{len(listed)} tracks; {numbers.get(tracks[0][0])}; {numbers.get(long)}",
    )


# Part 5: in operation


def open_and_close(session, module, user):
    """How many sessions there are before a store is opened, and after it was closed."""
    import importlib
    import os
    import time

    from sqlalchemy import text

    count = text("SELECT count(*) FROM pg_stat_activity WHERE usename = current_user")
    before = session.scalar(count)
    store = importlib.import_module("store").open_store(os.environ["DATABASE_URL"])
    store.user(user)
    store.close()
    for _ in range(200):  # a session ends a moment after its connection
        session.rollback()  # a transaction sees the same sessions from its first look to its end
        after = session.scalar(count)
        if after <= before:
            break
        time.sleep(0.01)
    return [before, after]


@check("5 · The store is content with five connections, and uses them again")
def test_connections(migrations, db, api, *, student, statements, data):
    ready(migrations)
    user, (track, _) = a_user(db, data), a_track(db, data, seats=1)
    learns(db, user, track)
    before, after = student.drive(open_and_close, user)
    assert after <= before, hint(
        "A store was opened, used and closed. Two seconds later PostgreSQL still keeps its"
        " connections for it.",
        question="Who gives the connections back when the application ends?",
        expected=f"{before} sessions, as before",
        actual=f"{after} sessions",
    )
    serve(api)
    used = set()
    for n in range(16):
        refused = f"/users/{NOBODY + n}"
        paths = (f"/tracks/{track}", refused, f"/users/{user}/progress", "/tracks")
        api.get(paths[n % 4])
        used |= {statement.session_id for statement in statements.last}
        if n % 4 == 3:
            api.post(f"/tracks/{track}/enrollments", json={"user_id": user})
            used |= {statement.session_id for statement in statements.last}
    assert 0 < len(used) <= 5, hint(
        f"Twenty requests came, one after the other, and some of them were refused. They used"
        f" {len(used)} connections.",
        question="When does your store make a connection, and what becomes of it afterwards?",
        misconception="pool-per-request",
        expected="at most 5 connections",
        actual=f"{len(used)} connections",
    )
    new = [("POST", "/tracks", {"title": data.word()}) for _ in range(7)]
    answers = api.together(*new, gate="tracks")
    used |= {statement.session_id for statement in statements.last}
    assert [one.status for one in answers] == [201] * 7, hint(
        "Seven requests came at the same moment, and not all of them were answered.",
        question="What does a request do that finds all connections in use?",
        expected="201, seven times",
        actual=", ".join(kind(one) for one in answers),
        show=[],
    )
    assert len(used) <= 5, hint(
        f"Seven requests came at the same moment, and the store used {len(used)} connections."
        " PostgreSQL has a hundred of them for everybody, and there will be more machines.",
        question="Who decides how many connections there may be, and what does it decide now?",
        misconception="pool-size-is-the-limit",
        expected="at most 5 connections",
        actual=f"{len(used)} connections",
        show=[],
    )


def play(session, module, kind, asked, known):
    """Ask a store for one thing after the other, and note what it says.

    Ids are told by the order in which they were given, so that two stores can be compared: an
    argument such as ``user:0`` is the first user's id.
    """
    import importlib
    import os

    contract = importlib.import_module("contract")
    if kind == "memory":
        store = importlib.import_module("memory").MemoryStore()
        store.ids = iter(range(5001, 10**6, 7))
    else:
        store = importlib.import_module("store").open_store(os.environ["DATABASE_URL"])
    ids = {what: list(known.get(what, [])) for what in ("user", "track", "lesson")}

    def real(argument):
        what, _, place = argument.partition(":") if isinstance(argument, str) else ("", "", "")
        if what not in ids:
            return argument
        return ids[what][int(place)] if int(place) < len(ids[what]) else int(place) + 10**12

    def plain(answer, what):
        if isinstance(answer, (list, tuple)):
            return [plain(one, what) for one in answer]
        if not hasattr(answer, "keys"):
            return answer
        kinds = {"id": what, "user_id": "user", "track_id": "track", "lesson_id": "lesson"}
        shown = {}
        for key in answer:
            value, of = answer[key], kinds.get(key)
            if of:
                shown[key] = f"{of} {ids[of].index(value) if value in ids[of] else value}"
            elif key == "average_score":
                shown[key] = None if value is None else round(float(value), 2)
            else:
                shown[key] = plain(value, "lesson" if key == "lessons" else "track")
        return shown

    said = []
    for method, arguments in asked:
        try:
            answer = getattr(store, method)(*map(real, arguments))
            if method in ("add_user", "add_track"):
                ids["user" if method == "add_user" else "track"].append(answer["id"])
                ids["lesson"] += [lesson["id"] for lesson in answer.get("lessons", [])]
            said.append(plain(answer, "user" if "user" in method else "track"))
        except contract.StoreError as error:
            said.append(type(error).__name__)
        except Exception as error:
            said.append(f"raised {type(error).__name__}: {error}"[:200])
    store.close()
    return {"said": said, "ids": ids}


def a_course(data, length):
    """Things to ask for at random, also with ids that are not there yet, or never will be."""
    rng = data.rng
    words = [data.word(2) for _ in range(4)]
    levels = ("beginner", "intermediate", "advanced")

    def some(what, most):
        return f"{what}:{rng.choice([*range(most), 999])}"

    def new_track():
        parts = [{"title": rng.choice(words), "minutes": n} for n in range(rng.randint(0, 3))]
        title = f"{rng.choice(words)} {rng.choice(words)}"
        return title, rng.choice(levels), rng.choice([0, 1990]), rng.choice([None, 1, 2]), parts

    def changes():
        every = {
            "title": rng.choice(words),
            "difficulty": rng.choice(levels),
            "price_cents": rng.choice([0, 500]),
            "seats": rng.choice([None, 1, 3]),
            "published": rng.random() < 0.8,
        }
        return {key: every[key] for key in rng.sample(sorted(every), rng.randint(0, 3))}

    def study():
        score = rng.choice([None, 0, 70, 100])
        return some("user", 3), some("lesson", 6), rng.randint(0, 60), score

    def page():
        search, level = rng.choice([None, *words]), rng.choice([None, *levels])
        return search, level, rng.randint(1, 2), rng.randint(1, 3)

    kinds = {
        "add_user": lambda: (f"{rng.choice(words)}@a.example", rng.choice(words)),
        "user": lambda: (some("user", 4),),
        "add_track": new_track,
        "track": lambda: (some("track", 6),),
        "change_track": lambda: (some("track", 6), changes()),
        "tracks": page,
        "enroll": lambda: (some("user", 3), some("track", 4)),
        "enrollments": lambda: (some("user", 4),),
        "study": study,
        "progress": lambda: (some("user", 4),),
        "popular": lambda: (rng.randint(1, 4),),
    }
    weights = [2 if name in ("enroll", "study", "change_track") else 1 for name in kinds]
    chosen = rng.choices(list(kinds), weights, k=length)
    return [*a_beginning(words), *((name, kinds[name]()) for name in chosen)]


def a_beginning(words):
    """What is asked in every run: so it does not depend on luck whether a mistake is seen."""
    parts = [{"title": word, "minutes": 10} for word in words[:2]]
    asked = [("add_user", (f"{word}@a.example", word)) for word in words[:2]]
    asked += [("add_track", (f"{words[n]} {n}", "beginner", 500, 9, parts)) for n in range(3)]
    asked += [("change_track", (f"track:{n}", {"published": True})) for n in range(3)]
    asked += [("enroll", (f"user:{n}", "track:0")) for n in (0, 1, 0)]
    studied = ((0, 0, 10, 80), (0, 0, 5, 60), (1, 0, 7, None), (1, 1, 0, 40))
    asked += [("study", (f"user:{u}", f"lesson:{n}", spent, got)) for u, n, spent, got in studied]
    asked += [(name, (f"user:{n}",)) for n in range(2) for name in ("progress", "enrollments")]
    asked += [("popular", (9,)), ("tracks", (None, None, 1, 2)), ("tracks", (words[0], None, 2, 1))]
    # Fewer seats than learners: the track is full for whoever comes.
    asked += [("change_track", ("track:0", {"seats": 1})), ("add_user", ("late@a.example", "Late"))]
    asked += [("enroll", ("user:2", "track:0")), ("change_track", ("track:0", {"seats": 3}))]
    asked += [(name, ("user:999",)) for name in ("user", "progress", "enrollments")]
    asked += [("track", ("track:999",)), ("change_track", ("track:999", {"title": words[0]}))]
    asked += [("enroll", ("user:999", "track:0")), ("enroll", ("user:0", "track:999"))]
    asked += [("study", (f"user:{u}", f"lesson:{n}", 1, None)) for u, n in ((999, 0), (0, 999))]
    changes = ({"seats": None}, {"price_cents": 0, "published": False}, {}, {"title": words[3]})
    return asked + [("change_track", ("track:2", change)) for change in changes]


def agree(wanted, found):
    """Whether an answer has all that it should; it may have more."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            key in found and agree(value, found[key]) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        pairs = zip(wanted, found, strict=False) if isinstance(found, list) else ()
        return len(wanted) == len(found) and all(agree(w, f) for w, f in pairs)
    return bool(wanted == found)


@check("5 · A hundred things in a row: your store says what the one in memory says")
def test_both_stores_say_the_same(migrations, student, data):
    ready(migrations)
    asked = a_course(data, 90)
    half = len(asked) // 2
    wanted = student.drive(play, "memory", asked, {})["said"]
    # In two halves: what is not in PostgreSQL is gone after the first.
    first = student.drive(play, "postgresql", asked[:half], {})
    second = student.drive(play, "postgresql", asked[half:], first["ids"])
    found = [*first["said"], *second["said"]]
    wrong = [n for n, answer in enumerate(wanted) if not agree(answer, found[n])]
    place = wrong[0] if wrong else 0
    method, arguments = asked[place]
    assert not wrong, hint(
        f"{len(asked)} things were asked of your store and of the one in memory, one after the"
        f" other. Of number {place + 1}, {method}, they say two things. (Ids are told by the order"
        " in which they were given.)",
        question="What does memory.py do here, step by step, and what does yours?",
        expected=f"{method}{arguments} gives {wanted[place]}",
        actual=found[place],
        show=[],
    )


# Part 6: a database for tests


def in_a_test(session, module, email, track):
    """A test that stores something beside what is there, and fails."""
    import importlib
    import os

    contract, tests = importlib.import_module("contract"), importlib.import_module("store_tests")
    told = {}

    class TestFails(Exception):
        pass

    try:
        with tests.store_for_test(os.environ["DATABASE_URL"]) as store:
            user = store.add_user(email, "Ada")["id"]
            store.enroll(user, track)
            store.change_track(track, {"title": "Changed by a test"})
            try:
                store.enroll(user, track)
            except contract.AlreadyEnrolled:
                told["refused"] = True
            told["seen"] = store.track(track)["title"]
            raise TestFails
    except TestFails:
        told["raised"] = True
    return told


@check("6 · A test that fails is undone as well, also where it changed somebody's rows")
def test_a_failing_test_is_undone(migrations, db, student, data):
    ready(migrations)
    track, lessons = a_track(db, data)
    learns(db, a_user(db, data), track, *lessons)
    before = db.snapshot()
    for _ in range(2):
        told = student.drive(in_a_test, data.email(), track)
        changed = db.changes(before)
        assert told == {"refused": True, "seen": "Changed by a test", "raised": True}, hint(
            "A test changed a track that was there, and then it failed with an error of its own."
            " That error should reach whoever runs the tests.",
            question="Who sees that a test has failed?",
            misconception="swallowed-error" if "raised" not in told else "",
            expected="refused, changed, raised",
            actual=told,
        )
        assert not changed, hint(
            "A test failed, and what it had done stayed, or what was there is not as it was.",
            question="Which line of store_for_test runs when a test raises, and what does it undo?",
            misconception="emptied-is-undone" if any(c.deleted for c in changed.values()) else "",
            expected="as before",
            actual=", ".join(changed),
        )


def trial(session, module, wanted):
    """Which of the submission's tests fail on which store."""
    import importlib

    memory = importlib.import_module("memory")
    contract = importlib.import_module("contract")
    tests = importlib.import_module("store_tests")
    found = {name: test for name, test in vars(tests).items() if name.startswith("test_")}

    class Wildcards(memory.MemoryStore):
        def tracks(self, search, difficulty, page, limit):
            import re

            pattern = re.escape((search or "").lower()).replace("%", ".*").replace("_", ".")
            every = super().tracks(None, difficulty, 1, 10**6)["items"]
            items = [one for one in every if re.search(pattern, one["title"].lower())]
            return {"items": items[(page - 1) * limit : page * limit], "total": len(items)}

    class TheOthersEmptied(memory.MemoryStore):
        def change_track(self, track_id, changes):
            self.track(track_id)
            return super().change_track(track_id, {"seats": None, **changes})

    class EnrollsAnew(memory.MemoryStore):
        def enroll(self, user_id, track_id):
            self.learning.pop((user_id, track_id), None)
            return super().enroll(user_id, track_id)

    class OneMore(memory.MemoryStore):
        def enroll(self, user_id, track_id):
            seats = self.track(track_id)["seats"]
            if seats is None or (user_id, track_id) in self.learning:
                return super().enroll(user_id, track_id)
            self.catalog[track_id]["seats"] = seats + 1
            try:
                return super().enroll(user_id, track_id)
            finally:
                self.catalog[track_id]["seats"] = seats

    class AnybodyStudies(memory.MemoryStore):
        def study(self, user_id, lesson_id, minutes, score):
            try:
                return super().study(user_id, lesson_id, minutes, score)
            except contract.NotEnrolled:
                return {"lesson_id": lesson_id, "minutes": minutes, "score": score}

    class LastScore(memory.MemoryStore):
        def study(self, user_id, lesson_id, minutes, score):
            told = super().study(user_id, lesson_id, minutes, score)
            for (who, _), records in self.learning.items():
                if who == user_id and lesson_id in records and score is not None:
                    records[lesson_id]["score"] = told["score"] = score
            return told

    class OnlyTheLearned(memory.MemoryStore):
        def popular(self, limit):
            return [one for one in super().popular(10**6) if one["learners"]][:limit]

    stores = {
        "right": memory.MemoryStore,
        "letters": Wildcards,
        "left out": TheOthersEmptied,
        "twice": EnrollsAnew,
        "full": OneMore,
        "anybody": AnybodyStudies,
        "score": LastScore,
        "zeros": OnlyTheLearned,
    }
    told = {}
    for name in wanted:
        told[name] = {}
        for test, function in found.items():
            try:
                function(stores[name]())
            except Exception as error:
                told[name][test] = f"{type(error).__name__}: {error}"[:200]
    return told


BROKEN = {
    "letters": "takes % and _ for wildcards (rule 4)",
    "left out": "empties the seats when only the title changes (rule 2)",
    "twice": "enrolls somebody a second time (rule 6)",
    "full": "lets one more in (rule 7)",
    "anybody": "lets anybody study (rule 8)",
    "score": "keeps the last score (rule 9)",
    "zeros": "leaves out the tracks without learners (rule 10)",
}


@check("6 · Your tests notice the other wrong stores, too")
def test_the_tests_notice_more(migrations, student, data):
    ready(migrations)
    told = student.drive(trial, ["right", *BROKEN])
    assert not told["right"], hint(
        "A store that keeps all rules, and your tests fail on it.",
        misconception="",
        actual="; ".join(f"{test}: {why}" for test, why in told["right"].items()),
    )
    unseen = [what for name, what in BROKEN.items() if not told[name]]
    assert not unseen, hint(
        f"{len(BROKEN)} stores break one rule each. All of your tests pass on"
        f" {len(unseen)} of them, so nobody would notice.",
        question="Which line of your tests would have to fail here?",
        misconception="green-is-right",
        expected="a test that fails on each of them",
        actual="not noticed: a store that " + ", and one that ".join(unseen),
    )
