"""What an enrollment must do. Your grader runs more checks than these."""

from grader.checks import Raises, check, hint


def a_user(db, data):
    [row] = db.insert("users", {"id": data.number(10**6, 10**9), "email": data.email()})
    return row["id"]


def a_track(db, data, lessons=5, published=True):
    """A track and the ids of its lessons."""
    title = data.text(3)
    row = {"id": data.number(10**6, 10**9), "title": title, "is_published": published}
    [track] = db.insert("tracks", row)
    return track["id"], lessons_of(db, data, track["id"], lessons)


def lessons_of(db, data, track, number):
    rows = (
        {"track_id": track, "position": position, "title": data.word()}
        for position in range(1, number + 1)
    )
    return [row["id"] for row in db.insert("lessons", *rows)]


def stored(db, user, lessons):
    """How many enrollments a user has, and how many progress rows for these lessons."""
    rows = db.rows("lesson_progress", user_id=user)
    return db.count("enrollments", user_id=user), len(
        [r for r in rows if r["lesson_id"] in lessons]
    )


def in_words(enrollments, records):
    return f"{_number(enrollments, 'enrollment')}, {_number(records, 'progress record')}"


def _number(many, thing):
    return f"{many or 'no'} {thing}{'' if many == 1 else 's'}"


def enrolls(student, db, user, track, lessons):
    """The plain case, before a check looks at another one."""
    student.call("enroll", user, track)
    found = stored(db, user, lessons)
    assert found == (1, len(lessons)), hint(
        f"Before anything special happened, a learner was enrolled in a track of {len(lessons)}"
        " lessons, and enroll returned.",
        question="What should be in the two tables after that, and has it been committed?",
        misconception="",
        expected=in_words(1, len(lessons)),
        actual=in_words(*found),
    )


def attempt(session, module, function, *arguments):
    """A page that calls a function, and notes how the call ended."""
    called = getattr(module, function)
    try:
        return {"answer": called(session, *arguments)}
    except NotImplementedError:
        raise
    except Exception as error:
        names = [base.__name__ for base in type(error).__mro__]
        ours = [n for n in names if n in ("UserNotFound", "TrackNotAvailable", "AlreadyEnrolled")]
        return {"raised": [*ours, *names][0], "refused": "EnrollmentRefused" in names}


@check("enroll stores one enrollment and one progress record for each lesson", points=2)
def test_an_enrollment_is_stored(student, db, statements, data):
    user, other = a_user(db, data), a_user(db, data)
    many = data.number(4, 9)
    a_track(db, data, lessons=3)
    track, lessons = a_track(db, data, lessons=many)
    answer = student.call("enroll", user, track)
    found = stored(db, user, lessons)
    wrote = any(statement.kind == "INSERT" for statement in statements.last)
    assert found == (1, many), hint(
        f"enroll returned for a track of {many} lessons. Seen from another session, that is from"
        " everywhere else, something else is there.",
        question="When does what you have written become visible to others?",
        expected=in_words(1, many),
        actual=in_words(*found),
        misconception="flushed-is-saved" if found == (0, 0) and wrote else "",
    )
    rows = db.rows("lesson_progress")
    strange = [
        row
        for row in rows
        if (row["user_id"], row["completed"], row["minutes"]) != (user, False, 0)
        or row["lesson_id"] not in lessons
    ]
    assert not strange and not db.count("enrollments", user_id=other), hint(
        "Something was stored for another learner, for a lesson of another track, or as if the"
        " learner had already begun.",
        actual=strange,
    )
    assert (answer, db.count("enrollments", track_id=track)) == (many, 1), hint(
        "enroll should return how many lessons the track has.", expected=many, actual=answer
    )


@check("An enrollment that fails in the middle leaves nothing behind", points=2)
def test_all_or_nothing(student, db, faults, data):
    first, user = a_user(db, data), a_user(db, data)
    track, lessons = a_track(db, data, lessons=data.number(5, 8))
    enrolls(student, db, first, track, lessons)
    faults.fail_insert("lesson_progress", at=3, sqlstate="53100")
    told = student.drive(attempt, "enroll", user, track)
    found = stored(db, user, lessons)
    assert found == (0, 0), hint(
        f"The track has {len(lessons)} lessons, and when the third progress record was written the"
        " disk was full. The first part of the work stayed: a learner who is half enrolled, and"
        " whom nobody will ever look for.",
        question="How many transactions did this one enrollment take?",
        misconception="commit-in-the-loop" if found[1] else "two-transactions",
        expected=in_words(0, 0),
        actual=in_words(*found),
    )
    assert "raised" in told, hint(
        "The disk was full when the third progress record was written. Nothing was stored, and"
        " enroll returned as if all was well: the learner reads that they are enrolled.",
        question="Which line of yours hears about the error, and who hears about it after that?",
        misconception="swallowed-error",
        expected="an exception",
        actual=f"returned {told.get('answer')!r}",
    )


@check("Nobody can be enrolled in a track that is not published, or not there")
def test_only_published_tracks(student, db, data):
    user = a_user(db, data)
    track, lessons = a_track(db, data)
    enrolls(student, db, user, track, lessons)
    draft, _ = a_track(db, data, published=False)
    before = db.snapshot()
    for asked, what in ((draft, "a track that is not published"), (1, "a track that is not there")):
        told = student.drive(attempt, "enroll", user, asked)
        assert told.get("raised") == "TrackNotAvailable" and not db.changes(before), hint(
            f"A learner asked for {what}. No page offers it; but whoever knows how an address"
            " looks can ask for any number.",
            question="Who keeps a learner out of a draft, if not this function?",
            misconception="the-page-does-not-offer-it"
            if asked == draft and "answer" in told
            else "",
            expected="raises TrackNotAvailable, and nothing is stored",
            actual=_ending(told, db.changes(before)),
        )


def _ending(told, changes):
    """How a call ended, and what it left."""
    ended = f"raised {told['raised']}" if "raised" in told else f"returned {told.get('answer')!r}"
    rows = {table: len(changed.inserted) for table, changed in changes.items()}
    added = ", ".join(f"{_number(n, 'new row')} in {table}" for table, n in rows.items() if n)
    return f"{ended}, {added or ('something was changed' if changes else 'nothing was stored')}"


@check("A learner is enrolled once, and keeps what they have learned")
def test_enrolled_once(student, db, data):
    user = a_user(db, data)
    track, lessons = a_track(db, data)
    db.insert("enrollments", {"user_id": user, "track_id": track})
    db.insert(
        "lesson_progress",
        *(
            {"user_id": user, "lesson_id": lesson, "completed": True, "minutes": data.number(5, 90)}
            for lesson in lessons
        ),
    )
    other, others = a_track(db, data, lessons=2)
    student.call("enroll", user, other)
    assert stored(db, user, others) == (2, 2), hint(
        "A learner who is enrolled in one track can be enrolled in another one.",
        question="Which rows make up an enrollment, and have they been committed?",
        expected=in_words(2, 2),
        actual=in_words(*stored(db, user, others)),
    )
    before = db.snapshot()
    told = student.drive(attempt, "enroll", user, track)
    changed = db.changes(before)
    assert not changed, hint(
        "A learner who had finished a track was enrolled in it a second time, and what was stored"
        " about them has changed.",
        question="What becomes of a row that is there already?",
        expected="nothing changed",
        actual=_ending(told, changed),
    )
    assert told.get("raised") == "AlreadyEnrolled", hint(
        "A learner was enrolled in a track in which they are. Their page must be able to say so.",
        question="Who knows that the row is there already, and in which words do they say it?",
        misconception="swallowed-error" if "answer" in told else "",
        expected="raises AlreadyEnrolled",
        actual=_ending(told, changed),
    )


@check("An unknown learner is told apart from one who is enrolled already")
def test_an_unknown_learner(student, db, data):
    user = a_user(db, data)
    track, lessons = a_track(db, data)
    enrolls(student, db, user, track, lessons)
    before = db.snapshot()
    told = student.drive(attempt, "enroll", 2, track)
    assert told.get("raised") == "UserNotFound" and not db.changes(before), hint(
        "Nobody has the id with which enroll was called.",
        question="Which rule of which table was broken here, and how could you tell it from the"
        " others?",
        misconception="every-error-is-a-duplicate"
        if told.get("raised") == "AlreadyEnrolled"
        else "",
        expected="raises UserNotFound, and nothing is stored",
        actual=_ending(told, db.changes(before)),
    )


@check("A team is enrolled as a whole, or not at all", points=2)
def test_a_team_as_a_whole(student, db, data):
    team = [a_user(db, data) for _ in range(data.number(3, 5))]
    track, lessons = a_track(db, data, lessons=4)
    answer = student.call("enroll_team", team, track)
    for user in team:
        assert stored(db, user, lessons) == (1, 4), hint(
            f"A team of {len(team)} was enrolled in a track of 4 lessons. One of them has"
            " something else.",
            question="Which rows make up an enrollment, and have they been committed?",
            expected=in_words(1, 4),
            actual=in_words(*stored(db, user, lessons)),
        )
    assert answer == len(team), hint(
        "enroll_team should return how many users were enrolled.",
        expected=len(team),
        actual=answer,
    )
    newcomers = [a_user(db, data) for _ in range(3)]
    student.call(
        "enroll_team",
        [*newcomers, team[0]],
        track,
        expect=Raises(
            "AlreadyEnrolled",
            otherwise=hint(
                "The last one of a team of four is enrolled already, so the team cannot be enrolled"
                " as a whole.",
                question="What should the company learn, and what should be stored?",
            ),
        ),
    )
    found = [stored(db, user, lessons) for user in newcomers]
    in_ = len([each for each in found if each != (0, 0)])
    assert not in_, hint(
        f"The last one of a team of four was enrolled already. enroll_team raised AlreadyEnrolled,"
        f" and {in_} of the others were enrolled all the same. Who mends the list and calls again"
        " gets the same error, now because of them.",
        question="What had been made final when the last one was refused, and by which line?",
        misconception="commit-in-the-loop",
        expected="nobody of the team is enrolled",
        actual=f"{in_} of 3 are",
    )


def refused_then_enrolled(session, module, user, taken, free):
    """A page that tries one track after another on one session."""
    enroll = module.enroll
    try:
        enroll(session, user, taken)
    except Exception as error:
        if "AlreadyEnrolled" not in [base.__name__ for base in type(error).__mro__]:
            raise
    else:
        return None
    try:
        status = session.connection().connection.driver_connection.info.transaction_status.name
    except Exception:
        status = "INERROR"
    session.rollback()
    return {"status": status, "lessons": enroll(session, user, free)}


@check("After a refusal the session is free for the next enrollment")
def test_the_session_is_free_again(student, db, data):
    user = a_user(db, data)
    taken, lessons = a_track(db, data)
    free, others = a_track(db, data, lessons=3)
    enrolls(student, db, user, taken, lessons)
    told = student.drive(refused_then_enrolled, user, taken, free)
    assert told is not None, hint(
        "A learner was enrolled in the same track twice, and the second call returned.",
        question="What should the page tell the learner, and from whom does it learn that?",
        expected="raises AlreadyEnrolled",
    )
    assert told["status"] == "IDLE", hint(
        "enroll raised AlreadyEnrolled and left its transaction open. What it has locked stays"
        " locked until somebody ends it, and nobody knows that they should.",
        question="In which ways can your function be left, and what ends the transaction in each of"
        " them?",
        misconception="caught-is-not-over"
        if told["status"] == "INERROR"
        else "raise-is-no-rollback",
        expected="no transaction is open",
        actual="a transaction in which an error occurred is open"
        if told["status"] == "INERROR"
        else "a transaction is open",
    )
    found = stored(db, user, others)
    assert found == (2, 3), hint(
        "A page got AlreadyEnrolled for one track and enrolled the learner in the next one, on the"
        " same session. That returned, and is not stored.",
        question="In which state did the first call leave the session?",
        expected=in_words(2, 3),
        actual=in_words(*found),
    )
