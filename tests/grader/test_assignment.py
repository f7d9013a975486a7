"""An assignment is what ``course.toml`` says, and coming late costs what it says."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.assignment import Assignment, LatePolicy, read_assignment
from grader.catalog import load_course
from grader.errors import CatalogError
from grader.tomlfile import parse_toml
from tests.grader.courses import EXERCISE, make_course

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
WHOLE = f"""
exercises = ["{EXERCISE}"]
weights = {{ {EXERCISE} = 2 }}
due = 2026-11-20T23:59:00
time_zone = "Europe/Berlin"
attempts = "last"
[late]
grace_minutes = 15
percent_per_day = 10
days = 3
"""


def read(text: str) -> Assignment:
    return read_assignment("w", parse_toml(Path("course.toml"), text), frozenset({EXERCISE}))


def test_everything_that_an_assignment_may_say_is_read() -> None:
    found = read(WHOLE)
    assert (found.exercises, found.weight(EXERCISE), found.weight("other")) == ((EXERCISE,), 2, 1)
    assert found.due is not None
    assert found.due.isoformat() == "2026-11-20T23:59:00+01:00"
    assert found.attempts == "last"
    assert found.late == LatePolicy(dt.timedelta(minutes=15), 10, 3)


def test_an_assignment_that_says_nothing_asks_for_everything_and_is_never_late() -> None:
    found = read("")
    assert (found.exercises, found.due, found.title) == ((), None, "w")
    assert found.late.share(1000 * DAY) == 1


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ('exercises = ["nope"]', "exercises", "does not have"),
        ("weights = { nope = 1 }", "exercises", "does not have"),
        (f"weights = {{ {EXERCISE} = -1 }}", "weights", "from 0 up"),
        (f'weights = {{ {EXERCISE} = "2" }}', "weights", "from 0 up"),
        ("due = 2026-11-20T23:59:00", "due", "has no time zone"),
        ('due = "tomorrow"', "due", "must be of type date-time"),
        ("due = 2026-11-20", "due", "must be of type date-time"),
        ('time_zone = "Mars/Base"', "time_zone", "is not known"),
        ('attempts = "first"', "attempts", '"best" or "last"'),
        ("[late]\npercent_per_day = 101", "late.percent_per_day", "from 0 to 100"),
        ("[late]\ndays = true", "late.days", "must be of type number"),
        ("[late]\nday = 1", "late.day", "is not known"),
        ("late = 1", "late", "must be of type table"),
    ],
)
def test_a_fault_is_told_by_file_and_key(text: str, key: str, problem: str) -> None:
    with pytest.raises(CatalogError) as told:
        read(text)
    assert f"course.toml: '{key}'" in str(told.value)
    assert problem in str(told.value)


def test_a_course_has_the_assignments_of_its_course_toml(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    (root / "course.toml").write_text(
        f'title = "C"\n[assignment.week1]\nexercises = ["{EXERCISE}"]'
    )
    course = load_course(root)
    assert course.assignment("week1").exercises == (EXERCISE,)
    with pytest.raises(CatalogError, match=r"no assignment 'week2'\. There are: week1"):
        course.assignment("week2")


@pytest.mark.parametrize(
    ("late", "share"),
    [
        (-DAY, 1),
        (dt.timedelta(), 1),
        (dt.timedelta(minutes=15), 1),
        (dt.timedelta(minutes=15, seconds=1), 0.9),
        (DAY, 0.9),
        (DAY + dt.timedelta(microseconds=1), 0.8),
        (3 * DAY, 0.7),
        (3 * DAY + HOUR, 0),
    ],
)
def test_every_day_that_has_begun_costs_the_same(late: dt.timedelta, share: float) -> None:
    assert LatePolicy(dt.timedelta(minutes=15), 10, 3).share(late) == pytest.approx(share)


@given(
    policy=st.builds(
        LatePolicy,
        st.timedeltas(dt.timedelta(), 2 * DAY),
        st.floats(0, 100),
        st.none() | st.integers(0, 20),
    ),
    one=st.timedeltas(-DAY, 30 * DAY),
    other=st.timedeltas(-DAY, 30 * DAY),
)
def test_who_comes_later_never_keeps_more(
    policy: LatePolicy, one: dt.timedelta, other: dt.timedelta
) -> None:
    sooner, later = sorted([one, other])
    assert 0 <= policy.share(later) <= policy.share(sooner) <= 1
