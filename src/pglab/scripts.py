"""SQL files: their statements with the lines where they begin, and parameters called by name."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

from pglab.commands import TOKEN, end_of_comment

__all__ = ["Bound", "Step", "bind", "names_in", "steps_of"]


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a file."""

    text: str
    line: int
    """The line of the file in which it begins, counted from 1."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A statement whose ``:name`` have become parameters."""

    for_psycopg: str
    """With ``%(name)s`` in their place; as it was where there are none."""
    as_sent: str
    """With ``$1``, ``$2`` … in their place, as the server gets it."""
    names: tuple[str, ...]
    """Of the parameters that it uses, each once."""


def steps_of(script: str) -> list[Step]:
    """The statements of a file, as psql divides it: at semicolons outside of strings, comments,
    parentheses and the bodies of functions.
    """
    steps: list[Step] = []
    start: int | None = None
    depth = blocks = 0
    previous = ""
    for found, _ in _pieces(script):
        if found["space"] or found["comment"]:
            continue
        if found["other"] == ";" and depth == 0 and blocks == 0:
            if start is not None:
                steps.append(_step(script, start, found.start()))
            start, previous = None, ""
            continue
        start = found.start() if start is None else start
        depth = max(0, depth + {"(": 1, ")": -1}.get(found["other"] or "", 0))
        word = (found["word"] or "").upper()
        blocks = max(0, blocks + _opens(word, previous, blocks))
        previous = word
    if start is not None:
        steps.append(_step(script, start, len(script)))
    return steps


def bind(statement: str, names: Container[str]) -> Bound:
    """Make parameters of each ``:name`` outside of strings and comments that is one of these names.

    ``::type`` stays a cast, and ``:other`` stays as it is.
    """
    used: list[str] = []
    for_psycopg: list[str] = []
    as_sent: list[str] = []
    position = 0
    for start, end, name in _colons(statement):
        if name not in names:
            continue
        if name not in used:
            used.append(name)
        before = statement[position:start]
        for_psycopg += [before.replace("%", "%%"), f"%({name})s"]
        as_sent += [before, f"${used.index(name) + 1}"]
        position = end
    if not used:
        return Bound(statement, statement, ())
    rest = statement[position:]
    for_psycopg.append(rest.replace("%", "%%"))
    as_sent.append(rest)
    return Bound("".join(for_psycopg), "".join(as_sent), tuple(used))


def names_in(statement: str) -> list[str]:
    """Every ``:name`` outside of strings and comments, each once."""
    return list(dict.fromkeys(name for _, _, name in _colons(statement)))


def _colons(statement: str) -> Iterator[tuple[int, int, str]]:
    """Where each ``:name`` begins and ends."""
    colon: int | None = None
    previous = ""
    for found, end in _pieces(statement):
        piece = found[0]
        if colon is not None and found["word"]:
            yield colon, end, piece
        colon = found.start() if piece == ":" and previous != ":" else None
        previous = piece


def _pieces(text: str) -> Iterator[tuple[re.Match[str], int]]:
    """The tokens of a text, each with where it ends."""
    position = 0
    while found := TOKEN.match(text, position):
        position = end_of_comment(text, found.end()) if found["comment"] else found.end()
        yield found, position


def _opens(word: str, previous: str, blocks: int) -> int:
    """Whether a word begins (1) or ends (-1) a block: BEGIN ATOMIC … END, and CASE … END in it."""
    if word == "ATOMIC" and previous == "BEGIN":
        return 1
    return {"CASE": 1, "END": -1}.get(word, 0) if blocks else 0


def _step(script: str, start: int, end: int) -> Step:
    return Step(script[start:end].rstrip(), script.count("\n", 0, start) + 1)
