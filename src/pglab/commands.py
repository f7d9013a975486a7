"""Which command is this: the first keyword of an SQL text, as PostgreSQL names it."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["command_of"]

_TOKEN = re.compile(
    r"""
    (?P<space>\s+ | --[^\n]*)
  | (?P<comment>/\*)
  | (?P<string>[eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*' | "(?:[^"]|"")*")
  | (?P<dollar>\$(?P<tag>[^\W\d]\w*)?\$ .*? \$(?P=tag)?\$)
  | (?P<word>[^\W\d][\w$]*)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_NAMES = {
    "END": "COMMIT",
    "ABORT": "ROLLBACK",
    "START": "BEGIN",
    "TABLE": "SELECT",
    "VALUES": "SELECT",
}
_MAIN = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE"})


def command_of(text: str) -> str:
    """The command of an SQL text in upper case, or an empty string where there is none.

    A statement that begins WITH is named after its main part. Synonyms get one name: END is COMMIT,
    ABORT is ROLLBACK, START TRANSACTION is BEGIN, VALUES and TABLE are SELECT.
    """
    depth, previous, first = 0, "", ""
    for word in _words(text):
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        elif not first and word[0].isalpha():
            first = word
            if first != "WITH":
                break
            depth = 0
        elif first == "WITH" and depth == 0 and word in _MAIN and previous == ")":
            first = word
            break
        previous = word
    return _NAMES.get(first, first)


def _words(text: str) -> Iterator[str]:
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
            yield "''"


def _end_of_comment(text: str, position: int) -> int:
    depth = 1
    for found in re.compile(r"/\*|\*/").finditer(text, position):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    return len(text)
