"""Places for boxes and arrows, diagrams, and the ER diagram of a real database."""

import base64
import re
from xml.etree import ElementTree

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.notebook import NoAlternativeText, NotebookError, diagram, erd, scratch
from kit.notebook.layout import place

ALT = "Deleting one user takes enrollments and payments with it."
SVG = "{http://www.w3.org/2000/svg}"

NAMES = [f"n{number}" for number in range(9)]
boxes = st.dictionaries(
    st.sampled_from(NAMES), st.tuples(st.floats(10, 200), st.floats(10, 300)), min_size=1
)


def drawing(shown):
    [encoded] = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', shown.html)
    return ElementTree.fromstring(base64.b64decode(encoded))


def words(svg):
    return [text.text for text in svg.iter(f"{SVG}text")]


@st.composite
def graphs(draw):
    sizes = draw(boxes)
    name = st.sampled_from(sorted(sizes))
    return sizes, draw(st.lists(st.tuples(name, name), max_size=14))


@given(graphs(), st.booleans())
def test_no_two_boxes_overlap_and_all_are_on_the_sheet(graph, down):
    sizes, arrows = graph
    places = place(sizes, arrows, down=down)
    rectangles = [(*places.boxes[name], *sizes[name]) for name in sizes]
    for index, (x, y, w, h) in enumerate(rectangles):
        assert x >= -0.01
        assert y >= -0.01
        assert x + w <= places.width + 0.01
        assert y + h <= places.height + 0.01
        for a, b, c, d in rectangles[:index]:
            assert x >= a + c or a >= x + w or y >= b + d - 0.01 or b >= y + h - 0.01


@given(graphs())
def test_the_same_boxes_get_the_same_places(graph):
    assert place(*graph) == place(*graph)


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=14))
def test_arrows_lead_to_the_right_where_there_is_no_circle(pairs):
    arrows = [(f"n{min(pair)}", f"n{max(pair)}") for pair in pairs if pair[0] != pair[1]]
    places = place(dict.fromkeys(NAMES, (20.0, 20.0)), arrows)
    for source, target in arrows:
        assert places.boxes[source][0] < places.boxes[target][0]


def test_a_long_arrow_goes_round_the_boxes_between():
    sizes = dict.fromkeys("abc", (40.0, 40.0))
    places = place(sizes, [("a", "b"), ("b", "c"), ("a", "c")])
    [(_, y)] = places.routes[2]
    top = places.boxes["b"][1]
    assert not top < y < top + 40


def test_a_diagram_says_in_words_what_it_draws():
    shown = diagram(
        {"users": ["1 row"], "payments": []}, [("users", "payments", "CASCADE")],
        title="What goes", alt=ALT,
    )  # fmt: skip
    assert f'alt="{ALT}"' in shown.html
    assert "users     1 row         payments (CASCADE)" in shown.text
    assert words(drawing(shown)) == ["CASCADE", "users", "1 row", "payments"]


@pytest.mark.parametrize("edges", [[("a", "a")], [("a", "b"), ("b", "a")], []])
def test_circles_and_loops_are_drawn(edges):
    svg = drawing(diagram({"a": [], "b": []}, edges, title="T", alt=ALT))
    arrows = [p for p in svg.iter(f"{SVG}path") if p.get("marker-end")]
    assert len(arrows) == len(edges)


def test_a_diagram_of_nothing_or_of_boxes_that_are_not_there_is_an_error():
    with pytest.raises(NotebookError, match="there is no box b"):
        diagram({"a": []}, [("a", "b")], title="T", alt=ALT)
    with pytest.raises(NotebookError, match="nodes is empty"):
        diagram({}, [], title="T", alt=ALT)
    with pytest.raises(NoAlternativeText):
        diagram({"a": []}, [], title="T")


TABLES = """
CREATE TABLE users (id int PRIMARY KEY, email varchar(80) NOT NULL UNIQUE,
    boss int REFERENCES users);
CREATE TABLE profiles (user_id int PRIMARY KEY REFERENCES users, bio text);
CREATE TABLE tracks (id int PRIMARY KEY, author_id int REFERENCES users, made_at timestamptz);
CREATE TABLE enrollments (user_id int NOT NULL REFERENCES users, track_id int NOT NULL
    REFERENCES tracks, PRIMARY KEY (user_id, track_id));
CREATE TABLE alone (n int);
CREATE VIEW seen AS SELECT 1 AS n;
"""


@pytest.fixture(scope="module")
def lab(tracker_url):
    with scratch() as made:
        with psycopg.connect(made.url, autocommit=True) as connection:
            connection.execute(TABLES)
        yield made


def test_the_er_diagram_shows_tables_columns_types_and_keys(lab):
    shown = erd(on=lab)
    told = words(drawing(shown))
    for word in ("users", "profiles", "alone", "varchar(80)", "timestamptz?", "integer?"):
        assert word in told, word
    assert "seen" not in told
    assert told[told.index("PK FK") :][:3] == ["PK FK", "user_id", "integer"]
    assert "5 tables: alone, enrollments, profiles, tracks, users" in shown.text
    assert "enrollments.track_id → tracks" in shown.text
    assert re.search(r"users +email +varchar\(80\) +U", shown.text)
    assert re.search(r"tracks +author_id +integer\? +FK → users", shown.text)


def test_the_ends_of_a_line_say_how_many(lab):
    def forms(*tables):
        svg = drawing(erd(*tables, on=lab))
        rings = [r for r in svg.iter(f"{SVG}rect") if r.get("rx") == "3.5"]
        strokes = [p for p in svg.iter(f"{SVG}path") if p.get("stroke-width") == "1.5"]
        bars = [p for p in strokes if len(re.findall("[ML]", p.get("d"))) == 2]
        feet = [p for p in strokes if len(re.findall("[ML]", p.get("d"))) == 3]
        return len(rings), len(bars), len(feet)

    # To users leads a loop: none or one boss (ring, bar), of none or many (ring, foot).
    assert forms("users") == (2, 1, 1)
    # A profile: exactly one user (two bars), who has none or one (ring, bar).
    assert forms("users", "profiles") == (2 + 1, 1 + 3, 1)
    # A track: none or one author (ring, bar), who has none or many (ring, foot).
    assert forms("users", "tracks") == (2 + 2, 1 + 1, 1 + 1)
    # An enrollment: exactly one track (two bars), which has none or many (ring, foot).
    assert forms("tracks", "enrollments") == (1, 2, 1)


def test_a_table_and_its_neighbors_can_be_drawn(lab):
    assert "3 tables: enrollments, tracks, users" in erd(around="tracks", on=lab).text


def test_only_keys_can_be_drawn(lab):
    told = words(drawing(erd(keys=True, on=lab)))
    assert "boss" in told
    assert "email" not in told
    assert "made_at" not in told


def test_a_table_that_is_not_there_is_told(lab, tracker_url):
    with pytest.raises(NotebookError, match="no table user here; there are: alone, enroll"):
        erd("user", on=lab)
    with scratch() as empty, pytest.raises(NotebookError, match="no tables in this database"):
        erd(on=empty)


def test_every_table_of_the_tracker_is_in_its_diagram(tracker_url):
    with psycopg.connect(tracker_url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = {name for (name,) in rows}
    assert names <= set(words(drawing(erd())))


def test_the_magic_draws_what_it_is_asked_for(notebook):
    shown = notebook.run("%erd users organizations --keys").result
    assert "2 tables: organizations, users" in shown.text
    assert "%erd [--on DATABASE]" in notebook("%erd --deep").printed
