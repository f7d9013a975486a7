"""What the tracker must do, part by part. Your grader runs more checks than these."""

from grader.checks import check, hint

PRICE = "0003_price_cents.py"
NOBODY = 10**12


def ready(migrations):
    """The tables as your revisions leave them."""
    migrations.upgrade("head")


def serve(api):
    api.start("app:create_app", factory=True)


def a_user(db, data):
    [user] = db.insert("users", {"email": data.email(), "name": data.name()})
    return user["id"]


def a_track(db, data, lessons=3, **fields):
    """A published track and the ids of its lessons, as another program stores them."""
    wanted = {"title": data.text(3), "difficulty": "beginner", "published": True, **fields}
    [track] = db.insert("tracks", wanted)
    rows = (
        {"track_id": track["id"], "position": n, "title": data.word(), "minutes": 10 + n}
        for n in range(lessons)
    )
    return track["id"], [row["id"] for row in db.insert("lessons", *rows)]


def learns(db, user, track, *records):
    """An enrollment, with a lesson, minutes and score for each record, as another program stores
    it; without minutes the lesson was not begun.
    """
    db.insert("enrollments", {"user_id": user, "track_id": track})
    for lesson, minutes, score in records:
        row = {"user_id": user, "lesson_id": lesson, "minutes": minutes or 0, "score": score}
        done = {} if minutes is None else {"completed_at": "2026-03-01 12:00+00"}
        db.insert("lesson_progress", row | done)


def answered(response, status=200):
    """The body of an answer that should have this status."""
    assert response.status == status, hint(
        f"{response.request} should be answered with status {status}.",
        question="What does the contract say that this method gives, and what came instead?"
        if response.status < 500
        else "Which exception left your store here? Only those of contract.py are understood.",
        misconception="",
        expected=status,
        actual=told(response),
    )
    return fields(response.json())


class Fields(dict):
    """An object of an answer: one that lacks a field is not what the contract says."""

    def __missing__(self, field):
        raise AssertionError(
            hint(
                f"An answer should have the field {field}, and it is not there.",
                question="What is it called in the contract, and what came in its place?",
                misconception="",
                expected=field,
                actual=", ".join(self) or "no fields",
            )
        )


def fields(value):
    """An answer, all of whose objects tell what they lack."""
    if isinstance(value, list):
        return [fields(one) for one in value]
    if isinstance(value, dict):
        return Fields({name: fields(one) for name, one in value.items()})
    return value


def told(response):
    """An answer in a few words."""
    return f"{response.status} {response.text[:300]}"


def kind(response):
    """The status, and of a problem what it is called."""
    body = response.json() if response.status >= 400 else {}
    name = body.get("type") if isinstance(body, dict) else None
    return f"{response.status} {name}" if name else str(response.status)


def only(row, *keys):
    return {key: row[key] for key in keys}


def number(value):
    """A figure as a plain number with two places at most."""
    return None if value is None else round(float(value), 2)


# Part 1: tables


@check("1 · From 0001 there is one way up, and PostgreSQL keeps the rules", points=2)
def test_the_tables_keep_the_rules(migrations, db, probe, data):
    heads = migrations.heads
    assert len(heads) == 1, hint(
        f"Your revisions end in {len(heads)} heads: {', '.join(heads)}. Nobody can tell which of"
        " them is the end.",
        question="Which revision does each of them build on?",
        misconception="two-heads",
        expected="one head",
        actual=", ".join(heads),
    )
    ready(migrations)
    user, (track, [first, second]) = a_user(db, data), a_track(db, data, lessons=2)
    enrolled = {"user_id": user, "track_id": track}
    probe.accepts("enrollments", enrolled)
    probe.refuses(
        "enrollments",
        enrolled,
        enrolled,
        sqlstate="23505",
        because="Two enrollments of one user in one track are one too many.",
    )
    learned = {"user_id": user, "lesson_id": first, "minutes": 5, "score": 100}
    probe.accepts("lesson_progress", learned, learned | {"lesson_id": second, "score": None})
    probe.refuses(
        "lesson_progress",
        learned,
        learned | {"minutes": 7},
        sqlstate="23505",
        because="With two records of one lesson nobody knows which of them is right.",
    )
    for table, row, why in (
        ("enrollments", enrolled | {"user_id": NOBODY}, "Nobody has this user_id."),
        ("enrollments", enrolled | {"track_id": NOBODY}, "No track has this track_id."),
        ("lesson_progress", learned | {"user_id": NOBODY}, "Nobody has this user_id."),
        ("lesson_progress", learned | {"lesson_id": NOBODY}, "No lesson has this lesson_id."),
    ):
        probe.refuses(table, row, sqlstate=("23503", "22003"), because=why)
    wrong = ("23514", "22003", "23502")
    for column, value in (("minutes", -1), ("score", 101), ("score", -1)):
        probe.refuses(
            "lesson_progress",
            learned | {column: value},
            sqlstate=wrong,
            because=f"{column} of {value} means nothing.",
        )
    row = {"title": data.text(2), "difficulty": "beginner", "seats": 0}
    probe.refuses("tracks", row, sqlstate=wrong, because="A track without a seat is for nobody.")


@check("1 · Autogenerate finds nothing between the tables and models.py")
def test_no_drift(migrations):
    ready(migrations)
    found = migrations.drift("models")
    assert not found, hint(
        "The tables are up to date, and alembic revision --autogenerate would write another"
        " revision. So models.py and your revisions tell two stories.",
        question="Which of the two is right, and what would the other one have to say?",
        expected="nothing to do",
        actual="; ".join(found),
    )


PRICES = hint(
    "PostgreSQL refused: the new column must not be NULL, and the tracks that are there have"
    " nothing in it.",
    question="What should a track have in the new column that was there before, and by when?",
    misconception="not-null-at-once",
)


def cents(price):
    return 0 if price is None else round(price * 100)


def some_prices(data):
    """Prices with and without cents, some that floats get wrong, and one that is not there."""
    return [data.number(1, 90), data.number(100, 9000) / 100, 19.9, 1.15, 0.01, None]


def priced(db, data, prices):
    """Tracks with these prices in the old table."""
    rows = ({"title": data.text(2), "difficulty": "beginner", "price": price} for price in prices)
    return db.insert("tracks", *rows)


@check("1 · Prices become cents, and nothing else changes", points=2)
def test_prices_become_cents(migrations, db, probe, data):
    migrations.upgrade("0001")
    prices = some_prices(data)
    tracks = priced(db, data, prices)
    db.insert("lessons", {"track_id": tracks[0]["id"], "position": 1, "title": "ON", "minutes": 20})
    users, lessons = db.insert("users", {"email": data.email(), "name": "Ada"}), db.rows("lessons")
    migrations.upgrade("head", refused={"23502": PRICES})
    after = db.rows("tracks", order_by="id")
    wanted = [cents(price) for price in prices]
    found = [row.get("price_cents") for row in after]
    assert found == wanted, hint(
        f"There were tracks with the prices {', '.join(map(str, prices))}. After the way up they"
        " have other ones.",
        question="Where did the old values go: who read them before their column was dropped?"
        if not any(found)
        else "How do you get from 19.90 to 1990, and from NULL to 0?",
        misconception="autogenerate-knows" if not any(found) else "",
        expected=wanted,
        actual=found,
    )
    kept = [{key: row[key] for key in row if key != "price"} for row in tracks]
    assert "price" not in after[0] and [only(row, *kept[0]) for row in after] == kept, hint(
        "The prices are right. But the old column is still there, or something else of the tracks"
        " has changed.",
        expected=kept[0],
        actual=after[0],
    )
    assert [db.rows("users"), db.rows("lessons")] == [users, lessons], hint(
        "The users or lessons that were there are not what they were."
    )
    [new] = db.insert("tracks", {"title": data.word(), "difficulty": "beginner"})
    assert new["price_cents"] == 0, hint(
        "A new track that says nothing of a price should cost 0.", actual=new["price_cents"]
    )
    for value in (None, -1):
        row = {"title": data.word(), "difficulty": "beginner", "price_cents": value}
        assert probe.refusal("tracks", row) is not None, hint(
            f"A track with {'NULL' if value is None else value} as price_cents was accepted.",
            question="By what does PostgreSQL know what a column must not hold?",
            expected="refused",
            actual="accepted",
        )


@check("1 · Down again, every track has the price that it should", points=2)
def test_prices_come_back(migrations, db, data):
    migrations.upgrade("0001")
    prices = some_prices(data)
    ids = [row["id"] for row in priced(db, data, prices)]
    ready(migrations)
    later = data.number(100, 9999)
    row = {"title": data.word(), "difficulty": "advanced", "price_cents": later}
    ids += [new["id"] for new in db.insert("tracks", row)]
    migrations.downgrade("0001")
    found = {row["id"]: number(row.get("price")) for row in db.rows("tracks")}
    wanted = dict(zip(ids, [number(price) for price in prices] + [later / 100], strict=True))
    assert found == wanted, hint(
        "The release went wrong, the revisions were taken back, and the old program reads the"
        " prices again. It finds other ones.",
        question="Your way down makes a column. Who fills it?"
        if not any(found.values())
        else "What becomes of 1990 on the way down, and what of 0?",
        misconception="down-is-only-structure" if not any(found.values()) else "",
        expected=list(wanted.values()),
        actual=list(found.values()),
    )


# Part 2: the catalog


@check("2 · What was stored is there after a restart", points=2)
def test_a_restart(migrations, db, api, statements, data):
    ready(migrations)
    serve(api)
    email, title = data.email(), data.text(3)
    user = answered(api.post("/users", json={"email": email, "name": data.name()}), 201)
    lessons = [{"title": data.word(), "minutes": data.number(5, 60)} for _ in range(4)]
    new = {"title": title, "difficulty": "advanced", "price_cents": 1990, "seats": 3}
    made = api.post("/tracks", json={**new, "lessons": lessons})
    track = answered(made, 201)
    wrote = any(statement.kind == "INSERT" for statement in statements.last)
    shown = [only(lesson, "title", "minutes") for lesson in track["lessons"]]
    assert (only(track, *new), track["published"], shown) == (new, False, lessons), hint(
        "A track was stored, and the answer is another one.", expected=new, actual=track
    )
    answered(api.patch(f"/tracks/{track['id']}", json={"published": True}))
    api.restart()
    again = [api.get(f"/users/{user['id']}"), api.get(f"/tracks/{track['id']}")]
    assert [one.status for one in again] == [200, 200], hint(
        "A user and a track were stored, and the application answered with 201. Then its machine"
        " was restarted, as every night, and they are gone.",
        question="Where is what you were given when the process has ended?",
        misconception="flushed-is-saved" if wrote else "",
        expected="200 and 200",
        actual=" and ".join(kind(one) for one in again),
    )
    assert [one.json() for one in again] == [user, {**track, "published": True}], hint(
        "After a restart the user or the track is another one than before.",
        expected=[user, {**track, "published": True}],
        actual=[one.json() for one in again],
    )
    stored = (db.count("users", email=email), db.count("lessons", track_id=track["id"]))
    assert stored == (1, 4), hint(
        "The application knows them after the restart, and the tables do not.",
        expected="1 row in users, 4 in lessons",
        actual=f"{stored[0]} in users, {stored[1]} in lessons",
    )
    assert [api.get(f"/{what}/{NOBODY}").status for what in ("users", "tracks")] == [404, 404], (
        hint("Somebody asked for a user and a track that are not there, and was not told 404.")
    )


@check("2 · The list of tracks searches, filters, and counts beyond the page")
def test_the_list(migrations, db, api, data):
    ready(migrations)
    word = data.word(4)
    many = data.number(7, 9)
    wanted = [a_track(db, data, title=f"{word} {data.word()}", lessons=n)[0] for n in range(many)]
    a_track(db, data, title=f"{word} {data.word()}", difficulty="advanced")
    a_track(db, data, title=f"{word} {data.word()}", published=False)
    other = a_track(db, data)[0]
    for user in (a_user(db, data), a_user(db, data)):
        learns(db, user, wanted[2])
    serve(api)
    page = answered(api.get(f"/tracks?search={word.upper()}&difficulty=beginner&page=2&limit=3"))
    found, total = [one["id"] for one in page["items"]], page["total"]
    assert found == wanted[::-1][3:6], hint(
        f"{many} published tracks for beginners have the word {word} in their title. The second"
        " page of three should go on where the first one ends, the newest first.",
        question="Which rows stand before these, and in which order?",
        expected=wanted[::-1][3:6],
        actual=found,
    )
    assert total == many, hint(
        f"The page shows three tracks, and {many} match. Whoever reads the total does not know that"
        " there is more.",
        question="What do you count: the tracks that match, or those that you fetched?",
        misconception="count-of-the-page" if total == 3 else "",
        expected=many,
        actual=total,
    )
    everything = answered(api.get("/tracks?limit=50"))
    numbers = {one["id"]: (one["lessons"], one["learners"]) for one in everything["items"]}
    assert (numbers.get(wanted[2]), numbers.get(other)) == ((2, 2), (3, 0)), hint(
        "A track has two lessons and two learners, another one three lessons and nobody. The list"
        " of all tracks tells something else.",
        question="How many rows are there for one track when its lessons and its learners are"
        " joined, and how many for one without learners?",
        misconception="inner-join-loses-zeros"
        if other not in numbers
        else "fan-out"
        if numbers.get(wanted[2]) == (4, 4)
        else "",
        expected="2 and 2, 3 and 0",
        actual=f"{numbers.get(wanted[2])} and {numbers.get(other)}",
    )
    assert len(numbers) == everything["total"] == many + 2, hint(
        "Without a search the list has other tracks than the published ones.",
        expected=many + 2,
        actual=f"{len(numbers)} tracks, total {everything['total']}",
    )


@check("2 · A field that is left out stays, and null empties it")
def test_changes(migrations, db, api, data):
    ready(migrations)
    track, lessons = a_track(db, data, seats=5, price_cents=900, published=False)
    other, _ = a_track(db, data, seats=5)
    serve(api)
    title = data.text(2)
    steps = (
        ({"title": title}, {}),
        ({"seats": None, "published": True}, {"title": title}),
        ({"price_cents": 0, "published": False}, {"title": title, "seats": None}),
    )
    for changes, before in steps:
        answer = answered(api.patch(f"/tracks/{track}", json=changes))
        row = db.one("tracks", id=track)
        wanted = {"seats": 5, "price_cents": 900, "difficulty": "beginner"} | before | changes
        assert only(row, *wanted) == only(answer, *wanted) == wanted, hint(
            f"PATCH with {changes} should change just that.",
            question="How does your code tell a field that was left out from one that is empty?",
            misconception="truthy-update"
            if any(row[key] != value and not value for key, value in changes.items())
            else "",
            expected=wanted,
            actual=f"answered {only(answer, *wanted)}, stored {only(row, *wanted)}",
        )
    assert db.one("tracks", id=other)["seats"] == 5, hint("Another track was changed as well.")
    assert [one["id"] for one in answer["lessons"]] == lessons, hint("Its lessons are not told.")
    missing = api.patch(f"/tracks/{NOBODY}", json={"title": title})
    assert kind(missing) == "404 not-found", hint(
        "A track that is not there was to be changed.", expected=404, actual=told(missing)
    )


# Part 3: enrolling


def enrollment_of(db, user, lessons):
    """How many enrollments a user has, and how many records for these lessons."""
    records = db.rows("lesson_progress", user_id=user)
    return db.count("enrollments", user_id=user), sum(r["lesson_id"] in lessons for r in records)


@check("3 · An enrollment is stored whole, and refused with the right words", points=2)
def test_enrolling(migrations, db, api, data):
    ready(migrations)
    user, other = a_user(db, data), a_user(db, data)
    many = data.number(4, 8)
    a_track(db, data)
    track, lessons = a_track(db, data, lessons=many, seats=1)
    draft, _ = a_track(db, data, published=False)
    serve(api)
    answer = answered(api.post(f"/tracks/{track}/enrollments", json={"user_id": user}), 201)
    found = enrollment_of(db, user, lessons)
    assert found == (1, many) and answer["lessons"] == many, hint(
        f"A user was enrolled in a track of {many} lessons. Seen from another session, something"
        " else is there.",
        question="What should be in the two tables after that, and has it been committed?",
        misconception="flushed-is-saved" if found == (0, 0) else "",
        expected=f"1 enrollment, {many} records",
        actual=f"{found[0]} enrollments, {found[1]} records; answered {answer}",
    )
    begun = [r for r in db.rows("lesson_progress") if r["completed_at"] or r["minutes"]]
    assert not begun, hint("The user has only enrolled, and has completed lessons.", actual=begun)
    before = db.snapshot()
    for where, who, wanted in (
        (draft, other, "409 not-published"),
        (track, user, "409 already-enrolled"),
        (track, other, "409 track-full"),
        (NOBODY, other, "404 not-found"),
        (track, NOBODY, "404 not-found"),
    ):
        refused = api.post(f"/tracks/{where}/enrollments", json={"user_id": who})
        assert kind(refused) == wanted, hint(
            f"{refused.request} should be refused with {wanted}.",
            question="Who looks at that, and when: your store, or a rule of the tables?",
            misconception="the-page-does-not-offer-it"
            if (where, refused.status) == (draft, 201)
            else "",
            expected=wanted,
            actual=told(refused),
        )
    assert not db.changes(before), hint("A refusal changed something.", actual=db.changes(before))


@check("3 · Of those who want the last seats at once, only so many get one", points=2)
def test_the_last_seats(migrations, db, api, data):
    ready(migrations)
    users = [a_user(db, data) for _ in range(4)]
    track, lessons = a_track(db, data, seats=2)
    serve(api)
    ask = [("POST", f"/tracks/{track}/enrollments", {"user_id": user}) for user in users]
    answers = api.together(*ask, gate="enrollments")
    taken = db.count("enrollments", track_id=track)
    ended = sorted(kind(answer) for answer in answers)
    assert taken <= 2, hint(
        f"The track has two seats. Four users asked for one at the same moment, and {taken} are"
        " enrolled.",
        question="What did each of the four know when it wrote, and from when was that?",
        misconception="read-is-not-locked",
        expected="2 enrollments",
        actual=f"{taken} enrollments; answered {', '.join(ended)}",
        show=[],
    )
    assert ended == ["201", "201", "409 track-full", "409 track-full"], hint(
        "Two seats, four users at the same moment. Two should get one, and the others should be"
        " told that the track is full.",
        question="What does your store say to somebody whom PostgreSQL refused for another's sake?",
        expected="201, 201, 409 track-full, 409 track-full",
        actual=", ".join(ended),
        show=[],
    )
    records = db.count("lesson_progress")
    assert (taken, records) == (2, 2 * len(lessons)), hint(
        "Who was refused left something behind, or who was enrolled has not all lessons.",
        expected=f"2 enrollments, {2 * len(lessons)} records",
        actual=f"{taken} enrollments, {records} records",
        show=[],
    )


# Part 4: learning, and what it comes to


@check("4 · Minutes add up, the best score stays, and only learners learn")
def test_studying(migrations, db, api, data):
    ready(migrations)
    user, other = a_user(db, data), a_user(db, data)
    track, [lesson, *_] = a_track(db, data)
    learns(db, other, track, (lesson, 7, 50))
    learns(db, user, track, (lesson, None, None))
    elsewhere = a_track(db, data)[1][0]
    serve(api)
    address = f"/users/{user}/lessons/{lesson}"
    first, second, third = (data.number(5, 40) for _ in range(3))
    for minutes, score, total, best in (
        (first, 80, first, 80),
        (second, 60, first + second, 80),
        (third, None, first + second + third, 80),
    ):
        answer = answered(api.post(address, json={"minutes": minutes, "score": score}))
        row = db.one("lesson_progress", user_id=user, lesson_id=lesson)
        assert (row["minutes"], row["score"]) == (total, best), hint(
            f"Somebody studied a lesson for {minutes} minutes more and scored"
            f" {'nothing' if score is None else score}. The record has lost something.",
            question="Which columns of the old row should this call change, and how?",
            misconception="upsert-means-reset",
            expected=f"{total} minutes, best score {best}",
            actual=f"{row['minutes']} minutes, score {row['score']}",
        )
        assert (answer["minutes"], answer["score"]) == (total, best), hint(
            "The record is right, and the answer tells something else.", actual=answer
        )
        assert row["completed_at"], hint("The lesson was studied, and is not completed.")
    kept = db.one("lesson_progress", user_id=other, lesson_id=lesson)
    assert (kept["minutes"], kept["score"]) == (7, 50), hint("Another user's record was changed.")
    for address, wanted in (
        (f"/users/{user}/lessons/{elsewhere}", "409 not-enrolled"),
        (f"/users/{user}/lessons/{NOBODY}", "404 not-found"),
        (f"/users/{NOBODY}/lessons/{lesson}", "404 not-found"),
    ):
        refused = api.post(address, json={"minutes": 5})
        assert kind(refused) == wanted, hint(
            f"{refused.request} should be refused with {wanted}.", expected=wanted,
            actual=told(refused),
        )  # fmt: skip


@check("4 · A user's progress is what the records say")
def test_progress(migrations, db, api, data):
    ready(migrations)
    user, other = a_user(db, data), a_user(db, data)
    (one, first), (two, second) = a_track(db, data, lessons=3), a_track(db, data, lessons=2)
    empty, _ = a_track(db, data, lessons=0)
    low, high = data.number(40, 60), data.number(70, 90)
    minutes = [data.number(5, 40) for _ in range(3)]
    learns(
        db, user, one,
        (first[0], minutes[0], low), (first[1], minutes[1], None), (first[2], None, None),
    )  # fmt: skip
    learns(db, user, two, (second[0], minutes[2], high), (second[1], None, None))
    learns(db, user, empty)
    learns(db, other, two, (second[0], 90, 100), (second[1], 90, 100))
    serve(api)
    answer = answered(api.get(f"/users/{user}/progress"))
    wanted = {"tracks": 3, "lessons": 5, "completed": 3, "minutes": sum(minutes)}
    assert only(answer, *wanted) == wanted, hint(
        "A user is enrolled in three tracks with five lessons and has completed three of them."
        " Others learn, too.",
        question="How many rows does each of your joins give for one record?",
        expected=wanted,
        actual=only(answer, *wanted),
    )
    average = number(answer["average_score"])
    assert average == (low + high) / 2, hint(
        f"Two lessons have a score, {low} and {high}, and three have none. The average is over the"
        " scores that there are.",
        question="What is the average of 80 and a score that nobody has given yet?",
        misconception="null-is-zero",
        expected=(low + high) / 2,
        actual=average,
    )
    lists = answered(api.get(f"/users/{user}/enrollments"))
    found = [tuple(only(row, "track_id", "lessons", "completed").values()) for row in lists]
    assert found == [(one, 3, 2), (two, 2, 1), (empty, 0, 0)], hint(
        "The list of what the user is enrolled in tells something else: track, lessons, and how"
        " many of them are completed.",
        question="What does a track look like in your query that has no lessons?",
        misconception="inner-join-loses-zeros" if len(found) == 2 else "",
        expected=[(one, 3, 2), (two, 2, 1), (empty, 0, 0)],
        actual=found,
    )


@check("4 · The popular tracks are counted right, each thing by itself", points=2)
def test_popular_tracks(migrations, db, api, rivals, data):
    ready(migrations)
    users = [a_user(db, data) for _ in range(3)]
    quiet, _ = a_track(db, data, lessons=2)
    busy, lessons = a_track(db, data, lessons=3)
    later, _ = a_track(db, data, lessons=1)
    a_track(db, data, published=False)
    with rivals.holding("UPDATE public.tracks SET title = title || '!' WHERE id = %s", [quiet]):
        pass  # a row that was changed is read after the others
    minutes = [data.number(5, 40) for _ in range(4)]
    scores = [data.number(50, 99) for _ in range(2)]
    learns(
        db, users[0], busy, *zip(lessons, minutes[:3], [scores[0], None, scores[1]], strict=True)
    )
    learns(
        db, users[1], busy, (lessons[0], minutes[3], None), *((n, None, None) for n in lessons[1:])
    )
    learns(db, users[2], busy, *((lesson, None, None) for lesson in lessons))
    serve(api)
    found = {row["track_id"]: row for row in answered(api.get("/popular"))}
    assert list(found) == [busy, quiet, later], hint(
        "Three published tracks: one has three learners, the others have none. The list should have"
        " all three, that one first, and the others by their ids.",
        question="What does a JOIN do with a track that has no partner on the other side?"
        if quiet not in found
        else "In which order do rows come that are equal in what you sort by?",
        misconception="inner-join-loses-zeros" if quiet not in found else "",
        expected=[busy, quiet, later],
        actual=list(found),
    )
    wanted = {"lessons": 3, "learners": 3, "completed": 4, "minutes": sum(minutes)}
    counted = only(found[busy], *wanted)
    assert counted == wanted, hint(
        "The busy track has three lessons and three learners, who have completed four lessons. The"
        " list tells something else.",
        question="How many rows has a join of its lessons, its learners and their records?",
        misconception="fan-out"
        if all(counted[key] >= value for key, value in wanted.items())
        else "",
        expected=wanted,
        actual=counted,
    )
    average = number(found[busy]["average_score"])
    assert average == sum(scores) / 2, hint(
        f"Two scores were given, {scores[0]} and {scores[1]}. The average is over those.",
        question="What do records without a score do to your average?",
        misconception="null-is-zero",
        expected=sum(scores) / 2,
        actual=average,
    )
    nothing = {"lessons": 2, "learners": 0, "completed": 0, "minutes": 0, "average_score": None}
    assert only(found[quiet], *nothing) == nothing, hint(
        "Nobody learns in the quiet track: it has lessons, no learners, no minutes, no average.",
        question="What do sum() and avg() give for no rows, and which of both is right as it is?",
        expected=nothing,
        actual=only(found[quiet], *nothing),
    )


# Part 5: in operation


@check("5 · While PostgreSQL is away the store says so, and afterwards it goes on")
def test_an_outage(migrations, db, api, faults, data):
    def still_answers():
        after = [api.get(path) for path in asked]
        assert [one.status for one in after] == [200, 200, 200], hint(
            "PostgreSQL was away and is there again, and the application still answers with an"
            " error.",
            question="What do you do with a connection that has died while nobody used it?",
            misconception="pooled-is-alive",
            expected="200, three times",
            actual="; ".join(f"{one.request}: {told(one)}" for one in after),
        )

    ready(migrations)
    user = a_user(db, data)
    serve(api)
    asked = ("/health", "/tracks", f"/users/{user}/progress")
    before = [api.get(path) for path in asked]
    assert [one.status for one in before] == [200, 200, 200], hint(
        "Before anything happened, these three should be answered.",
        actual="; ".join(f"{one.request}: {told(one)}" for one in before),
    )
    word = before[0].json()["store"]
    assert isinstance(word, str) and word.strip(), hint(
        "health should give a word for what the store is kept in.", actual=word
    )
    with faults.outage():
        during = [api.get(path) for path in asked]
    assert [kind(one) for one in during] == ["503 unavailable"] * 3, hint(
        "PostgreSQL could not be reached. Whoever asks should be told that it is not their fault"
        " and that later it may work: 503. Who watches over the application reads /health.",
        question="Which exception does your driver raise then, and who turns it into Unavailable?",
        misconception="health-that-lies" if during[0].status == 200 else "",
        expected="503 unavailable, three times",
        actual="; ".join(f"{one.request}: {kind(one)}" for one in during),
    )
    still_answers()
    faults.disconnect()  # a restart that nobody noticed
    still_answers()


def in_another_process(session, module, track, title):
    """What another process of the application does with its own store."""
    import importlib
    import os

    store = importlib.import_module("store").open_store(os.environ["DATABASE_URL"])
    seen = store.track(track)["title"]
    store.change_track(track, {"title": title})
    store.close()
    return seen


@check("5 · Two processes with a store each always tell the same")
def test_two_processes_tell_the_same(migrations, db, api, student, data):
    ready(migrations)
    track, _ = a_track(db, data)
    serve(api)
    first, second = data.text(2), data.text(2)
    answered(api.get(f"/tracks/{track}"))
    answered(api.patch(f"/tracks/{track}", json={"title": first}))
    seen = student.drive(in_another_process, track, second)
    shown = answered(api.get(f"/tracks/{track}"))["title"]
    listed = [one["title"] for one in answered(api.get("/tracks"))["items"]]
    assert (seen, shown, listed) == (first, second, [second]), hint(
        "The application runs in two processes. One of them changed a track's title, and then the"
        " other one did. Now each of them tells another title.",
        question="What does one process know of what the other one has in its memory?",
        misconception="my-process-is-the-only-one",
        expected=[first, second, second],
        actual=[seen, shown, *listed],
    )


# Part 6: a database for tests


def in_a_test(session, module, email, ends_badly):
    """A test that stores something, is refused something, and stores more."""
    import importlib
    import os

    contract, tests = importlib.import_module("contract"), importlib.import_module("store_tests")
    told = {}

    class TestFails(Exception):
        pass

    try:
        with tests.store_for_test(os.environ["DATABASE_URL"]) as store:
            user = store.add_user(email, "Ada")["id"]
            try:
                store.add_user(email, "Another Ada")
            except contract.EmailTaken:
                told["refused"] = True
            lessons = [{"title": "ON", "minutes": 5}, {"title": "USING", "minutes": 5}]
            track = store.add_track("Joins", "beginner", 0, 1, lessons)
            store.change_track(track["id"], {"published": True})
            store.enroll(user, track["id"])
            store.study(user, track["lessons"][0]["id"], 5, 90)
            told["seen"] = store.progress(user)["minutes"]
            if ends_badly:
                raise TestFails
    except TestFails:
        told["raised"] = True
    return told


@check("6 · What a test does on PostgreSQL is undone")
def test_a_test_is_undone(migrations, db, student, statements, data):
    ready(migrations)
    user, (track, [lesson]) = a_user(db, data), a_track(db, data, lessons=1)
    learns(db, user, track, (lesson, 5, 50))
    before = db.snapshot()
    told = student.drive(in_a_test, data.email(), False)
    wrote = {statement.kind for statement in statements.last.writes}
    assert told == {"refused": True, "seen": 5} and wrote, hint(
        "A test stored a user, was refused a second one with the same email, and went on: it"
        " enrolled the user and studied for five minutes, on PostgreSQL.",
        question="What of it did your store see, and what did PostgreSQL get?",
        expected="refused, 5 minutes, rows written to PostgreSQL",
        actual=f"{told}, {', '.join(sorted(wrote)) or 'nothing'} sent",
    )
    changed = db.changes(before)
    gone = [table for table, changes in changed.items() if changes.deleted]
    assert not changed, hint(
        "Before the test there were rows in the tables, somebody's own. After it the tables are not"
        " what they were.",
        question="Which rows are the test's, and how do you know?"
        if gone
        else "What did the test leave, and who takes it away?",
        misconception="emptied-is-undone" if gone else "",
        expected="as before",
        actual="; ".join(
            f"{table}: {len(c.inserted)} new, {len(c.deleted)} gone" for table, c in changed.items()
        ),
    )


def trial(session, module, wanted):
    """Which of the submission's tests fail on which store."""
    import importlib
    import itertools

    memory = importlib.import_module("memory")
    tests = importlib.import_module("store_tests")
    found = {name: test for name, test in vars(tests).items() if name.startswith("test_")}

    class Right(memory.MemoryStore):
        def __init__(self):
            super().__init__()
            self.ids = itertools.count(7001, 3)
            lessons = [{"title": "CTE", "minutes": 15}]
            track = self.add_track("Somebody's own", "advanced", 500, 9, lessons)
            self.change_track(track["id"], {"published": True})
            user = self.add_user("somebody@elsewhere.example", "Somebody")
            self.enroll(user["id"], track["id"])
            self.study(user["id"], track["lessons"][0]["id"], 30, 70)

    class EmailTwice(Right):
        def add_user(self, email, name):
            user = {"id": next(self.ids), "email": email, "name": name}
            self.users[user["id"]] = user
            return dict(user)

    class SeatsStay(Right):
        def change_track(self, track_id, changes):
            given = {key: value for key, value in changes.items() if value is not None}
            return super().change_track(track_id, given)

    class ThePageIsAll(Right):
        def tracks(self, search, difficulty, page, limit):
            found = super().tracks(search, difficulty, page, limit)
            return {**found, "total": len(found["items"])}

    class Drafts(Right):
        def enroll(self, user_id, track_id):
            self.track(track_id)
            before = self.catalog[track_id]["published"]
            self.catalog[track_id]["published"] = True
            try:
                return super().enroll(user_id, track_id)
            finally:
                self.catalog[track_id]["published"] = before

    class LastMinutes(Right):
        def study(self, user_id, lesson_id, minutes, score):
            super().study(user_id, lesson_id, minutes, score)
            for (who, _), records in self.learning.items():
                if who == user_id and lesson_id in records:
                    records[lesson_id]["minutes"] = minutes
                    return {"lesson_id": lesson_id, **records[lesson_id]}

    stores = {
        "right": Right,
        "empty": memory.MemoryStore,
        "email": EmailTwice,
        "null": SeatsStay,
        "total": ThePageIsAll,
        "draft": Drafts,
        "minutes": LastMinutes,
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
    "email": "gives two users the same email (rule 1)",
    "null": "never empties the seats (rule 2)",
    "total": "counts the page (rule 3)",
    "draft": "enrolls in drafts (rule 5)",
    "minutes": "forgets the minutes of before (rule 9)",
}


@check("6 · Your tests pass on right stores, and notice wrong ones")
def test_the_tests_notice(migrations, student, data):
    ready(migrations)
    told = student.drive(trial, ["right", "empty", *BROKEN])
    for name, what in (("right", "other rows in it"), ("empty", "nothing in it")):
        assert not told[name], hint(
            f"A store that keeps all rules, with {what}, and your tests fail on it. Nobody believes"
            " a test that cries for nothing.",
            question="What do your tests take for granted that the contract does not promise?",
            misconception="",
            expected="all tests pass",
            actual="; ".join(f"{test}: {why}" for test, why in told[name].items()),
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
