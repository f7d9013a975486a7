"""A student's folder, or a single file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from grader.catalog import Exercise
from grader.sources.base import MAX_NOTEBOOK_BYTES, Files, Refused, read_regular, shown
from grader.sources.notebook import SUFFIX, Notebook

IN_A_CHECKOUT = "exercises"
"""Where the exercises stand in a checkout of a student's repository, as they do in the course."""


def has_folder(path: Path, exercise: Exercise) -> bool:
    """Whether a student's folder has one for the exercise."""
    places = (path / exercise.name, path / IN_A_CHECKOUT / exercise.name)
    return any(os.path.isdir(place) for place in places)


class Folder:
    """A student's folder, with a folder for the exercise in it or the answer itself.

    It may be a checkout of their repository, with the folders of exercises in ``exercises/``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def files(self, exercise: Exercise) -> Files | None:
        folder = self._path / exercise.name
        checkout = self._path / IN_A_CHECKOUT
        try:
            if not os.path.lexists(folder) and os.path.lexists(checkout / exercise.name):
                if checkout.is_symlink():
                    raise Refused(f"{IN_A_CHECKOUT} is a link. Links are not followed.")
                folder = checkout / exercise.name
            if folder.is_symlink():
                raise Refused(f"{exercise.name} is a link. Links are not followed.")
            if not folder.is_dir():
                folder = self._path
                if not any(os.path.lexists(folder / name) for name in exercise.answer):
                    return self._in_notebooks(exercise)
            with os.scandir(folder) as entries:
                return {
                    entry.name: partial(read_regular, folder / entry.name)
                    for entry in entries
                    if entry.name in exercise.answer or entry.is_file(follow_symlinks=False)
                }
        except OSError as error:
            raise Refused(f"The folder cannot be read: {error.strerror}.") from error

    def _in_notebooks(self, exercise: Exercise) -> Files | None:
        """What the notebooks in the folder answer; the later one, by name, where several do."""
        found: Files | None = None
        for path in sorted(self._path.glob(f"[!.]*{SUFFIX}")):
            notebook = Notebook(path.name, partial(read_regular, path, MAX_NOTEBOOK_BYTES))
            found = notebook.files(exercise) or found
        return found


class SingleFile:
    """One file, called like an answer; or called as its student likes, where only one is asked for.

    Args:
        exercises: all that are asked for.
    """

    def __init__(self, path: Path, exercises: Iterable[Exercise]) -> None:
        self._path = path
        self._exercises = list(exercises)

    def files(self, exercise: Exercise) -> Files | None:
        name = self._path.name
        if not any(name in each.answer for each in self._exercises):
            if self._path.suffix not in {Path(answer).suffix for answer in exercise.answer}:
                raise Refused(f"{shown(name)} is not of the kind of {exercise.answer[0]}.")
            if len(self._exercises) > 1 or len(exercise.answer) > 1:
                raise Refused(
                    f"It cannot be told what {shown(name)} answers. "
                    f"Hand it in as {exercise.name}/{exercise.answer[0]}."
                )
            name = exercise.answer[0]
        return {name: partial(read_regular, self._path)} if name in exercise.answer else None
