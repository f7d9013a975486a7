"""Where bookings go wrong: opposite orders, refusals without end, one user twice, many at once."""

from test_visible import (
    _number,
    a_track,
    a_user,
    attempt,
    books,
    comes_to_an_end,
    ending,
    in_turn,
    in_words,
    state,
)

from grader.checks import check, hint


@check("Two who book the same tracks in opposite order both get their seats", points=2)
def test_opposite_orders(student, db, rivals, data):
    books(student, db, data)
    first, second = a_user(db, data), a_user(db, data)
    one, middle, two = _tracks(db, data, (3, 4, 5))
    results, sent = _meet(rivals, (first, second), (one, middle, two))
    found = [state(db, track) for track in (one, middle, two)]
    said = in_turn(results)
    states = {r.sqlstate for r in results if not r.answered}
    assert not states & {"25P02"} and not _pending(results), hint(
        "Two users booked the same tracks, each in their own order. Each of them had"
        " locked what the"
        " other one needed, so PostgreSQL ended one of the transactions. Your code went on in the"
        " one that had been ended.",
        question="In which state is a transaction after an error, and what can be done in it?",
        misconception="retry-without-rollback",
        expected="both returned True",
        actual=said,
        show=sent,
    )
    assert "40P01" not in states, hint(
        "Two users booked the same tracks, each in their own order. Each of them had"
        " locked what the"
        " other one needed: a deadlock. PostgreSQL ended one of them, and its user got an error,"
        " though there were seats for both.",
        question="Which way is there to keep clear of a deadlock, and which one to get over it?",
        misconception="right-is-never-refused",
        expected="both returned True",
        actual=said,
        show=sent,
    )
    assert found == [(2, 1), (2, 2), (2, 3)], hint(
        "Two users booked the same three tracks at the same moment, each in their own order. There"
        " were seats enough, and what is stored afterwards is not two bookings and two seats less"
        " in each.",
        question="From which moment was the number of seats that each of them wrote?",
        misconception="read-modify-write"
        if [bookings for bookings, _ in found] == [2, 2, 2] and not states
        else "",
        expected=f"{in_words(2, 1)}; {in_words(2, 2)}; {in_words(2, 3)}",
        actual="; ".join([said, *(in_words(*each) for each in found)]),
        show=sent,
    )
    assert [r.value for r in results] == [True, True], hint(
        "Two users booked the same three tracks at the same moment, and both have their seats.",
        expected="both returned True",
        actual=said,
        show=sent,
    )


def _tracks(db, data, seats):
    """Tracks whose ids are in order: who locks in the order of the ids begins with the first."""
    ids = sorted(data.rng.sample(range(10**6, 10**9), len(seats)))
    rows = db.insert(
        "tracks",
        *(
            {"id": i, "title": data.text(3), "seats": each}
            for i, each in zip(ids, seats, strict=True)
        ),
    )
    return [row["id"] for row in rows]


def _meet(rivals, users, tracks):
    """Two book the same three tracks from both ends, and meet in the middle.

    Gives how the calls ended, and what the first one had sent when it had to wait.
    """
    one, middle, two = tracks
    a, b = rivals.enter(2)
    with rivals.holding("SELECT FROM public.tracks WHERE id = %s FOR UPDATE", [middle]):
        a.start("book_bundle", users[0], [one, middle, two])
        sent = a.statements
        b.start("book_bundle", users[1], [two, middle, one])
    return rivals.finish(), sent


def _pending(results):
    return any("PendingRollbackError" in r.raised.bases for r in results if not r.answered)


@check("Of two who want the same last seats in opposite order, one gets them all")
def test_last_seats_in_opposite_orders(student, db, rivals, data):
    books(student, db, data)
    users = [a_user(db, data), a_user(db, data)]
    tracks = _tracks(db, data, (1, 5, 1))
    results, sent = _meet(rivals, users, tracks)
    found = [state(db, track) for track in tracks]
    said = in_turn(results)
    assert found == [(1, 0), (1, 4), (1, 0)], hint(
        "Two users booked the same bundle, each in their own order. In two of the tracks one seat"
        " was left: so one of the users gets the whole bundle, and the other one nothing.",
        question="What does a call still know from before it had to wait, and what should it give"
        " back when a seat is gone?",
        misconception="",
        expected=f"{in_words(1, 0)}; {in_words(1, 4)}; {in_words(1, 0)}",
        actual="; ".join([said, *(in_words(*each) for each in found)]),
        show=sent,
    )
    have = [db.count("bookings", user_id=user) == 3 for user in users]
    assert [r.value for r in results] == have, hint(
        "Two users booked the last bundle. One of them has it whole, and what they read is"
        " something else.",
        question="From which statement does your code know how it ended?",
        misconception="",
        expected="who has it read True, and the other one False",
        actual=said,
        show=sent,
    )


@check("Three refusals in a row, also at the commit, do not keep a user from their seat")
def test_three_refusals(student, db, faults, data):
    books(student, db, data)
    for sqlstate, on_commit, where in (
        ("40001", False, "at the booking"),
        ("40001", True, "at the commit"),
        ("40P01", False, "at the booking"),
    ):
        user, track = a_user(db, data), a_track(db, data, 2)
        fault = faults.fail_insert("bookings", times=3, sqlstate=sqlstate, on_commit=on_commit)
        told = student.drive(attempt, "book_seat", user, track)
        comes_to_an_end(told, fault)
        found = state(db, track)
        rolled_back = told.get("sqlstate") != "25P02" and (
            "PendingRollbackError" not in told.get("raised", ())
        )
        assert rolled_back, hint(
            f"PostgreSQL refused a booking three times, {where}. Your code tried again in the"
            " transaction that had been refused.",
            question="In which state is a transaction after an error, and what can be done in it?",
            misconception="retry-without-rollback",
            expected=f"returned True; {in_words(1, 1)}",
            actual=f"{ending(told)}; {in_words(*found)}",
        )
        assert (told.get("answer"), found) == (True, (1, 1)), hint(
            f"PostgreSQL refused a booking three times with {sqlstate}, {where}. The fourth attempt"
            " would have got through.",
            question="How often does your code try, and which of its lines does it try again?",
            misconception="right-is-never-refused"
            if told.get("sqlstate") == sqlstate
            else "swallowed-error"
            if told.get("answer") is not None and found == (0, 2)
            else "",
            expected=f"returned True; {in_words(1, 1)}",
            actual=f"{ending(told)}; {in_words(*found)}",
        )
        faults.clear()


@check("A booking that is refused again and again comes to an end", points=2)
def test_refusals_without_end(student, db, faults, data):
    books(student, db, data)
    user, track = a_user(db, data), a_track(db, data, 2)
    fault = faults.fail_insert("bookings", times=60, sqlstate="40001")
    told = student.drive(attempt, "book_seat", user, track)
    comes_to_an_end(told, fault)
    tried, found = fault.writes, state(db, track)
    assert tried > 3, hint(
        "PostgreSQL refused every attempt to book a seat, and your code gave up early.",
        question="How often does README.md ask you to try?",
        misconception="",
        expected="between 4 and 10 attempts",
        actual=_number(tried, "attempt"),
    )
    assert tried <= 10, hint(
        f"PostgreSQL refused a booking sixty times, and your code tried {tried} times. While it"
        " does, a user looks at a page that does not come, and all who try for ever are"
        " each other's"
        " reason to fail.",
        question="What ends your loop, if success does not?",
        misconception="endless-retry",
        expected="at most 10 attempts",
        actual=_number(tried, "attempt"),
    )
    assert told.get("sqlstate") == "40001" and found == (0, 2), hint(
        f"PostgreSQL refused each of {tried} attempts to book one of two free seats. Whoever called"
        " should learn that nobody knows whether a seat is left.",
        question="What happens in your code after the last attempt?",
        misconception="swallowed-error" if "answer" in told and found == (0, 2) else "",
        expected=f"raised the database's own error (SQLSTATE 40001); {in_words(0, 2)}",
        actual=f"{ending(told)}; {in_words(*found)}",
    )
    assert told["open"] == "IDLE", hint(
        "Your code gave up, and left its transaction open. The next one who uses the session gets"
        " an error that is not theirs.",
        question="On which ways can your function be left, and what ends the transaction on each of"
        " them?",
        misconception="raise-is-no-rollback",
        expected="no transaction is open",
        actual="a transaction is open",
    )


@check("A failure that is no matter of chance reaches the caller at once")
def test_other_failures(student, db, faults, data):
    books(student, db, data)
    user, track = a_user(db, data), a_track(db, data, 2)
    fault = faults.fail_insert("bookings", times=60, sqlstate="53100")
    told = student.drive(attempt, "book_seat", user, track)
    comes_to_an_end(told, fault)
    found = state(db, track)
    assert fault.writes <= 1, hint(
        f"The disk was full when a seat was booked, and your code tried {fault.writes} times.",
        question="Which errors can a second attempt get over?",
        misconception="every-error-is-worth-a-retry",
        expected="1 attempt",
        actual=_number(fault.writes, "attempt"),
    )
    assert told.get("sqlstate") == "53100" and found == (0, 2), hint(
        "The disk was full when a seat was booked. The caller should learn just that.",
        question="Which line of yours hears about the error, and what does it make of it?",
        misconception="swallowed-error" if "answer" in told and found == (0, 2) else "",
        expected=f"raised the database's own error (SQLSTATE 53100); {in_words(0, 2)}",
        actual=f"{ending(told)}; {in_words(*found)}",
    )
    assert told["open"] == "IDLE", hint(
        "The disk was full, and your code raised the error and left its transaction open. What it"
        " has locked stays locked.",
        question="On which ways can your function be left, and what ends the transaction on each of"
        " them?",
        misconception="raise-is-no-rollback",
        expected="no transaction is open",
        actual="a transaction is open",
    )


@check("Who presses the button twice has one seat, and reads twice that it is theirs")
def test_the_same_user_twice(student, db, rivals, data):
    books(student, db, data)
    a, b = rivals.enter(2)
    for seats in (3, 1):
        user, track = a_user(db, data), a_track(db, data, seats)
        with rivals.holding("SELECT FROM public.tracks WHERE id = %s FOR UPDATE", [track]):
            a.start("book_seat", user, track)
            sent = a.statements
            b.start("book_seat", user, track)
        results = rivals.finish()
        found = state(db, track)
        said = in_turn(results)
        assert found == (1, seats - 1), hint(
            f"A user pressed the button twice, and both calls ran at the same moment. Of"
            f" {_number(seats, 'free seat')}, one should be theirs.",
            question="What becomes of a seat that was taken for a booking which was there before?",
            misconception="",
            expected=in_words(1, seats - 1),
            actual=f"{said}; {in_words(*found)}",
            show=sent,
        )
        assert all(result.answered for result in results), hint(
            "A user pressed the button twice, and both calls ran at the same moment. When each of"
            " them looked, there was no booking; then both wrote. The page shows an error to a user"
            " who has a seat.",
            question="What can happen between your look and your INSERT, and who notices it?",
            misconception="check-then-insert"
            if "23505" in {result.sqlstate for result in results}
            else "",
            expected="both returned True",
            actual=said,
            show=sent,
        )
        assert [result.value for result in results] == [True, True], hint(
            f"A user pressed the button twice when {_number(seats, 'free seat')} could be had,"
            " and both calls ran at the same moment. They have the seat.",
            question="If the seat is gone that you saw: who may have it?",
            misconception="",
            expected="both returned True",
            actual=said,
            show=sent,
        )


@check("Of three who want the last two seats, two get one")
def test_three_want_two_seats(student, db, rivals, data):
    books(student, db, data)
    users, track = [a_user(db, data) for _ in range(3)], a_track(db, data, 2)
    entered = rivals.enter(3)
    with rivals.holding("SELECT FROM public.tracks WHERE id = %s FOR UPDATE", [track]):
        for rival, user in zip(entered, users, strict=True):
            rival.start("book_seat", user, track)
        sent = entered[0].statements
    results = rivals.finish()
    found = state(db, track)
    said = in_turn(results)
    have = [db.count("bookings", user_id=user) == 1 for user in users]
    assert found == (2, 0) and [r.value for r in results] == have, hint(
        "Two seats were left, and three users booked at the same moment.",
        question="What does each of them know about the seats when it writes?",
        misconception="",
        expected=f"two returned True, one returned False; {in_words(2, 0)}",
        actual=f"{said}; {in_words(*found)}",
        show=sent,
    )


@check("A bundle that the user has in part is completed, and an empty one costs nothing")
def test_parts_of_a_bundle(student, db, data):
    books(student, db, data)
    user, (one, two, three) = a_user(db, data), _tracks(db, data, (1, 2, 4))
    student.call("book_seat", user, one)  # the last one
    told = student.drive(attempt, "book_bundle", user, [three, one, two])
    found = [state(db, track) for track in (one, two, three)]
    assert (told.get("answer"), found) == (True, [(1, 0), (1, 1), (1, 3)]), hint(
        "A user has a seat in one of three tracks, which is full by now, and booked all three.",
        question="In which tracks of the bundle is a seat needed at all?",
        expected=f"returned True; {in_words(1, 0)}; {in_words(1, 1)}; {in_words(1, 3)}",
        actual="; ".join([ending(told), *(in_words(*each) for each in found)]),
    )
    before = db.snapshot()
    told = student.drive(attempt, "book_bundle", user, [])
    assert told.get("answer") is True and not db.changes(before), hint(
        "A bundle of no tracks was booked: nothing to store, and nothing is missing.",
        expected="returned True",
        actual=ending(told),
    )
    told = student.drive(attempt, "book_bundle", a_user(db, data), [two, 1])
    assert "TrackNotFound" in told.get("raised", ()) and state(db, two) == (1, 1), hint(
        "One of two tracks of a bundle is not there.",
        expected=f"raised TrackNotFound; {in_words(1, 1)}",
        actual=f"{ending(told)}; {in_words(*state(db, two))}",
    )
