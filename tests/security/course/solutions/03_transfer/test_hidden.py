from grader.checks import check, hint


@check("A transfer arrives", points=2)
def test_arrives(student, db, data):
    cents, part = data.number(500, 900), data.number(1, 400)
    db.insert("accounts", {"id": 1, "cents": cents}, {"id": 2, "cents": 7})
    student.call("transfer", 1, 2, part)
    kept = {row["id"]: row["cents"] for row in db.rows("accounts")}
    assert kept == {1: cents - part, 2: 7 + part}, hint("Other sums were kept.", actual=kept)


@check("Two transfers at the same time both count", points=5)
def test_rivals(db, rivals, data):
    first, second = data.number(1, 50), data.number(51, 100)
    db.insert("accounts", {"id": 1, "cents": 1000}, {"id": 2, "cents": 0})
    a, b = rivals.enter(2)
    with rivals.gate("accounts", stops="writes"):
        a.start("transfer", 1, 2, first)
        b.start("transfer", 1, 2, second)
    rivals.finish()
    kept = {row["id"]: row["cents"] for row in db.rows("accounts")}
    expected = {1: 1000 - first - second, 2: first + second}
    assert kept == expected, hint("One transfer is lost.", expected=expected, actual=kept)
