"""``%hint`` and ``%progress``: what ``kit hint`` and ``kit progress`` say, as cells show it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from html import escape
from typing import Any

from kit.notebook.errors import NotebookError
from kit.notebook.exercises import course_root
from kit.notebook.scales import number
from kit.notebook.showing import Shown, framed, table
from pglab.urls import masked

_FINISHED = (0, 1)
_last: list[str] = []
"""The exercise that a cell named last."""


class NoHint(NotebookError):
    """No exercise was named yet, or ``kit hint`` or ``kit progress`` could not answer."""


def remember(exercise: str) -> None:
    """Take this exercise as the one that ``%hint`` without a name is about."""
    _last[:] = [exercise]


def hint(exercise: str | None = None, misconception: str | None = None) -> Shown:
    """The next hint for what the last check of an exercise found, below those that were read.

    Args:
        exercise: left out, the one that a cell named last.
        misconception: left out, the first that was found.

    Raises:
        NoHint: there is no exercise to be meant, or it was not checked yet.
    """
    if exercise is None and not _last:
        msg = "Which exercise? Write its number: %hint 04."
        raise NoHint(msg)
    name = exercise or _last[-1]
    told = _asked("hint", name, *([misconception] if misconception else []))
    remember(name)
    if not told["hints"]:
        return Shown(told["said"], framed("exercise", f"<p>{escape(told['said'])}</p>"))
    *read, new = [
        f"Hint {one['number']} of {told['of']}, {one['kind']}: {one['text']}"
        for one in told["hints"]
    ]
    more = (
        f"%hint {name[:2]} shows the next one."
        if len(told["hints"]) < told["of"]
        else f"That was the last one. Read on: docs/misconceptions/{told['misconception']}.md."
    )
    lines = [told["title"], *read, new, more]
    before = "".join(f'<p class="kit-note">{escape(line)}</p>' for line in read)
    html = (
        f"<p><strong>{escape(told['title'])}</strong></p>{before}<p>{escape(new)}</p>"
        f'<p class="kit-note">{escape(more)}</p>'
    )
    return Shown("\n".join(lines), framed("exercise", html))


def progress() -> Shown:
    """How far the learner is with the exercises of the course.

    Raises:
        NoHint: ``kit progress`` could not answer.
    """
    told = _asked("progress")
    rows = [_row(one) for one in told["exercises"]]
    caption = f"{told['course']}: {told['done']} of {len(rows)} exercises done"
    return table(rows, ("Exercise", "Best", "Attempts", "Hints"), caption)


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    best = one["best_percent"]
    mark = "✓" if one["completed"] else None if best is None else f"{number(float(best))} %"
    return one["title"], mark, one["attempts"] or None, one["hints"] or None


def _asked(command: str, *words: str) -> Any:
    """What a command of the kit answers, as data."""
    root = str(course_root())
    done = subprocess.run(
        [sys.executable, "-m", "kit", command, *words, "--json", "--course", root],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in _FINISHED or not done.stdout.strip():
        said = masked(done.stderr).strip().removeprefix("Error: ")
        raise NoHint(said or f"kit {command} ended without a word.")
    return json.loads(done.stdout)
