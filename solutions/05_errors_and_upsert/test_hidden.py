"""Where forms go when many people use them: the same moment, other languages, odd names."""

from test_visible import LONG_AGO, a_person, a_track, attempt, ending, refuses, stores

from grader.checks import check, hint


@check("An email that was taken a moment ago is EmailTaken as well", points=2)
def test_taken_at_the_same_moment(student, db, rivals, data):
    stores(student, db, a_person(data))
    other, wanted = a_person(data), a_person(data)
    [form] = rivals.enter(1)
    with rivals.holding(
        "INSERT INTO public.users (email, username) VALUES (%s, %s)",
        [wanted["email"], other["username"]],
    ):
        form.start("add_user", **wanted)
    result = form.result()
    assert db.count("users", email=wanted["email"]) == 1, hint(
        "Two signed up with the same email at the same moment. One of them should be stored.",
        actual=db.rows("users", email=wanted["email"]),
    )
    ended = "returned" if result.answered else f"raised {result.raised.type}"
    state = f" (SQLSTATE {result.sqlstate})" if result.sqlstate else ""
    assert result.raised is not None and "EmailTaken" in result.raised.bases, hint(
        "Two signed up with the same email at the same moment: when the form of the second one was"
        " sent the first one was not committed yet, and when its INSERT came to an end they were."
        " The form shows an error for which it has no words.",
        question="What can happen between your look and your INSERT, and who notices it?",
        misconception="check-then-insert" if result.sqlstate == "23505" else "",
        expected="raises EmailTaken",
        actual=ended + state,
    )


@check("A rating that arrives twice at the same moment is stored once, and is no error")
def test_rated_at_the_same_moment(student, db, rivals, data):
    ada, bo = (row["id"] for row in db.insert("users", a_person(data), a_person(data)))
    track, helpful = a_track(db, data), data.number(3, 30)
    student.call("rate", user_id=bo, track_id=track, stars=3)
    assert db.count("ratings", user_id=bo, stars=3) == 1, hint(
        "A user gave three stars, and the caller committed. The rating is not there.",
        misconception="",
    )
    [window] = rivals.enter(1)
    with rivals.holding(
        "INSERT INTO public.ratings (user_id, track_id, stars, helpful) VALUES (%s, %s, 2, %s)",
        [ada, track, helpful],
    ):
        window.start("rate", user_id=ada, track_id=track, stars=4)
    result = window.result()
    state = f" (SQLSTATE {result.sqlstate})" if result.sqlstate else ""
    assert result.answered, hint(
        "A user sent a rating from two windows at the same moment. In the second window nothing was"
        " there yet when it looked, and something was there when it wrote. It shows an error.",
        question="Which statement stores a row or changes the one that is there, whoever comes"
        " first?",
        misconception="check-then-insert",
        expected="one rating, and no error",
        actual=f"raised {result.raised.type}{state}" if result.raised else "returned",
    )
    rows = [(row["stars"], row["helpful"]) for row in db.rows("ratings", user_id=ada)]
    assert rows == [(4, helpful)], hint(
        "A user sent a rating from two windows at the same moment, and the second window came last:"
        f" four stars. The row that was there had {helpful} votes.",
        question="Which columns of the row that is there does your statement write?",
        misconception="upsert-means-reset" if rows and rows[0][1] != helpful else "",
        expected=f"one rating with 4 stars and {helpful} votes",
        actual=rows,
    )


@check("Ada@ and ada@ are one address")
def test_upper_and_lower_case(student, db, data):
    ada = a_person(data)
    stores(student, db, ada)
    call = ("add_user", a_person(data, email=ada["email"].title()))
    before = db.snapshot()
    told = student.drive(attempt, *call)
    assert "EmailTaken" in told.get("refused", ()) and not db.changes(before), hint(
        "Somebody signed up with the email of another user, written with capital letters. The table"
        " knows that this is the same address.",
        question="Who knows the rule: your code, or the table? What if they do not agree?",
        misconception="check-then-insert" if told.get("sqlstate") == "23505" else "",
        expected="raises EmailTaken",
        actual=ending(told),
    )


def in_german(session, module, function, keywords):
    """A form on a server with lc_messages = 'de_DE.UTF-8'."""
    from sqlalchemy import event

    said = {
        "23502": "NULL-Wert in Spalte »{}« verletzt Not-Null-Constraint",
        "23503": "Einfügen oder Aktualisieren verletzt Fremdschlüssel-Constraint »{}«",
        "23505": "doppelter Schlüsselwert verletzt Unique-Constraint »{}«",
        "23514": "neue Zeile verletzt Check-Constraint »{}«",
    }

    def translate(context):
        error = context.original_exception
        text = said.get(getattr(error, "sqlstate", None))
        if text is not None:
            name = error.diag.constraint_name or error.diag.column_name
            error.args = (text.format(name),)
            if context.sqlalchemy_exception is not None:
                context.sqlalchemy_exception.args = (f"(psycopg) {error.args[0]}",)

    called = getattr(module, function)
    event.listen(session.get_bind(), "handle_error", translate)
    try:
        return {"answer": called(session, **keywords)}
    except NotImplementedError:
        raise
    except Exception as error:
        session.rollback()
        names = [base.__name__ for base in type(error).__mro__]
        own = names[: names.index("Refused")] if "Refused" in names else []
        state = getattr(getattr(error, "orig", error), "sqlstate", None)
        return {"raised": names[0], "refused": own, "sqlstate": state}
    finally:
        event.remove(session.get_bind(), "handle_error", translate)


@check("The same rules are told in the same words where PostgreSQL speaks German")
def test_another_language(student, db, data):
    ada = a_person(data)
    stores(student, db, ada)
    user, track = db.one("users")["id"], a_track(db, data)
    rating = {"user_id": user, "track_id": track, "stars": 3}
    for error, function, keywords in (
        ("EmailTaken", "add_user", a_person(data, email=ada["email"])),
        ("UsernameTaken", "add_user", a_person(data, username=ada["username"])),
        ("ValueMissing", "add_user", a_person(data, email=None)),
        ("ValueNotAllowed", "rate", rating | {"stars": 9}),
        ("UserUnknown", "rate", rating | {"user_id": 10**9 + 1}),
        ("TrackUnknown", "rate", rating | {"track_id": 10**9 + 1}),
    ):
        in_english = student.drive(attempt, function, keywords)
        assert error in in_english.get("refused", ()), hint(
            f"{function} should have raised {error}, in English already.",
            question="PostgreSQL said which rule was broken. Where does it say so?",
            misconception="",
            expected=f"raises {error}",
            actual=ending(in_english),
        )
        told = student.drive(in_german, function, keywords)
        assert error in told.get("refused", ()), hint(
            f"{function} raises {error} where PostgreSQL speaks English. On a server with"
            " lc_messages = 'de_DE.UTF-8' the same call ends otherwise: there the same error has"
            " another text.",
            question="What in the exception is the same in every language?",
            misconception="the-message-says-it",
            expected=f"raises {error}",
            actual=ending(told),
        )


@check("Who calls themselves users_email_key confuses nobody")
def test_names_like_messages(student, db, data):
    stores(student, db, a_person(data))
    track = a_track(db, data)
    names = ["users_email_key", "email", "ratings_track_id_fkey", "Key (lower(email))=(x)"]
    data.rng.shuffle(names)
    plain = data.word(4)
    for name in (plain, *names):
        email = data.email() if name == plain else f"users_username_key.(username)=(.{data.email()}"
        row = a_person(data, username=name, email=email)
        [stored] = db.insert("users", row)
        rating = {"user_id": stored["id"], "track_id": track, "stars": 3, "comment": name}
        for error, function, keywords in (
            ("UsernameTaken", "add_user", a_person(data, username=name)),
            ("EmailTaken", "add_user", a_person(data, email=row["email"])),
            ("ValueNotAllowed", "add_user", a_person(data, username=f"{name}!", age=4)),
            ("ValueNotAllowed", "rate", rating | {"stars": 0}),
            ("UserUnknown", "rate", rating | {"user_id": 10**9 + 1}),
        ):
            what = f"A user calls themselves {name!r}, and {function} met a rule of the tables."
            refuses(
                student,
                db,
                (function, keywords),
                error,
                what,
                misconception=None if name == plain else "the-message-says-it",
            )


@check("A failure that breaks no rule reaches the caller as it is")
def test_other_failures_go_through(student, db, faults, data):
    stores(student, db, a_person(data))
    user, track = db.one("users")["id"], a_track(db, data)
    people = [a_person(data) for _ in range(3)]
    for table, at, sqlstate, function, keywords in (
        ("users", 1, "53100", "add_user", a_person(data)),
        ("ratings", 1, "40001", "rate", {"user_id": user, "track_id": track, "stars": 5}),
        ("users", 2, "53100", "import_users", {"people": people}),
    ):
        what = {"53100": "the disk was full", "40001": "it could not serialize the transaction"}
        faults.fail_insert(table, at=at, sqlstate=sqlstate)
        told = student.drive(attempt, function, keywords)
        said = f"While {function} was writing, PostgreSQL said that {what[sqlstate]}."
        assert "raised" in told, hint(
            f"{said} {function} returned as if that were nothing.",
            question="Which line of yours hears about the error, and who hears of it then?",
            misconception="swallowed-error",
            expected="the database's own error",
            actual=ending(told),
        )
        assert not told["refused"], hint(
            f"{said} The caller was told {told['raised']}, which is not true.",
            question="Which exceptions does your except clause take, beside those that you had in"
            " mind?",
            misconception="every-error-is-a-duplicate",
            expected="the database's own error",
            actual=ending(told),
        )
        faults.clear()


@check("Rating again without a comment keeps the old one, and an empty one replaces it")
def test_comments(student, db, data):
    [ada] = db.insert("users", a_person(data))
    for comment, stars in ((None, 4), ("", 5)):
        track, old = a_track(db, data), data.text(4)
        db.insert(
            "ratings",
            {"user_id": ada["id"], "track_id": track, "stars": 1, "comment": old}
            | {"updated_at": LONG_AGO},
        )
        wish = {"user_id": ada["id"], "track_id": track, "stars": stars, "comment": comment}
        told = student.drive(attempt, "rate", wish)
        now = db.one("ratings", track_id=track)
        assert now["stars"] == stars, hint(
            f"A user changed their rating to {stars} stars.",
            misconception="",
            expected=f"{stars} stars",
            actual=f"{now['stars']} stars; rate {ending(told)}",
        )
        assert comment is None or now["comment"] == "", hint(
            "A user emptied the comment of their rating. The old comment is still there.",
            question="What does your code take an empty text for?",
            misconception="truthy-update",
            expected="an empty comment",
            actual=now["comment"],
        )
        assert comment == "" or now["comment"] == old, hint(
            "A user changed only the stars of their rating, and the comment that they had written"
            " is gone.",
            question="What does your statement write into a column for which nothing was given?",
            misconception="upsert-means-reset",
            expected=repr(old),
            actual=repr(now["comment"]),
        )
        assert now["updated_at"] > LONG_AGO, hint(
            "A rating was changed that had last been changed in January 2020, and updated_at still"
            " says 2020.",
            question="Who writes updated_at: the table, the mapped class, or your statement?",
            misconception="onupdate-is-not-a-trigger",
            expected="updated_at is the time of this change",
            actual=f"updated_at is {now['updated_at']:%d %B %Y}",
        )


@check("All three leave the commit to their caller")
def test_the_commit_is_the_callers(student, db, data):
    person, track = a_person(data), a_track(db, data)
    stores(student, db, person)
    rating = {"user_id": db.one("users")["id"], "track_id": track, "stars": 5}
    for function, keywords in (
        ("add_user", a_person(data)),
        ("import_users", {"people": [a_person(data), a_person(data, email=person["email"])]}),
        ("rate", rating),
    ):
        before = db.snapshot()
        student.call(function, **keywords, commit=False)
        assert not db.changes(before), hint(
            f"The caller called {function}, changed its mind and rolled back. What {function} had"
            " stored stayed.",
            question="Who knows whether everything that belongs together went well?",
            misconception="commit-inside",
            expected="nothing is stored",
            actual=f"new rows in {', '.join(db.changes(before))}",
        )
    student.call("rate", **rating)
    assert db.count("ratings") == 1, hint("The rating was committed, and it is not there.")


def first_then_import(session, module, first, people):
    """A job that adds a user and imports a list after that."""
    module.add_user(session, **first)
    return module.import_users(session, people=people)


@check("A long import meets duplicates in its own list, and an empty one is nothing special")
def test_a_long_import(student, db, data):
    assert student.call("import_users", people=[]) == [], hint(
        "A list without people was imported. The answer is a list too, with nothing in it."
    )
    people, wanted = [], []
    for n in range(60):
        people.append(a_person(data, age=None if n % 7 == 3 else data.number(13, 120)))
        wanted.append(None)
    for n in data.rng.sample(range(10, 60), 12):
        field = data.pick(["email", "username"])
        people[n] = people[n] | {field: people[data.number(0, 9)][field]}
        wanted[n] = {"email": "EmailTaken", "username": "UsernameTaken"}[field]
    first = a_person(data)
    answer = student.drive(first_then_import, first, people)
    different = [
        n for n, pair in enumerate(zip(answer or [], wanted, strict=False)) if len({*pair}) > 1
    ]
    assert isinstance(answer, list) and len(answer) == 60 and not different, hint(
        "60 people were imported, and twelve of them have the email or the username of somebody"
        " further up in the list.",
        question="What does the import know about those whom it has stored just before?",
        expected=f"60 entries, among them {60 - 12} times None",
        actual=f"{len(answer)} entries; number {different[0] + 1} is {answer[different[0]]!r} and"
        f" not {wanted[different[0]]!r}"
        if isinstance(answer, list) and different
        else answer,
    )
    stored = {row["username"] for row in db.rows("users")}
    asked = {person["username"] for person, word in zip(people, wanted, strict=True) if not word}
    missing = len({*asked, first["username"]} - stored)
    assert stored == {*asked, first["username"]}, hint(
        "A job added a user, imported 60 people of whom twelve could not be stored, and committed.",
        question="What did the import undo when it met somebody who cannot be stored?",
        misconception="commit-inside" if missing else "",
        expected=f"{len(asked) + 1} users",
        actual=f"{len(stored)} users, {missing} are missing",
    )
