"""Where rules leak: at the same moment, through NULL, on the way back, and while mending."""

from datetime import UTC, datetime, timedelta

from grader.checks import check, hint

THEN = datetime(2024, 7, 1, 9, tzinfo=UTC)


def a_user(data, **columns):
    return {"email": data.email(), "name": data.name(), "deleted_at": None} | columns


def about(statements, *tables):
    """The statements of the file that name one of these tables: what is worth showing."""
    return [s for s in statements.last if any(table in s.text.lower() for table in tables)]


def school(sql, probe, data):
    """The tables with their rules, a user and a track."""
    sql.run("integrity.sql")
    return probe.row("users", **a_user(data)), probe.row("tracks", title=data.text(2))


def at_the_same_moment(session, module, statement, values):
    """Two sessions send one statement; the second does not wait for the first to commit."""
    from sqlalchemy import text

    with session.get_bind().connect() as one, session.get_bind().connect() as other:
        one.execute(text(statement), values)
        other.execute(text("SET LOCAL lock_timeout = '100ms'"))
        try:
            other.execute(text(statement), values)
            other.commit()
            told = "both were accepted"
        except Exception:
            other.rollback()
            told = "the second one was refused, or had to wait for the first"
        one.commit()
    return told


@check("Two sessions at the same moment make one account and one enrollment", points=3)
def test_two_sessions(sql, student, db, probe, data):
    user, track = school(sql, probe, data)
    twin = a_user(data)
    pair = {"user_id": user["id"], "track_id": track["id"]}
    for table, row, statement, what in (
        ("users", twin, "INSERT INTO users (email, name) VALUES (:email, :name)", "account"),
        (
            "enrollments",
            pair,
            "INSERT INTO enrollments (user_id, track_id) VALUES (:user_id, :track_id)",
            "enrollment",
        ),
    ):
        refused = probe.refusal(table, row, row)
        assert refused is not None, hint(
            f"The same {what} was stored twice, even one after the other.",
            question="Which rows must differ, and in what?",
            misconception="",
        )
        student.drive(at_the_same_moment, statement, row)
        stored = db.count(table, **row)
        assert stored == 1, hint(
            f"Two sessions sent the same {what} before either of them had committed, and {stored}"
            " were stored. One after the other, the second is refused; at the same moment, neither"
            " sees the row of the other.",
            question="What can happen between the look and the INSERT?",
            misconception="check-then-insert" if stored > 1 else "",
            expected=f"1 {what}",
            actual=f"{stored} {what}s",
        )


@check("NULL is no way around a rule", points=2)
def test_null_is_no_way_around(sql, probe, statements, data):
    user, track = school(sql, probe, data)
    to = {"user_id": user["id"], "track_id": track["id"], "enrolled_at": THEN}
    done = to | {"status": "completed", "progress": 100}
    later = THEN + timedelta(days=data.number(1, 60))
    for good in (to, to | {"status": "cancelled", "progress": 3}, done | {"completed_at": later}):
        probe.accepts("enrollments", good)
    probe.accepts("enrollments", done | {"completed_at": THEN})
    for bad, what, null in (
        (done | {"completed_at": THEN - timedelta(days=1)}, "was completed before it began", False),
        (
            to | {"status": "active", "completed_at": later},
            "is active and has the day on which it ended",
            False,
        ),
        (done | {"completed_at": None}, "is completed and does not say when", True),
        (to | {"progress": None}, "has a progress of nobody knows how much", True),
    ):
        assert probe.refusal("enrollments", bad) is not None, hint(
            f"An enrollment was stored that {what}.",
            question="What is NULL >= 0, and what does a CHECK do with that answer?"
            if null
            else "Which of the two columns may have which values, given the other?",
            misconception="null-check-passes" if null else "",
            expected="refused",
            actual="accepted",
            show=about(statements, "enrollments"),
        )


def try_to(session, module, statement, values):
    """Send a statement that may be refused."""
    from sqlalchemy import text

    try:
        session.execute(text(statement), values)
        session.commit()
    except Exception:
        session.rollback()
        return "refused"
    return "accepted"


@check("A deleted user comes back only where the email is still free")
def test_coming_back(sql, student, db, probe, data):
    school(sql, probe, data)
    gone, free = (probe.row("users", **a_user(data, deleted_at=THEN)) for _ in range(2))
    other = probe.row("users", **a_user(data, email=gone["email"]))
    back = probe.updates("users", {"id": free["id"]}, {"deleted_at": None}, keep=True)
    assert back[0]["deleted_at"] is None, hint("A user came back and is deleted all the same.")
    for statement, row in (
        ("UPDATE users SET deleted_at = NULL WHERE id = :id", gone),
        ("UPDATE users SET email = :email WHERE id = :id", {"id": free["id"]} | _email(other)),
    ):
        student.drive(try_to, statement, {key: row[key] for key in ("id", "email")})
        sharing = db.count("users", email=other["email"], deleted_at=None)
        assert sharing == 1, hint(
            f"{other['email']} was taken, and an UPDATE made another user have it too: {sharing}"
            " users who are not deleted share it now.",
            question="Which statements besides INSERT can make two rows alike?",
            expected="the UPDATE is refused",
            actual=f"{sharing} users with {other['email']}",
        )


def _email(row):
    return {"email": row["email"]}


def mended(users, enrollments, payments):
    """The rows as the README wants them, from the rows as they were.

    Of whoever is deleted only now, deleted_at is True: any time will do.
    """
    alive = {}
    for user in sorted(users, key=lambda row: row["id"]):
        if user["deleted_at"] is None:
            alive.setdefault(user["email"], user["id"])
    wanted_users = {
        u["id"]: u | {"deleted_at": u["deleted_at"] or alive[u["email"]] != u["id"] or None}
        for u in users
    }
    best = {}
    for row in enrollments:
        at = (row["user_id"], row["track_id"])
        if at not in best or (row["progress"] or 0) > (best[at]["progress"] or 0):
            best[at] = row
    wanted_enrollments = {}
    for row in best.values():
        new = row | {"progress": min(100, max(0, row["progress"] or 0))}
        if row["status"] == "completed" and row["completed_at"] is None:
            new["status"] = "active"
        if row["status"] != "completed":
            new["completed_at"] = None
        wanted_enrollments[row["id"]] = new
    wanted_payments = {row["id"]: row | {"amount": abs(row["amount"])} for row in payments}
    return {
        "users": wanted_users,
        "enrollments": wanted_enrollments,
        "payments": wanted_payments,
    }


@check("Mending loses no row and changes no value that was right", points=2)
def test_mending_loses_nothing(sql, db, statements, data):
    untidy(db, data)
    tables = ("users", "enrollments", "payments")
    before = {table: db.rows(table, order_by="id") for table in tables}
    sql.run("integrity.sql")
    unknown = {row["id"] for row in before["enrollments"] if row["progress"] is None}
    for table, wanted in mended(*before.values()).items():
        after = {row["id"]: row for row in db.rows(table)}
        if table == "users":
            now = [row["id"] for row in before["users"] if row["deleted_at"] is None]
            for key in after.keys() & now:
                after[key]["deleted_at"] = True if after[key]["deleted_at"] else None
        lost = [row for key, row in wanted.items() if key not in after]
        kept = [row for key, row in after.items() if key not in wanted]
        at = {(row.get("user_id"), row.get("track_id")) for row in lost}
        instead = [row for row in kept if (row.get("user_id"), row.get("track_id")) in at]
        sorted_first = any(row["id"] in unknown for row in instead)
        assert not (table == "enrollments" and instead), hint(
            "Somebody was enrolled twice in one track, and the wrong enrollment stayed:"
            f" {_short(instead[0])} instead of {_short(lost[0])}.",
            question="Where does a progress that is NULL stand when you sort by progress?"
            if sorted_first
            else "By what do you choose the one that stays?",
            misconception="null-is-smallest" if sorted_first else "",
            expected=_short(lost[0]),
            actual=_short(instead[0]),
            show=about(statements, table),
        )
        assert not lost, hint(
            f"{len(lost)} of {len(before[table])} rows in {table} are gone that should have"
            " stayed. What they said about the past cannot be found out again.",
            question="Is a row with a wrong value worth nothing?",
            misconception="cleaning-is-deleting",
            expected=_short(lost[0]),
            actual="no such row",
            show=about(statements, table),
        )
        assert not kept, hint(
            f"{len(kept)} rows in {table} should have been removed: the same user is enrolled in"
            " the same track by another one.",
            actual=_short(kept[0]),
            show=about(statements, table),
        )
        for key, row in wanted.items():
            now = {column: after[key].get(column) for column in row}
            differ = [column for column in row if now[column] != row[column]]
            assert not differ, hint(
                f"A row of {table} has another value than it should have after your file has run.",
                question="Which rows does the WHERE of your UPDATE leave alone?",
                expected=", ".join(f"{column} = {_told(column, row)}" for column in differ),
                actual=", ".join(f"{column} = {_told(column, now)}" for column in differ),
                show=about(statements, table),
            )


def _short(row):
    shown = ("user_id", "track_id", "progress", "status", "email", "amount", "provider")
    return ", ".join(f"{column} = {row[column]}" for column in shown if column in row)


def _told(column, row):
    if row[column] is True:
        return "a time"
    return "NULL" if row[column] is None else row[column]


def untidy(db, data):
    """Rows of which each breaks one rule, between others that break none."""
    emails = [data.email() for _ in range(3)]
    users = db.insert(
        "users",
        *(a_user(data, email=emails[0]) for _ in range(2)),
        a_user(data, email=emails[1], deleted_at=THEN),
        a_user(data, email=emails[1]),
        a_user(data, email=emails[2]),
        a_user(data, email=emails[1], deleted_at=THEN + timedelta(days=1)),
    )
    tracks = db.insert("tracks", *({"title": data.text(2)} for _ in range(3)))
    rows = []
    for user in users:
        low = data.number(1, 40)
        first_track = data.pick(((None, low, low + 7), (low + 7, None, low)))
        places = zip((0, 0, 0, 1, 2), (*first_track, low, low), strict=True)
        rows += [
            {
                "user_id": user["id"],
                "track_id": tracks[place]["id"],
                "progress": progress,
                "enrolled_at": THEN,
            }
            for place, progress in places
        ]
    rows[3] |= {"status": "completed", "progress": 100}
    rows[4] |= {"status": "completed", "progress": 100, "completed_at": THEN + timedelta(days=3)}
    rows[8] |= {"completed_at": THEN + timedelta(days=3)}
    rows[9] |= {"progress": 100 + data.number(1, 90)}
    rows[13] |= {"progress": -data.number(1, 90), "status": "cancelled"}
    rows[14] |= {"progress": None}
    db.insert("enrollments", *rows)
    for number, user in enumerate(users):
        amount = data.number(1, 900) * (1 if number % 2 else -1)
        paid = {"user_id": user["id"], "track_id": tracks[0]["id"], "amount": amount}
        db.insert("payments", paid, paid | {"provider": "stripe", "reference": data.word(4)})
    db.insert("payments", paid | {"amount": "0.50"})


@check("Enrollments go with their user and track, and no payment names somebody who is not there")
def test_what_belongs_together(sql, db, probe, statements, data):
    user, track = school(sql, probe, data)
    other, second = probe.row("users", **a_user(data)), probe.row("tracks", title=data.text(2))
    for who, where in ((user, track), (other, track), (other, second)):
        probe.row("enrollments", user_id=who["id"], track_id=where["id"])
    for table, row, left in (("users", user, 2), ("tracks", track, 1)):
        probe.deletes(table, {"id": row["id"]}, keep=True)
        now = db.count("enrollments", user_id=user["id"]) + db.count(
            "enrollments", user_id=other["id"]
        )
        assert now == left, hint(
            f"After a row of {table} was deleted, {now} of the enrollments are left that were made"
            f" here; {left} have nothing to do with it.",
            question="What becomes of an enrollment without its user or its track?",
            expected=left,
            actual=now,
        )
    for column in ("user_id", "track_id"):
        paid = {"user_id": other["id"], "track_id": second["id"], "amount": data.number(1, 90)}
        probe.accepts("payments", paid)
        assert probe.refusal("payments", paid | {column: 31_000}) is not None, hint(
            f"A payment was stored with {column} = 31000, and nobody has that id. An invoice names"
            " somebody who has never been there.",
            question="Which rule says that the id must be one of the other table?",
            misconception="dangling-pointer",
            expected="refused with 23503 (ForeignKeyViolation)",
            actual="accepted",
            show=about(statements, "payments"),
        )


@check("A provider uses a reference once, and payments in cash need none")
def test_references(sql, probe, statements, data):
    user, track = school(sql, probe, data)
    paid = {"user_id": user["id"], "track_id": track["id"], "amount": data.number(1, 90)}
    card = paid | {"provider": "stripe", "reference": data.word(4)}
    assert probe.refusal("payments", card, card) is not None, hint(
        "The same payment of the same provider was stored twice. A notification that comes twice"
        " makes somebody pay twice.",
        question="Which columns together say which payment it is?",
        expected="the second one is refused",
        actual="accepted",
        show=about(statements, "payments"),
    )
    probe.accepts("payments", card, card | {"provider": "paypal"}, card | {"reference": "other"})
    cash = paid | {"provider": "cash", "reference": None}
    refused = probe.refusal("payments", cash, cash, because="Cash has no reference.")
    assert refused is None, hint(
        "Two people paid in cash, and the second payment was refused: neither has a reference.",
        question="Are two unknown references the same reference?",
        misconception="unique-and-null",
        expected="accepted",
        actual=f"refused with {refused.title}",
        show=about(statements, "payments"),
    )
