from grader.checks import Raises, check, hint


@check("A transfer is all or nothing", points=3)
def test_all_or_nothing(student, db, faults, data):
    cents = data.number(100, 900)
    db.insert("accounts", {"id": 1, "cents": cents}, {"id": 2, "cents": 0})
    faults.fail_update("accounts", at=2)
    student.call("transfer", 1, 2, cents, expect=Raises)
    left = sum(row["cents"] for row in db.rows("accounts"))
    assert left == cents, hint("Money is lost.", expected=cents, actual=left)
