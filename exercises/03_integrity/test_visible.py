"""What the school's tables must keep. Your grader runs more checks than these."""

from datetime import UTC, datetime, timedelta

from grader.checks import check, hint

THEN = datetime(2024, 7, 1, 9, tzinfo=UTC)


def a_user(data, **columns):
    return {"email": data.email(), "name": data.name(), "deleted_at": None} | columns


def about(statements, *tables):
    """The statements of the file that name one of these tables: what is worth showing."""
    return [s for s in statements.last if any(table in s.text.lower() for table in tables)]


def old_rows(db, data):
    """More rows like those in schema.sql, by the application that looks before it writes."""
    email = data.email()
    first, second, gone, other = db.insert(
        "users",
        a_user(data, email=email),
        a_user(data, email=email),
        a_user(data, email=email, deleted_at=THEN),
        a_user(data),
    )
    one, two = db.insert("tracks", {"title": data.text(2)}, {"title": data.text(2)})
    more = data.number(1, 60)

    def enrollment(user, track, progress, **columns):
        row = {"user_id": user["id"], "track_id": track["id"], "progress": progress}
        return row | {"enrolled_at": THEN} | columns

    db.insert(
        "enrollments",
        enrollment(first, one, more),
        enrollment(first, one, None),
        enrollment(first, one, more + data.number(1, 30)),
        enrollment(first, two, 100 + more),
        enrollment(second, one, None),
        enrollment(second, two, -more),
        enrollment(other, one, 100, status="completed"),
        enrollment(other, two, more, completed_at=THEN + timedelta(days=more)),
    )
    db.insert(
        "payments",
        *(
            {"user_id": user["id"], "track_id": one["id"], "amount": amount, "provider": "cash"}
            for user, amount in ((first, -more), (second, more), (gone, more + 1), (other, -more))
        ),
    )
    return first


@check("Of the users who are not deleted, no two have the same email", points=2)
def test_one_account_for_an_email(sql, db, schema, probe, *, statements, data):
    old_rows(db, data)
    sql.run("integrity.sql")
    ada, eve = a_user(data), a_user(data)
    probe.accepts("users", ada, eve, because="Two users with different emails are welcome.")
    refused = probe.refusal("users", ada, eve | {"email": ada["email"]})
    nulls = [
        index.definition
        for index in schema.table("users").uniques
        if "deleted_at" in index.columns and index.nulls_distinct
    ]
    assert refused is not None, hint(
        f"Two users with the email {ada['email']} were stored, and neither of them is deleted."
        + (" Your rule is about the email together with deleted_at." if nulls else ""),
        question="Both have NULL in deleted_at. Is that the same value twice?"
        if nulls
        else "Which rows must differ, and in what?",
        misconception="unique-and-null" if nulls else "",
        expected="the second one is refused",
        actual=nulls[0] if nulls else "accepted",
        show=about(statements, "users"),
    )


@check("The email of a deleted user may be used again", points=2)
def test_a_deleted_users_email_is_free(sql, db, probe, statements, data):
    old_rows(db, data)
    sql.run("integrity.sql")
    ada = a_user(data)
    refused = probe.refusal("users", ada, a_user(data, email=ada["email"]))
    assert refused is not None, hint(
        f"Two users with the email {ada['email']} were stored, and neither of them is deleted.",
        question="Which rows must differ, and in what?",
        show=about(statements, "users"),
    )
    stored = probe.row("users", **ada)
    for day in range(1, 4):
        told = probe.updates(
            "users",
            {"id": stored["id"]},
            {"deleted_at": THEN + timedelta(days=day)},
            because="A user must be able to leave.",
            keep=True,
        )
        assert told[0]["deleted_at"] is not None, hint("The user was deleted, and is not.")
        refused = probe.refusal("users", a_user(data, email=ada["email"]))
        assert refused is None, hint(
            f"{ada['name']} left the school, came back with the same email, and was refused."
            f" {day} deleted {'user has' if day == 1 else 'users have'} it, and nobody else.",
            question="Which rows should your rule look at, and which not?",
            misconception="unique-forever",
            expected="accepted",
            actual=f"refused with {refused.title}",
            show=about(statements, "users"),
        )
        stored = probe.row("users", **a_user(data, email=ada["email"]))


@check("Payments stay when their user or their track is deleted", points=2)
def test_payments_survive(sql, db, probe, statements, data):
    old_rows(db, data)
    sql.run("integrity.sql")
    ada, eve = (probe.row("users", **a_user(data)) for _ in range(2))
    track, other = (probe.row("tracks", title=data.text(2)) for _ in range(2))
    kept = {
        table: [
            probe.row(
                "payments",
                user_id=user["id"],
                track_id=there["id"],
                amount=data.number(1, 99),
                provider="stripe",
                reference=data.word(4),
            )
            for user, there in pairs
        ]
        for table, pairs in (("users", [(ada, track)]), ("tracks", [(eve, other)]))
    }
    worked_on = any(s.kind.startswith("ALTER") for s in about(statements, "payments"))
    for table, column, row in (("users", "user_id", ada), ("tracks", "track_id", other)):
        probe.deletes(
            table,
            {"id": row["id"]},
            because="Users are erased when they ask for it, and tracks are withdrawn.",
            keep=True,
        )
        [before] = kept[table]
        after = db.one("payments", id=before["id"])
        assert after is not None, hint(
            f"A row of {table} was deleted, and a payment of {before['amount']} went with it. The"
            " money was paid all the same, and the bookkeeper must show it for ten years.",
            question="Who decides what happens to the payments: whoever deletes, or the key?",
            misconception="cascade-eats-payments" if worked_on else "",
            expected=f"the payment, with {column} = NULL",
            actual="no payment",
            show=about(statements, "payments"),
        )
        wanted = before | {column: None}
        assert {name: after.get(name) for name in wanted} == wanted, hint(
            f"A row of {table} was deleted. Its payment should stay as it was, except that"
            f" {column} points to nothing.",
            question="What can a payment say about somebody who is not there?",
            misconception="dangling-pointer" if after.get(column) == row["id"] else "",
            expected=f"{column} = NULL",
            actual=f"{column} = {after.get(column)}",
            show=about(statements, "payments"),
        )


@check("Progress is from 0 to 100, amounts are above 0, and nobody is enrolled twice", points=2)
def test_values_make_sense(sql, db, probe, statements, data):
    old_rows(db, data)
    sql.run("integrity.sql")
    user = probe.row("users", **a_user(data))
    track, other = (probe.row("tracks", title=data.text(2)) for _ in range(2))
    to = {"user_id": user["id"], "track_id": track["id"]}
    probe.accepts(
        "enrollments",
        to | {"progress": 0},
        {"user_id": user["id"], "track_id": other["id"], "progress": 100},
    )
    probe.accepts("payments", to | {"amount": "0.01"}, to | {"amount": data.number(1, 500)})
    for table, *rows, what in (
        ("enrollments", to | {"progress": 100 + data.number(1, 50)}, "more than 100 percent"),
        ("enrollments", to | {"progress": 101}, "more than 100 percent"),
        ("enrollments", to | {"progress": -1}, "less than 0 percent"),
        ("enrollments", to, to | {"progress": 50}, "one user in one track twice"),
        ("payments", to | {"amount": 0}, "a payment of nothing"),
        ("payments", to | {"amount": -data.number(1, 500)}, "a payment of less than nothing"),
    ):
        assert probe.refusal(table, *rows) is not None, hint(
            f"{table} took a row with what should not be: {what}.",
            question="Which rule in this table would have to refuse it?",
            expected="refused",
            actual=f"accepted: {', '.join(f'{k} = {v}' for k, v in rows[-1].items())}",
            show=about(statements, table),
        )


@check("The rows that were there keep the rules as well", points=2)
def test_old_rows_keep_the_rules(sql, db, schema, data):
    old_rows(db, data)
    sql.run("integrity.sql")
    looked_away = [
        f"{rule.name} on {table.name}"
        for table in schema.tables.values()
        for rule in (*table.checks, *table.foreign_keys)
        if not rule.holds
    ]
    [broken] = db.query(
        "SELECT (SELECT count(*) FROM public.enrollments"
        "         WHERE progress IS NULL OR progress NOT BETWEEN 0 AND 100) AS progress,"
        "       (SELECT count(*) FROM public.enrollments WHERE completed_at < enrolled_at"
        "         OR (status = 'completed') <> (completed_at IS NOT NULL)) AS completed_at,"
        "       (SELECT count(*) FROM public.payments WHERE amount <= 0) AS amount,"
        "       (SELECT count(*) - count(DISTINCT (user_id, track_id)) FROM public.enrollments)"
        "           AS enrolled_twice,"
        "       (SELECT count(*) - count(DISTINCT email) FROM public.users"
        "         WHERE deleted_at IS NULL) AS shared_emails"
    )
    left = {rule: number for rule, number in broken.items() if number}
    told = ", ".join(f"{rule}: {number}" for rule, number in left.items())
    assert not left, hint(
        f"Your file has run, and {sum(left.values())} old rows still break a rule. Every report"
        " will go on counting them."
        + (" There is a rule for new rows that never looked at them." if looked_away else ""),
        question="What does NOT VALID leave out?"
        if looked_away
        else "Which statement of your file goes through the rows that are there?",
        misconception="not-valid" if looked_away else "",
        expected="no row that breaks a rule",
        actual=told + (f"; not validated: {', '.join(looked_away)}" if looked_away else ""),
    )
    assert not looked_away, hint(
        "The old rows keep the rules, but PostgreSQL has never looked: a constraint is NOT VALID."
        " Nobody can rely on it, PostgreSQL's own planner included.",
        question="Which statement makes PostgreSQL look at the old rows now?",
        misconception="not-valid",
        expected="all constraints validated",
        actual=f"not validated: {', '.join(looked_away)}",
    )
