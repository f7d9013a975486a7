from grader.checks import check


@check("Rich accounts are counted", points=4)
def test_counts(sql, db, oracle, data):
    limit = data.number(100, 200)
    db.insert("accounts", *({"id": n, "cents": data.number(0, 300)} for n in range(40)))
    oracle.agrees(
        sql.rows("counts.sql", {"cents": limit}),
        "SELECT count(*) FILTER (WHERE cents >= %s) AS rich, count(*) AS total"
        " FROM public.accounts",
        [limit],
    )
