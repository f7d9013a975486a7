"""What an SQL text holds: its statements, and the command of each as PostgreSQL names it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

__all__ = [
    "TOKEN",
    "changes_rows",
    "command_of",
    "end_of_comment",
    "leading_words",
    "one_name",
    "split_statements",
]

_PATTERN = r"""
    (?P<space>(?:\s|--[^\n]*)+)
  | (?P<comment>/\*)
  | (?P<quoted>[eE]'(?:[^'\\]|''|\\.)*+(?:'|\\?\Z)
             | '(?:[^']|'')*+(?:'|\Z) | "(?:[^"]|"")*+(?:"|\Z))
  | (?P<dollar>\$(?P<tag>[^\W\d]\w*|)\$ .*? (?:\$(?P=tag)\$|\Z))
  | (?P<word>[^\W\d][\w$]*)
  | (?P<other>.)
    """
TOKEN = re.compile(_PATTERN, re.VERBOSE | re.DOTALL)
"""One piece of SQL text; of a comment it is the beginning, and `end_of_comment` finds its end."""
_TOKEN_IN_OLD_STRINGS = re.compile(_PATTERN.replace("[eE]'", "[eE]?'"), re.VERBOSE | re.DOTALL)
"""The same where a backslash escapes in every string (``standard_conforming_strings = off``)."""
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_NAMES = {
    "ABORT": "ROLLBACK",
    "END": "COMMIT",
    "START": "BEGIN",
    "TABLE": "SELECT",
    "VALUES": "SELECT",
}
_MAIN = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE"})
_WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE"})
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


def leading_words(text: str, number: int) -> tuple[str, ...]:
    """The first keywords and names of an SQL text in upper case, at most ``number``."""
    words = (w for w in _tokens(text[:_LOOKED_AT]) if w[0].isalpha() or w[0] == "_")
    return tuple(itertools.islice(words, number))


def changes_rows(text: str) -> bool:
    """Whether a statement inserts, updates, deletes, merges, truncates or copies rows in.

    Also one inside the WITH of a query (manual, "Data-Modifying Statements in WITH").
    """
    command, words = command_of(text), leading_words(text, 1)
    if command == "COPY":
        return "FROM" in _tokens(text)
    if command in _WRITES or words != ("WITH",):
        return command in _WRITES
    pairs = itertools.pairwise(_tokens(text))
    return any(word in _WRITES and previous in {"(", ")"} for previous, word in pairs)


def split_statements(text: str) -> list[str]:
    """The statements of a text that is sent as one string, as the server divides it.

    A session may have changed how strings are read, which the text does not tell: where that makes
    a difference, the reading with more statements is taken.
    """
    return max(_split(text, TOKEN), _split(text, _TOKEN_IN_OLD_STRINGS), key=len)


def _split(text: str, token: re.Pattern[str]) -> list[str]:
    parts: list[str] = []
    start = position = depth = 0
    says_something = False
    while found := token.match(text, position):
        position = found.end()
        if found["comment"]:
            position = end_of_comment(text, position)
        elif found["other"] == ";" and depth == 0:
            if says_something:
                parts.append(text[start : found.start()].strip())
            start, says_something = position, False
        elif not found["space"]:
            says_something = True
            # A rule may have several statements, in parentheses.
            depth = max(0, depth + {"(": 1, ")": -1}.get(found["other"] or "", 0))
    if says_something:
        parts.append(text[start:].strip())
    return parts


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while found := TOKEN.match(text, position):
        position = found.end()
        if found["comment"]:
            position = end_of_comment(text, position)
        elif found["word"]:
            yield found["word"].upper()
        elif found["other"]:
            yield found["other"]
        elif not found["space"]:
            yield "'"


def end_of_comment(text: str, position: int) -> int:
    """Where a comment ends; they nest (manual, "Comments")."""
    depth = 1
    for found in _COMMENT_EDGE.finditer(text, position):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    return len(text)
