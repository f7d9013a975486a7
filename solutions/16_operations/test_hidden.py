"""Where operations go wrong: a crowd, a restart, a lying check, a broken file, a bad moment."""

from decimal import Decimal

from test_visible import (
    BACKUP,
    PATIENCE,
    TABLES,
    a_school,
    backed_up,
    differences,
    empty,
    ended,
    nightly,
    rows_of,
    some_visits,
    status,
    use,
)

from grader.checks import check, hint


def crowd(session, module, settings, many, visit):
    """A program in which so many visits are made at the same moment; what came of each."""
    from concurrent.futures import ThreadPoolExecutor

    url = session.get_bind().url.set(drivername="postgresql")
    pool = module.open_pool(url.render_as_string(hide_password=False), *settings)

    def one(_):
        try:
            return {"answer": module.record_visit(pool, *visit)}
        except Exception as error:
            first = ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
            return {"words": f"raised {first}"}

    with ThreadPoolExecutor(many) as threads:
        return list(threads.map(one, range(many)))


def all_lent_out(session, module, size, patience, visit):
    """A program all of whose connections are at work; what its health check says meanwhile."""
    import signal
    import threading
    import time

    from sqlalchemy import text

    class StillWaiting(BaseException):
        pass

    def stop(*_):
        raise StillWaiting

    url = session.get_bind().url.set(drivername="postgresql")
    pool = module.open_pool(url.render_as_string(hide_password=False), size, patience)
    kept = vars(module).setdefault("kept_by_the_program", {"errors": []})
    kept["pool"] = pool
    kept["threads"] = [
        threading.Thread(target=module.record_visit, args=(pool, *visit), daemon=True)
        for _ in range(size)
    ]
    for thread in kept["threads"]:
        thread.start()
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE usename = current_user AND wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + 2
    while session.scalar(waiting) < size and time.monotonic() < deadline:
        session.rollback()
        time.sleep(0.005)
    session.rollback()
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 3)
    try:
        return {"answer": module.health(pool)}
    except StillWaiting:
        return {"words": "did not return"}
    except Exception as error:
        return {"words": f"raised {type(error).__name__}"}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def calm_again(session, module):
    """Wait until those threads have ended."""
    for thread in vars(module)["kept_by_the_program"]["threads"]:
        thread.join(2)


def secret(session, module):
    """The password by which this program connects."""
    return session.get_bind().url.password


def damage(session, module, path, how, marker):
    """What a disk, a full one or a careless person makes of a file."""
    from pathlib import Path

    file = Path(path)
    whole = file.read_bytes()
    Path("whole").write_bytes(whole)
    if how == "is missing":
        file.unlink()
    elif how == "is empty":
        file.write_bytes(b"")
    elif how == "is another file":
        file.write_bytes(b"id,title\n1,Minutes of the meeting\n")
    elif how == "ends too early":
        kept = whole[: len(whole) * 2 // 3]
        file.write_bytes(kept[: kept.rfind(b"\n") + 1] or kept)
    elif how == "has lost its last line":
        kept = whole.rstrip(b"\n")
        file.write_bytes(kept[: kept.rfind(b"\n") + 1] or kept[:-1])
    else:
        at = whole.find(marker.encode())
        at = at if at >= 0 else len(whole) // 2
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])


def whole_again(session, module, path):
    """The file as it was before the damage."""
    from pathlib import Path

    Path("whole").replace(path)


def on_a_full_disk(session, module, path):
    """The nightly job where no file can have more than some thousand bytes."""
    import resource
    from pathlib import Path

    url = session.get_bind().url.set(drivername="postgresql")
    size, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, most))
    try:
        return {"answer": module.back_up(url.render_as_string(hide_password=False), Path(path))}
    except Exception as error:
        return {"raised": [], "words": f"raised {type(error).__name__}"}
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))


@check("However many come at once, there are never more connections than the pool has", points=2)
def test_at_once(student, db, rivals, sessions, data):
    (user, *_), (lesson, _) = a_school(db, data)
    with rivals.gate("visits"):
        student.begin_drive(crowd, (3, 4.0), 8, (user, lesson))
        sessions.when(lambda seen: len(seen.waiting) >= 3)
        most = sessions.settled().count
    told = student.finish()
    stored = db.count("visits", lesson_id=lesson)
    assert most <= 3, hint(
        "The pool was made for three connections, and eight visits came at the same moment."
        f" PostgreSQL saw {most} connections at once. Ten programs like this one, and the server"
        " refuses people.",
        question="How many connections may your pool open when all that it keeps are lent out?",
        misconception="pool-size-is-the-limit",
        expected="at most 3 connections",
        actual=f"{most} connections",
        show=[],
    )
    failed = [each["words"] for each in told if "words" in each]
    assert stored == 8, hint(
        "Eight visits came at the same moment, and a pool of three connections had four seconds to"
        " serve them. Nothing was in the way for so long.",
        question="What does a visit do that finds no free connection?",
        expected="8 rows in visits",
        actual="; ".join([f"{stored} rows", *failed[:1]]),
    )


@check("After a restart of the server the first visit is recorded")
def test_restart(student, db, faults, data):
    (user, *_), (lesson, _) = a_school(db, data)
    told = student.drive(use, ("open", 2, PATIENCE), ("visit", user, lesson))
    assert told[1].get("answer") == 1, hint(
        "Before anything special happened, a visit was recorded.",
        expected="returned 1",
        actual=ended(told[1]),
    )
    faults.disconnect()
    told = student.drive(use, ("visit", user, lesson), ("visit", user, lesson))
    assert [each.get("answer") for each in told] == [2, 3], hint(
        "The server was started anew, as after an update, and with that all connections ended. Then"
        " two visits came.",
        question="How does your pool know that a connection which it keeps is still one?",
        misconception="pooled-is-alive",
        expected="returned 2; returned 3",
        actual="; ".join(map(ended, told)),
    )


@check("Between two calls no transaction stays open")
def test_no_transaction(student, db, sessions, data):
    (user, *_), (lesson, _) = a_school(db, data)
    nobody = 10**6 + data.number(1, 1000)
    student.drive(use, ("open", 2, PATIENCE), ("visit", user, lesson))
    assert db.count("visits") == 1, hint("A visit was recorded, and it is not in the table.")
    for what, steps in {
        "a visit was recorded": [("visit", user, lesson)],
        "a visit failed": [("visit", nobody, lesson)],
        "health had said that all is well": [("health",)],
    }.items():
        student.drive(use, *steps)
        left = len(sessions.settled().in_transaction)
        assert not left, hint(
            f"After {what}, {left} of the program's connections stood in a transaction that nobody"
            " goes on with. It keeps its locks, and PostgreSQL keeps every old row for it.",
            question="Which statement began that transaction, and which one should have ended it?",
            misconception="" if what == "a visit failed" else "reading-ends-by-itself",
            expected="no open transaction",
            actual=f"{left} open",
        )


@check("When no connection is free health says so, in time")
def test_exhausted(student, db, rivals, data):
    (user, *_), (lesson, _) = a_school(db, data)
    with rivals.gate("visits"):
        told = student.drive(all_lent_out, 2, PATIENCE, (user, lesson))
    student.drive(calm_again)
    stored = db.count("visits")
    assert stored == 2, hint(
        "Two visits came at the same moment, and had to wait a little.",
        expected="2 rows in visits",
        actual=f"{stored} rows",
    )
    assert "did not return" not in told.get("words", ""), hint(
        "All connections of the pool were at work, and the one who asks how the program is got no"
        " answer within three seconds, though the patience was a fraction of one. They will think"
        " that it is dead, and start it anew.",
        question="For how long does your health check wait for a connection?",
        expected="error",
        actual="no answer",
        show=[],
    )
    assert status(told) == "error", hint(
        "Both connections of the pool were lent out. Whoever came now got none, and health said:"
        f" {status(told)}.",
        question="Which way does a visit go, and which way does your health check?",
        misconception="health-past-the-pool" if status(told) == "connected" else "",
        expected="error",
        actual=status(told),
        show=[],
    )
    after = student.drive(use, ("health",), ("health",), ("visit", user, lesson))
    assert [status(after[0]), status(after[1])] == ["connected"] * 2, hint(
        "All connections were lent out, and then given back.",
        question="What has your health check left in the pool when it found no connection?",
        expected="connected, twice",
        actual=f"{status(after[0])}, {status(after[1])}",
    )


@check("When a table is missing health says error")
def test_missing_table(student, db, rivals, data):
    (user, *_), (lesson, _) = a_school(db, data)
    told = student.drive(use, ("open", 2, PATIENCE), ("visit", user, lesson))
    assert told[-1].get("answer") == 1, hint(
        "Before anything special happened, a visit was recorded.",
        expected="returned 1",
        actual=ended(told[-1]),
    )
    for table, away, back in (
        (
            "visits",
            "ALTER TABLE public.visits RENAME TO away",
            "ALTER TABLE public.away RENAME TO visits",
        ),
        (
            "lessons",
            "ALTER TABLE public.lessons RENAME TO away",
            "ALTER TABLE public.away RENAME TO lessons",
        ),
        (
            "users",
            "ALTER TABLE public.users RENAME TO away",
            "ALTER TABLE public.away RENAME TO users",
        ),
    ):
        with rivals.holding(away):
            pass
        [told] = student.drive(use, ("health",))
        assert status(told) == "error", hint(
            f"Somebody has renamed the table {table}. The program cannot work, and health says:"
            f" {status(told)}.",
            question="What does your health check ask for, and is it anything that a visit needs?",
            misconception="one-is-well" if status(told) == "connected" else "",
            expected="error",
            actual=status(told),
        )
        with rivals.holding(back):
            pass
    [told] = student.drive(use, ("health",))
    assert status(told) == "connected", hint(
        "The tables were renamed, and all have their names again.",
        expected="connected",
        actual=status(told),
    )


@check("No message of the health check tells the password")
def test_no_password(student, db, faults, data):
    (user, *_), (lesson, _) = a_school(db, data)
    password = student.drive(secret)
    told = student.drive(use, ("open", 2, PATIENCE), ("visit", user, lesson), ("health",))
    assert status(told[-1]) == "connected", hint(
        "Before anything special happened, health should say connected.",
        expected="connected",
        actual=status(told[-1]),
    )
    with faults.outage():
        told += student.drive(use, ("health",))
    for when, each in zip(("was there", "was away"), told[-2:], strict=True):
        answer = each.get("answer")
        said = str(answer.get("message") if isinstance(answer, dict) else answer)
        assert password not in str(answer), hint(
            f"While the database {when}, the health check told whoever asked by which password one"
            " gets in. It is asked by machines, and what they read stands in logs.",
            question="Which part of your message have you never read aloud?",
            misconception="a-url-is-no-secret",
            expected="a message without the password",
            actual=f"{said.partition(password)[0]}(the password)…",
        )


@check("A damaged backup is found before anything is changed", points=2)
def test_damaged(student, db, rivals, data):
    users, lessons = a_school(db, data)
    marker = data.text(4)
    db.insert("lessons", {"title": marker, "price": Decimal("7.50")})
    some_visits(db, data, users, lessons, 30)
    before = backed_up(student, db)
    empty(rivals)
    nothing = db.snapshot()
    for how in (
        "has another letter",
        "ends too early",
        "has lost its last line",
        "is empty",
        "is another file",
        "is missing",
    ):
        student.drive(damage, BACKUP, how, marker)
        told = student.drive(nightly, "restore", BACKUP)
        if how == "has another letter" and "answer" in told and not differences(db, before):
            empty(rivals)  # it was in a place that means nothing
            told = {"raised": ["BackupDamaged"]}
        restored = rows_of(db)
        assert not db.changes(nothing), hint(
            f"The file {how}. It was restored all the same ({restored}), and is now taken for what"
            " the school had.",
            question="By what does your code see that a file is the one that was written, to the"
            " last letter?",
            misconception="a-file-is-a-backup",
            expected="raises BackupDamaged; 0 in users, 0 in lessons, 0 in visits",
            actual=f"{ended(told)}; {restored}",
        )
        assert "BackupDamaged" in told.get("raised", ()), hint(
            f"The file {how}. Nothing was restored, which is right. Whoever called must learn that"
            " it is because of the file, and take an older one.",
            question="Which errors can come while a file is read that somebody has broken?",
            misconception="a-file-is-a-backup" if "answer" in told else "",
            expected="raises BackupDamaged",
            actual=ended(told),
        )
        asked = student.drive(nightly, "is_same", BACKUP)
        assert "BackupDamaged" in asked.get("raised", ("BackupDamaged",)), hint(
            f"The file {how}, and is_same was asked about it.",
            question="What does is_same know about a file before it compares?",
            expected="raises BackupDamaged",
            actual=ended(asked),
        )
        assert asked.get("answer") is not True, hint(
            f"The file {how}, and is_same says that it holds what the database holds.",
            expected="raises BackupDamaged",
            actual=ended(asked),
        )
        student.drive(whole_again, BACKUP)


@check("A restore that fails in the middle leaves nothing behind")
def test_half_a_restore(student, db, faults, rivals, data):
    users, lessons = a_school(db, data)
    some_visits(db, data, users, lessons)
    before = backed_up(student, db)
    empty(rivals)
    faults.fail_insert("visits", at=4)
    told = student.drive(nightly, "restore", BACKUP)
    if "answer" in told and not differences(db, before):
        return  # it has tried once more
    left = rows_of(db)
    assert not any(db.count(table) for table in TABLES), hint(
        "The disk was full when the fourth visit was to be stored. What had come before it stayed."
        " The next attempt finds rows, and gives up; and somebody may take them for all there is.",
        question="Which statement made the first rows final?",
        misconception="commit-in-the-loop",
        expected="0 in users, 0 in lessons, 0 in visits",
        actual=left,
    )
    assert "raised" in told, hint(
        "The restore failed, and restore returned as if all were well.",
        question="Which errors does your code take for an answer?",
        misconception="swallowed-error",
        expected="raises an error",
        actual=ended(told),
    )
    faults.clear()
    told = student.drive(nightly, "restore", BACKUP)
    assert not differences(db, before), hint(
        "There was room on the disk again, and the backup was restored a second time.",
        expected="the same rows",
        actual="; ".join([ended(told), *differences(db, before)[:4]]),
    )


@check("A backup is of one moment, whatever others write meanwhile", points=2)
def test_one_moment(student, db, rivals, data):
    (job,) = rivals.enter(1)
    for lock in (
        "LOCK TABLE public.visits IN ACCESS EXCLUSIVE MODE",
        "LOCK TABLE public.users IN ACCESS EXCLUSIVE MODE",
    ):
        empty(rivals)
        users, lessons = a_school(db, data)
        some_visits(db, data, users, lessons)
        before = db.snapshot()
        with rivals.holding(lock) as others:
            job.start_driver("back_up", nightly, "back_up", BACKUP)
            for statement in (
                "INSERT INTO public.users (email) VALUES ('late@example.org')",
                "INSERT INTO public.lessons (title) VALUES ('Came late')",
                "DELETE FROM public.visits WHERE id % 2 = 0",
                "INSERT INTO public.visits (user_id, lesson_id)"
                " SELECT max(u.id), max(l.id) FROM public.users u, public.lessons l",
            ):
                others.execute(statement)
        told = job.finish()
        after = db.snapshot()
        assert "answer" in told, hint(
            "While the backup ran, somebody signed up and opened a lesson. The backup failed.",
            question="Whom does your backup keep from writing, and for whom does it wait?",
            expected="returns",
            actual=ended(told),
        )
        empty(rivals)
        restored = student.drive(nightly, "restore", BACKUP)
        mixed = differences(db, before) and differences(db, after)
        assert not mixed, hint(
            "While the backup ran, somebody signed up, opened a new lesson, and half of the visits"
            " were deleted, all of it in one transaction. The backup has a part of that and lacks"
            " another part: a state in which the school never was.",
            question="At which moment does each of your statements look at its table?",
            misconception="one-file-is-one-moment",
            expected="all of what was changed, or nothing of it",
            actual="; ".join([ended(restored), *mixed[:4]]),
            show=job.statements,
        )


@check("A backup that fails leaves the last good one as it is")
def test_failed_backup(student, db, faults, rivals, data):
    users, lessons = a_school(db, data)
    some_visits(db, data, users, lessons)
    yesterday = backed_up(student, db)
    db.insert("lessons", {"title": "came today", "picture": data.rng.randbytes(20_000)})
    today = db.snapshot()
    full = student.drive(on_a_full_disk, BACKUP)
    (job,) = rivals.enter(1)
    with rivals.gate("visits", stops="reads"):
        job.start_driver("back_up", nightly, "back_up", BACKUP)
        faults.disconnect()
    gone = job.finish()
    empty(rivals)
    restored = student.drive(nightly, "restore", BACKUP)
    tried_again = "answer" in gone and not differences(db, today)
    for what, told in {
        "There was no room on the disk for the whole backup": full,
        "The server ended the connection in the middle of the backup": gone,
    }.items():
        assert "raised" in told or (told is gone and tried_again), hint(
            f"{what}, and back_up returned as if all were well.",
            question="Which errors does your code take for an answer?",
            misconception="swallowed-error",
            expected="raises an error",
            actual=ended(told),
        )
    left = [] if tried_again else differences(db, yesterday)
    assert not left, hint(
        "Yesterday's backup was good. Tonight's, of the same name, failed: first the disk was full,"
        " then, at the second attempt, the server went away. In the morning there is neither.",
        question="What stands under the name of the backup while a new one is being written?",
        misconception="new-over-old",
        expected="yesterday's rows",
        actual="; ".join([ended(restored), *left[:4]]),
    )


@check("After a restore the next rows get ids that nobody has")
def test_next_ids(student, db, rivals, data):
    users, lessons = a_school(db, data, data.number(4, 9), data.number(2, 5))
    some_visits(db, data, users, lessons, data.number(10, 20))
    before = backed_up(student, db)
    empty(rivals)
    told = student.drive(nightly, "restore", BACKUP)
    assert not differences(db, before), hint(
        "First a backup was restored into empty tables.",
        expected="the same rows",
        actual="; ".join([ended(told), *differences(db, before)[:4]]),
    )
    [found] = db.query(
        "SELECT u.last_value + u.is_called::int AS users,"
        " l.last_value + l.is_called::int AS lessons, v.last_value + v.is_called::int AS visits"
        " FROM public.users_id_seq u, public.lessons_id_seq l, public.visits_id_seq v"
    )
    for table, following in found.items():
        highest = max(row["id"] for row in db.rows(table))
        assert following > highest, hint(
            f"The rows are back, and the highest id in {table} is {highest}. The next row gets the"
            f" id {following}, which somebody has: the first one who comes to the restored program"
            " reads an error.",
            question="From where does PostgreSQL take the id of a new row, and was that in your"
            " backup?",
            misconception="ids-go-on-by-themselves",
            expected=f"an id from {highest + 1} on",
            actual=following,
        )


@check("is_same sees a difference that does not change how many rows there are")
def test_same_number(student, db, rivals, data):
    users, lessons = a_school(db, data)
    some_visits(db, data, users, lessons)
    backed_up(student, db)
    told = student.drive(nightly, "is_same", BACKUP)
    assert told.get("answer") is True, hint(
        "is_same was asked right after the backup.", expected="returned True", actual=ended(told)
    )
    changes = {
        "A price was changed": "UPDATE public.lessons SET price = price + 1"
        " WHERE id = (SELECT min(id) FROM public.lessons)",
        "An unknown name became an empty one": "UPDATE public.users SET name = ''"
        " WHERE id = (SELECT max(id) FROM public.users)",
        "One visit is another user's": "UPDATE public.visits"
        " SET user_id = (SELECT min(id) FROM public.users WHERE id <> user_id)"
        " WHERE id = (SELECT min(id) FROM public.visits)",
    }
    with rivals.holding("UPDATE public.users SET name = name WHERE id % 2 = 1"):
        pass  # which lie elsewhere in the table now
    told = student.drive(nightly, "is_same", BACKUP)
    assert told.get("answer") is True, hint(
        "Some users were stored again, each as it was. The tables hold the same rows as before, and"
        " only lie in another order.",
        question="In which order do your rows come, and who has said so?",
        expected="returned True",
        actual=ended(told),
    )
    with rivals.holding("UPDATE public.users SET name = NULL"):
        pass
    for what, statement in changes.items():
        backed_up(student, db)
        with rivals.holding(statement):
            pass
        told = student.drive(nightly, "is_same", BACKUP)
        assert told.get("answer") is False, hint(
            f"{what} after the backup, and as many rows are there as before.",
            question="What do your numbers say about what stands in the rows?",
            misconception="same-count-is-same-data",
            expected="returned False",
            actual=ended(told),
        )
