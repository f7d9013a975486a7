"""What a pool, a health check and a backup must do. Your grader runs more checks than these."""

from datetime import UTC, datetime
from decimal import Decimal

from grader.checks import check, hint

TABLES = ("users", "lessons", "visits")
PATIENCE = 0.3
BACKUP = "tonight.backup"


def use(session, module, *steps):
    """A program that opens its pool once and does these things in turn. What is raised is kept, as
    something that reports errors keeps it."""
    import signal

    class StillWaiting(BaseException):
        pass

    def stop(*_):
        raise StillWaiting

    def do(what, *arguments):
        if what == "open":
            kept["pool"] = module.open_pool(url, *arguments)
        elif what == "close":
            module.close_pool(kept["pool"])
        elif what == "visit":
            return module.record_visit(kept["pool"], *arguments)
        else:
            return module.health(kept["pool"] if what == "health" else None)
        return None

    kept = vars(module).setdefault("kept_by_the_program", {"errors": []})
    url = session.get_bind().url.set(drivername="postgresql")
    url, secret = url.render_as_string(hide_password=False), url.password
    told = []
    signal.signal(signal.SIGALRM, stop)
    for step in steps:
        signal.setitimer(signal.ITIMER_REAL, 3)
        try:
            told.append({"answer": do(*step)})
        except StillWaiting:
            told.append({"raised": "", "words": "did not return"})
        except NotImplementedError:
            raise
        except AttributeError as error:
            if error.obj is module:
                raise
            told.append({"raised": "AttributeError", "words": f"raised AttributeError: {error}"})
        except Exception as error:
            kept["errors"].append(error)
            cause = getattr(error, "orig", None) or error
            first = ": ".join([type(error).__name__, *str(cause).splitlines()[:1]])
            words = f"raised {first}".replace(secret, "…")
            state = getattr(cause, "sqlstate", None)
            told.append({"raised": type(error).__name__, "sqlstate": state, "words": words})
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    return told


def nightly(session, module, what, path, *more):
    """The nightly job: one of the three functions with a file of this name, and what came of it."""
    from pathlib import Path

    url = session.get_bind().url.set(drivername="postgresql")
    url, secret = url.render_as_string(hide_password=False), url.password
    function = getattr(module, what)
    arguments = (url, Path(path)) if what == "back_up" else (Path(path), url)
    try:
        return {"answer": function(*arguments)}
    except NotImplementedError:
        raise
    except Exception as error:
        cause = getattr(error, "orig", None) or error
        first = ": ".join([type(error).__name__, *str(cause).splitlines()[:1]])
        names = [base.__name__ for base in type(error).__mro__]
        return {"raised": names, "words": f"raised {first}".replace(secret, "…")}


def ended(told):
    """How a call ended, in words."""
    return told["words"] if "words" in told else f"returned {told['answer']!r}"


def a_school(db, data, users=3, lessons=2):
    """Some users and lessons; nobody has opened one yet."""
    people = [{"email": data.email(), "name": data.word()} for _ in range(users)]
    titles = [{"title": data.text(3), "price": Decimal(data.number(0, 99))} for _ in range(lessons)]
    return (
        [row["id"] for row in db.insert("users", *people)],
        [row["id"] for row in db.insert("lessons", *titles)],
    )


def some_visits(db, data, users, lessons, number=6):
    """Visits that are in the table when the check begins."""
    pairs = [(data.rng.choice(users), data.rng.choice(lessons)) for _ in range(number)]
    db.insert("visits", *({"user_id": user, "lesson_id": lesson} for user, lesson in pairs))


def status(told):
    """The status that a health check gave, or how else it ended."""
    answer = told.get("answer")
    return answer["status"] if isinstance(answer, dict) and "status" in answer else ended(told)


def empty(rivals):
    """A new database: the tables are there, the rows are not, and ids begin anew."""
    with rivals.holding("TRUNCATE public.users, public.lessons, public.visits RESTART IDENTITY"):
        pass


def rows_of(db):
    """How many rows each of the tables has, in words."""
    return ", ".join(f"{db.count(table)} in {table}" for table in TABLES)


def backed_up(student, db):
    """A backup of what is there now. What was written is found out by restoring it."""
    told = student.drive(nightly, "back_up", BACKUP)
    assert "answer" in told, hint(
        "back_up failed, though nothing was in its way.",
        expected="returns",
        actual=ended(told),
    )
    return db.snapshot()


def differences(db, before):
    """What is otherwise than it was, in words; nothing where all is as before."""
    told = []
    for table, changes in db.changes(before).items():
        if changes.deleted:
            told.append(f"{len(changes.deleted)} of {table} missing")
        if changes.inserted:
            told.append(f"{len(changes.inserted)} of {table} that were not there")
        for old, new in changes.updated:
            differ = [column for column in old if old[column] != new[column]]
            told += [f"{table}.{c}: {old[c]!r} became {new[c]!r}" for c in differ]
    return told


@check("Twelve visits, one after another, need no more than two connections", points=2)
def test_one_pool(student, db, sessions, data):
    users, (lesson, other) = a_school(db, data)
    steps = [("visit", data.rng.choice(users), lesson) for _ in range(11)]
    told = student.drive(use, ("open", 2, PATIENCE), *steps, ("visit", users[0], other))
    found = [db.count("visits", lesson_id=each) for each in (lesson, other)]
    assert found == [11, 1], hint(
        "A lesson was opened eleven times and another one once. The table visits says otherwise.",
        question="Which row does a visit store, and when is it committed?",
        expected="11 and 1",
        actual=f"{found[0]} and {found[1]}; the last call {ended(told[-1])}",
    )
    answers = [each.get("answer") for each in told[1:]]
    assert answers == [*range(1, 12), 1], hint(
        "record_visit should say how many visits the lesson has now.",
        expected=[*range(1, 12), 1],
        actual=answers,
    )
    used = sessions.used
    assert used <= 2, hint(
        f"A pool of two connections was opened once, and twelve visits were recorded one after"
        f" another. PostgreSQL saw {used} connections for them. To open one takes longer than what"
        " is done with it.",
        question="What becomes of a connection when a visit has been recorded, and where does the"
        " next one come from?",
        misconception="pool-per-request",
        expected="at most 2 connections",
        actual=f"{used} connections",
    )


@check("A visit that fails gives its connection back", points=2)
def test_given_back(student, db, sessions, data):
    (user, *_), (lesson, other) = a_school(db, data)
    nobody = 10**6 + data.number(1, 1000)
    steps = [("visit", nobody, lesson) for _ in range(5)]
    told = student.drive(
        use, ("open", 2, PATIENCE), ("visit", user, other), *steps, ("visit", user, lesson)
    )
    assert told[1].get("answer") == 1, hint(
        "Before anything special happened, a visit was recorded.",
        expected="returned 1",
        actual=ended(told[1]),
    )
    assert "raised" in told[2], hint(
        f"No user has the id {nobody}, and a visit of that user was recorded.",
        question="Who tells the page that there is no such user?",
        expected="raises an error",
        actual=ended(told[2]),
    )
    last = told[-1]
    aborted = last.get("sqlstate") == "25P02"
    assert "answer" in last, hint(
        "Five visits of a user who is not there failed, as they should. Then somebody who is there"
        + (
            " opened a lesson, and got a connection on which nothing can be done any more."
            if aborted
            else " opened a lesson, and got no connection: the pool has two, and both are lent out"
            " for ever."
        ),
        question="In which state is a connection after an error, and who cares for that?"
        if aborted
        else "Which line of yours gives a connection back, and does the program come there when"
        " the line before it raises?",
        misconception="caught-is-not-over" if aborted else "leaked-connection",
        expected="returned 1",
        actual=ended(last),
    )
    left = sessions.settled().count
    assert left <= 2, hint(
        f"Five visits failed, and PostgreSQL sees {left} connections of a pool of two: those on"
        " which something failed are open, and nobody has them.",
        question="Which line of yours gives a connection back, and does the program come there when"
        " the line before it raises?",
        misconception="leaked-connection",
        expected="at most 2 connections",
        actual=f"{left} connections",
    )
    stored = db.count("visits", lesson_id=lesson)
    assert stored == 1, hint(
        "Five visits failed and one went well.",
        expected="1 row in visits",
        actual=f"{stored} rows",
    )


@check("When the pool is closed, no connection stays open")
def test_closed(student, db, sessions, data):
    (user, *_), (lesson, _) = a_school(db, data)
    student.drive(use, ("open", 3, PATIENCE), ("visit", user, lesson), ("health",))
    assert db.count("visits") == 1, hint("A visit was recorded, and it is not in the table.")
    told = student.drive(use, ("close",))
    left = sessions.when(lambda seen: not seen.count).count
    assert not left, hint(
        f"The program has ended, and {left} of its connections are open. The server keeps a process"
        " for each, and no place for others.",
        question="Which of your connections does close_pool know?",
        expected="none",
        actual=f"{left}; close_pool {ended(told[0])}",
    )


@check("Health says connected where all is well, and disabled where there is no database")
def test_health(student, db, data):
    a_school(db, data)
    told = student.drive(use, ("open", 2, PATIENCE), ("health",), ("no database",))
    found = [status(each) for each in told[1:]]
    assert found == ["connected", "disabled"], hint(
        "The database was there and had a free connection; then there was none at all, as in a"
        " program that nobody has told of one.",
        question="What does health get where there is no database, and what is the first thing that"
        " it does with it?",
        expected="connected, then disabled",
        actual=", then ".join(found),
    )
    words = [each["answer"].get("message") for each in told[1:]]
    assert all(isinstance(each, str) and each for each in words), hint(
        "A health check says something to people, too.",
        expected="a message",
        actual=words,
    )


@check("While the database is away health says error, and connected when it is back", points=2)
def test_away(student, db, faults, data):
    (user, *_), (lesson, _) = a_school(db, data)
    before = student.drive(use, ("open", 2, PATIENCE), ("visit", user, lesson), ("health",))
    assert status(before[-1]) == "connected", hint(
        "Before the database went away, health should say so.",
        expected="connected",
        actual=status(before[-1]),
    )
    with faults.outage():
        away = student.drive(use, ("health",), ("health",), ("health",))
    told = [status(each) for each in away]
    assert "connected" not in told, hint(
        "The server let nobody in any more and had ended all connections. Health said: connected."
        " So nobody was called, and nobody was sent to another server.",
        question="What does your code ask, and whom, to know that the database is there?",
        misconception="health-that-lies",
        expected="error, three times",
        actual=", ".join(told),
    )
    assert told == ["error"] * 3, hint(
        "The server let nobody in any more. A health check that fails must still answer: whoever"
        " asks has no other way to know.",
        question="Which errors can come here, and from which of your lines?",
        expected="error, three times",
        actual=", ".join(told),
    )
    words = [each["answer"].get("message") for each in away]
    assert all(isinstance(each, str) and each for each in words), hint(
        "The server let nobody in any more, and health said: error. Whoever reads that wants to"
        " know what is wrong.",
        expected="a message",
        actual=words,
    )
    back = student.drive(use, ("health",), ("visit", user, lesson))
    assert [status(back[0]), back[1].get("answer")] == ["connected", 2], hint(
        "The database was away and is back. Nobody has started the program anew, and nobody should"
        " have to.",
        question="What is left in the pool of connections that could not be made, or were ended?",
        misconception="pooled-is-alive" if status(back[0]) != "connected" else "",
        expected="connected; returned 2",
        actual=f"{status(back[0])}; {ended(back[1])}",
    )


@check("What was backed up comes back as it was, from another process", points=2)
def test_there_and_back(student, db, rivals, data):
    moment = datetime(2019, 3, 31, 0, 59, 59, 123457, UTC)
    word = data.word()
    users = db.insert(
        "users",
        {"email": data.email(), "name": None, "joined_at": moment},
        {"email": data.email(), "name": "", "settings": {"dark": True, "sizes": [1, 2.5, None]}},
        {"email": data.email(), "name": f"{word}\t\\N\\.\n\"{word}\" 'ä' 名前 \\"},
        {"email": data.email(), "name": "NULL", "settings": {"note": 'a "quoted" \\ word\n'}},
    )
    lessons = db.insert(
        "lessons",
        {"title": data.text(3), "price": Decimal("19.90"), "picture": bytes(range(256))},
        {"title": word, "content": "\\.\n\n1\t2\r\n,;\"'", "price": Decimal("0.10")},
        {"title": data.text(2), "picture": b""},
    )
    some_visits(db, data, [row["id"] for row in users], [row["id"] for row in lessons], 40)
    before = backed_up(student, db)
    empty(rivals)
    (job,) = rivals.enter(1)
    job.start_driver("restore", nightly, "restore", BACKUP)
    told = job.finish()
    left = differences(db, before)
    assert not left, hint(
        "A backup was made, and then a new server was set up with the same, empty tables. Another"
        " process restored the backup, and what is there now is not what was there.",
        question="In which form does each type of value stand in your file, and what makes a value"
        " of it again?"
        if "answer" in told
        else "What does the error say about the value, and in which form was it before?",
        misconception="export-is-a-backup",
        expected="the same rows",
        actual="; ".join([ended(told), *left[:4]]),
    )
    assert "answer" in told, hint(
        "All rows are there again, and restore raised an error.", actual=ended(told)
    )


@check("A database that has rows in it is not restored into, and stays as it is", points=2)
def test_live_data(student, db, rivals, data):
    users, lessons = a_school(db, data)
    some_visits(db, data, users, lessons)
    before = backed_up(student, db)
    empty(rivals)
    restored = student.drive(nightly, "restore", BACKUP)
    assert not differences(db, before), hint(
        "First a backup was restored into empty tables.",
        expected="the same rows",
        actual="; ".join([ended(restored), *differences(db, before)]),
    )
    for what in ("users", "lessons", "visits"):
        if what != "visits":
            empty(rivals)
        if what == "users":
            db.insert("users", {"id": data.number(10**6, 10**9), "email": data.email()})
        elif what == "lessons":
            db.insert("lessons", {"id": data.number(10**6, 10**9), "title": data.text(2)})
        else:
            users, lessons = a_school(db, data, 1, 1)
            some_visits(db, data, users, lessons)
        there, had = db.snapshot(), rows_of(db)
        told = student.drive(nightly, "restore", BACKUP)
        left = differences(db, there)
        assert not left, hint(
            f"A backup was to be restored into a database that somebody works with: {had}. Now it"
            " holds something that was never there, neither yesterday nor today.",
            question="What would become of what was written since the backup, and who decides"
            " that?",
            misconception="restore-over-live-data",
            expected=f"raises DatabaseNotEmpty; {had}",
            actual="; ".join([ended(told), *left[:4]]),
        )
        assert "DatabaseNotEmpty" in told.get("raised", ()), hint(
            f"The database had rows ({had}), and stayed as it was, which is right. Whoever"
            " called must learn why nothing was restored.",
            question="How does your code see that somebody works here, before it writes?",
            expected="raises DatabaseNotEmpty",
            actual=ended(told),
        )


@check("is_same tells whether the tables hold what the backup holds")
def test_is_same(student, db, rivals, data):
    users, lessons = a_school(db, data)
    some_visits(db, data, users, lessons)
    backed_up(student, db)
    told = [student.drive(nightly, "is_same", BACKUP)]
    with rivals.holding("DELETE FROM public.visits WHERE id % 2 = 0"):
        pass
    told.append(student.drive(nightly, "is_same", BACKUP))
    empty(rivals)
    told.append(student.drive(nightly, "is_same", BACKUP))
    assert [each.get("answer") for each in told] == [True, False, False], hint(
        "is_same was asked right after the backup, then after half of the visits were deleted, then"
        " after all rows were gone.",
        question="What does is_same compare with what?",
        expected="True, False, False",
        actual=", ".join(ended(each).removeprefix("returned ") for each in told),
    )
