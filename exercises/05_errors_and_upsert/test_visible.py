"""What storing users and ratings must do. Your grader runs more checks than these."""

from datetime import UTC, datetime

from grader.checks import check, hint

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def a_person(data, **fields):
    """Arguments of add_user for one more person."""
    return {"email": data.email(), "username": data.word(4), "age": data.number(18, 90)} | fields


def a_track(db, data):
    row = {"id": data.number(10**6, 10**9), "title": data.text(3)}
    return db.insert("tracks", row)[0]["id"]


def attempt(session, module, function, keywords):
    """A form that calls a function, and notes how the call ended."""
    called = getattr(module, function)
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


def ending(told):
    """How a call ended, in a few words."""
    if "raised" not in told:
        return f"returned {told.get('answer')!r}"
    state = f" (SQLSTATE {told['sqlstate']})" if told["sqlstate"] else ""
    return f"raised {told['raised']}{state}"


def stores(student, db, person):
    """The plain case, before a check looks at another one."""
    student.call("add_user", **person)
    assert db.count("users", username=person["username"]) == 1, hint(
        "Before anything special happened, a user was added and the caller committed. The user is"
        " not there.",
        question="Was the INSERT sent, and what became of it before the commit?",
        misconception="",
        expected="1 user",
        actual="0 users",
    )


def refuses(student, db, call, error, what, *, misconception=None):
    """One call, function and arguments, that must be refused in one word and store nothing."""
    before = db.snapshot()
    told = student.drive(attempt, *call)
    if misconception is None:
        wrong_word = told.get("refused") and error not in told["refused"]
        misconception = "every-error-is-a-duplicate" if wrong_word else ""
    assert error in told.get("refused", ()), hint(
        f"{what} The form can only show the right words beside the right field if it is told"
        f" {error}.",
        question="PostgreSQL said which rule was broken. Where in the exception does it say so?",
        misconception=misconception,
        expected=f"raises {error}",
        actual=ending(told),
    )
    assert not db.changes(before), hint(
        f"{what} {call[0]} raised {error}, as it should, and something was stored all the same.",
        misconception="",
        actual=list(db.changes(before)),
    )


@check("add_user stores a user and gives the id that the database made")
def test_a_user_is_stored(student, db, data):
    person = a_person(data)
    answer = student.call("add_user", **person)
    stored = db.one("users", username=person["username"])
    assert stored is not None and stored | person == stored, hint(
        "A user was added and the caller committed. The row is not what add_user was given.",
        expected=person,
        actual=stored or "no row",
    )
    assert answer == stored["id"], hint(
        "The user was stored under another id than add_user returned.",
        question="When does PostgreSQL make the id, and when do you read it?",
        expected=stored["id"],
        actual=answer,
    )


@check("A taken email is EmailTaken, and a taken username is UsernameTaken", points=2)
def test_taken_names(student, db, data):
    ada = a_person(data)
    stores(student, db, ada)
    for field, error in (("email", "EmailTaken"), ("username", "UsernameTaken")):
        wanted = a_person(data, **{field: ada[field]})
        what = f"Somebody signed up with the {field} of another user."
        refuses(student, db, ("add_user", wanted), error, what)


@check("A missing value is told apart from one that is not allowed")
def test_missing_and_not_allowed(student, db, data):
    stores(student, db, a_person(data))
    for field, value, error, what in (
        ("username", None, "ValueMissing", "Somebody signed up without a username."),
        (
            "age",
            data.number(121, 900),
            "ValueNotAllowed",
            "Somebody signed up with an age over 120.",
        ),
        ("age", data.number(-9, 12), "ValueNotAllowed", "Somebody signed up with an age under 13."),
    ):
        refuses(student, db, ("add_user", a_person(data, **{field: value})), error, what)


def goes_on(session, module, first, refused, last):
    """A page that adds three users, and shows the words beside the form of the second one."""
    add_user = module.add_user
    add_user(session, **first)
    try:
        add_user(session, **refused)
    except Exception as error:
        told = type(error).__name__
    else:
        told = None
    try:
        add_user(session, **last)
    except Exception as error:
        session.rollback()
        return {"told": told, "later": type(error).__name__}
    return {"told": told, "later": None}


@check("After a refusal the caller goes on, and keeps what they did before", points=2)
def test_the_caller_goes_on(student, db, data):
    taken = a_person(data)
    stores(student, db, taken)
    first, last = a_person(data), a_person(data)
    told = student.drive(goes_on, first, a_person(data, email=taken["email"]), last)
    assert told["told"] is not None, hint(
        "A user with a taken email was added, and nobody was told.",
        question="Who learns that this user was not stored?",
        expected="raises EmailTaken",
    )
    assert told["later"] is None, hint(
        f"A page added a user, got {told['told']} for the next one, showed it, and went on. From"
        " then on PostgreSQL refused every statement of that page, and its first user is lost too.",
        question="In which state is a transaction after PostgreSQL has refused one of its"
        " statements, and what takes it back to where it was before?",
        misconception="caught-is-not-over",
        expected="the third user is added",
        actual=f"raised {told['later']}",
    )
    kept = [db.count("users", username=person["username"]) for person in (first, last)]
    assert kept == [1, 1], hint(
        f"A page added a user, got {told['told']} for the next one, showed it, went on and"
        " committed. Its first user is gone: somebody threw away work that was not theirs.",
        question="Which of your lines ends more than what this function began?",
        misconception="commit-inside",
        expected="the first and the third user",
        actual=f"{kept[0]} of the first, {kept[1]} of the third",
    )


@check("Who rates again changes their rating, and everything else about it stays", points=2)
def test_a_rating_is_changed(student, db, data):
    ada, bo = db.insert("users", a_person(data), a_person(data))
    track = a_track(db, data)
    first = student.call("rate", user_id=ada["id"], track_id=track, stars=3, comment=data.text(3))
    stored = db.one("ratings", user_id=ada["id"])
    assert stored is not None and (stored["stars"], stored["id"]) == (3, first), hint(
        "A user gave three stars, for the first time, and the caller committed.",
        misconception="",
        expected="one rating with 3 stars, and its id",
        actual=f"{stored or 'no rating'}; returned {first!r}",
    )
    [other] = db.insert("ratings", {"user_id": bo["id"], "track_id": track, "stars": 1})
    cy = db.insert("users", a_person(data))[0]["id"]
    old = {"user_id": cy, "track_id": track, "stars": 2, "comment": data.text(3)}
    [old] = db.insert("ratings", old | {"helpful": data.number(5, 50), "created_at": LONG_AGO})
    comment = data.text(4)
    wish = {"user_id": cy, "track_id": track, "stars": 5, "comment": comment}
    told = student.drive(attempt, "rate", wish)
    assert "answer" in told, hint(
        "A user who had rated a track before gave it another number of stars. That is no error.",
        question="Which statement stores a row, or changes the one that is there?",
        misconception="",
        expected="the rating is changed",
        actual=ending(told),
    )
    now = db.one("ratings", user_id=cy) or {}
    assert (now.get("stars"), now.get("comment")) == (5, comment), hint(
        "A user who had rated a track before gave it five stars and another comment.",
        misconception="",
        expected={"stars": 5, "comment": comment},
        actual={field: now.get(field) for field in ("stars", "comment")},
    )
    lost = [field for field in ("id", "created_at", "helpful") if now[field] != old[field]]
    assert not lost, hint(
        "A user changed their rating, and more than that has changed. Others refer to the id, and"
        " the votes in helpful were given by other people.",
        question="Which columns of the old row does your statement write, and which has it been"
        " asked to write?",
        misconception="upsert-means-reset",
        expected={field: old[field] for field in lost if field != "created_at"}
        or "created_at as it was",
        actual={field: now[field] for field in lost if field != "created_at"}
        or "another created_at",
    )
    assert told["answer"] == old["id"] and db.one("ratings", user_id=bo["id"]) == other, hint(
        "rate should return the id of the rating that was changed, and leave others alone.",
        expected=old["id"],
        actual=told["answer"],
    )


@check("A rating by nobody, of nothing, or with six stars is refused in these words")
def test_refused_ratings(student, db, data):
    [ada] = db.insert("users", a_person(data))
    track = a_track(db, data)
    good = {"user_id": ada["id"], "track_id": track, "stars": 4}
    student.call("rate", **good)
    assert db.count("ratings", user_id=ada["id"], stars=4) == 1, hint(
        "A user gave four stars, and the caller committed. The rating is not there.",
        misconception="",
    )
    for wrong, error, what in (
        ({"user_id": 10**9 + 1}, "UserUnknown", "A rating came from a user who is not there."),
        ({"track_id": 10**9 + 1}, "TrackUnknown", "A rating was for a track that is not there."),
        ({"stars": 6}, "ValueNotAllowed", "A rating came with six stars."),
        ({"stars": None}, "ValueMissing", "A rating came without stars."),
    ):
        refuses(student, db, ("rate", good | wrong), error, what)


@check("An import stores whom it can, and says of each one what became of them")
def test_an_import(student, db, data):
    known = a_person(data)
    stores(student, db, known)
    good = [a_person(data) for _ in range(3)]
    people = [
        good[0],
        a_person(data, email=known["email"]),
        good[1],
        a_person(data, age=5),
        a_person(data, username=known["username"]),
        good[2],
    ]
    wanted = [None, "EmailTaken", None, "ValueNotAllowed", "UsernameTaken", None]
    told = student.drive(attempt, "import_users", {"people": people})
    stored = [db.count("users", username=person["username"]) for person in good]
    assert "answer" in told, hint(
        "An import of six people, of whom three cannot be stored, ended with an error. None of the"
        " others got in.",
        question="What is left of the transaction after the first one who was refused?",
        misconception="caught-is-not-over"
        if told["raised"] in ("InternalError", "InFailedSqlTransaction", "PendingRollbackError")
        else "",
        expected=wanted,
        actual=ending(told),
    )
    assert told["answer"] == wanted, hint(
        "The import should give one entry for each of six people, in their order.",
        question="What does a line of the list learn that cannot be stored, and what the next one?",
        expected=wanted,
        actual=told["answer"],
    )
    assert stored == [1, 1, 1] and db.count("users") == 4, hint(
        "An import said of three people that they were stored, and then the caller committed. Not"
        " all of them are there.",
        question="What did the import undo when it met somebody who cannot be stored?",
        misconception="commit-inside" if stored != [1, 1, 1] else "",
        expected="3 new users",
        actual=f"{db.count('users') - 1} new users",
    )
