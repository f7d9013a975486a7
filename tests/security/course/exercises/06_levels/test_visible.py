from grader.checks import check, hint


@check("The column arrives and rows are kept", points=4)
def test_up(db, migrations, data):
    cents = data.number(1, 900)
    db.insert("accounts", {"id": 1, "cents": cents})
    migrations.upgrade("head")
    assert migrations.current == migrations.heads
    row = db.one("accounts")
    assert row == {"id": 1, "cents": cents, "level": 1}, hint("Another row.", actual=row)
