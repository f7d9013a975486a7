"""``%load_ext kit`` and ``%unload_ext kit``."""

import logging
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg import _cursor_base

from kit.notebook import taps, workspace
from kit.notebook.errors import NotConnected


def test_loading_says_where_the_notebook_is_connected_to(bare):
    ran = bare.run("%load_ext kit")
    [welcome] = ran.shown
    assert welcome["text/plain"].startswith("Connected to database tracker, at migration ")
    assert "PostgreSQL 18" in welcome["text/plain"]
    assert "PostgreSQL 18" in welcome["text/html"]


def test_sql_works_at_once_with_nothing_typed(bare):
    ran = bare.run("%load_ext kit", "%sql SELECT current_database(), current_setting('timezone')")
    assert list(ran.result) == [("tracker", "UTC")]


def test_the_database_is_at_the_newest_migration_and_has_the_example_data(notebook):
    from tracker import migrations

    assert migrations.current(workspace.url()) == migrations.head()
    assert notebook.run("%sql SELECT count(*) > 0 FROM users").result[0][0] is True


def test_a_database_that_is_behind_is_migrated(learner, tracker_url):
    from tracker import migrations

    migrations.downgrade(tracker_url, "-1")
    workspace.close_workspace()
    said = []
    workspace.open_workspace(said.append)
    assert migrations.current(tracker_url) == migrations.head()
    assert any("it is at the newest one now" in line for line in said)


def test_a_database_at_a_migration_of_the_future_is_left_alone_and_used(learner, tracker_url):
    with psycopg.connect(tracker_url, autocommit=True) as connection:
        [before] = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        connection.execute("UPDATE alembic_version SET version_num = 'future'")
    workspace.close_workspace()
    said = []
    try:
        opened = workspace.open_workspace(said.append)
        with opened.sessions() as session:
            assert session.connection().exec_driver_sql("SELECT 1").scalar() == 1
    finally:
        with psycopg.connect(tracker_url, autocommit=True) as connection:
            connection.execute("UPDATE alembic_version SET version_num = %s", [before])
    assert any("could not be brought to the newest" in line for line in said)


def test_loading_twice_changes_nothing(notebook):
    notebook.run("import kit; kit.load_ipython_extension(get_ipython())")
    ran = notebook.run("%sql SELECT 1")
    assert len(ran.receipts) == 1


def test_unloading_leaves_psycopg_and_the_shell_as_they_were(bare):
    before = vars(_cursor_base.BaseCursor)["_maybe_prepare_gen"]
    hooks = {name: list(those) for name, those in bare.shell.events.callbacks.items()}
    bare.run("%load_ext kit")
    assert vars(_cursor_base.BaseCursor)["_maybe_prepare_gen"] is not before
    bare.run("%unload_ext kit")
    assert vars(_cursor_base.BaseCursor)["_maybe_prepare_gen"] is before
    assert {name: list(those) for name, those in bare.shell.events.callbacks.items()} == hooks
    assert bare.shell.find_cell_magic("sql") is None


def test_what_psycopg_logs_is_shown_to_who_asks_and_to_nobody_else(bare, monkeypatch):
    """Where no handler is found, Python prints it: in a kernel none is set up."""
    logger = logging.getLogger("psycopg")
    monkeypatch.setattr(logger, "propagate", False)
    warn = "import logging; logging.getLogger('psycopg').warning('pipeline aborted')"
    asked = logging.StreamHandler()
    assert "pipeline aborted" in bare.run(warn).printed
    assert "pipeline aborted" not in bare.run("%load_ext kit", warn).printed
    monkeypatch.setattr(logger, "handlers", [*logger.handlers, asked])
    monkeypatch.setattr(asked, "emit", lambda record: print(record.getMessage()))
    assert "pipeline aborted" in bare.run(warn).printed
    bare.run("%unload_ext kit")
    assert logger.handlers == [asked]


def test_unloading_gives_back_the_magics_of_ipython_that_ours_covered(bare):
    def registered():
        kinds = bare.shell.magics_manager.magics
        # IPython replaces some of its own by others of the same name as they are first used.
        return {kind: set(kinds[kind]) for kind in kinds}, kinds["line"]["history"]

    before = registered()
    bare.run("%load_ext kit")
    assert registered()[1] != before[1]
    bare.run("%unload_ext kit")
    assert registered() == before


def test_the_extension_can_be_loaded_again(bare):
    ran = bare.run("%load_ext kit", "%unload_ext kit", "%load_ext kit", "%sql SELECT 1")
    assert ran.receipt.startswith("1 statement · 1 row · ")


def test_a_server_that_cannot_be_had_is_told_in_a_few_lines(bare, monkeypatch, learner):
    workspace.close_workspace()
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:secret-word@127.0.0.1:1/tracker")
    ran = bare("%load_ext kit")
    assert isinstance(ran.error, NotConnected)
    assert "NotConnected: " in ran.printed
    assert "secret-word" not in ran.printed
    assert "site-packages" not in ran.printed


def test_without_receipts_the_rest_works(bare, monkeypatch):
    monkeypatch.setattr(taps, "_taps", lambda: [(_cursor_base, "sent_in_another_way", None)])
    ran = bare.run("%load_ext kit")
    told = ran.shown[-1]["text/plain"]
    assert "There are no receipts: psycopg" in told
    assert "sent_in_another_way" in told
    assert bare.run("%sql SELECT 1").shown == []


def test_an_error_of_the_database_shows_the_line_of_the_cell_and_not_those_of_libraries(notebook):
    ran = notebook(
        "from sqlalchemy import text\nwith session() as s:\n    s.execute(text('SELEC 1'))"
    )
    assert "line 3" in ran.printed
    assert "syntax error" in ran.printed
    assert "site-packages" not in ran.printed
    assert len(ran.printed.splitlines()) < 20


def test_the_whole_traceback_is_still_there_for_who_asks(notebook):
    notebook("from sqlalchemy import text\nwith session() as s:\n    s.execute(text('SELEC 1'))")
    assert "site-packages" in notebook("%tb").printed


def test_the_lines_of_a_function_in_the_notebook_are_kept(notebook):
    notebook.run("import psycopg\ndef ask():\n    psycopg.connect(url()).execute('SELEC 1')")
    ran = notebook("ask()")
    assert "def ask" in ran.printed
    assert "site-packages" not in ran.printed


def test_other_errors_look_as_they_always_did(notebook):
    ran = notebook("import json\njson.loads('{')")
    assert "decoder.py" in ran.printed


def test_importing_the_kit_loads_neither_ipython_nor_psycopg(run_python):
    names = "('IPython', 'psycopg', 'sqlalchemy')"
    ran = run_python(f"import kit, sys; print([n for n in {names} if n in sys.modules])")
    assert ran.stdout.strip() == "[]", ran.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Unix sockets")
def test_the_workspace_never_shows_its_password(learner: Path, tracker_url):
    password = psycopg.conninfo.conninfo_to_dict(tracker_url)["password"]
    assert password not in repr(workspace.open_workspace())
