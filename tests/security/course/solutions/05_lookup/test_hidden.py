from grader.checks import check, hint


@check("No word is lost", points=6)
def test_nothing_lost(student, db):
    student.call("prepare")
    assert db.count("words") == 5000, hint("Words were lost.", actual=db.count("words"))
