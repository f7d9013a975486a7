"""``--record``: a grading that goes into a database as well as into reports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kit.cli.output import say
from kit.errors import KitError

if TYPE_CHECKING:
    from grader.results import Grading


def record_class(grading: Grading, url: str, *, reports: Path, root: Path | None = None) -> None:
    """Record a grading and say how much that was.

    Args:
        grading: of a class.
        url: of a prepared database.
        reports: the folder from which it can be tried again.
        root: the course's folder, if it is known.

    Raises:
        KitError: it could not be recorded; the message says how to try again.
    """
    from kit import class_records

    try:
        done = class_records.record(grading, url, root)
    except KitError as error:
        msg = f"{error}\nNothing is lost. Once that is mended: kit report {reports} --record URL"
        raise KitError(msg) from error
    people = f"{done.students} {'student' if done.students == 1 else 'students'}"
    say(f"Recorded: {done.attempts} attempts of {people}.")
