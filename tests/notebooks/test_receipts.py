"""Query receipts under cells, in a real IPython shell."""

import re
from html.parser import HTMLParser

import pytest


def quiet(receipt):
    """A receipt without its time."""
    return re.sub(r"[\d,]+\.\d+ ms", "N ms", receipt)


def test_a_cell_that_sends_nothing_has_no_receipt(notebook):
    assert notebook.run("1 + 1").receipts == []


def test_a_receipt_counts_what_sql_sent(notebook):
    ran = notebook.run("%sql SELECT generate_series(1, 3)")
    assert quiet(ran.receipt) == "1 statement · 3 rows · 3 round trips · N ms · no transaction open"


def test_a_receipt_counts_a_cell_of_sqlalchemy(notebook):
    ran = notebook.run(
        "from sqlalchemy import text\n"
        "with session() as s:\n"
        "    s.execute(text('SELECT 1')); s.execute(text('SELECT 2')); s.commit()"
    )
    # a ping, BEGIN, two SELECTs, COMMIT
    assert (
        quiet(ran.receipt) == "2 statements · 2 rows · 5 round trips · N ms · no transaction open"
    )


def test_a_receipt_counts_a_cell_of_psycopg(notebook):
    ran = notebook.run("import psycopg\nwith psycopg.connect(url()) as c: c.execute('SELECT 1')")
    assert quiet(ran.receipt) == (
        "1 connection opened · 1 statement · 1 row · 3 round trips · N ms · no transaction open"
    )


def test_a_connection_alone_is_told_too(notebook):
    ran = notebook.run("import psycopg\npsycopg.connect(url()).close()")
    assert ran.receipt == "1 connection opened · nothing sent · no transaction open"


def test_a_transaction_left_open_is_told_until_it_ends(notebook):
    ran = notebook.run("from sqlalchemy import text", "s = session(); s.scalar(text('SELECT 1'))")
    assert ran.receipt.endswith("⚠ 1 transaction still open")
    assert "A transaction on tracker, opened by tracker, is still open." in ran.html
    assert notebook.run("%sql SELECT 1").receipt.endswith("⚠ 1 transaction still open")
    assert notebook.run("s.close()").receipt.endswith("no transaction open")


def test_a_failed_transaction_is_told_as_such(notebook):
    notebook("import psycopg\nc = psycopg.connect(url(), application_name='alice')\nc.execute('x')")
    ran = notebook.run("%sql SELECT 1")
    assert "opened by alice, has failed, and the server waits for ROLLBACK." in ran.html
    notebook.run("c.close()")


def test_a_failed_statement_is_in_the_receipt_of_its_cell(notebook):
    ran = notebook("%sql SELECT no_such_column FROM users")
    assert ran.error is not None
    assert "✗ 1 failed" in ran.receipt
    assert "SQLSTATE 42703" in ran.html


def test_the_same_statement_from_the_same_line_is_shown_once_with_its_number(notebook):
    ran = notebook.run(
        "from sqlalchemy import text",
        "with session() as s:\n"
        "    for number in range(4):\n"
        "        s.execute(text('SELECT :n'), {'n': number})",
    )
    assert ran.receipt.startswith("4 statements · 4 rows · ")
    assert ran.html.count("<pre") == 1
    assert "line 3 · 4 times · 4 rows" in ran.html
    assert "$1 = 0, and 3 more" in ran.html


def test_a_statement_sent_by_a_function_belongs_to_the_line_that_called_it(notebook):
    notebook.run("def ask(c):\n\n\n    c.execute('SELECT 1')")
    ran = notebook.run("import psycopg\nwith psycopg.connect(url()) as c:\n    ask(c)")
    assert "line 3 · 1 row" in ran.html


def test_sql_cells_have_no_line_numbers(notebook):
    assert "line " not in notebook.run("%%sql\n\nSELECT 1").html.split("</style>")[1]


def test_a_receipt_unfolds_without_javascript(notebook):
    html = notebook.run("%sql SELECT 1").html
    assert re.search(r"<details><summary>1 statement [^<]*</summary><ol>", html)
    assert "<script" not in html


def test_everything_in_a_receipt_is_escaped(notebook):
    ran = notebook.run(
        "import psycopg\n"
        "with psycopg.connect(url(), application_name='<i>') as c:\n"
        "    c.execute('SELECT %s AS \"<b>\" -- <script>', ['</code><script>alert(1)</script>'])",
        "%receipt",
    )
    html = ran.result.html
    assert "&lt;b&gt;" in html
    assert "&lt;script&gt;alert" in html
    assert "<script" not in html
    assert "<b>" not in html


class _Balanced(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_receipt_is_well_formed(notebook):
    parser = _Balanced()
    parser.feed(notebook.run("%sql SELECT '<' AS a", "%receipt").result.html)
    assert parser.open == []


def test_the_sql_is_colored_by_classes_and_readable_without(notebook):
    html = notebook.run("%sql SELECT 'x' AS a, 1 AS b").html
    assert '<span class="k">SELECT</span>' in html
    assert re.sub(r"<[^>]+>", "", html.split('<pre class="kit-sql">')[1].split("</pre>")[0]) == (
        "SELECT 'x' AS a, 1 AS b"
    )


def test_receipts_can_be_switched_off_and_on(notebook):
    assert notebook.run("%receipts off", "%sql SELECT 1").receipts == []
    assert len(notebook.run("%receipts on", "%sql SELECT 1").receipts) == 1


def test_receipts_say_how_they_are_switched(notebook):
    assert "Receipts are on." in notebook.run("%receipts").printed
    assert "Receipts are off." in notebook.run("%receipts off", "%receipts").printed


@pytest.mark.parametrize("line", ["%receipts sometimes", "%receipt please"])
def test_wrong_words_are_told_in_one_line(notebook, line):
    ran = notebook(line)
    assert ran.error is not None
    assert len(ran.printed.strip().splitlines()) == 1


def test_receipts_with_plans_show_how_the_server_would_run_it(notebook):
    ran = notebook.run("%receipts plans", "%sql SELECT title FROM tracks")
    assert "Seq Scan on tracks" in ran.html
    assert "Seq Scan" not in ran.receipt


def test_the_last_receipt_is_shown_in_full_on_request(notebook):
    ran = notebook.run("%sql SELECT title FROM tracks WHERE title <> ''", "1 + 1", "%receipt")
    text = ran.result.text
    assert "1. BEGIN" in text
    assert "FROM tracks" in text
    assert "Seq Scan on tracks" in text
    assert "<details open>" in ran.result.html
    assert ran.receipts == []


def test_the_last_receipt_is_kept_while_receipts_are_off(notebook):
    ran = notebook.run("%receipts off", "%sql SELECT 41 + 1", "%receipt")
    assert "41" in ran.result.text


def test_before_anything_was_sent_there_is_no_receipt_to_show(notebook):
    assert "No cell has sent anything yet" in notebook.run("%receipt").result.text


def test_asking_for_a_plan_changes_nothing(notebook):
    notebook.run(
        "%receipts plans",
        "%%sql\nCREATE TABLE planned AS SELECT 1 AS n",
    )
    try:
        ran = notebook.run("%sql DELETE FROM planned WHERE n = 2")
        assert "Delete on planned" in ran.html
        notebook.run("%sql INSERT INTO planned VALUES (2)")
        assert notebook.run("%sql SELECT count(*) FROM planned").result[0][0] == 2
    finally:
        notebook.run("%sql DROP TABLE planned")


def test_a_plan_that_cannot_be_had_is_left_out(notebook):
    ran = notebook.run(
        "%receipts plans",
        "import psycopg\n"
        "with psycopg.connect(url()) as c:\n"
        "    c.execute('CREATE TEMP TABLE mine (n int)')\n"
        "    c.execute('SELECT * FROM mine')",
    )
    assert 'kit-plan"' not in ran.html
    assert ran.receipt.startswith("1 connection opened · 2 statements")


def test_a_very_long_statement_is_cut_and_says_so(notebook):
    ran = notebook.run(
        "import psycopg\n"
        "with psycopg.connect(url()) as c:\n"
        "    c.execute(f\"SELECT '{'x' * 30_000}'\")"
    )
    assert "more characters" in ran.html
    assert len(ran.html) < 60_000


def test_long_values_are_cut(notebook):
    ran = notebook.run(
        "import psycopg\nwith psycopg.connect(url()) as c:\n    c.execute('SELECT %s', ['x' * 500])"
    )
    assert "x" * 61 not in ran.html
    assert "…" in ran.html


def test_a_cell_that_waits_on_another_session_says_so(notebook):
    ran = notebook.run(
        "import psycopg, threading, time\n"
        "a, b = psycopg.connect(url()), psycopg.connect(url())\n"
        "a.execute('SELECT pg_advisory_xact_lock(2)')\n"
        "t = threading.Thread(target=b.execute, args=['SELECT pg_advisory_xact_lock(2)'])\n"
        "t.start()\n"
        "q = 'SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s'\n"
        "with psycopg.connect(url(), application_name='kit', autocommit=True) as w:\n"
        "    while w.execute(q, [b.info.backend_pid]).fetchone() != ('Lock',): pass"
    )
    assert "⚠ no answer yet" in ran.html
    assert "⚠ 2 transactions still open" in ran.receipt
    notebook.run("a.rollback(); t.join(); a.close(); b.close()")


def test_a_long_list_is_cut_and_says_how_much_is_left(notebook):
    ran = notebook.run(
        "import psycopg\n"
        "with psycopg.connect(url(), autocommit=True) as c:\n"
        "    for number in range(100):\n"
        "        c.execute(f'SELECT {number}')"
    )
    assert ran.receipt.startswith("1 connection opened · 100 statements · 100 rows")
    assert ran.html.count("<li>") == 60
    assert "… and 40 more" in ran.html


def test_a_cell_that_begins_with_receipt_has_its_receipt_in_full(notebook):
    ran = notebook.run("%%receipt\n%sql SELECT count(*) FROM users")
    assert ran.result[0][0] > 0
    assert ran.receipt.splitlines()[0].startswith("1 statement · 1 row · ")
    assert "How the server would run it now:" in ran.receipt
    assert "<details open>" in ran.html
    assert "\n" not in notebook.run("%sql SELECT 1").receipt


def test_a_magic_may_come_below_receipt(notebook):
    ran = notebook.run("%%receipt\n%%sql\nSELECT count(*)\nFROM users")
    assert "FROM users" in ran.receipt


def test_lines_below_receipt_keep_their_numbers(notebook):
    ran = notebook.run(
        "%%receipt\nfrom sqlalchemy import text\n"
        "with session() as s:\n    s.execute(text('SELECT count(*) FROM users'))"
    )
    assert "line 4 · 1 row" in ran.receipt


def test_an_error_below_receipt_is_an_error_of_the_cell(notebook):
    ran = notebook("%%receipt\nsession().execute('x')")
    assert ran.error is not None
    ran = notebook("%%receipt\n%sql SELECT nothing")
    assert "✗ 1 failed" in ran.receipt


def test_receipts_that_are_off_are_shown_where_they_are_asked_for(notebook):
    notebook.run("%receipts off")
    assert len(notebook.run("%%receipt\n%sql SELECT 1").receipts) == 1
    assert notebook.run("%sql SELECT 1").receipts == []


def test_without_the_kit_there_is_no_receipt_line(bare):
    bare.run("%load_ext kit", "%unload_ext kit")
    assert "`%%receipt` not found" in bare("%%receipt\n1 + 1").printed
