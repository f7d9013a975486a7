"""A grading read back from its ``results.json``, and proved whole before a report is made of it."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from grader.errors import ReportInputError
from grader.reports.results_json import NAME
from grader.reports.text import one_line
from grader.results import Grading, from_json

_Checker = Callable[[Any], str]

_AGAIN = "Run kit grade again."
_LARGEST = 1e12
"""No points and no seconds are more: a number beyond would be damage, or an attack on sums."""


def read_results(folder: Path) -> Grading:
    """The grading that a folder of reports holds.

    Args:
        folder: the folder that ``kit grade`` wrote.

    Raises:
        ReportInputError: there is no ``results.json`` in it, or it is of another version, or
            damaged.
    """
    path = folder / NAME
    try:
        grading = from_json(json.loads(path.read_bytes(), parse_constant=_no_number))
        _verify(grading)
    except FileNotFoundError as error:
        msg = f"There is no {NAME} in {folder}. Name a folder that kit grade wrote, with --out."
        raise ReportInputError(msg) from error
    except OSError as error:
        raise ReportInputError(f"{path} cannot be read: {error.strerror}.") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReportInputError(f"{path} is not JSON: {_brief(error)}. {_AGAIN}") from error
    except ValueError as error:
        raise ReportInputError(f"{path}: {one_line(str(error))}") from error
    return grading


def _brief(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else one_line(str(error))


def _no_number(text: str) -> float:
    raise _damaged(f"{text} is no number of points or seconds")


def _verify(grading: Grading) -> None:
    """Hold every value against the type that its field declares.

    Raises:
        ValueError: one does not fit; the message says where it stands.
    """
    if problem := _checker(Grading)(grading) or _measured(grading.timings):
        raise _damaged(problem.lstrip("."))
    for id_, known in grading.misconceptions.items():
        if known.id != id_:
            raise _damaged(f"the misconception {id_!r} has another id")
    _once("student", (submission.student for submission in grading.submissions))
    for submission in grading.submissions:
        _once("exercise", (exercise.exercise for exercise in submission.exercises))
        for exercise in submission.exercises:
            _once("check", (check.name for check in exercise.checks))


def _once(what: str, names: Iterable[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise _damaged(f"the {what} {one_line(name)!r} is in it {times} times")


def _damaged(what: str) -> ValueError:
    return ValueError(f"damaged: {one_line(what)}. {_AGAIN}")


def _measured(value: Any) -> str:
    """Every number among the timings is an amount, whatever else is there."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return next((problem for one in value if (problem := _measured(one))), "")
    problem = _amount(value) if isinstance(value, int | float) else ""
    return problem and f"a number of the timings{problem}"


def _amount(value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return "" if number and 0 <= value <= _LARGEST else " is not an amount from 0 up"


def _whole(value: Any) -> str:
    return "" if type(value) is int else " is not a whole number"


def _anything(_value: Any) -> str:
    return ""


_ATOMS: dict[Any, _Checker] = {float: _amount, int: _whole, Any: _anything}


@functools.cache
def _checker(kind: Any) -> _Checker:
    """A function that says where a value does not fit a type, and how; nothing where it does.

    It is made once for a type: a large class has millions of values.
    """
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind in _ATOMS:
        return _ATOMS[kind]
    if origin is types.UnionType:
        other = _checker(next(one for one in inner if one is not types.NoneType))
        return lambda value: "" if value is None else other(value)
    if origin is tuple:
        return _list_of(_checker(inner[0]))
    if origin is not None:
        return _object_of(_checker(inner[1]))
    if dataclasses.is_dataclass(kind):
        return _record(kind)
    return lambda value: "" if isinstance(value, kind) else f" is not of the kind {kind.__name__}"


def _list_of(fits: _Checker) -> _Checker:
    def check(value: Any) -> str:
        if not isinstance(value, tuple):
            return " is not a list"
        for place, one in enumerate(value):
            if problem := fits(one):
                return f"[{place}]{problem}"
        return ""

    return check


def _object_of(fits: _Checker) -> _Checker:
    def check(value: Any) -> str:
        if not isinstance(value, Mapping):
            return " is not an object"
        for key, one in value.items():
            if problem := fits(one):
                return f".{key}{problem}"
        return ""

    return check


def _record(kind: Any) -> _Checker:
    hints = typing.get_type_hints(kind)
    fields = {field.name: _checker(hints[field.name]) for field in dataclasses.fields(kind)}

    def check(value: Any) -> str:
        if not isinstance(value, kind):
            return " is not an object"
        for name, fits in fields.items():
            if problem := fits(getattr(value, name)):
                return f".{name}{problem}"
        return ""

    return check
