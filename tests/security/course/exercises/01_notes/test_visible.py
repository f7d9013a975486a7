from grader.checks import check, hint


@check("A note is stored", points=2)
def test_a_note_is_stored(student, db, data):
    body = data.text()
    student.call("add_note", body)
    assert db.count("notes", body=body) == 1, hint(
        "The table holds no such note.", expected=1, actual=db.count("notes", body=body)
    )
