from grader.checks import check, hint


@check("An empty table is an empty list", points=6)
def test_empty(api):
    api.start()
    found = api.get("/notes")
    assert (found.status, found.json()) == (200, []), hint("Notes from nowhere.", actual=found.text)
