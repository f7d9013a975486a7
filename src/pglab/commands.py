"""Which command is this: the first keyword of an SQL text, as PostgreSQL names it."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["command_of", "one_name"]

_TOKEN = re.compile(
    r"""
    (?P<space>(?:\s|--[^\n]*)+)
  | (?P<comment>/\*)
  | (?P<quoted>[eE]'(?:[^'\\]|''|\\.)*+(?:'|\Z) | '(?:[^']|'')*+(?:'|\Z) | "(?:[^"]|"")*+(?:"|\Z))
  | (?P<dollar>\$(?P<tag>[^\W\d]\w*|)\$ .*? (?:\$(?P=tag)\$|\Z))
  | (?P<word>[^\W\d][\w$]*)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_NAMES = {
    "ABORT": "ROLLBACK",
    "END": "COMMIT",
    "START": "BEGIN",
    "TABLE": "SELECT",
    "VALUES": "SELECT",
}
_MAIN = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE"})
_LOOKED_AT = 1 << 16
"""Characters in which the main part of a WITH must begin."""


def one_name(keyword: str) -> str:
    """The name for a first keyword that has synonyms.

    END is COMMIT, ABORT is ROLLBACK, START TRANSACTION is BEGIN, VALUES and TABLE are SELECT.
    """
    return _NAMES.get(keyword, keyword)


def command_of(text: str) -> str:
    """The command of an SQL text in upper case, or an empty string where there is none.

    A statement that begins with WITH is named after its main part.
    """
    depth, previous, first = 0, "", ""
    for word in _tokens(text[:_LOOKED_AT]):
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        elif not first and (word[0].isalpha() or word[0] == "_"):
            first = word
            if first != "WITH":
                break
            depth = 0
        elif first and depth == 0 and previous == ")" and word in _MAIN:
            first = word
            break
        previous = word
    return one_name(first)


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while found := _TOKEN.match(text, position):
        position = found.end()
        if found["comment"]:
            position = _end_of_comment(text, position)
        elif found["word"]:
            yield found["word"].upper()
        elif found["other"]:
            yield found["other"]
        elif not found["space"]:
            yield "'"


def _end_of_comment(text: str, position: int) -> int:
    """Where a comment ends; they nest (manual, "Comments")."""
    depth = 1
    for found in _COMMENT_EDGE.finditer(text, position):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    return len(text)
