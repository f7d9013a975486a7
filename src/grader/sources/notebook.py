"""Answers in the cells of a notebook.

A cell that begins with ``%%exercise NAME`` is an answer to that exercise; ``%%exercise NAME FILE``
says which of its files, where there are several. Of several cells for one file the last counts, as
it does in the notebook.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from grader.catalog import Exercise, short_names
from grader.sources.base import Files, Refused, shown

SUFFIX = ".ipynb"
_MAGIC = re.compile(r"\s*%%exercise[ \t]+(?P<exercise>\S+)(?:[ \t]+(?P<file>\S+))?[^\n]*\n?")


class Notebook:
    """The cells of one notebook.

    Args:
        name: of the file, for messages.
        read: reads its bytes, when they are needed.
    """

    def __init__(self, name: str, read: Callable[[], bytes]) -> None:
        self._name = name
        self._read = read

    def files(self, exercise: Exercise) -> Files | None:
        """The answers to an exercise by file; None where no cell answers it.

        Raises:
            Refused: it is no notebook, or a cell does not say which file it is.
        """
        found: dict[str, bytes] = {}
        for match, text in self._cells:
            if match["exercise"] in {exercise.name, *short_names(exercise.name)}:
                name = match["file"] or self._only_file(exercise)
                found[name] = text.encode("utf-8", errors="surrogatepass")
        return {name: _giver(content) for name, content in found.items()} or None

    def _only_file(self, exercise: Exercise) -> str:
        if len(exercise.answer) > 1:
            raise Refused(
                f"A cell of {shown(self._name)} does not say which file it is. Begin it with "
                f"%%exercise {exercise.name} {exercise.answer[0]}, for example."
            )
        return exercise.answer[0]

    @cached_property
    def _cells(self) -> list[tuple[re.Match[str], str]]:
        """Those that say whose answer they are, and what follows that."""
        cells: list[tuple[re.Match[str], str]] = []
        for cell in self._all_cells():
            if isinstance(cell, dict) and cell.get("cell_type") == "code":
                source = cell.get("source", "")
                lines = source if isinstance(source, list) else [source]
                text = "".join(line for line in lines if isinstance(line, str))
                if match := _MAGIC.match(text):
                    cells.append((match, text[match.end() :]))
        return cells

    def _all_cells(self) -> list[Any]:
        try:
            data = json.loads(self._read())
        except (ValueError, RecursionError):
            data = None
        cells = data.get("cells") if isinstance(data, dict) else None
        if not isinstance(cells, list):
            raise Refused(f"{shown(self._name)} is not a notebook that can be read.")
        return cells


def _giver(content: bytes) -> Callable[[], bytes]:
    return lambda: content
