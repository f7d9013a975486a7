"""``%%plan`` and `show_sql`: how PostgreSQL runs a statement, drawn."""

import base64
import re
from xml.etree import ElementTree

import psycopg
import pytest
from sqlalchemy import select

from kit.notebook import SqlError, plan, scratch, show_sql
from pglab.plans import Plan
from tracker.models import Track

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def lab(tracker_url):
    with scratch() as made:
        with psycopg.connect(made.url, autocommit=True) as connection:
            connection.execute(
                "CREATE TABLE numbers (n int PRIMARY KEY, kind text);"
                "INSERT INTO numbers SELECT n, 'even' FROM generate_series(2, 2000, 2) n;"
                "CREATE TABLE few (n int); INSERT INTO few VALUES (2), (4);"
                "ANALYZE numbers, few"
            )
        yield made


def words(shown):
    [encoded] = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', shown.html)
    svg = ElementTree.fromstring(base64.b64decode(encoded))
    return [text.text for text in svg.iter(f"{SVG}text")]


def test_a_plan_shows_rows_as_estimated_and_as_counted_time_and_pages(lab):
    shown = plan("SELECT * FROM numbers WHERE n > 1000", on=lab)
    told = words(shown)
    assert told[0] == "Seq Scan"
    assert "on numbers" in told
    assert "500 rows estimated, 500 counted" in told
    assert "500 rows read and thrown away" in told
    assert "Filter: (n > 1000)" in told
    assert re.search(r"\d\.\d\d ms · \d+ pages", told[-1])
    assert re.match(r"Plan: [\d.]+ ms, \d+ pages of 8 kB\n", shown.text)
    assert "Seq Scan on numbers (500 rows estimated, 500 counted)" in shown.text


def test_an_estimate_that_is_far_off_is_marked(lab):
    wrong = plan("SELECT * FROM numbers WHERE n % 2 = 0", on=lab, rows=True)
    assert any(re.search(r"1,000 counted \(× \d+\)", word) for word in words(wrong))
    right = plan("SELECT * FROM numbers", on=lab, rows=True)
    assert not any("×" in word for word in words(right))


def test_without_times_a_plan_is_the_same_each_time(lab):
    statement = "SELECT * FROM numbers JOIN few USING (n) ORDER BY kind"
    one, two = (plan(statement, on=lab, rows=True) for _ in range(2))
    assert one == two
    assert " ms" not in one.text.replace("own ms", "")


def test_rows_of_a_step_that_ran_several_times_are_counted_together(lab):
    with psycopg.connect(lab.url) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET enable_hashjoin = off")
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET enable_mergejoin = off")
    shown = plan("SELECT * FROM few JOIN numbers USING (n)", on=lab)
    assert "2 rows estimated, 2 counted" in words(shown)[-6:]
    assert words(shown)[3] == "Seq Scan"
    assert any(", 2 times · " in word for word in words(shown))


def test_an_estimate_runs_nothing(lab):
    shown = plan("SELECT 1 / (n - n) FROM few", on=lab, estimate=True)
    assert "2 rows estimated" in words(shown)
    assert shown.text.startswith("Plan: rows as estimated\n")


def test_a_statement_that_writes_is_rolled_back(lab):
    shown = plan("DELETE FROM few WHERE n = $1", [2], on=lab)
    assert words(shown)[:2] == ["Delete", "on few"]
    assert plan("SELECT * FROM few", on=lab).plan.root.rows == 2


def test_the_plan_itself_can_be_asked(lab):
    found = plan("SELECT * FROM numbers WHERE n = 4", on=lab).plan
    assert isinstance(found, Plan)
    assert found.uses_index("numbers_pkey")
    assert found.root.milliseconds > 0


def test_a_statement_of_sqlalchemy_is_taken_with_its_values(tracker_url):
    shown = plan(select(Track.title).where(Track.slug == "it's"), estimate=True)
    assert "'it''s'" in shown.text


def test_what_postgresql_refuses_is_an_error_with_its_sqlstate(lab):
    with pytest.raises(SqlError, match="nothing") as error:
        plan("SELECT * FROM nothing", on=lab)
    assert error.value.sqlstate == "42P01"
    with pytest.raises(SqlError):
        plan("VACUUM few", on=lab)


def test_the_magic_asks_the_database_in_use_and_shows_no_receipt(notebook):
    ran = notebook.run("%%plan --rows\nSELECT * FROM users;\n")
    assert "Seq Scan on users" in ran.result.text
    assert ran.receipts == []
    assert "syntax error" in notebook("%%plan\nSELEC 1").printed


def test_sql_is_shown_laid_out_and_highlighted():
    shown = show_sql("select a, b from t where c = 'x' and d > 1")
    assert shown.text.splitlines()[-1] == "  and d > 1"
    assert '<span class="k">select</span>' in shown.html
    assert "WHERE tracks.slug = :slug_1" in show_sql(select(Track.id).where(Track.slug == "x")).text


def test_a_list_of_values_is_shown_as_the_server_gets_it():
    text = show_sql(select(Track.id).where(Track.slug.in_(["one", "two"]))).text
    assert "WHERE tracks.slug IN (:slug_1_1::VARCHAR, :slug_1_2::VARCHAR)" in text
