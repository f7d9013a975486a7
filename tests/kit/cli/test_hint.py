"""``kit hint``: a rung at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kit.journal import Attempt, Check, Hint, Journal
from tests.kit.conftest import Ended
from tests.kit.tiny_course import EXERCISE, make_course

Inside = Callable[..., Ended]
PAGE = """+++
title = "{title}"
notebook = "00_start"
hints = {hints}
+++
"""


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    course = make_course(tmp_path / "tiny")
    pages = course / "docs" / "misconceptions"
    two = PAGE.format(title="Twice", hints='["How `often`?", "Count."]')
    (pages / "twice.md").write_text(two, encoding="utf-8")
    (pages / "no-ladder.md").write_text(PAGE.format(title="None", hints="[]"), encoding="utf-8")
    monkeypatch.chdir(course)
    return course


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def hint(inside: Inside, home: Path) -> Inside:
    def run(*words: str, **environment: str) -> Ended:
        return inside("hint", *words, KIT_HOME=str(home), COLUMNS="80", **environment)

    return run


def checked(
    home: Path,
    *misconceptions: str | None,
    course: str = "tiny",
    earned: int = 0,
    asked: str = "",
) -> None:
    """Note a check that found these and asked the question of the first."""
    Journal(home).add(
        Attempt(
            course=course,
            exercise=EXERCISE,
            title="Greetings",
            seed=1,
            kit_version="1",
            checks=tuple(
                Check(
                    name=f"c{number}",
                    title="C",
                    points=1,
                    earned=earned,
                    outcome="passed" if earned else "failed",
                    misconception=one,
                    question="" if number else asked,
                )
                for number, one in enumerate(misconceptions)
            ),
        )
    )


def rungs(home: Path) -> list[tuple[str, int]]:
    return [(event.misconception, event.rung) for event in Journal(home).of(Hint)]


@pytest.mark.usefixtures("tiny")
def test_each_call_climbs_one_rung_and_notes_it(hint: Inside, home: Path) -> None:
    checked(home, None, "one-for-all")
    first, second, third = (hint("01") for _ in range(3))
    assert [one.code for one in (first, second, third)] == [0, 0, 0]
    assert "One row for all" in first.out
    assert "Hint 1 of 3, a question:" in first.out
    assert "What is a row?" in first.out
    assert "Look at INSERT." not in first.out
    assert "kit hint 01 shows a pointer." in first.out
    assert "Hint 2 of 3, a pointer:" in second.out
    assert "Look at INSERT." in second.out
    assert "kit hint 01 shows a worked step." in second.out
    assert "Hint 3 of 3, a worked step:" in third.out
    assert "docs/misconceptions/one-for-all.md" in third.out
    assert rungs(home) == [("one-for-all", 1), ("one-for-all", 2), ("one-for-all", 3)]


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("asked", ["What is a row?", "So what is a row", "what is  a ROW?"])
def test_a_question_that_the_check_has_asked_is_no_hint(
    hint: Inside, home: Path, asked: str
) -> None:
    checked(home, "one-for-all", asked=asked)
    checked(home, "one-for-all")  # with another question, or none: it was asked all the same
    first, second, third = (hint("01") for _ in range(3))
    assert "Hint 1 of 2, a pointer:" in first.out
    assert "Look at INSERT." in first.out
    assert "What is a row?" not in first.out
    assert "kit hint 01 shows a worked step." in first.out
    assert "Hint 2 of 2, a worked step:" in second.out
    assert "There is no more." in third.out
    assert "What is a row?" not in third.out
    assert rungs(home) == [("one-for-all", 2), ("one-for-all", 3)]


@pytest.mark.usefixtures("tiny")
def test_another_question_takes_no_hint_away(hint: Inside, home: Path) -> None:
    checked(home, "one-for-all", asked="Which statement stores a row?")
    assert "Hint 1 of 3, a question:" in hint("01").out


@pytest.mark.usefixtures("tiny")
def test_a_hint_that_was_read_keeps_its_number_when_the_check_asks_the_same_later(
    hint: Inside, home: Path
) -> None:
    checked(home, "one-for-all")
    hint("01")
    checked(home, "one-for-all", asked="What is a row?")
    assert "Hint 2 of 3, a pointer:" in hint("01").out


def test_the_only_hint_is_given_though_the_check_has_asked_it(
    hint: Inside, home: Path, tiny: Path
) -> None:
    one = PAGE.format(title="One", hints='["Why?"]')
    (tiny / "docs" / "misconceptions" / "one.md").write_text(one, encoding="utf-8")
    checked(home, "one", asked="Why?")
    assert "Hint 1 of 1, a question:" in hint("01").out


def test_what_a_check_has_shown_in_full_is_what_it_has_asked(
    inside: Inside, hint: Inside, home: Path, tiny: Path
) -> None:
    visible = tiny / "exercises" / EXERCISE / "test_visible.py"
    text = visible.read_text(encoding="utf-8")
    lines = '"There is more than one row.", question="What is a row?", misconception="one-for-all"'
    twice = text.replace('"There is more than one row."', lines).replace("< 2", "> 2")
    visible.write_text(twice, encoding="utf-8")
    inside("check", "01", KIT_HOME=str(home))
    assert "Hint 1 of 3, a question:" in hint("01").out  # only the first failure asked something
    Journal(home).path.unlink()
    inside("check", "01", "--all", KIT_HOME=str(home))
    assert "Hint 1 of 2, a pointer:" in hint("01").out


@pytest.mark.usefixtures("tiny")
def test_after_the_last_rung_all_are_shown_and_nothing_is_noted(hint: Inside, home: Path) -> None:
    checked(home, "twice")
    hint("01")
    hint("01")
    ended = hint("01")
    assert ended.code == 0
    for text in ("How `often`?", "Count.", "There is no more. Read docs/misconceptions/twice.md."):
        assert text in ended.out
    assert rungs(home) == [("twice", 1), ("twice", 2)]


@pytest.mark.usefixtures("tiny")
def test_the_hint_is_about_the_first_finding_that_still_has_one(hint: Inside, home: Path) -> None:
    checked(home, "one-for-all", "twice", "one-for-all", "no-ladder")
    ended = hint("01")
    assert "What is a row?" in ended.out
    assert "something else: kit hint 01 twice" in ended.out
    hint("01")
    hint("01")
    assert "How `often`?" in hint("01").out


@pytest.mark.usefixtures("tiny")
def test_a_named_misconception_is_meant_also_before_any_check(hint: Inside, home: Path) -> None:
    for name in ("twice", "Twice", "docs/misconceptions/twice.md"):
        assert hint("greetings", name).code == 0
    assert rungs(home) == [("twice", 1), ("twice", 2)]


@pytest.mark.usefixtures("tiny")
def test_again_shows_what_was_read_and_climbs_nothing(hint: Inside, home: Path) -> None:
    checked(home, "one-for-all")
    nothing = hint("01", "--again")
    assert nothing.code == 2
    assert "kit hint 01 shows the first" in nothing.err
    hint("01")
    ended = hint("01", "--again")
    assert "What is a row?" in ended.out
    assert "Look at INSERT." not in ended.out
    assert "You have read this one. kit hint 01 shows the next one." in ended.out
    assert len(rungs(home)) == 1


@pytest.mark.usefixtures("tiny")
def test_what_cannot_be_hinted_at_says_what_to_do(hint: Inside, home: Path) -> None:
    unchecked = hint("01")
    assert unchecked.code == 2
    assert "First: kit check 01." in unchecked.err
    for name, advice in (("one-for-al", "Did you mean one-for-all?"), ("xyz", "Leave the name")):
        ended = hint("01", name)
        assert ended.code == 2
        assert advice in ended.err
    assert hint("02").code == 2
    checked(home, None, "no-ladder")
    without = hint("01")
    assert without.code == 1
    assert f"exercises/{EXERCISE}/README.md" in without.out
    checked(home, None, earned=1)
    right = hint("01")
    assert right.code == 0
    assert "you need no hint" in right.out
    assert rungs(home) == []


@pytest.mark.usefixtures("tiny")
def test_another_courses_checks_and_hints_are_its_own(hint: Inside, home: Path) -> None:
    checked(home, "one-for-all", course="other")
    assert hint("01").code == 2
    Journal(home).add(
        Hint(course="other", exercise=EXERCISE, title="T", misconception="twice", rung=2)
    )
    checked(home, "twice")
    assert "Hint 1 of 2" in hint("01").out


@pytest.mark.usefixtures("tiny")
def test_json_has_what_was_read_and_the_new_one(hint: Inside, home: Path) -> None:
    checked(home, "twice", "one-for-all")
    hint("01")
    data = json.loads(hint("01", "--json").out)
    assert data == {
        "exercise": EXERCISE,
        "misconception": "twice",
        "title": "Twice",
        "hints": [
            {"number": 1, "kind": "a question", "text": "How `often`?"},
            {"number": 2, "kind": "a worked step", "text": "Count."},
        ],
        "of": 2,
        "also_found": ["one-for-all"],
    }
    checked(home, None, earned=1)
    assert json.loads(hint("01", "--json").out)["misconception"] is None


@pytest.mark.usefixtures("tiny")
def test_a_hint_that_cannot_be_noted_is_shown_all_the_same(
    hint: Inside, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kit.journal import CannotRecord

    checked(home, "twice")

    def full(self: Journal, *events: object) -> None:
        raise CannotRecord("The disk is full.")

    monkeypatch.setattr(Journal, "add", full)
    ended = hint("01")
    assert ended.code == 0
    assert "How `often`?" in ended.out
    assert "could not be noted: The disk is full." in ended.err
