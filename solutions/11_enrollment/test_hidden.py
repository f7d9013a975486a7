"""Where enrollments go wrong: faults, the same moment, nothing at all, and very much."""

from test_visible import a_user, attempt, enrolls, in_words, stored

from grader.checks import Raises, check, hint


def a_track(db, data, lessons=5):
    """A published track and the ids of its lessons."""
    row = {"id": data.number(10**6, 10**9), "title": data.text(3), "is_published": True}
    [track] = db.insert("tracks", row)
    rows = (
        {"track_id": track["id"], "position": position, "title": data.word()}
        for position in range(1, lessons + 1)
    )
    return track["id"], [lesson["id"] for lesson in db.insert("lessons", *rows)]


def _ended(result):
    """How a rival's call ended, in a word or two."""
    if result.answered:
        return "returned"
    state = f" (SQLSTATE {result.sqlstate})" if result.sqlstate else ""
    ours = [
        name for name in result.raised.bases if name in ("TrackNotAvailable", "AlreadyEnrolled")
    ]
    return f"raised {[*ours, result.raised.type][0]}{state if not ours else ''}"


@check("Of two who enroll the same learner at once, one is told that it is done already", points=2)
def test_two_at_the_same_moment(student, db, rivals, data):
    first, user = a_user(db, data), a_user(db, data)
    track, lessons = a_track(db, data)
    enrolls(student, db, first, track, lessons)
    a, b = rivals.enter(2)
    with rivals.holding("SELECT FROM public.users WHERE id = %s FOR UPDATE", [user]):
        a.start("enroll", user, track)  # has written, or is about to, and cannot go on
        b.start("enroll", user, track)
    results = rivals.finish()
    found, ended = stored(db, user, lessons), [_ended(result) for result in results]
    assert found == (1, len(lessons)), hint(
        "The same learner was enrolled from two devices at the same moment. That is one"
        " enrollment.",
        misconception="check-then-insert",
        expected=in_words(1, len(lessons)),
        actual=in_words(*found),
    )
    assert ended != ["returned", "returned"], hint(
        "The same learner was enrolled from two devices at the same moment, and both were told that"
        " it was their call that did it.",
        question="How does your code learn that its row was not stored?",
        misconception="swallowed-error",
        expected="one of two raises AlreadyEnrolled",
        actual=" and ".join(ended),
    )
    assert sorted(ended) == ["raised AlreadyEnrolled", "returned"], hint(
        "The same learner was enrolled from two devices at the same moment. When each of them"
        " looked, the learner was not enrolled; then both wrote. One of them got an error for which"
        " its page has no words.",
        question="What can happen between your look and your INSERT, and who notices it?",
        misconception="check-then-insert",
        expected="one of two returns, the other one raises AlreadyEnrolled",
        actual=" and ".join(ended),
    )


def withdraw(session, module, track):
    """The office, which takes a track off the list."""
    from sqlalchemy import text

    session.execute(text("UPDATE tracks SET is_published = false WHERE id = :t"), {"t": track})
    session.commit()


@check("Nobody gets into a track that was withdrawn a moment ago", points=2)
def test_the_moment_before_it_is_withdrawn(student, db, rivals, data):
    first, user = a_user(db, data), a_user(db, data)
    track, lessons = a_track(db, data)
    enrolls(student, db, first, track, lessons)
    a, office = rivals.enter(2)
    with rivals.holding("SELECT FROM public.users WHERE id = %s FOR UPDATE", [user]):
        a.start("enroll", user, track)  # which cannot write for this learner before the end of this
        office.start_driver("the office", withdraw, track)
        office_was_first = not office.is_waiting
    result, _ = rivals.finish()
    found = stored(db, user, lessons)
    if not office_was_first:
        assert result.answered and found == (1, len(lessons)), hint(
            "The office had to wait until an enrollment was through, and then that was none.",
            expected=in_words(1, len(lessons)),
            actual=f"{_ended(result)}: {in_words(*found)}",
        )
        return
    assert found == (0, 0), hint(
        "While a learner was being enrolled, the office withdrew the track, and that was committed"
        " first. The enrollment went on with what it had read before, and was committed after it.",
        question="For how long does what you have read stay true, and what would keep it true until"
        " you commit?",
        misconception="read-is-not-locked",
        expected="no enrollment, or the office waits until it is through",
        actual=in_words(*found),
        show=a.statements,
    )
    assert _ended(result) == "raised TrackNotAvailable", hint(
        "The office had withdrawn the track before the enrollment was through. Nothing was stored,"
        " and the learner should be told that the track is not available.",
        misconception="swallowed-error" if result.answered else "",
        expected="raises TrackNotAvailable",
        actual=_ended(result),
    )


@check("A failure that says nothing about the learner reaches the caller as it is")
def test_other_failures_go_through(student, db, faults, data):
    first, user = a_user(db, data), a_user(db, data)
    track, lessons = a_track(db, data)
    enrolls(student, db, first, track, lessons)
    for table, sqlstate, on_commit, what in (
        ("enrollments", "53100", False, "the disk was full"),
        ("lesson_progress", "40001", False, "PostgreSQL could not serialize the transaction"),
        ("enrollments", "40001", True, "PostgreSQL refused the commit"),
    ):
        at = 1 if table == "enrollments" else 2
        faults.fail_insert(table, at=at, sqlstate=sqlstate, on_commit=on_commit)
        told = student.drive(attempt, "enroll", user, track)
        found = stored(db, user, lessons)
        tried_again = "answer" in told and found == (1, len(lessons))
        if tried_again:
            user = a_user(db, data)
            continue
        assert found == (0, 0), hint(
            f"While a learner was being enrolled, {what}. A part of the enrollment stayed.",
            question="How many transactions does one enrollment take?",
            misconception="commit-in-the-loop" if found[1] else "two-transactions",
            expected=in_words(0, 0),
            actual=in_words(*found),
        )
        assert "raised" in told, hint(
            f"While a learner was being enrolled, {what}. Nothing was stored, and enroll returned:"
            " the learner reads that they are enrolled.",
            question="Which line of yours hears about the error, and who hears of it then?",
            misconception="swallowed-error",
            expected="an exception",
            actual=f"returned {told.get('answer')!r}",
        )
        assert not told["refused"], hint(
            f"While a learner was being enrolled, {what}. The caller was told {told['raised']},"
            " which is not true, and will not try again.",
            question="Which exceptions does your except clause take, beside the one that you had in"
            " mind?",
            misconception="every-error-is-a-duplicate",
            expected="the database's own error",
            actual=f"raised {told['raised']}",
        )


@check("A lost connection leaves nothing behind, and the next call works")
def test_a_lost_connection(student, db, faults, data):
    first, user = a_user(db, data), a_user(db, data)
    track, lessons = a_track(db, data)
    enrolls(student, db, first, track, lessons)
    faults.lose_connection("lesson_progress", at=data.number(2, 5))
    for table in ("enrollments", "lesson_progress"):  # nor can anybody clear up after it
        faults.lose_connection(table, event="delete", times=None, needed=False)
    told = student.drive(attempt, "enroll", user, track)
    found = stored(db, user, lessons)
    if "raised" in told or found != (1, len(lessons)):
        assert found == (0, 0), hint(
            "The server was restarted in the middle of an enrollment. Half of it is there.",
            question="What had been made final when the connection was lost, and by which line?",
            misconception="commit-in-the-loop" if found[1] else "two-transactions",
            expected=in_words(0, 0),
            actual=in_words(*found),
        )
        assert "raised" in told and not told["refused"], hint(
            "The server was restarted in the middle of an enrollment, so nothing is stored. The"
            " caller was told something else.",
            question="Which line of yours hears about the error, and what does it make of it?",
            misconception="swallowed-error" if "answer" in told else "every-error-is-a-duplicate",
            expected="the database's own error",
            actual=f"raised {told['raised']}" if "raised" in told else f"returned {told['answer']}",
        )
        faults.clear()
        student.call("enroll", user, track)
    assert stored(db, user, lessons) == (1, len(lessons)), hint(
        "The server was restarted in the middle of an enrollment. The learner tried again.",
        expected=in_words(1, len(lessons)),
        actual=in_words(*stored(db, user, lessons)),
    )


@check("One can enroll in a track without lessons, once")
def test_a_track_without_lessons(student, db, data):
    user = a_user(db, data)
    track, _ = a_track(db, data, lessons=0)
    answer = student.call("enroll", user, track)
    assert (answer, db.count("enrollments", user_id=user)) == (0, 1), hint(
        "A learner was enrolled in a track whose lessons are still to be written.",
        question="What is left of an enrollment where there is no lesson?",
        misconception="",
        expected="returns 0; 1 enrollment",
        actual=f"returns {answer!r}; {db.count('enrollments', user_id=user)} enrollments",
    )
    told = student.drive(attempt, "enroll", user, track)
    assert told.get("raised") == "AlreadyEnrolled", hint(
        "A learner was enrolled twice in a track that has no lessons yet.",
        question="By what do you recognize somebody who is enrolled?",
        expected="raises AlreadyEnrolled",
        actual=f"raised {told['raised']}" if "raised" in told else f"returned {told['answer']!r}",
    )
    assert db.count("enrollments", user_id=user) == 1


@check("A team of which one fails in the middle leaves nobody behind")
def test_a_team_that_fails(student, db, faults, data):
    first, *team = [a_user(db, data) for _ in range(5)]
    track, lessons = a_track(db, data, lessons=3)
    student.call("enroll_team", [first], track)
    assert stored(db, first, lessons) == (1, 3), hint(
        "A team of one was enrolled, and they are not.",
        question="Which rows make up an enrollment, and have they been committed?",
        misconception="",
        expected=in_words(1, 3),
        actual=in_words(*stored(db, first, lessons)),
    )
    faults.fail_insert("lesson_progress", at=8)
    student.call(
        "enroll_team",
        team,
        track,
        expect=Raises(
            otherwise=hint(
                "A progress record of a team could not be written, and enroll_team returned as if"
                " all was well.",
                misconception="swallowed-error",
            )
        ),
    )
    found = [stored(db, user, lessons) for user in team]
    in_ = len([each for each in found if each != (0, 0)])
    assert not in_, hint(
        f"While a team of four was being enrolled, the disk was full. Something of {in_} of them"
        " stayed.",
        question="How many transactions did the team take?",
        misconception="commit-in-the-loop"
        if any(each[1] for each in found)
        else "two-transactions",
        expected="nothing is stored of anybody",
        actual="; ".join(in_words(*each) for each in found),
    )


@check("Of two teams that share a learner, one is enrolled as a whole and the other one not at all")
def test_two_teams_at_once(student, db, rivals, data):
    track, lessons = a_track(db, data, lessons=2)
    solo, shared, *others = [a_user(db, data) for _ in range(6)]
    student.call("enroll_team", [solo], track)
    assert stored(db, solo, lessons) == (1, 2), hint(
        "A team of one was enrolled, and they are not.",
        question="Which rows make up an enrollment, and have they been committed?",
        misconception="",
        expected=in_words(1, 2),
        actual=in_words(*stored(db, solo, lessons)),
    )
    a, b = rivals.enter(2)
    with rivals.holding("SELECT FROM public.users WHERE id = %s FOR UPDATE", [shared]):
        a.start("enroll_team", [shared, *others[:2]], track)
        b.start("enroll_team", [shared, *others[2:]], track)
    ended = [_ended(result) for result in rivals.finish()]
    shares = stored(db, shared, lessons)
    teams = [[stored(db, user, lessons) for user in pair] for pair in (others[:2], others[2:])]
    assert shares == (1, 2) and sorted(teams) == [[(0, 0)] * 2, [(1, 2)] * 2], hint(
        "Two teams were enrolled at the same moment, and one learner is in both. One of the teams"
        " should be in as a whole, and of the other one nobody else.",
        question="What should become of a team when one of them cannot be enrolled?",
        misconception="swallowed-error" if ended == ["returned", "returned"] else "",
        expected="all of one team, and 2 of the other one left out",
        actual="; ".join(in_words(*each) for each in [shares, *teams[0], *teams[1]]),
    )
    assert sorted(ended) == ["raised AlreadyEnrolled", "returned"], hint(
        "Two teams were enrolled at the same moment, and one learner is in both. The team that came"
        " second should be told so.",
        question="Who notices in the end that a learner is there already, and in which words?",
        misconception="check-then-insert",
        expected="one of two returns, the other one raises AlreadyEnrolled",
        actual=" and ".join(ended),
    )


@check("A large team gets all lessons of a large track, and an empty team none")
def test_large_and_empty(student, db, data):
    track, _ = a_track(db, data, lessons=25)
    team = [a_user(db, data) for _ in range(12)]
    assert student.call("enroll_team", [], track) == 0 and not db.count("enrollments"), hint(
        "An empty team was enrolled: 0 users, and nothing to store.", expected=0
    )
    answer = student.call("enroll_team", team, track)
    counted = (answer, db.count("enrollments", track_id=track), db.count("lesson_progress"))
    assert counted == (12, 12, 300), hint(
        "A team of 12 was enrolled in a track of 25 lessons.",
        question="Which rows make up an enrollment, and have they been committed?",
        expected="returns 12; 12 enrollments, 300 progress records",
        actual=f"returns {answer!r}; {in_words(*counted[1:])}",
    )
