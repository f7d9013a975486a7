"""What a ``%%predict`` cell asks, and the answer that is written in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kit.notebook.errors import NotebookError
from kit.notebook.ledger import KINDS, Kind

_NAME = re.compile(r"\d\d-[a-z0-9-]+")
_OPTION = re.compile(r"([A-H])\.\s+(.+)")
_FIELD = re.compile(r"(answer|sure):(.*)", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class UnclearPrediction(NotebookError):
    """A ``%%predict`` cell, or an answer in it, cannot be read; the message says what to write."""


@dataclass(frozen=True)
class Question:
    """What is asked."""

    name: str
    kind: Kind
    text: str
    options: Mapping[str, str]
    """By letter; empty unless it is a choice."""

    def told(self, answer: str) -> str:
        """An answer as it is shown: a choice with its words."""
        return f"{answer}. {self.options[answer]}" if answer in self.options else answer


@dataclass(frozen=True)
class Asked:
    """A question, and what is written behind it so far."""

    question: Question
    answer: str | None
    """None while it is a question mark."""
    sure: int | None
    """Percent; None while it is a question mark."""


def read_question(line: str, cell: str) -> Asked:
    """Read a ``%%predict`` cell.

    Args:
        line: what stands behind ``%%predict``: the question's name, and its kind if need be.
        cell: the question, its options if it is a choice, ``answer:`` and ``sure:``.

    Raises:
        UnclearPrediction: something is missing, or an answer is none of those that are asked for.
    """
    name, kind = _name_and_kind(line)
    words: list[str] = []
    options: dict[str, str] = {}
    fields: dict[str, str] = {}
    for text in (one.strip() for one in cell.splitlines()):
        if given := _FIELD.fullmatch(text):
            fields[given[1].lower()] = given[2].strip()
        elif option := _OPTION.fullmatch(text):
            options[option[1]] = option[2]
        elif text:
            words.append(text)
    kind = kind or ("choice" if options else "text")
    if not words or set(fields) != {"answer", "sure"} or (kind == "choice") != bool(options):
        msg = (
            "A prediction has a question, options such as “A. one” if it is a choice, and at its "
            "end the lines “answer: ?” and “sure: ?”."
        )
        raise UnclearPrediction(msg)
    question = Question(name, kind, " ".join(words), options)
    return Asked(question, _answer(question, fields["answer"]), _sure(fields["sure"]))


def number_of(text: str) -> float:
    """The number that an answer is.

    Raises:
        UnclearPrediction: it is none.
    """
    plain = text.replace(",", "").replace("_", "").strip()
    if not _NUMBER.fullmatch(plain):
        msg = f"“{text}” is no number. Write it with digits alone, such as answer: 12 or 0.5."
        raise UnclearPrediction(msg)
    return float(plain)


def plain_number(value: float) -> str:
    """A number as an answer is kept."""
    return repr(value).removesuffix(".0")


def _name_and_kind(line: str) -> tuple[str, Kind | None]:
    match line.split():
        case [name] if _NAME.fullmatch(name):
            return name, None
        case [name, word] if _NAME.fullmatch(name) and word in KINDS:
            return name, next(kind for kind in KINDS if kind == word)
    msg = (
        f"%%predict {line}: write the number of the notebook and a name, such as 05-rows, and "
        "behind it, if need be, one of: number, choice, text."
    )
    raise UnclearPrediction(msg)


def _answer(question: Question, text: str) -> str | None:
    if text in ("", "?"):
        return None
    if question.kind == "number":
        return plain_number(number_of(text))
    if question.kind == "choice":
        letter = text.rstrip(".").upper()
        if letter not in question.options:
            msg = f"“{text}” is none of the answers. Write one of: {', '.join(question.options)}."
            raise UnclearPrediction(msg)
        return letter
    return text


def _sure(text: str) -> int | None:
    if text in ("", "?"):
        return None
    plain = text.removesuffix("%").strip()
    if not plain.isdecimal() or not 0 <= int(plain) <= 100:
        msg = f"sure: {text} – write how sure you are as a number from 0 to 100."
        raise UnclearPrediction(msg)
    return int(plain)
