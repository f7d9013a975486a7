"""Data is made from the seed: the same again for the same, other values for another."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks.data import Data


def drawn(data: Data) -> list[object]:
    return [
        data.number(1, 10**9),
        data.word(),
        data.name(),
        data.email(),
        data.text(5),
        data.pick(range(1000)),
        data.rng.random(),
    ]


def test_the_same_seed_gives_the_same_data() -> None:
    assert drawn(Data("7:04_repository:test_x")) == drawn(Data("7:04_repository:test_x"))


@pytest.mark.parametrize("other", ["8:04_repository:test_x", "7:04_repository:test_y", ""])
def test_another_seed_or_another_check_gives_other_data(other: str) -> None:
    assert drawn(Data("7:04_repository:test_x")) != drawn(Data(other))


@settings(deadline=None, max_examples=20)
@given(st.text())
def test_no_address_and_no_word_comes_twice_in_a_check(seed: str) -> None:
    data = Data(seed)
    emails = [data.email() for _ in range(500)]
    words = [data.word() for _ in range(500)]
    assert len(set(emails)) == len(emails)
    assert len(set(words)) == len(words)
    assert all(re.fullmatch(r"[a-z]+@[a-z]+\.example", email) for email in emails)


def test_words_do_not_run_out() -> None:
    """There are about 2,500 of two syllables, and an address needs one."""
    data = Data("x")
    emails = {data.email() for _ in range(20_000)}
    assert len(emails) == 20_000
    assert len({data.word(1) for _ in range(200)}) == 200


@settings(deadline=None)
@given(st.integers(-5, 5), st.integers(0, 5))
def test_numbers_lie_between_their_bounds(low: int, more: int) -> None:
    data = Data("x")
    numbers = {data.number(low, low + more) for _ in range(100)}
    assert min(numbers) >= low
    assert max(numbers) <= low + more


def test_a_text_is_a_sentence_of_as_many_words() -> None:
    text = Data("x").text(6)
    assert re.fullmatch(r"[A-Z][a-z]+( [a-z]+){5}\.", text)
