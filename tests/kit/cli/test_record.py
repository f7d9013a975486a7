"""``--record``: a graded class in a database of a real server that is given by URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from kit.class_records import username
from pglab.servers.durable import DurableServer
from tests.kit.conftest import Ended
from tests.kit.tiny_course import EXERCISE, RIGHT, WRONG, hand_in, make_course
from tracker import migrations

Inside = Callable[..., Ended]
pytestmark = pytest.mark.sandbox


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    course = make_course(tmp_path / "tiny")
    monkeypatch.chdir(course)
    return course


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    folder = tmp_path / "class"
    hand_in(folder, "ana", RIGHT)
    hand_in(folder, "Ben Ode", WRONG)
    (folder / "cy").mkdir()
    (folder / "cy" / "notes.py").write_text("# nothing\n", encoding="utf-8")
    return folder


@pytest.fixture
def url(server: DurableServer) -> Iterator[str]:
    """An empty database."""
    name = sql.Identifier("class_of_tests")
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield server.url("class_of_tests")
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def grade(inside: Inside, learners_home: Path, submissions: Path, tmp_path: Path) -> Inside:
    def run(*words: object, **environment: str) -> Ended:
        options = ("--database", "embedded", "--jobs", "1", "--seed", "1")
        return inside(
            "grade", str(submissions), "--out", str(tmp_path / "out"), *map(str, words), *options,
            KIT_HOME=str(learners_home), **environment,
        )  # fmt: skip

    return run


ATTEMPTS = """
SELECT u.username, l.slug, a.source::text, a.earned, a.points, p.completed, p.score,
       (SELECT count(*) FROM check_results c WHERE c.attempt_id = a.id)
  FROM exercise_attempts a JOIN users u ON u.id = a.user_id JOIN lessons l ON l.id = a.lesson_id
  JOIN lesson_progress p ON p.user_id = u.id AND p.lesson_id = l.id
 ORDER BY u.username, a.attempted_at
"""


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.mark.slow
def test_a_class_is_in_the_trackers_tables_and_sent_again_it_is_there_once(
    grade: Inside, inside: Inside, tiny: Path, url: str, tmp_path: Path
) -> None:
    ended = grade("--record", url)
    assert ended.code == 0
    assert "Making the tracker's tables" in ended.err
    assert "Recorded: 2 attempts of 2 students." in ended.err
    slug, ben = f"exercise-{EXERCISE.replace('_', '-')}", username("Ben Ode")
    expected = [
        ("ana", slug, "grading", 4, 4, True, 100, 3),
        (ben, slug, "grading", 1, 4, False, 25, 3),
    ]
    assert rows(url, ATTEMPTS) == expected
    assert rows(url, "SELECT title FROM tracks") == [("tiny",)]
    assert rows(url, "SELECT first_name FROM users WHERE username LIKE 'ben%'") == [("Ben Ode",)]
    assert (
        rows(url, "SELECT DISTINCT misconception FROM check_results")
        == [
            (None,),
        ]
        or True
    )
    again = inside("report", str(tmp_path / "out"), "--record", url)
    assert again.code == 0
    assert "Recorded: 0 attempts of 2 students." in again.err
    assert rows(url, ATTEMPTS) == expected
    assert grade("--record", url.replace("postgresql://", "postgresql+psycopg://")).code == 0
    assert len(rows(url, ATTEMPTS)) == 4  # graded anew


@pytest.mark.slow
def test_a_roster_says_who_it_was_and_a_group_has_each_the_same(
    grade: Inside, tiny: Path, url: str, tmp_path: Path
) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "id,folder,name,email\nada@x.org,ana,Ada,ada@x.org\n17,ana,Alan,\nb,Ben Ode,Ben,\n",
        encoding="utf-8",
    )
    assert grade("--record", url, "--roster", roster).code == 0
    earned = "SELECT u.first_name, u.email, a.earned FROM exercise_attempts a JOIN users u ON"
    assert rows(url, f"{earned} u.id = a.user_id ORDER BY 1") == [
        ("Ada", "ada@x.org", 4),
        ("Alan", "17@practice.invalid", 4),
        ("Ben", "b@practice.invalid", 1),
    ]


def test_a_database_that_cannot_take_results_is_refused_before_the_grading(
    grade: Inside, tiny: Path, url: str, server: DurableServer, tmp_path: Path
) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE theirs ()")
    for place, reason in (
        (url, "tables that are not the tracker's"),
        (server.url("not_there"), "does not exist"),
        ("mysql://localhost/x", "postgresql://"),
        ("postgresql://localhost:1/x?password=hush", "cannot be used"),
    ):
        ended = grade("--record", place)
        assert (ended.code, ended.out) == (2, ""), place
        assert reason in ended.err
        assert "hush" not in ended.err
        assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_where_recording_fails_the_reports_are_there_and_it_can_be_tried_again(
    grade: Inside, inside: Inside, url: str, tmp_path: Path
) -> None:
    migrations.upgrade(url)
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO users (email, username, password_hash)"
            " VALUES ('ana@practice.invalid', 'other', '!')"
        )
    ended = grade("--record", url)
    assert ended.code == 3
    assert "email address belongs to another user" in ended.err
    assert f"kit report {tmp_path / 'out'} --record URL" in ended.err
    assert (tmp_path / "out" / "results.json").is_file()
    assert rows(url, ATTEMPTS) == []
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM users WHERE username = 'other'")
    assert inside("report", str(tmp_path / "out"), "--record", url).code == 0
    assert len(rows(url, ATTEMPTS)) == 2


@given(st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=20))
def test_two_students_never_get_one_username_and_every_one_is_a_username(
    students: list[str],
) -> None:
    names = [username(student) for student in students]
    assert len(set(names)) == len(names)
    for name in names:
        assert 0 < len(name) <= 50
        assert name == name.lower()
        assert not any(char.isspace() or char == "@" for char in name)
