from grader.checks import check, hint

SECRET = "only-the-judge-knows-this"


@check("Notes are found by a word", points=3)
def test_notes_are_found(student, db, data):
    word = data.word()
    bodies = sorted(f"{data.word()} {word}" for _ in range(3))
    db.insert("notes", *({"body": body} for body in [*bodies, SECRET]))
    found = student.call("find_notes", word)
    assert found == bodies, hint("Other notes were found.", expected=bodies, actual=found)


@check("Three notes take three statements", points=5)
def test_statements(student, db, statements, data):
    for _ in range(3):
        student.call("add_note", data.text())
    assert db.count("notes") == 3, hint("Three notes were to be stored.")
    assert statements.total.count == 3, hint(
        "Another number of statements was sent.", expected=3, actual=statements.total.count
    )
