"""Scratch databases, and which database the magics ask."""

import psycopg
import pytest
from sqlalchemy import text

from kit.notebook import NotebookError, places, scratch, workspace


def databases(url):
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'kit_c_%'")
        return [name for (name,) in rows]


def test_a_scratch_database_is_empty_and_can_be_written_to(tracker_url):
    with scratch() as lab, lab.session() as session:
        session.execute(text("CREATE TABLE notes (id int)"))
        session.commit()
        query = text("SELECT relname FROM pg_stat_user_tables")
        assert session.scalars(query).all() == ["notes"]


def test_a_scratch_database_is_gone_after_drop_whoever_is_connected(tracker_url):
    lab = scratch()
    with psycopg.connect(lab.url):
        assert lab.name in databases(tracker_url)
        lab.drop()
    assert lab.name not in databases(tracker_url)
    lab.drop()


def test_a_copy_has_the_demo_data_and_changes_nothing_elsewhere(tracker_url):
    count = text("SELECT count(*) FROM users")
    with scratch(copy=True) as one, scratch(copy=True) as two:
        with one.session() as session:
            before = session.scalar(count)
            session.execute(text("TRUNCATE users CASCADE"))
            session.commit()
        with two.session() as session:
            assert session.scalar(count) == before > 0
    with psycopg.connect(tracker_url) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (before,)


def test_what_is_left_is_dropped_at_the_end(tracker_url):
    lab = scratch()
    places.close_scratch()
    assert lab.name not in databases(tracker_url)


def test_use_makes_sql_ask_another_database_and_goes_back(notebook):
    notebook.run("lab = scratch()", "%use lab")
    assert notebook.run("%sql SELECT current_database()").result[0][0].startswith("kit_c_")
    notebook.run("%use")
    assert notebook.run("%sql SELECT current_database()").result[0][0] == "tracker"
    notebook.run("lab.drop()")


def test_a_database_that_is_dropped_is_not_asked_any_more(notebook):
    notebook.run("lab = scratch()", "%use lab", "lab.drop()")
    assert places.url_of() == workspace.url()
    assert notebook.run("%sql SELECT current_database()").result[0][0] == "tracker"


def test_use_of_a_name_that_is_not_there_says_so(notebook):
    ran = notebook("%use nowhere")
    assert "there is no name “nowhere” in this notebook" in ran.printed
    assert "%use [database]" in ran.printed


@pytest.mark.parametrize("kind", ["url", "engine", "session", "sqlalchemy", "psycopg", "itself"])
def test_a_database_may_be_given_in_many_ways(tracker_url, kind):
    with scratch() as lab, lab.session() as session, psycopg.connect(lab.url) as connection:
        given = {
            "url": lab.url, "engine": lab.engine, "session": session, "itself": lab,
            "sqlalchemy": session.connection(), "psycopg": connection,
        }  # fmt: skip
        with places.watcher(given[kind]) as watching:
            assert watching.info.dbname == lab.name


def test_what_is_no_database_is_refused(tracker_url):
    with pytest.raises(NotebookError, match="int is no database"):
        places.url_of(7)
