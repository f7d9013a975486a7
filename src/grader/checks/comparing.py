"""Compares the rows of an answer with those of a reference, and says in words how they differ."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from grader.text import literal

Row = dict[Any, Any]
_RELATIVE = 1e-9
_MOST_LEFT = 300
"""Rows without an equal that are compared with one another."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How an answer differs from the reference."""

    kind: str
    """``shape``, ``missing`` (rows), ``extra`` (rows), ``null`` (NULL where a value belongs),
    ``zero`` (a value where NULL belongs), ``factor``, ``value`` or ``order``."""
    message: str
    question: str
    expected: str
    """The smallest example: one row, or one value, as it should be."""
    actual: str
    factor: int = 1
    """With ``factor``: how many times too large the value is."""


def equal(one: Any, other: Any, places: int = 6) -> bool:
    """Whether two values mean the same.

    Numbers are equal when they agree to so many decimal places, whatever their types; a date equals
    the midnight at which it begins; a time without a zone is UTC; a UUID equals its text. NULL
    equals NULL alone, and true is not 1.
    """
    if one is None or other is None or isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if _is_number(one) and _is_number(other):
        return _close(one, other, places)
    if isinstance(one, dt.date) and isinstance(other, dt.date):
        return _moment(one) == _moment(other)
    if isinstance(one, uuid.UUID) or isinstance(other, uuid.UUID):
        return str(one).lower() == str(other).lower()
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(
            equal(a, b, places) for a, b in zip(one, other, strict=True)
        )
    return type(one) is type(other) and bool(one == other)


def difference(
    answer: Any,
    reference: Sequence[Row],
    *,
    ordered: bool = False,
    ordered_by: Sequence[str] = (),
    places: int = 6,
) -> Difference | None:
    """How the answer differs; None where it does not.

    Args:
        answer: a list of dicts with at least the reference's keys, or of lists in the order of its
            columns; for one row also a dict, for one value also the value.
        reference: the rows as they should be.
        ordered: whether their order counts.
        ordered_by: columns whose order counts; where they are equal, rows may stand in any order.
        places: decimal places to which numbers must agree.
    """
    columns = list(reference[0]) if reference else []
    reference = [{column: row[column] for column in columns} for row in reference]
    rows = _rows(answer, reference)
    if isinstance(rows, Difference):
        return rows
    missing, extra = _unmatched(rows, reference, places)
    if missing or extra:
        return _told(rows, reference, missing, extra, places)
    keys = list(ordered_by) or columns
    if not ordered and not ordered_by:
        return None
    for row, wanted in zip(rows, reference, strict=True):
        if not all(equal(row[key], wanted[key], places) for key in keys):
            return _out_of_order(row, wanted, keys)
    return None


def _rows(answer: Any, reference: Sequence[Row]) -> list[Row] | Difference:
    """The answer as rows with the reference's keys."""
    if len(reference) == 1 and not isinstance(answer, list):
        answer = [answer if isinstance(answer, dict) or len(reference[0]) > 1 else [answer]]
    if not isinstance(answer, list):
        return _misshapen("a list of rows", answer)
    columns = list(reference[0]) if reference else []
    rows: list[Row] = []
    for item in answer:
        if isinstance(item, dict):
            if lacking := [column for column in columns if column not in item]:
                return _misshapen(f"a row with {', '.join(map(repr, lacking))}", item)
            rows.append({column: item[column] for column in columns} if columns else item)
        elif isinstance(item, list) and (not columns or len(item) == len(columns)):
            rows.append(dict(zip(columns or range(len(item)), item, strict=True)))
        elif len(columns) == 1 and not isinstance(item, list):
            rows.append({columns[0]: item})
        else:
            return _misshapen(f"a row of {len(columns)} values", item)
    return rows


def _unmatched(
    rows: Sequence[Row], reference: Sequence[Row], places: int
) -> tuple[list[Row], list[Row]]:
    """Rows of the reference without an equal in the answer, and the reverse; each counts once."""
    left: dict[str, list[Row]] = {}
    for row in rows:
        left.setdefault(literal(list(row.values())), []).append(row)
    wanted: list[Row] = []
    for row in reference:
        same = left.get(literal(list(row.values())))
        if same:
            same.pop()
        else:
            wanted.append(row)
    extra = list(itertools.chain.from_iterable(left.values()))
    missing: list[Row] = []
    for number, row in enumerate(wanted):
        if number >= _MOST_LEFT:
            missing.append(row)
            continue
        for index, candidate in enumerate(extra[:_MOST_LEFT]):
            if not _differing(candidate, row, places):
                del extra[index]
                break
        else:
            missing.append(row)
    return missing, extra


def _differing(row: Row, wanted: Row, places: int) -> list[Any]:
    return [key for key in wanted if not equal(row[key], wanted[key], places)]


def _told(
    rows: Sequence[Row],
    reference: Sequence[Row],
    missing: list[Row],
    extra: list[Row],
    places: int,
) -> Difference:
    pair = _nearest(missing, extra, places)
    if pair is None or len(rows) != len(reference):
        return _other_number(len(rows), len(reference), missing, extra)
    row, wanted = pair
    key = _differing(row, wanted, places)[0]
    return _other_value(row, wanted, key)


def _nearest(missing: list[Row], extra: list[Row], places: int) -> tuple[Row, Row] | None:
    """The two rows that differ in the fewest columns."""
    best: tuple[int, Row, Row] | None = None
    for wanted, row in itertools.product(missing[:_MOST_LEFT], extra[:_MOST_LEFT]):
        count = len(_differing(row, wanted, places))
        if best is None or count < best[0]:
            best = (count, row, wanted)
    return (best[1], best[2]) if best else None


def _other_value(row: Row, wanted: Row, key: Any) -> Difference:
    name = f"{key} " if isinstance(key, str) else ""
    is_, should = row[key], wanted[key]
    where = {k: v for k, v in wanted.items() if k != key and equal(row[k], v)}
    of = f" where {_words(where)}" if where else ""
    expected, actual = literal(wanted), literal(row)
    if is_ is None:
        message = f"{name}is NULL{of}, and should be {literal(should)}."
        question = "What does an aggregate give when there is nothing to add up?"
        return Difference("null", message, question, expected, actual)
    if should is None:
        message = f"{name}is {literal(is_)}{of}, and should be NULL: nothing is known there."
        question = "Is nothing known the same as zero?"
        return Difference("zero", message, question, expected, actual)
    factor = _factor(is_, should)
    if factor > 1:
        message = f"{name}is {literal(is_)}{of}: {factor} times the {literal(should)} that it is."
        question = "How many rows does a join make of one, and what is then counted more than once?"
        return Difference("factor", message, question, expected, actual, factor)
    message = f"{name}is {literal(is_)}{of}, and should be {literal(should)}."
    question = "Which rows go into this value, and which of them belong there?"
    return Difference("value", message, question, expected, actual)


def _other_number(have: int, want: int, missing: list[Row], extra: list[Row]) -> Difference:
    message = f"There are {_count(have)}, and there should be {want}."
    example = literal((missing or extra)[0])
    if missing and have < want:
        question = "Which rows have nothing to be joined with, and where do they go?"
        return Difference("missing", message, question, f"with {example}", "without it")
    if extra:
        question = "Which rows should be left out, or be one row together?"
        return Difference("extra", message, question, "without it", f"with {literal(extra[0])}")
    question = "Which rows does the README ask for?"
    return Difference("missing", message, question, f"with {example}", "without it")


def _out_of_order(row: Row, wanted: Row, keys: Sequence[Any]) -> Difference:
    return Difference(
        "order",
        "The rows are the right ones, and stand in another order.",
        "By what are they to be ordered, and by what where that is equal?",
        _words({key: wanted[key] for key in keys}),
        _words({key: row[key] for key in keys}),
    )


def _misshapen(expected: str, actual: Any) -> Difference:
    return Difference(
        "shape",
        "What came back does not have the shape that the README describes.",
        "Which keys and types does the README ask for?",
        expected,
        literal(actual),
    )


def _count(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"


def _words(values: Mapping[Any, Any]) -> str:
    return ", ".join(f"{key} = {literal(value)}" for key, value in values.items())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal)


def _close(one: Any, other: Any, places: int) -> bool:
    if isinstance(one, int) and isinstance(other, int):
        return one == other
    a, b = float(one), float(other)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if isinstance(one, Decimal) and isinstance(other, Decimal) and not math.isinf(a):
        return abs(one - other) < Decimal(1).scaleb(-places)
    return a == b or math.isclose(a, b, rel_tol=_RELATIVE, abs_tol=10.0**-places)


def _factor(value: Any, should: Any) -> int:
    """How many times too large, where that is a whole number from 2 to 1000; else 1."""
    if isinstance(value, bool) or not (_is_number(value) and _is_number(should)) or not should:
        return 1
    ratio = float(value) / float(should)
    whole = math.isfinite(ratio) and math.isclose(ratio, round(ratio), rel_tol=_RELATIVE)
    return round(ratio) if whole and 2 <= round(ratio) <= 1000 else 1


def _moment(value: dt.date) -> dt.datetime:
    if not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day)
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
