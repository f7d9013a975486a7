"""Text as reports show it: whatever a submission said stays plain text of bounded length."""

from __future__ import annotations

import re

from grader.text import clean

_NO_CHARACTERS = re.compile("[\ufdd0-\ufdef\ufffe\uffff]")


def legible(text: str, limit: int = 20_000) -> str:
    """The text without control characters, direction marks, lone surrogates and noncharacters.

    Results hold such text already. That they might not, because a wire, a file or a new kind of
    check let something through, must not matter here: what is left is valid in XML and inert in
    a terminal.
    """
    if len(text) <= limit and text.isprintable():
        return text
    return _NO_CHARACTERS.sub("\ufffd", clean(text, limit))


def one_line(text: str, limit: int = 300) -> str:
    """`legible`, with every run of white space as a single space."""
    return " ".join(legible(text, limit).split())


def first_sentence(text: str, limit: int = 200) -> str:
    """What a message says first, for a place with room for no more."""
    line = one_line(text, 4 * limit)
    sentence = re.split(r"(?<=[.!?]) (?=[A-Z])", line, maxsplit=1)[0]
    return sentence if len(sentence) <= limit else f"{sentence[: limit - 1].rstrip()}…"


def number(value: float) -> str:
    """Points without noise: ``2``, ``2.5``, ``0.33``."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def percent(earned: float, points: float) -> float | None:
    """Percent with one digit after the point; None where nothing can be earned."""
    return round(100 * earned / points, 1) if points > 0 else None


def counted(count: int, singular: str, plural: str = "") -> str:
    """``1 check``, ``2 checks``."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"
