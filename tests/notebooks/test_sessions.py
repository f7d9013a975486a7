"""``%timeline`` and ``%locks``: what real sessions do, and who waits for whom."""

import base64
import re
from xml.etree import ElementTree

import psycopg
import pytest

from kit.notebook import NotebookError, scratch, timeline
from kit.notebook.locks import locks
from pglab.sessions import Interleaving

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def lab(tracker_url):
    with scratch() as made:
        with psycopg.connect(made.url, autocommit=True) as connection:
            connection.execute(
                "CREATE TABLE seats (id int PRIMARY KEY, free int);"
                "INSERT INTO seats VALUES (1, 10), (2, 10)"
            )
        yield made


@pytest.fixture
def stage(lab):
    with Interleaving(lab.url) as made:
        yield made


def drawing(shown):
    [encoded] = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', shown.html)
    return ElementTree.fromstring(base64.b64decode(encoded))


def words(svg):
    return [text.text for text in svg.iter(f"{SVG}text")]


def arrows(svg):
    """Colors of the arrows, and whether they lead to the left or to the right."""
    found = []
    for path in svg.iter(f"{SVG}path"):
        if path.get("marker-end"):
            (x1, _), (x2, _) = (p.split() for p in path.get("d")[1:].split("L"))
            color = path.get("stroke").removeprefix("var(--").removesuffix(")")
            found.append((color, "right" if float(x1) < float(x2) else "left"))
    return found


TAKE = "UPDATE seats SET free = free - 1 WHERE id = 1"


def waiting(stage):
    """Bob waits for alice."""
    alice, bob = stage.enter("alice", "bob")
    alice.begin()
    alice.run(TAKE)
    bob.run(TAKE)
    return alice, bob


def test_a_timeline_shows_who_waits_for_whom_and_who_lets_them_go_on(stage):
    alice, _bob = waiting(stage)
    alice.rollback()
    shown = timeline(stage)
    assert arrows(drawing(shown)) == [("wait", "left"), ("line", "right")]
    told = words(drawing(shown))
    assert told[:1] + [word for word in told if "waits" in word] == ["alice", "‖ waits for alice"]
    assert "… goes on" in told
    assert "bob: UPDATE seats SET free = free - 1 WHERE id = 1 (waits for alice)" in shown.html
    assert re.search(r"4 +bob +UPDATE .* +after waiting: 1 row", shown.text)


def test_a_failure_is_shown_with_its_sqlstate(stage):
    one, two = stage.enter("one", "two")
    for session in (one, two):
        session.begin("repeatable read")
        session.run("SELECT free FROM seats WHERE id = 2")
    one.run("UPDATE seats SET free = 9 WHERE id = 2")
    two.run("UPDATE seats SET free = 8 WHERE id = 2")
    one.commit()
    shown = timeline(stage)
    assert any(word.startswith("✗ 40001 could not") for word in words(drawing(shown)))
    assert "after waiting: failed with 40001: could not serialize access" in shown.text
    assert words(drawing(shown)).count("✓ 10") == 2


def test_a_commit_that_stores_nothing_is_not_shown_as_done(stage):
    [alice] = stage.enter("alice")
    alice.begin()
    alice.run("SELECT 1 / 0")
    alice.commit()
    shown = timeline(stage)
    assert "✗ rolled back" in words(drawing(shown))
    assert "alice: COMMIT (rolled back)" in shown.html
    alice.begin()
    alice.rollback()
    assert words(drawing(timeline(stage))).count("✗ rolled back") == 1


def test_a_deadlock_is_shown(stage):
    one, two = stage.enter("one", "two")
    for session, number in ((one, 1), (two, 2)):
        session.begin()
        session.run(f"UPDATE seats SET free = 0 WHERE id = {number}")
    one.run("UPDATE seats SET free = 0 WHERE id = 2")
    two.run("UPDATE seats SET free = 0 WHERE id = 1")
    assert "failed with 40P01: deadlock detected" in timeline(stage).text


def test_a_timeline_is_the_same_each_time(lab):
    def drawn():
        with Interleaving(lab.url) as stage:
            alice, _ = waiting(stage)
            alice.rollback()
            return timeline(stage, "Two at once")

    assert drawn() == drawn()


def test_a_closed_stage_can_still_be_drawn_and_events_alone_too(lab):
    with Interleaving(lab.url) as stage:
        [alice] = stage.enter("alice")
        alice.run("SELECT 1")
    assert timeline(stage) == timeline(stage.events)


def test_without_events_there_is_nothing_to_draw(stage):
    for nothing in (stage, [], ["x"]):
        with pytest.raises(NotebookError, match="nothing to draw"):
            timeline(nothing)


def test_long_statements_and_errors_stay_in_their_lane(stage):
    [alice] = stage.enter("alice")
    alice.run("SELECT " + ", ".join(f"'a rather long text {n}'" for n in range(30)))
    alice.run("SELECT " + "x" * 300)
    svg = drawing(timeline(stage))
    assert max(len(word) for word in words(svg)) <= 40
    assert int(svg.get("width")) < 400


def lines(shown):
    return [re.split(r"\s{2,}", line) for line in shown.text.splitlines()[3:]]


def test_locks_say_who_holds_what_and_who_waits_for_whom(lab, stage):
    alice, _bob = waiting(stage)
    found = lines(locks(lab))
    assert ["alice", "holds", "table seats", "RowExclusive", "writes rows"] in found
    [waits] = [row for row in found if "waits" in row[1]]
    assert waits[:4] == ["bob", "‖ waits for alice", "the transaction of alice", "Share"]
    alice.rollback()


def test_a_lock_of_a_table_names_what_it_shuts_out(lab, stage):
    alice, bob = stage.enter("alice", "bob")
    alice.begin()
    alice.run("LOCK TABLE seats")
    bob.run("SELECT count(*) FROM seats")
    found = lines(locks(lab))
    assert found[0][:4] == ["alice", "holds", "table seats", "AccessExclusive"]
    assert ["bob", "‖ waits for alice", "table seats", "AccessShare", "reads"] in found
    alice.rollback()


def test_a_table_that_nobody_else_sees_yet_is_told_as_such(lab, stage):
    [alice] = stage.enter("alice")
    alice.begin()
    alice.run("CREATE TABLE fresh (n int PRIMARY KEY)")
    assert [row[:3] for row in lines(locks(lab))] == [
        ["alice", "holds", "a new table, not committed yet"]
    ]


def test_advisory_locks_are_shown_and_those_of_other_databases_are_not(lab, stage):
    [alice] = stage.enter("alice")
    alice.run("SELECT pg_advisory_lock(7)")
    assert lines(locks(lab)) == [
        ["alice", "holds", "advisory lock 0, 7", "Exclusive",
         "lets others only read; of a row: about to change it"],
    ]  # fmt: skip
    with scratch() as other:
        assert locks(other).text == "No session holds a lock on a table, and none waits."


def test_the_magics_take_names_of_the_notebook(notebook):
    notebook.run(
        "from pglab.sessions import Interleaving",
        "lab = scratch(); stage = Interleaving(lab.url); [alice] = stage.enter('alice')",
        "alice.run('CREATE TABLE t (n int)'); alice.begin(); alice.run('LOCK TABLE t')",
    )
    assert "table t" in notebook.run("%locks --on lab").result.text
    shown = notebook.run('%timeline stage --title "One alone"').result
    assert shown.text.startswith("One alone\nTimeline of alice")
    assert "no name “nothing”" in notebook("%timeline nothing").printed
    notebook.run("stage.close(); lab.drop()")
