from grader.checks import check, hint


@check("A member is grown up", points=3)
def test_age(student, probe, data):
    student.call("create_tables")
    email, other = f"{data.word()}@example.com", f"{data.word()}@example.org"
    probe.accepts("members", {"email": email, "age": 18}, {"email": other, "age": 90})
    probe.refuses("members", {"email": email, "age": 17}, sqlstate="23514")
    probe.refuses(
        "members", {"email": email, "age": 20}, {"email": email, "age": 30}, sqlstate="23505"
    )


@check("A member is kept as it was stored", points=5)
def test_kept(student, db, data):
    student.call("create_tables")
    rows = [{"email": f"{n}{data.word()}@example.com", "age": 18 + n} for n in range(5)]
    db.insert("members", *rows)
    kept = sorted((row["email"], row["age"]) for row in db.rows("members"))
    expected = sorted((row["email"], row["age"]) for row in rows)
    assert kept == expected, hint("Other members were kept.", expected=expected, actual=kept)
