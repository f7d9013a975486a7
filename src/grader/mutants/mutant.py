"""What a mutant is, and all of them for one exercise."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grader.catalog import Exercise
from grader.errors import CatalogError
from grader.tomlfile import read_text


@dataclass(frozen=True, slots=True)
class Mutant:
    """A solution that differs in one small thing."""

    place: str
    """Where: ``repository.py: list_users``, ``integrity.sql: statement 2``."""
    change: tuple[str, ...]
    """The lines that went (``- …``) and came (``+ …``), without their indentation."""
    files: tuple[tuple[str, str], ...]
    """The whole answer, a name and a text each."""


@dataclass(frozen=True, slots=True)
class Mutants:
    """All of one exercise's solution.

    Attributes:
        unchanged: the solution as the mutants are written: it must pass, or what fails in them is
            not what was changed.
        key: changes with the solution, the checks and the operators.
    """

    exercise: Exercise
    unchanged: dict[str, str]
    mutants: tuple[Mutant, ...]
    key: str


def mutants_of(exercise: Exercise) -> Mutants:
    """Make the mutants of an exercise's solution.

    Raises:
        CatalogError: there is no solution, or the packages that make mutants are not installed.
    """
    if exercise.solution_path is None:
        raise CatalogError(f"{exercise.name} has no solution to make mutants of.")
    answer = {name: read_text(exercise.solution_path / name) for name in exercise.answer}
    unchanged: dict[str, str] = {}
    found: dict[tuple[tuple[str, str], ...], Mutant] = {}
    for name, text in answer.items():
        unchanged[name] = text
        if name not in exercise.mutated:
            continue
        unchanged[name], changed = _of_file(name, text)
        for place, change, new in changed:
            files = tuple({**answer, name: new}.items())
            found.setdefault(files, Mutant(f"{name}: {place}", change, files))
    digest = hashlib.sha256(exercise.sha256.encode())
    for files in found:
        digest.update(repr(files).encode())
    return Mutants(exercise, unchanged, tuple(found.values()), digest.hexdigest())


_Changed = Iterator[tuple[str, tuple[str, ...], str]]


def _of_file(name: str, text: str) -> tuple[str, _Changed]:
    try:
        from grader.mutants import python, sql
    except ModuleNotFoundError as error:
        raise CatalogError(
            f"Mutants need {error.name}, which is not installed. In the kit's folder: "
            'pip install -c requirements.lock -e ".[author]".'
        ) from error
    if name.endswith(".sql"):
        return sql.written_back(text), (
            (place, _lines(sql.laid_out(before), sql.laid_out(after)), new)
            for place, before, after, new in sql.script_mutants(text)
        )
    return python.written_back(text), (
        (place, _lines(text, new), new) for place, new in python.module_mutants(text)
    )


def _lines(before: str, after: str) -> tuple[str, ...]:
    """What a change takes away and brings, line by line."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return tuple(_shown(line) for line in _after_header(lines))


def _after_header(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number >= 2 and not line.startswith("@@"):
            yield line


def _shown(line: str) -> str:
    return f"{line[0]} {line[1:].strip()}"
