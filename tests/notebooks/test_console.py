"""``%%sql``: each cure of ipython-sql, and a test that notices when it is not needed any more.

The latter run ipython-sql as it is, in a process of its own. When one fails, delete the cure.
"""

import re

import psycopg
import pytest

from kit.notebook.errors import SqlError

AS_IT_IS = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "sql")
shell.run_line_magic("sql", sys.argv[1])

def cell(name, text):
    print("==", name)
    print("PASSED", shell.run_cell(text).success)

cell("select", "%sql SELECT 1 AS a")
import prettytable
vars(prettytable).update({s.name: s for s in prettytable.TableStyle})
cell("output", "%sql SELECT 1")
cell("nothing", "%sql SET application_name = 'me'")
cell("error", "%sql SELECT * FROM no_such_table")
from sql.connection import Connection
raw = Connection.current.internal_connection.connection.driver_connection
print("== state")
print(raw.info.transaction_status.name)
cell("connect", "%sql postgresql+psycopg://a:b@127.0.0.1:1/c SELECT 1")
"""


@pytest.fixture(scope="module")
def as_it_is(run_python, tracker_url):
    """What cells print where ipython-sql is loaded without the kit."""
    url = tracker_url.replace("postgresql://", "postgresql+psycopg://")
    ran = run_python(AS_IT_IS, url)
    assert ran.returncode == 0, ran.stderr
    printed = re.sub(r"\x1b\[[\d;]*m", "", ran.stdout)
    sections = (part.partition("\n") for part in printed.split("== ")[1:])
    return {name: printed for name, _, printed in sections}


def test_a_select_shows_its_rows(notebook):
    ran = notebook.run("%sql SELECT 1 AS a")
    assert list(ran.result) == [(1,)]
    assert "<td>1</td>" in ran.result._repr_html_()


def test_without_the_kit_a_select_still_fails_on_the_style_of_its_table(as_it_is):
    assert "KeyError: 'DEFAULT'" in as_it_is["select"], "delete restore_style_names"


def test_a_statement_without_a_result_shows_none(notebook):
    assert notebook.run("%sql SET application_name = 'me'").result is None


def test_a_select_without_rows_shows_its_columns(notebook):
    assert "<th>a</th>" in notebook.run("%sql SELECT 1 AS a WHERE false").result._repr_html_()


def test_without_the_kit_a_statement_without_a_result_still_shows_a_list(as_it_is):
    assert "[]" in as_it_is["nothing"], "delete the cure at the end of _run"


def test_an_error_of_the_server_fails_the_cell(notebook):
    ran = notebook("%sql SELECT * FROM no_such_table")
    assert isinstance(ran.error, SqlError)
    assert ran.error.sqlstate == "42P01"


def test_without_the_kit_an_error_of_the_server_still_passes(as_it_is):
    assert "PASSED True" in as_it_is["error"], "delete short_errors=False"


def test_a_connection_that_fails_fails_the_cell(notebook):
    ran = notebook("%sql postgresql://ada:secret-word@127.0.0.1:1/tracker SELECT 1")
    assert isinstance(ran.error, SqlError)
    assert "Connection refused" in ran.printed
    assert "secret-word" not in ran.printed.replace("ada:secret-word@127.0.0.1:1/tracker SEL", "")
    assert len(ran.printed.strip().splitlines()) <= 3


def test_without_the_kit_a_connection_that_fails_still_passes(as_it_is):
    assert "PASSED True" in as_it_is["connect"], "delete the check in console._run"


def test_the_connection_is_usable_after_a_failure_to_connect_elsewhere(notebook):
    notebook("%sql postgresql://ada@127.0.0.1:1/tracker SELECT 1")
    assert list(notebook.run("%sql SELECT current_database()").result) == [("tracker",)]


def test_output_holds_no_url_and_no_row_counts(notebook):
    ran = notebook.run("%sql SELECT 1")
    assert "rows affected" not in ran.printed
    assert "postgresql" not in ran.printed


def test_without_the_kit_output_still_holds_a_url_and_row_counts(as_it_is):
    said = as_it_is["output"]
    assert "rows affected" in said, "delete feedback=False"
    assert "postgresql+psycopg://" in said, "delete displaycon=False"


def test_after_an_error_no_transaction_stays_behind(notebook, tracker_url):
    notebook("%sql SELECT 1 / 0")
    with psycopg.connect(tracker_url) as connection:
        states = connection.execute(
            "SELECT state FROM pg_stat_activity WHERE application_name = %s", ["%%sql"]
        ).fetchall()
    assert states == [("idle",)]


def test_without_the_kit_a_failed_transaction_still_stays_behind(as_it_is):
    assert "INERROR" in as_it_is["state"], "delete console._roll_back"


def test_an_error_shows_the_place_and_the_hint_and_no_library(notebook):
    ran = notebook("%%sql\nSELECT title,\n       titel FROM tracks")
    lines = ran.printed.strip().splitlines()
    assert lines == [
        "SqlError: 42703 UndefinedColumn",
        'column "titel" does not exist',
        "         titel FROM tracks",
        "         ^",
        'Hint: Perhaps you meant to reference the column "tracks.title".',
    ]


def test_a_detail_of_the_server_is_shown(notebook):
    ran = notebook(
        "%%sql\nINSERT INTO users (email, username, password_hash)"
        " SELECT email, 'someone_else', 'x' FROM users LIMIT 1"
    )
    assert "Detail: Key (email)=" in ran.printed


def test_a_transaction_typed_into_sql_is_refused_in_one_line(notebook):
    ran = notebook("%sql BEGIN")
    assert isinstance(ran.error, SqlError)
    assert "does not support transactions" in ran.printed


def test_names_of_the_notebook_are_parameters(notebook):
    ran = notebook.run("most = 3", "%sql SELECT generate_series(1, :most)")
    assert len(ran.result) == 3
    assert notebook.run("%receipt").result.text.count("$1 = 3") == 1


def test_a_result_can_be_kept_under_a_name(notebook):
    ran = notebook.run("%sql found << SELECT 7 AS n", "found[0][0]")
    assert ran.result == 7


def test_another_session_by_another_url(notebook):
    ran = notebook.run(
        "%sql {url()}&application_name=alice SELECT current_setting('application_name')"
    )
    assert list(ran.result) == [("alice",)]


def test_sql_survives_a_connection_that_the_server_closed(notebook, tracker_url):
    with psycopg.connect(tracker_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE application_name = %s",
            ["%%sql"],
        )
    assert isinstance(notebook("%sql SELECT 1").error, SqlError)
    assert list(notebook.run("%sql SELECT 1").result) == [(1,)]
