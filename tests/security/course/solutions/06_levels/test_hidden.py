from grader.checks import check, hint


@check("The way down leaves nothing behind", points=6)
def test_down(db, migrations):
    shape = migrations.shape()
    migrations.upgrade("head")
    assert migrations.differences(shape), hint("The way up changes nothing.")
    migrations.downgrade("base")
    left = migrations.differences(shape)
    assert not left, hint("Something is left.", actual="; ".join(left))
