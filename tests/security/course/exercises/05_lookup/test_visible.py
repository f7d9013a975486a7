from grader.checks import check, hint


@check("A word is looked up", points=4)
def test_lookup(student, plan, db, data):
    chosen = db.rows("words")[data.number(0, 4999)]
    student.call("prepare")
    plan.refresh_statistics()
    found = student.call("find", chosen["word"])
    assert found == chosen["id"], hint("Another word was found.", actual=found)
    plans = plan.last(analyze=True)
    assert len(plans) == 1, hint("One statement finds a word.", actual=len(plans))
    seen = plans[0]
    assert seen.uses_index(on=("words", "word")), hint("The index is not used.", actual=seen.text)
    assert seen.rows_removed == 0, hint("Rows were read and thrown away.", actual=seen.text)
