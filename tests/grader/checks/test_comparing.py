"""Answers are compared by what they mean, and what differs is told by the smallest example."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.comparing import Difference, difference, equal

ID = uuid.UUID(int=7)
ZONE = dt.timezone(dt.timedelta(hours=2))
TRACKS = [
    {"title": "Joins", "minutes": 30},
    {"title": "Locks", "minutes": 0},
    {"title": "Views", "minutes": 30},
]


def found(*args: Any, **options: Any) -> Difference:
    one = difference(*args, **options)
    assert one is not None
    return one


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, Decimal("1.00")),
        (0.1 + 0.2, Decimal("0.3")),
        (Decimal("33.3333333"), 100 / 3),
        (1e20, 10**20),
        (float("nan"), Decimal("NaN")),
        (float("inf"), Decimal("Infinity")),
        (dt.date(2026, 1, 1), dt.datetime(2026, 1, 1)),
        (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, 2, tzinfo=ZONE)),
        (dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
        (ID, str(ID).upper()),
        ([1, "a"], (Decimal(1), "a")),
        (None, None),
        (True, True),
    ],
)
def test_values_that_mean_the_same_are_equal(one: Any, other: Any) -> None:
    assert equal(one, other)
    assert equal(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, 0),
        (None, False),
        (None, ""),
        (True, 1),
        ("1", 1),
        (1, 2),
        (10**20, 10**20 + 1),
        (Decimal("1.00"), Decimal("1.01")),
        (0.333, 1 / 3),
        (float("nan"), 0.0),
        (dt.date(2026, 1, 1), dt.datetime(2026, 1, 1, 1)),
        (dt.date(2026, 1, 1), "2026-01-01"),
        (ID, str(uuid.UUID(int=8))),
        ([1], [1, 1]),
        ({"a": 1}, [("a", 1)]),
    ],
)
def test_values_that_mean_something_else_are_not(one: Any, other: Any) -> None:
    assert not equal(one, other)
    assert not equal(other, one)


def test_places_say_how_exactly_numbers_must_agree() -> None:
    assert equal(Decimal("33.33"), 100 / 3, places=2)
    assert not equal(Decimal("33.33"), 100 / 3, places=3)


def test_rows_may_stand_in_any_order_unless_it_counts() -> None:
    for rows in itertools.permutations(TRACKS):
        assert difference(list(rows), TRACKS) is None
        by_minutes = difference(list(rows), TRACKS, ordered_by=["title"])
        assert (by_minutes is None) == (list(rows) == TRACKS)
    swapped = [TRACKS[2], TRACKS[1], TRACKS[0]]
    assert difference(swapped, TRACKS, ordered_by=["minutes"]) is None
    told = found(swapped, TRACKS, ordered=True)
    assert (told.kind, told.expected) == ("order", "title = 'Joins', minutes = 30")
    assert told.actual == "title = 'Views', minutes = 30"


def test_rows_may_be_dicts_with_more_keys_or_lists_or_bare_values() -> None:
    more = [{"id": 1, **row} for row in TRACKS]
    assert difference(more, TRACKS) is None
    assert difference([list(row.values()) for row in TRACKS], TRACKS) is None
    assert difference(["a", "b"], [{"x": "b"}, {"x": "a"}]) is None
    assert difference(5, [{"count": 5}]) is None
    assert difference({"a": 1, "b": 2}, [{"a": 1, "b": 2}]) is None


@pytest.mark.parametrize(
    "answer", [None, "rows", 7, [None, 1], [{"title": "Joins"}], [["Joins"]], {"a": 1}]
)
def test_another_shape_is_told_as_such(answer: Any) -> None:
    assert found(answer, TRACKS).kind == "shape"


def test_what_is_missing_or_too_much_is_told_by_an_example() -> None:
    told = found(TRACKS[:2], TRACKS)
    assert told.kind == "missing"
    assert told.message == "There are 2 rows, and there should be 3."
    assert told.expected == "with {'title': 'Views', 'minutes': 30}"
    told = found([*TRACKS, TRACKS[1]], TRACKS)
    assert (told.kind, told.message) == ("extra", "There are 4 rows, and there should be 3.")
    assert told.actual == "with {'title': 'Locks', 'minutes': 0}"
    assert found([], TRACKS[:1]).message == "There are 0 rows, and there should be 1."


def replaced(number: int, **values: Any) -> list[dict[str, Any]]:
    return [{**row, **values} if n == number else row for n, row in enumerate(TRACKS)]


def test_null_and_zero_are_told_apart() -> None:
    told = found(replaced(1, minutes=None), TRACKS)
    assert told.kind == "null"
    assert told.message == "minutes is NULL where title = 'Locks', and should be 0."
    told = found(TRACKS, replaced(1, minutes=None))
    assert told.kind == "zero"
    assert told.message.startswith("minutes is 0 where title = 'Locks', and should be NULL")


def test_a_value_that_was_multiplied_is_told_with_its_factor() -> None:
    told = found(replaced(0, minutes=180), TRACKS)
    assert (told.kind, told.factor) == ("factor", 6)
    assert told.message == "minutes is 180 where title = 'Joins': 6 times the 30 that it is."


def test_another_value_is_told_with_the_row_that_it_stands_in() -> None:
    told = found(replaced(0, minutes=31), TRACKS)
    assert told.kind == "value"
    assert told.message == "minutes is 31 where title = 'Joins', and should be 30."
    assert (told.expected, told.actual) == (
        "{'title': 'Joins', 'minutes': 30}",
        "{'title': 'Joins', 'minutes': 31}",
    )


VALUES = st.none() | st.integers(-3, 3) | st.booleans() | st.text("ab", max_size=1)
ROWS = st.lists(st.fixed_dictionaries({"a": VALUES, "b": VALUES}), min_size=1, max_size=6)


@given(ROWS, st.randoms(use_true_random=False))
def test_rows_agree_with_themselves_in_any_order(
    rows: list[dict[str, Any]], chance: random.Random
) -> None:
    shuffled = rows[:]
    chance.shuffle(shuffled)
    assert difference(shuffled, rows) is None
    assert difference(rows, rows, ordered=True) is None


@given(ROWS, ROWS)
def test_a_difference_is_found_exactly_where_there_is_one(
    rows: list[dict[str, Any]], reference: list[dict[str, Any]]
) -> None:
    def bag(items: list[dict[str, Any]]) -> list[str]:
        return sorted(repr((item["a"], item["b"])) for item in items)

    assert (difference(rows, reference) is None) == (bag(rows) == bag(reference))
