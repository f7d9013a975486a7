"""What a booking must do. Your grader runs more checks than these."""

from grader.checks import Raises, check, hint

LOST_A_RACE = ("40001", "40P01")
ROW_LOCKS = ("FOR UPDATE", "FOR NO KEY UPDATE", "LOCK TABLE", "PG_ADVISORY")


def a_user(db, data):
    [row] = db.insert("users", {"id": data.number(10**6, 10**9), "email": data.email()})
    return row["id"]


def a_track(db, data, seats):
    row = {"id": data.number(10**6, 10**9), "title": data.text(3), "seats": seats}
    [track] = db.insert("tracks", row)
    return track["id"]


def booked_before(db, user, track):
    """A booking that was there when the check began; its track's seats are counted already."""
    db.insert("bookings", {"user_id": user, "track_id": track, "seat": 1000})


def state(db, track):
    """How many bookings a track has, and how many of its seats are free."""
    return db.count("bookings", track_id=track), db.one("tracks", id=track)["seats"]


def in_words(bookings, seats):
    return f"{_number(bookings, 'booking')}, {_number(seats, 'free seat')}"


def _number(many, thing):
    return f"{many or 'no'} {thing}{'' if many == 1 else 's'}"


def attempt(session, module, function, *arguments):
    """A page that calls a function in a hurry, where naps are counted and not slept."""
    import signal
    import time

    class StillTrying(BaseException):
        pass

    def stop(*_):
        raise StillTrying

    called = getattr(module, function)
    sleep, naps = time.sleep, []

    def nap(seconds):
        naps.append(seconds)

    def put(there, instead):
        for holder in (time, module):
            for name, value in list(vars(holder).items()):
                if value is there:
                    setattr(holder, name, instead)

    put(sleep, nap)
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 4)  # a loop without an end can say so, a second later not
    try:
        told = {"answer": called(session, *arguments)}
    except StillTrying:
        told = {"endless": True}
    except NotImplementedError:
        raise
    except Exception as error:
        names = [base.__name__ for base in type(error).__mro__]
        cause = getattr(error, "orig", None) or error
        told = {"raised": names, "sqlstate": getattr(cause, "sqlstate", None)}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        put(nap, sleep)
    if "endless" in told:
        session.invalidate()
        return told | {"naps": len(naps), "open": ""}
    try:
        open_ = session.connection().connection.driver_connection.info.transaction_status.name
    except Exception:
        open_ = "INERROR"
    session.rollback()
    return told | {"naps": len(naps), "open": open_}


def ending(told):
    """How such a call ended, in words."""
    if "endless" in told:
        return "did not return"
    if "raised" not in told:
        return f"returned {told.get('answer')!r}"
    code = f" (SQLSTATE {told['sqlstate']})" if told.get("sqlstate") else ""
    return f"raised {told['raised'][0]}{code}"


def books(student, db, data):
    """The plain case, before a check looks at another one; how often it slept."""
    user, track = a_user(db, data), a_track(db, data, 3)
    told = student.drive(attempt, "book_seat", user, track)
    found = state(db, track)
    assert (told.get("answer"), found) == (True, (1, 2)), hint(
        "Before anything special happened, one user booked one of three free seats.",
        question="What should be in the two tables after that, and has it been committed?",
        misconception="",
        expected=f"returned True; {in_words(1, 2)}",
        actual=f"{ending(told)}; {in_words(*found)}",
    )
    return told["naps"]


@check("Who books a free seat has one booking, and the track one free seat less", points=2)
def test_a_seat_is_booked(student, db, statements, data):
    user, track, other = a_user(db, data), a_track(db, data, 5), a_track(db, data, 4)
    before = db.snapshot()
    answer = student.call("book_seat", user, track)
    wrote = any(statement.kind in ("INSERT", "UPDATE") for statement in statements.last.all)
    found = state(db, track)
    assert found == (1, 4), hint(
        "book_seat returned for a track with 5 free seats. Seen from another session, that is from"
        " everywhere else, something else is there.",
        question="When does what you have written become visible to others?",
        expected=in_words(1, 4),
        actual=in_words(*found),
        misconception="flushed-is-saved" if wrote and not db.changes(before) else "",
    )
    booking = db.one("bookings", track_id=track)
    assert booking["user_id"] == user and state(db, other) == (0, 4), hint(
        "The booking is somebody else's, or another track lost a seat.",
        expected=f"user {user}",
        actual=f"user {booking['user_id']}; the other track has {in_words(*state(db, other))}",
    )
    assert answer is True, hint(
        "The seat was booked, and book_seat should say so.", expected=True, actual=answer
    )


@check("Where no seat is left, nobody gets one and nothing changes")
def test_a_full_track(student, db, data):
    books(student, db, data)
    user, holder, track = a_user(db, data), a_user(db, data), a_track(db, data, 0)
    booked_before(db, holder, track)
    before = db.snapshot()
    told = student.drive(attempt, "book_seat", user, track)
    found = state(db, track)
    assert not db.changes(before), hint(
        "All seats of a track were taken, and somebody booked it. Something was stored"
        " all the same.",
        expected=in_words(1, 0),
        actual=in_words(*found),
    )
    assert told.get("answer") is False, hint(
        "All seats of a track were taken, and somebody booked it. Nothing was stored, which is"
        " right; the page must be able to say so.",
        question="What should book_seat return here?",
        expected="returned False",
        actual=ending(told),
    )


@check("A track that is not there is no full track")
def test_an_unknown_track(student, db, data):
    books(student, db, data)
    user = a_user(db, data)
    before = db.snapshot()
    student.call(
        "book_seat",
        user,
        1,
        expect=Raises(
            "TrackNotFound",
            otherwise=hint(
                "No track has the id for which a seat was booked. Who reads *full* comes back"
                " tomorrow; who reads *no such track* looks at the address.",
                question="How can your code tell a track without seats from no track?",
                expected="raises TrackNotFound",
            ),
        ),
    )
    assert not db.changes(before), hint("No track has this id, and something was stored.")


@check("Who has a seat keeps it, and does not take a second one")
def test_one_seat_for_each(student, db, data):
    books(student, db, data)
    user = a_user(db, data)
    for seats, what in ((3, "has free seats"), (0, "is full by now")):
        track = a_track(db, data, seats)
        booked_before(db, user, track)
        before = db.snapshot()
        told = student.drive(attempt, "book_seat", user, track)
        found = state(db, track)
        assert not db.changes(before), hint(
            f"A user booked a track in which they have a seat, and which {what}. It should be as if"
            " nothing had happened.",
            question="By what do you see that the seat which you take is needed?",
            misconception="",
            expected=in_words(1, seats),
            actual=in_words(*found),
        )
        assert told.get("answer") is True, hint(
            f"A user booked a track in which they have a seat, and which {what}. They have a seat,"
            " and their page should say so.",
            question="What do you look at first: the free seats, or whether one is needed?",
            expected="returned True",
            actual=ending(told),
        )


@check(
    "Of two who want the last seat, one gets it and the other one reads that it is gone", points=2
)
def test_two_want_the_last_seat(student, db, rivals, data):
    naps = books(student, db, data)
    first, second, track = a_user(db, data), a_user(db, data), a_track(db, data, 1)
    a, b = rivals.enter(2)
    with rivals.holding("SELECT FROM public.tracks WHERE id = %s FOR UPDATE", [track]):
        a.start("book_seat", first, track)  # neither can change the track before the end of this
        sent = a.statements
        b.start("book_seat", second, track)
    results = rivals.finish()
    found = state(db, track)
    locked = any(lock in text.upper() for text in sent.texts for lock in ROW_LOCKS)
    assert found[0] <= 1, hint(
        "One seat was left, and two users booked it at the same moment. Both have a booking now,"
        " and on the evening of the lesson one chair.",
        question="Each of the two calls knew how many seats were free. From which moment was that,"
        " and what could happen since then?",
        misconception="lock-after-read"
        if locked
        else "sleep-as-a-cure"
        if naps
        else "read-modify-write",
        expected=in_words(1, 0),
        actual=in_words(*found),
        show=sent,
    )
    answers = [r.value for r in results if r.answered]
    states = [r.sqlstate for r in results if not r.answered]
    wanted = "one of two returned True, the other one False"
    said = in_turn(results)
    assert not states or states[0] not in LOST_A_RACE, hint(
        "Two users booked the last seat at the same moment. PostgreSQL let one of them go first and"
        f" refused the other one with {states and states[0]}; that reached the page. It does not"
        " mean that no seat is left: nobody has looked.",
        question="What would the same call find, if it were made anew now?",
        misconception="right-is-never-refused",
        expected=wanted,
        actual=said,
        show=sent,
    )
    assert not {"23514", "23505"} & set(states), hint(
        "Two users booked the last seat at the same moment. When each of them looked, it was free;"
        " then both wrote. A constraint kept the seat from being sold twice, and one of the pages"
        " got an error for which it has no words.",
        question="What can happen between your look and your writing, and who notices it?",
        misconception="check-then-insert",
        expected=wanted,
        actual=said,
        show=sent,
    )
    assert len(answers) == 2, hint(
        "Two users booked the last seat at the same moment. One of them should have it, and the"
        " other one should read that it is gone. That somebody else is at work is no reason to"
        " fail.",
        question="What does your code do when somebody else is changing the track?",
        misconception="",
        expected=wanted,
        actual=said,
        show=sent,
    )
    assert found == (1, 0), hint(
        "One seat was left, and two users booked it at the same moment.",
        question="What became of the seat, and what did each of the two read?",
        misconception="",
        expected=in_words(1, 0),
        actual=f"{said}; {in_words(*found)}",
        show=sent,
    )
    [winner] = [row["user_id"] for row in db.rows("bookings", track_id=track)]
    assert [r.value for r in results] == [winner == first, winner == second], hint(
        "Two users booked the last seat at the same moment, and one of them has it. What they read"
        " is something else.",
        question="From which statement does your code know that the seat is theirs?",
        misconception="",
        expected=wanted,
        actual=said,
        show=sent,
    )


def in_turn(results):
    """How the calls of rivals ended; which of them came first was chance."""
    return ", ".join(sorted(map(_ended, results)))


def _ended(result):
    """How a rival's call ended, in words."""
    if result.answered:
        return f"returned {result.value!r}"
    state = f" (SQLSTATE {result.sqlstate})" if result.sqlstate else ""
    return f"raised {result.raised.type}{state}"


def comes_to_an_end(told, fault):
    """After a refusal: whether the call ended in its time, whichever way."""
    tried = fault.writes
    assert "endless" not in told, hint(
        "PostgreSQL refused a booking, and your code was still at it when its time was up. It has"
        f" come to the table {tried} time{'' if tried == 1 else 's'} until then.",
        question="What ends your loop, and in which state is a transaction after an error?",
        misconception="retry-without-rollback" if tried == 1 else "endless-retry",
        expected="an answer or an exception",
        actual="neither",
    )


@check("Whom PostgreSQL refuses for the sake of others tries again", points=2)
def test_a_refusal_is_tried_again(student, db, faults, data):
    books(student, db, data)
    for sqlstate, what in (("40001", "a serialization failure"), ("40P01", "a deadlock")):
        user, track = a_user(db, data), a_track(db, data, 2)
        fault = faults.fail_insert("bookings", sqlstate=sqlstate)
        told = student.drive(attempt, "book_seat", user, track)
        comes_to_an_end(told, fault)
        found = state(db, track)
        tried_again_too_early = told.get("sqlstate") == "25P02" or (
            "PendingRollbackError" in told.get("raised", ())
        )
        assert not tried_again_too_early, hint(
            f"PostgreSQL refused a booking with {sqlstate}, {what}. Your code tried again, and got"
            " another error for it.",
            question="In which state is a transaction after an error, and what can be done in it?",
            misconception="retry-without-rollback",
            expected=f"returned True; {in_words(1, 1)}",
            actual=f"{ending(told)}; {in_words(*found)}",
        )
        assert "answer" in told, hint(
            f"PostgreSQL refused a booking with {sqlstate}, {what}, as it may for the"
            " sake of others."
            " A second attempt would have met nobody; there was none.",
            question="Which errors say something about your data, and which only about the moment?",
            misconception="right-is-never-refused" if told["sqlstate"] == sqlstate else "",
            expected=f"returned True; {in_words(1, 1)}",
            actual=f"{ending(told)}; {in_words(*found)}",
        )
        assert told["answer"] is True, hint(
            f"PostgreSQL refused a booking with {sqlstate}, {what}. Two seats were free, and the"
            " user reads that none is left.",
            question="Which errors does your code take for an answer?",
            misconception="swallowed-error" if found == (0, 2) else "",
            expected=f"returned True; {in_words(1, 1)}",
            actual=f"{ending(told)}; {in_words(*found)}",
        )
        assert found == (1, 1), hint(
            f"PostgreSQL refused a booking with {sqlstate}, {what}, and your code returned True.",
            question="Which of your statements were undone with the first attempt, and which of"
            " them did the second one send again?",
            misconception="",
            expected=in_words(1, 1),
            actual=in_words(*found),
        )
        faults.clear()


@check("A bundle is booked as a whole, or not at all")
def test_a_bundle(student, db, data):
    user, late, tracks = a_user(db, data), a_user(db, data), []
    for seats in (2, 1, 3):
        tracks.append(a_track(db, data, seats))
    told = student.drive(attempt, "book_bundle", user, tracks)
    found = [state(db, track) for track in tracks]
    assert (told.get("answer"), found) == (True, [(1, 1), (1, 0), (1, 2)]), hint(
        "A user booked a bundle of three tracks, with 2, 1 and 3 free seats.",
        misconception="",
        expected=f"returned True; {in_words(1, 1)}; {in_words(1, 0)}; {in_words(1, 2)}",
        actual="; ".join([ending(told), *(in_words(*each) for each in found)]),
    )
    told = student.drive(attempt, "book_bundle", late, tracks)
    kept = db.count("bookings", user_id=late)
    assert (kept, [state(db, track) for track in tracks]) == (0, found), hint(
        f"The second of three tracks was full. The user has {_number(kept, 'booking')} of"
        " that bundle"
        " now, though nobody can attend a part of it, and others do not get those seats.",
        question="What had been made final when the full track was met, and by which line?",
        misconception="commit-in-the-loop" if kept else "",
        expected="no booking, and no seat less",
        actual="; ".join(in_words(*state(db, track)) for track in tracks),
    )
    assert told.get("answer") is False, hint(
        "The second of three tracks was full, so the bundle could not be booked.",
        expected="returned False",
        actual=ending(told),
    )
