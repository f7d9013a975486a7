"""Careless figures about a school come out wrong, whatever its seed, and careful ones right."""

from __future__ import annotations

from collections import Counter

import pytest

from grader.checks.data import Data
from grader.checks.school import School, make_school
from grader.results import Outcome
from tests.grader.examining import Examine, errored, failed

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, name text, email text UNIQUE);
CREATE TABLE tracks (id int PRIMARY KEY, title text, price numeric(10, 2), is_published boolean);
CREATE TABLE lessons (
    id int PRIMARY KEY, track_id int REFERENCES tracks, title text, position int, minutes int
);
CREATE TABLE enrollments (
    id int PRIMARY KEY, user_id int REFERENCES users, track_id int REFERENCES tracks,
    enrolled_at timestamptz
);
CREATE TABLE progress (
    id int PRIMARY KEY, user_id int REFERENCES users, lesson_id int REFERENCES lessons,
    completed boolean, score int
);
CREATE TABLE payments (
    id int PRIMARY KEY, user_id int REFERENCES users, track_id int REFERENCES tracks,
    amount numeric(10, 2), status text, paid_at timestamptz
);
"""
CHECK = """
def test_it(student, db, oracle):
    school = oracle.school()
    for table in ("users", "tracks", "lessons", "enrollments", "progress", "payments"):
        db.insert(table, *getattr(school, table))
    oracle.agrees(
        student.call("figures"),
        "SELECT t.title,"
        " (SELECT coalesce(sum(minutes), 0) FROM public.lessons l WHERE l.track_id = t.id)"
        " AS minutes,"
        " (SELECT count(*) FROM public.enrollments e WHERE e.track_id = t.id) AS students,"
        " (SELECT avg(score) FROM public.lessons l JOIN public.progress p ON p.lesson_id = l.id"
        " WHERE l.track_id = t.id) AS score FROM public.tracks t ORDER BY students DESC",
        ordered_by=["students"],
    )
"""
RIGHT = '''
from sqlalchemy import text

def figures(session):
    return session.execute(text("""
        SELECT t.title, coalesce(m.minutes, 0) AS minutes, coalesce(s.students, 0) AS students,
               p.score
        FROM tracks t
        LEFT JOIN (SELECT track_id, sum(minutes) AS minutes FROM lessons GROUP BY 1) m
               ON m.track_id = t.id
        LEFT JOIN (SELECT track_id, count(*) AS students FROM enrollments GROUP BY 1) s
               ON s.track_id = t.id
        LEFT JOIN (SELECT l.track_id, avg(score)::float8 AS score
                   FROM lessons l JOIN progress p ON p.lesson_id = l.id GROUP BY 1) p
               ON p.track_id = t.id
        ORDER BY 3 DESC
    """)).mappings().all()
'''
IN_PYTHON = """
from sqlalchemy import text

def figures(session):
    rows = lambda sql: session.execute(text(sql)).all()
    lessons = rows("SELECT track_id, coalesce(minutes, 0) FROM lessons")
    people = rows("SELECT track_id FROM enrollments")
    scores = rows(
        "SELECT track_id, score FROM progress p JOIN lessons l ON l.id = lesson_id"
        " WHERE score IS NOT NULL"
    )
    found = []
    for id, title in rows("SELECT id, title FROM tracks"):
        mine = [score for track, score in scores if track == id]
        found.append((
            title,
            sum(minutes for track, minutes in lessons if track == id),
            sum(track == id for (track,) in people),
            sum(mine) / len(mine) if mine else None,
        ))
    return sorted(found, key=lambda row: -row[2])
"""
FAN_OUT = '''
from sqlalchemy import text

def figures(session):
    return session.execute(text("""
        SELECT t.title, coalesce(sum(l.minutes), 0) AS minutes,
               count(DISTINCT e.id) AS students, avg(p.score) AS score
        FROM tracks t LEFT JOIN lessons l ON l.track_id = t.id
        LEFT JOIN enrollments e ON e.track_id = t.id
        LEFT JOIN progress p ON p.lesson_id = l.id AND p.user_id = e.user_id
        GROUP BY t.id ORDER BY 3 DESC
    """)).mappings().all()
'''


def told(examine: Examine, answer: str) -> str:
    return failed(examine(CHECK, answer, schema=SCHEMA))


@pytest.mark.parametrize("answer", [RIGHT, IN_PYTHON])
def test_right_figures_agree_by_whatever_means(examine: Examine, answer: str) -> None:
    result = examine(CHECK, answer, schema=SCHEMA)
    assert result.outcome is Outcome.PASSED, result.failure


def test_a_join_that_multiplies_is_told_with_its_factor(examine: Examine) -> None:
    assert "times the" in told(examine, FAN_OUT)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("LEFT JOIN (SELECT track_id, sum", "JOIN (SELECT track_id, sum"), "there should be 6"),
        (("coalesce(m.minutes, 0)", "m.minutes"), "minutes is NULL where title"),
        (("p.score\n", "coalesce(p.score, 0) AS score\n"), "should be NULL"),
        (("avg(score)", "avg(coalesce(score, 0))"), "score is "),
        (("avg(score)", "(sum(score) / count(score))"), "score is "),
        (("ORDER BY 3 DESC", "ORDER BY t.id DESC"), "stand in another order"),
        (("t.title, ", "t.id, "), "does not have the shape"),
    ],
)
def test_every_careless_step_is_found(
    examine: Examine, change: tuple[str, str], words: str
) -> None:
    assert words in told(examine, RIGHT.replace(*change))


def test_a_reference_that_would_agree_with_nothing_is_the_authors_fault(examine: Examine) -> None:
    check = "def test_it(oracle): oracle.agrees([], 'SELECT * FROM public.notes')"
    assert "gives no rows" in errored(examine(check))
    check = "def test_it(oracle): oracle.agrees([1], 'SELECT 1 AS n', ordered_by=['m'])"
    assert "no column 'm'" in errored(examine(check))


@pytest.mark.parametrize("seed", range(30))
def test_every_school_has_what_it_promises(seed: int) -> None:
    school = make_school(Data(str(seed)), users=5 + seed % 4, tracks=5 + seed % 3)
    assert len({user["email"] for user in school.users}) == len(school.users)
    enrolled = Counter(e["track_id"] for e in school.enrollments)
    taught = Counter(lesson["track_id"] for lesson in school.lessons)
    tracks = [track["id"] for track in school.tracks]
    assert set(tracks) - set(taught), "a track without lessons"
    assert set(tracks) - set(enrolled), "a track that nobody takes"
    assert len(set(enrolled.values())) < len(enrolled), "two equally popular ones"
    assert {user["id"] for user in school.users} - {e["user_id"] for e in school.enrollments}
    assert {None, 0} <= {lesson["minutes"] for lesson in school.lessons}
    assert {None, 0} <= {row["score"] for row in school.progress}
    scores = [row["score"] for row in school.progress if row["user_id"] == 4]
    assert scores
    assert set(scores) == {None}
    assert {row["completed"] for row in school.progress} == {True, False}
    months = {payment["paid_at"].month for payment in school.payments}
    assert max(months) - min(months) >= len(months), "a month without payments"
    assert {p["status"] for p in school.payments} == {"paid", "refunded", "pending"}
    assert max(Counter(e["user_id"] for e in school.enrollments).values()) > 1
    assert unique(school)


def unique(school: School) -> bool:
    pairs = [(e["user_id"], e["track_id"]) for e in school.enrollments]
    lessons = [(p["user_id"], p["lesson_id"]) for p in school.progress]
    return len(set(pairs)) == len(pairs) and len(set(lessons)) == len(lessons)


def test_the_same_seed_makes_the_same_school() -> None:
    assert make_school(Data("1")) == make_school(Data("1")) != make_school(Data("2"))
    with pytest.raises(ValueError, match="at least"):
        make_school(Data("1"), users=4)
