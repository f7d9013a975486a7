"""A grading read back from its ``results.json``, and proved whole before a report is made of it."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from grader.errors import ReportInputError
from grader.reports.results_json import NAME
from grader.reports.text import one_line
from grader.results import Grading, from_json

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
    msg = f"damaged: {text} is no number of points or seconds. {_AGAIN}"
    raise ValueError(msg)


def _verify(grading: Grading) -> None:
    """Hold every value against the type that its field declares.

    Raises:
        ValueError: one does not fit; the message says where it stands.
    """
    _fits(grading, Grading, "the grading")
    _measured(grading.timings, "timings")
    for id_, known in grading.misconceptions.items():
        _expect(known.id == id_, f"the id of misconception {id_}", "its key")
    _once("student", (submission.student for submission in grading.submissions))
    for submission in grading.submissions:
        _once("exercise", (exercise.exercise for exercise in submission.exercises))
        for exercise in submission.exercises:
            _once("check", (check.name for check in exercise.checks))


def _once(what: str, names: Iterable[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            msg = f"damaged: the {what} {one_line(name)!r} is in it {times} times. {_AGAIN}"
            raise ValueError(msg)


def _fits(value: Any, kind: Any, where: str) -> None:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        if value is not None:
            _fits(value, next(one for one in inner if one is not types.NoneType), where)
    elif origin is tuple:
        _expect(isinstance(value, tuple), where, "a list")
        for place, one in enumerate(value):
            _fits(one, inner[0], f"{where}[{place}]")
    elif origin is not None and issubclass(origin, Mapping):
        _expect(isinstance(value, Mapping), where, "an object")
        for key, one in value.items():
            _fits(key, inner[0], f"a key of {where}")
            _fits(one, inner[1], f"{where}.{key}")
    elif isinstance(kind, type) and dataclasses.is_dataclass(kind):
        _expect(isinstance(value, kind), where, "an object")
        for name, declared in _fields(kind).items():
            _fits(getattr(value, name), declared, f"{where}.{name}")
    else:
        _fits_atom(value, kind, where)


def _fits_atom(value: Any, kind: Any, where: str) -> None:
    if kind is float:
        _expect(_is_amount(value), where, "an amount from 0 up")
    elif kind is int:
        _expect(isinstance(value, int) and not isinstance(value, bool), where, "a whole number")
    elif isinstance(kind, type) and issubclass(kind, str | bool | Enum):
        _expect(isinstance(value, kind), where, f"of the kind {kind.__name__}")


def _measured(value: Any, where: str) -> None:
    """Every number among the timings is an amount, whatever else is there."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            _measured(one, f"{where}.{key}")
    elif isinstance(value, list):
        for one in value:
            _measured(one, where)
    elif isinstance(value, int | float):
        _expect(_is_amount(value), where, "an amount from 0 up")


def _is_amount(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return bool(0 <= value <= _LARGEST)


def _expect(fits: bool, where: str, wanted: str) -> None:
    if not fits:
        msg = f"damaged: {one_line(where, 120)} is not {wanted}. {_AGAIN}"
        raise ValueError(msg)


@functools.cache
def _fields(kind: type) -> dict[str, Any]:
    """The types that the fields of a dataclass declare."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}
