from grader.checks import check, hint


@check("A note survives a restart", points=4)
def test_restart(api, db, data):
    body = data.word()
    api.start()
    made = api.post("/notes", json={"body": body})
    assert made.status == 201, hint("No note was made.", actual=made.status)
    api.restart()
    assert api.get("/notes").json() == [body]
    assert db.count("notes", body=body) == 1, hint("The table does not hold the note.")
