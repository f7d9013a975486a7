from grader.checks import check, hint


@check("Counting changes nothing", points=6)
def test_changes_nothing(sql, db):
    db.insert("accounts", {"id": 1, "cents": 5}, {"id": 2, "cents": 50})
    before = db.snapshot()
    rows = sql.rows("counts.sql", {"cents": 10})
    assert rows == [{"rich": 1, "total": 2}], hint("Other accounts were counted.", actual=rows)
    assert not db.changes(before), hint("Counting changed rows.")
