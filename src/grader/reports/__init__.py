"""What people and machines read of a grading: a writer per format, every file whole or not at all.

::

    write_reports(grading, Path("out"))                      # everything in DEFAULT
    write_reports(grading, Path("out"), formats=["json"])    # results.json alone

A writer is imported when it is asked for, so that the terminal's tables need no template engine.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import ReportError

if TYPE_CHECKING:
    from grader.results import Grading

_WRITERS = {
    "json": "grader.reports.results_json",
    "csv": "grader.reports.gradebook",
    "scores": "grader.reports.scores_csv",
    "junit": "grader.reports.junit",
    "html": "grader.reports.html",
}
"""Modules with a function ``write(grading, folder) -> list[Path]``, by format."""

FORMATS = tuple(_WRITERS)
"""Every format that can be asked for."""

DEFAULT = ("json", "csv", "scores", "junit", "html")
"""The formats that are written where none is named."""


def write_reports(grading: Grading, out: Path, formats: Iterable[str] = DEFAULT) -> list[Path]:
    """Write a grading into a folder.

    Args:
        grading: what was found.
        out: the folder; made if it is not there. Files of the same names are replaced.
        formats: which of `FORMATS`.

    Returns:
        The files that were written, the pages of students last.

    Raises:
        ReportError: a format is unknown (nothing was written), or a file cannot be written; then
            the file that stood there before, if any, is as it was.
    """
    chosen = list(dict.fromkeys(formats))
    unknown = [name for name in chosen if name not in _WRITERS]
    if unknown:
        msg = f"There is no report format {unknown[0]!r}. Choose from {', '.join(FORMATS)}."
        raise ReportError(msg)
    written: list[Path] = []
    for name in chosen:
        written += importlib.import_module(_WRITERS[name]).write(grading, out)
    return written
