"""What people and machines read of a grading: a writer per format, every file whole or not at all.

::

    write_reports(grading, Path("out"))                      # everything in DEFAULT
    write_reports(grading, Path("out"), formats=["json"])    # results.json alone

A writer is imported when it is asked for, so that the terminal's tables need no template engine.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import ReportError
from grader.reports.options import Options

if TYPE_CHECKING:
    from grader.results import Grading

__all__ = ["DEFAULT", "FORMATS", "Options", "formats_of", "names_of", "write_reports"]


@dataclass(frozen=True, slots=True)
class _Format:
    """One format and its writer, a function ``write(grading, folder) -> list[Path]``."""

    module: str
    names: tuple[str, ...]
    """What it may write directly into the folder."""
    with_options: bool = False
    """Whether its writer takes `Options` as well."""


def _for_each(kind: str) -> _Format:
    """A format with a document for each student; see `grader.reports.documents`."""
    return _Format(kind, (f"results.{kind}.json", kind))


_FORMATS = {
    "json": _Format("results_json", ("results.json",)),
    "csv": _Format("gradebook", ("gradebook.csv",)),
    "scores": _Format("scores_csv", ("scores.csv",)),
    "junit": _Format("junit", ("junit.xml",)),
    "html": _Format("html", ("report.html", "students")),
    "gradescope": _for_each("gradescope"),
    "exercism": _for_each("exercism"),
    "prairielearn": _for_each("prairielearn"),
    "check50": _for_each("check50"),
    "github": _Format("github", ("github.summary.md", "github.commands.txt")),
    "canvas": _Format("canvas", ("canvas.csv",), with_options=True),
    "moodle": _Format("moodle", ("moodle.csv",), with_options=True),
    "nbgrader": _Format("nbgrader", ("nbgrader.csv",), with_options=True),
    "lti": _Format("lti", ("lti.json",)),
    "xapi": _Format("xapi", ("xapi.json",), with_options=True),
}

FORMATS = tuple(_FORMATS)
"""Every format that can be asked for."""

DEFAULT = ("json", "csv", "scores", "junit", "html")
"""The formats that are written where none is named."""


def names_of(formats: Iterable[str] = FORMATS) -> frozenset[str]:
    """Names of the files and folders that these formats may write directly into the folder."""
    return frozenset(name for format_ in formats for name in _FORMATS[format_].names)


def formats_of(names: Collection[str]) -> list[str]:
    """The formats that write files or folders of these names."""
    return [name for name, format_ in _FORMATS.items() if {*format_.names} & {*names}]


def write_reports(
    grading: Grading,
    out: Path,
    formats: Iterable[str] = DEFAULT,
    options: Options | None = None,
) -> list[Path]:
    """Write a grading into a folder.

    Args:
        grading: what was found.
        out: the folder; made if it is not there. Files of the same names are replaced.
        formats: which of `FORMATS`.
        options: what some formats need to know beside the grading.

    Returns:
        The files that were written, the pages of students last.

    Raises:
        ReportError: a format is unknown (nothing was written), or a file cannot be written; then
            the file that stood there before, if any, is as it was.
        ReportInputError: what a format needs beside the grading cannot be used.
    """
    chosen = list(dict.fromkeys(formats))
    unknown = [name for name in chosen if name not in _FORMATS]
    if unknown:
        msg = f"There is no report format {unknown[0]!r}. Choose from {', '.join(FORMATS)}."
        raise ReportError(msg)
    written: list[Path] = []
    for name in chosen:
        format_ = _FORMATS[name]
        writer = importlib.import_module(f"grader.reports.{format_.module}")
        more = (options or Options(),) if format_.with_options else ()
        written += writer.write(grading, out, *more)
    return written
