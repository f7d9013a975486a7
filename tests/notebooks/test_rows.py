"""``%rows``: what has changed in which table, and who sees it."""

import psycopg
import pytest
from psycopg import sql

from kit.notebook import NotebookError, changed_rows, contents, places, scratch
from pglab.sessions import Interleaving

TABLES = """
CREATE TABLE users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text UNIQUE,
    name text, seen_at timestamptz, price numeric);
CREATE TABLE tags (label text, weight int);
INSERT INTO users (email, name, price) VALUES ('ada@example.org', 'Ada', 1.10), ('bo@x', 'Bo', 2);
INSERT INTO tags VALUES ('a', 1), ('a', 1)
"""


@pytest.fixture
def lab(tracker_url):
    with scratch() as made:
        changed_rows.forget()
        places.use(made)
        with psycopg.connect(made.url, autocommit=True) as connection:
            connection.execute(TABLES)
        changed_rows.changed_rows()
        yield made


@pytest.fixture
def ask(lab):
    with psycopg.connect(lab.url, autocommit=True, application_name="test") as connection:
        yield connection.execute


def lines(shown):
    """The rows of the table, each as a list of its cells."""
    import re

    found = shown.text.splitlines()
    if len(found) == 1:
        return found
    return [re.split(r"\s{2,}", line) for line in found[3:]]


def test_the_first_look_remembers(lab):
    changed_rows.forget()
    assert changed_rows.changed_rows().text.startswith("Remembered.")
    assert changed_rows.changed_rows().text == "No row has changed."


def test_rows_that_come_go_and_change_are_told_by_their_name(ask):
    ask("INSERT INTO users (email) VALUES ('new@x')")
    ask("UPDATE users SET name = NULL, seen_at = now(), price = 1.20 WHERE name = 'Ada'")
    ask("DELETE FROM users WHERE name = 'Bo'")
    assert lines(changed_rows.changed_rows()) == [
        [
            "users", "ada@example.org",
            "name: Ada → NULL; seen_at: another value; price: 1.10 → 1.20",
        ],
        ["users", "bo@x", "row is gone"],
        ["users", "new@x", "new row"],
    ]  # fmt: skip
    assert changed_rows.changed_rows().text == "No row has changed."


def test_ids_are_not_shown_because_they_differ_each_time(ask):
    ask("UPDATE users SET id = gen_random_uuid() WHERE name = 'Ada'")
    [gone, new] = lines(changed_rows.changed_rows())
    assert gone == ["users", "ada@example.org", "row is gone"]
    assert new == ["users", "ada@example.org (2)", "new row"]


def test_a_table_without_a_key_is_compared_by_whole_rows(ask):
    ask("UPDATE tags SET weight = 2 WHERE ctid = (SELECT min(ctid) FROM tags)")
    found = lines(changed_rows.changed_rows())
    assert sorted(row[2] for row in found) == ["new row", "row is gone"]


def test_an_update_that_changes_nothing_is_no_change(ask):
    ask("UPDATE users SET name = name")
    assert changed_rows.changed_rows().text == "No row has changed."


def test_some_tables_can_be_asked_for(ask):
    ask("DELETE FROM tags")
    ask("UPDATE users SET name = 'X'")
    assert {row[0] for row in lines(changed_rows.changed_rows("tags"))} == {"tags"}
    with pytest.raises(contents.CannotLook, match="no table nothing"):
        changed_rows.changed_rows("nothing")


def test_a_new_table_is_told_by_its_rows(ask):
    ask("CREATE TABLE more AS SELECT 1 AS n")
    assert lines(changed_rows.changed_rows()) == [["more", "n = 1", "new row"]]


def test_what_is_not_committed_is_seen_by_the_session_alone(lab):
    with psycopg.connect(lab.url) as session:
        session.execute("UPDATE users SET name = 'Ada L' WHERE name = 'Ada'")
        shown = changed_rows.changed_rows(inside=session, called="s")
        assert "s sees" in shown.text
        assert lines(shown) == [["users", "ada@example.org", "name: Ada → Ada L", "as before"]]
        session.commit()
        changed = changed_rows.changed_rows(inside=session, called="s")
        assert lines(changed) == [
            ["users", "ada@example.org", "name: Ada → Ada L", "name: Ada → Ada L"]
        ]


def test_a_session_with_an_old_snapshot_does_not_see_what_others_committed(lab, ask):
    with psycopg.connect(lab.url) as session:
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        session.execute("SELECT FROM users")
        ask("DELETE FROM users WHERE name = 'Bo'")
        shown = changed_rows.changed_rows(inside=session)
        assert lines(shown) == [["users", "bo@x", "as before", "row is gone"]]


@pytest.mark.parametrize("kind", ["sqlalchemy session", "sqlalchemy connection", "staged"])
def test_sessions_of_every_kind_can_be_asked(lab, kind):
    change = "UPDATE users SET name = 'X' WHERE name = 'Ada'"
    with lab.session() as session, Interleaving(lab.url) as stage, lab.engine.connect() as bare:
        inside = {"sqlalchemy session": session, "sqlalchemy connection": bare}.get(kind)
        if inside is None:
            [inside] = stage.enter("alice")
            inside.begin()
            inside.run(change)
        else:
            connection = inside.connection() if kind == "sqlalchemy session" else inside
            connection.exec_driver_sql(change)
        [row] = lines(changed_rows.changed_rows(inside=inside))
        assert row[2:] == ["name: Ada → X", "as before"]


def test_asking_a_session_leaves_its_transaction_and_its_locks_as_they_were(lab):
    locks = (
        "SELECT relation::regclass::text, mode FROM pg_locks"
        " WHERE pid = pg_backend_pid() AND locktype = 'relation' ORDER BY 1, 2"
    )
    with psycopg.connect(lab.url) as session:
        session.execute("UPDATE tags SET weight = 9")
        before = session.execute(locks).fetchall()
        changed_rows.changed_rows(inside=session)
        assert session.execute(locks).fetchall() == before
        assert session.execute("SELECT max(weight) FROM tags").fetchone() == (9,)


def test_a_session_that_has_no_transaction_sees_what_everybody_sees(lab, ask):
    ask("DELETE FROM tags")
    with lab.session() as session:
        found = lines(changed_rows.changed_rows(inside=session))
        assert {tuple(row[2:]) for row in found} == {("row is gone", "row is gone")}
        assert not session.in_transaction()


def test_a_failed_transaction_sees_nothing_and_that_is_told(lab):
    with psycopg.connect(lab.url) as session:
        with pytest.raises(psycopg.Error):
            session.execute("SELECT 1 / 0")
        with pytest.raises(contents.CannotLook, match="until ROLLBACK"):
            changed_rows.changed_rows(inside=session)


def test_a_lock_that_shuts_out_readers_is_told_and_not_waited_for(lab, monkeypatch):
    monkeypatch.setattr(contents, "LONGEST_WAIT_MS", 20)
    with psycopg.connect(lab.url) as session:
        session.execute("ALTER TABLE tags ADD COLUMN more int")
        with pytest.raises(contents.CannotLook, match="shuts out readers"):
            changed_rows.changed_rows()


def test_of_a_large_table_the_rows_are_counted(lab, ask, monkeypatch):
    monkeypatch.setattr(contents, "MOST_ROWS", 1)
    changed_rows.changed_rows()
    ask("INSERT INTO tags VALUES ('b', 1)")
    assert lines(changed_rows.changed_rows()) == [["tags", "(all rows)", "2 → 3 rows"]]


def test_names_that_need_quotes_are_quoted(lab, ask):
    ask(sql.SQL("CREATE TABLE {} (n int)").format(sql.Identifier('odd "name"; --')))
    ask('CREATE SCHEMA "S 2"; CREATE TABLE "S 2".t (n int); INSERT INTO "S 2".t VALUES (1)')
    assert lines(changed_rows.changed_rows()) == [["S 2.t", "n = 1", "new row"]]


def test_what_is_no_session_is_refused(lab):
    with pytest.raises(NotebookError):
        changed_rows.changed_rows(inside=7)


def test_the_magic_takes_names_of_the_notebook(notebook):
    notebook.run("lab = scratch()", "%use lab", "%sql CREATE TABLE t (n int)", "%rows")
    ran = notebook.run(
        "from sqlalchemy import text",
        "s = lab.session(); _ = s.execute(text('INSERT INTO t VALUES (1)'))",
        "%rows --in s",
    )
    assert lines(ran.result) == [["t", "n = 1", "new row", "as before"]]
    assert "s sees" in ran.result.text
    assert ran.receipts == []
    notebook.run("s.rollback(); s.close(); lab.drop()")


def test_rows_on_shows_changes_below_each_cell_that_changed_something(notebook):
    notebook.run("lab = scratch()", "%use lab", "%sql CREATE TABLE t (n int)")

    def cards(ran):
        return [
            one["text/plain"] for one in ran.shown if one["text/plain"].startswith("Rows that have")
        ]

    assert cards(notebook.run("%rows on")) == []
    [card] = cards(notebook.run("%sql INSERT INTO t VALUES (1)"))
    assert "n = 1" in card
    assert cards(notebook.run("1 + 1")) == []
    notebook.run("%rows off")
    assert cards(notebook.run("%sql INSERT INTO t VALUES (2)")) == []
    notebook.run("lab.drop()")
