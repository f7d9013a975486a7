"""Alembic revision scripts, read without running them.

Source: Alembic documentation, "Create a Migration Script" and "Working with Branches".
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grader.checks.verdict import NotPassed
from grader.results import Failure, Reason
from grader.syntax import tree_of
from grader.text import clean

_NAMES = ("revision", "down_revision")


@dataclass(frozen=True, slots=True)
class Revision:
    """One script's place in the history."""

    id: str
    down: tuple[str, ...]
    """The revisions that come before it: none for the first, several for a merge."""
    file: str


def read_revisions(scripts: Mapping[str, bytes]) -> list[Revision]:
    """The revisions that these files hold, each after those that it builds on.

    Raises:
        NotPassed: a file is no revision script, says its place in another way than as plain text,
            or has the same id as another.
    """
    read = [_read(file, scripts[file]) for file in sorted(scripts)]
    by_id: dict[str, Revision] = {}
    for revision in read:
        if revision.id in by_id:
            raise NotPassed(_same_id(revision, by_id[revision.id]))
        by_id[revision.id] = revision
    ordered: dict[str, Revision] = {}
    waiting = dict(by_id)
    while waiting:
        ready = [r for r in waiting.values() if all(d not in waiting for d in r.down)]
        if not ready:
            raise NotPassed(_circle(next(iter(waiting.values()))))
        for revision in ready:
            ordered[revision.id] = waiting.pop(revision.id)
    return list(ordered.values())


def heads_of(revisions: list[Revision]) -> list[str]:
    """Ids of the revisions that no other builds on, sorted."""
    below = {down for revision in revisions for down in revision.down}
    return sorted(r.id for r in revisions if r.id not in below)


def _read(file: str, source: bytes) -> Revision:
    try:
        tree = tree_of(source)
    except SyntaxError as error:
        raise NotPassed(_not_python(file, error.lineno)) from error
    said: dict[str, Any] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and target.id in _NAMES:
                said[target.id] = _literal(file, target.id, getattr(node, "value", None))
    revision, down = said.get("revision"), said.get("down_revision", ...)
    if not isinstance(revision, str) or not revision:
        raise NotPassed(_no_place(file, "revision"))
    if down is ...:
        raise NotPassed(_no_place(file, "down_revision"))
    below = (down,) if isinstance(down, str) else tuple(down or ())
    if not all(isinstance(name, str) for name in below):
        raise NotPassed(_no_place(file, "down_revision"))
    return Revision(revision, below, file)


def _literal(file: str, name: str, value: ast.expr | None) -> Any:
    try:
        return ast.literal_eval(value) if value is not None else None
    except (ValueError, TypeError, MemoryError, RecursionError) as error:
        raise NotPassed(_no_place(file, name)) from error


def _not_python(file: str, line: int | None) -> Failure:
    where = f"line {line} cannot be read" if line else "it cannot be read"
    return Failure(
        Reason.IMPORT,
        f"{clean(file, 100)} is not valid Python: {where}.",
        location=f"{clean(file, 100)}:{line}" if line else clean(file, 100),
    )


def _no_place(file: str, name: str) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"{clean(file, 100)} does not say its {name} as plain text, so nobody can tell its place "
        "in the history.",
        misconception="",
        question="How do the other scripts name themselves and the one before them?",
    )


def _same_id(one: Revision, other: Revision) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"{one.file} and {other.file} both call themselves {clean(one.id, 60)}.",
        misconception="",
        question="How does Alembic tell two revisions apart?",
    )


def _circle(revision: Revision) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"The history has no beginning: by way of the others, {revision.file} comes before itself.",
        misconception="",
        question="Which revision is the first, and what is its down_revision?",
    )
