from grader.checks import check, hint


@check("Two members cannot share an address", points=2)
def test_unique(student, schema):
    student.call("create_tables")
    members = schema.table("members")
    assert members.is_unique("email"), hint("Two members can have the same address.")
