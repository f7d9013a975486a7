"""For GitHub: a summary without any markup of a submission's, and points that Classroom reads."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from grader.reports import github, markdown
from grader.results import Failure, Grading, Outcome, Reason

from .demo import KIT, RAISED, UPDATE, check, demo_class, grading
from .runner import obeyed
from .strategies import gradings, texts

OURS = {"h1", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "strong"}


def summary_of(grading: Grading) -> str:
    return b"".join(github._bounded(github.summary(grading))).decode()


def log_of(grading: Grading) -> str:
    return "\n".join(github.commands(grading)) + "\n"


def tokens(text: str) -> list[Token]:
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    flat = []
    for token in reader.parse(text):
        flat += [token, *(token.children or [])]
    return flat


@given(gradings(surrogates=True))
@settings(deadline=None, max_examples=40)
def test_a_summary_has_no_markup_but_ours(grading: Grading) -> None:
    summary = summary_of(grading)
    found = tokens(summary)
    assert {token.tag for token in found if token.tag} <= OURS
    assert not [token for token in found if token.type.startswith("html")]
    assert len([t for t in found if t.tag == "h1" and t.nesting == 1]) == 1
    assert obeyed(summary) == []


@given(gradings(surrogates=True))
@settings(deadline=None, max_examples=40)
def test_every_row_of_a_table_has_as_many_cells_as_its_head(grading: Grading) -> None:
    rows = [line for line in summary_of(grading).split("\n") if line.startswith("| ")]
    widths = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert len(widths) <= 2


@given(texts())
@settings(deadline=None, max_examples=300)
def test_text_is_text_and_reads_as_it_was(text: str) -> None:
    said = markdown.text(text)
    found = tokens(f"x {said}")
    assert {token.type for token in found} <= {
        "paragraph_open", "paragraph_close", "inline", "text", "text_special",
    }  # fmt: skip
    read = "".join(t.content for t in found if t.type in ("text", "text_special"))
    assert read == f"x {markdown.one_line(text)}".rstrip()
    # GitHub makes links of these beyond the standard.
    assert not re.search(r"https?:|www\.|\w@\w|(?<!&)#\d", said, re.IGNORECASE)


@given(texts())
@settings(deadline=None, max_examples=200)
def test_a_block_is_one_block(text: str) -> None:
    (fence,) = tokens(markdown.block(text))
    assert fence.type == "fence"


@given(gradings(surrogates=True))
@settings(deadline=None, max_examples=60)
def test_the_log_obeys_our_commands_and_no_others(grading: Grading) -> None:
    found = obeyed(log_of(grading))
    assert {command.name for command in found} <= {"error", "warning", "notice"}
    for name in ("error", "warning"):
        assert len([command for command in found if command.name == name]) <= 10
    reports = [c for c in found if c.properties.get("title") == "Autograding report"]
    alone = len(grading.submissions) == 1
    final = alone and not grading.submissions[0].has_errors
    assert len(reports) == int(final)
    if final:
        told = json.loads(reports[0].data)
        assert told["totalPoints"] == pytest.approx(grading.submissions[0].earned, abs=0.01)
        assert told["maxPoints"] == pytest.approx(grading.points, abs=0.01)


def test_a_failure_is_marked_at_its_line() -> None:
    (error, *_) = obeyed(log_of(grading(check(Outcome.FAILED, RAISED))))
    assert error.name == "error"
    assert error.properties["file"] == "exercises/04_repository/repository.py"
    assert error.properties["line"] == "18"
    assert error.data == RAISED.message


def test_what_the_code_printed_is_in_the_log_and_not_obeyed() -> None:
    log = log_of(grading(check(Outcome.FAILED, UPDATE, output="::error::forged\nhello")))
    assert "hello" in log
    assert not [command for command in obeyed(log) if "forged" in command.data]


def test_where_the_kit_failed_classroom_gets_no_points() -> None:
    found = obeyed(log_of(grading(check(Outcome.ERROR, KIT))))
    assert [(c.name, c.properties["title"]) for c in found] == [
        ("warning", "1.1 It holds"),
        ("notice", "Not final"),
    ]


def test_of_more_failures_than_github_shows_ten_are_told() -> None:
    checks = [check(Outcome.FAILED, UPDATE, name=f"test_{i}") for i in range(12)]
    found = obeyed(log_of(grading(*checks)))
    assert sum(command.name == "error" for command in found) == 10


def test_a_summary_never_grows_beyond_what_github_takes() -> None:
    long = Failure(Reason.RAISED, "m" * 4000, expected="ü" * 4000, traceback="t" * 4000)
    checks = [check(Outcome.FAILED, long, name=f"test_{i}", output="o" * 4000) for i in range(90)]
    summary = summary_of(grading(*checks))
    assert 900_000 < len(summary.encode()) <= github.MAX_BYTES < 1024**2
    assert summary.endswith("the reports of the grading have it all.\n")
    assert {token.tag for token in tokens(summary) if token.tag} <= OURS


def test_a_class_is_a_table_with_everybody_in_it() -> None:
    whole = demo_class()
    summary = summary_of(whole)
    read = "".join(t.content for t in tokens(summary) if t.type in ("text", "text_special"))
    for submission in whole.submissions:
        assert submission.student in read
    assert "Committing more often is safer" in read
    assert "! not final" in summary


@pytest.mark.parametrize("students", [1, 3])
def test_what_it_was_found_with_stands_below_the_tables(students: int) -> None:
    found = tokens(summary_of(demo_class(students)))
    tables = [place for place, token in enumerate(found) if token.type == "table_close"]
    below = "".join(token.content for token in found[tables[-1] :] if token.type == "text")
    assert below.endswith("kit 0.1.0, PostgreSQL 18.4, sandbox bubblewrap, seed 7")


def test_a_class_of_thousands_still_fits() -> None:
    whole = demo_class(30, 3, 2)
    many = tuple(
        dataclasses.replace(s, student=f"{s.student * 10}{i}")
        for i in range(200)
        for s in whole.submissions
    )
    summary = summary_of(dataclasses.replace(whole, submissions=many))
    assert len(summary.encode()) <= github.MAX_BYTES


@pytest.mark.parametrize("students", [1, 3])
def test_the_same_results_make_the_same_bytes(students: int) -> None:
    assert log_of(demo_class(students)) == log_of(demo_class(students))
    assert summary_of(demo_class(students)) == summary_of(demo_class(students))
