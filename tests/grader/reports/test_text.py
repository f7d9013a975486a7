"""Text as reports show it."""

from __future__ import annotations

import pytest
from hypothesis import given

from grader.reports.text import counted, first_sentence, legible, number, one_line, percent

from .strategies import texts


@given(texts(surrogates=True))
def test_legible_text_is_encodable_and_legible_already(text: str) -> None:
    once = legible(text)
    once.encode("utf-8")
    assert legible(once) == once


def test_a_text_that_is_too_long_is_cut() -> None:
    assert len(legible("x" * 100_000, 50)) < 70


def test_white_space_is_one_space_in_a_line() -> None:
    assert one_line(" a\n\tb  c ") == "a b c"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One row was left. Try again.", "One row was left."),
        ("No stop here", "No stop here"),
        ("e.g. this. Then that.", "e.g. this."),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_the_first_sentence_is_what_is_said_first(text: str, first: str) -> None:
    assert first_sentence(text) == first


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (2.0, "2"), (2.5, "2.5"), (1 / 3, "0.33"), (-0.001, "0"), (100, "100"), (20, "20")],
)
def test_numbers_have_no_noise(value: float, shown: str) -> None:
    assert number(value) == shown


def test_percent_of_nothing_is_unknown() -> None:
    assert percent(0, 0) is None
    assert percent(1, 3) == 33.3


def test_counts_agree_with_their_nouns() -> None:
    assert [counted(n, "check") for n in (0, 1, 2)] == ["0 checks", "1 check", "2 checks"]
    assert counted(2, "query", "queries") == "2 queries"
