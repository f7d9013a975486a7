"""``%history``: revisions, branches, heads, and where the database is."""

import base64
import re
from xml.etree import ElementTree

import psycopg
import pytest

from kit.notebook import NotebookError, history, scratch
from tracker import migrations

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def folder(tmp_path):
    """A function that writes a revision, and the folder they are in."""
    (tmp_path / "versions").mkdir()

    def write(name, after, message):
        (tmp_path / "versions" / f"{name}.py").write_text(
            f'"""{message}"""\nrevision = {name!r}\ndown_revision = {after!r}\n'
        )
        return tmp_path

    return write


@pytest.fixture
def at(tracker_url):
    """A database that says it is at some revisions."""
    made = scratch()

    def say(*versions):
        with psycopg.connect(made.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num text)")
            connection.execute("TRUNCATE alembic_version")
            for version in versions:
                connection.execute("INSERT INTO alembic_version VALUES (%s)", [version])
        return made

    yield say
    made.drop()


def drawing(shown):
    [encoded] = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', shown.html)
    return ElementTree.fromstring(base64.b64decode(encoded))


def words(shown):
    return [text.text for text in drawing(shown).iter(f"{SVG}text")]


def test_the_trackers_history_has_every_revision_and_says_where_the_database_is(tracker_url):
    shown = history()
    for revision in migrations.history():
        assert revision.id in words(shown)
    assert shown.text.startswith(f"The database is at {migrations.head()}.")
    assert "the database is here, head" in words(shown)


def test_what_is_applied_is_told_from_what_is_not(folder, at):
    folder("a1", None, "First")
    folder("b2", "a1", "Second")
    path = folder("c3", "b2", "Third")
    shown = history(path, on=at("b2"))
    assert re.search(r"a1 +First +– +–", shown.text)
    assert re.search(r"b2 +Second +a1 +the database is here", shown.text)
    assert re.search(r"c3 +Third +b2 +not applied, head", shown.text)
    assert words(shown).count("✓") == 2


def test_branches_and_merges_are_drawn(folder, at):
    folder("a1", None, "First")
    folder("b2", "a1", "Left")
    path = folder("c3", "a1", "Right")
    two_heads = history(path, on=at("b2", "c3"))
    assert "The database is at b2 and c3." in two_heads.text
    assert words(two_heads).count("the database is here, head") == 2
    path = folder("d4", ("b2", "c3"), "Merged")
    merged = history(path, on=at("b2"))
    assert re.search(r"d4 +Merged +b2 and c3 +not applied, head", merged.text)
    arrows = [p for p in drawing(merged).iter(f"{SVG}path") if p.get("marker-end")]
    assert len(arrows) == 4


def test_a_database_without_revisions_and_one_that_nobody_knows_are_told(folder, at):
    path = folder("a1", None, "First")
    assert history(path, on=at()).text.startswith("No revision is applied.")
    assert "at zz (which is not in this folder)" in history(path, on=at("zz")).text


def test_a_folder_without_revisions_is_told(tmp_path, tracker_url):
    with pytest.raises(NotebookError, match="cannot be read"):
        history(tmp_path / "nowhere")
    (tmp_path / "versions").mkdir()
    with pytest.raises(NotebookError, match="no revisions in this folder yet"):
        history(tmp_path)


def test_the_magic_draws_it(notebook):
    assert notebook.run('%history --title "All of them"').result.text.startswith("All of them")
