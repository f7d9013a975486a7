"""Which files of exercises change, and what that changes in what is right.

The files are looked at some times a second: that notices every way of saving, on every file system,
network folders and those of virtual machines included, and costs next to nothing for the few files
that an exercise has.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.results import CheckResult, Grading

LOOK_SECONDS = 0.02
"""How often the files are looked at, and how long they must stay as they are: an editor may write a
file in several steps, or put another in its place.
"""
_IGNORED_ENDINGS = ("~", ".swp", ".swx", ".tmp", ".bak", ".orig", ".pyc", ".md")
_Look = Mapping[str, frozenset[tuple[str, int, int, int, int]]]


class Watched:
    """The files of some exercises.

    Args:
        root: the course's folder.
        exercises: names of the exercises.
    """

    def __init__(self, root: Path, exercises: Sequence[str]) -> None:
        self._folders = {name: root / "exercises" / name for name in exercises}
        self._look = self._looked()
        self._seen = {name: self._content(name) for name in exercises}

    def changed(self) -> bool:
        """Whether some file is not as it was when it was seen last, without waiting."""
        look = self._looked()
        if look == self._look:
            return False
        return any(self._content(name) != self._seen[name] for name in _unlike(look, self._look))

    def wait(self) -> list[str]:
        """Wait until files have changed and stay as they are; the exercises whose content is
        another than it was.
        """
        while True:
            if self._looked() != self._look and (changed := self.note()):
                return changed
            time.sleep(LOOK_SECONDS)

    def note(self) -> list[str]:
        """Take what there is now, as soon as it stays as it is, for seen; the exercises whose
        content is another than it was.
        """
        before, self._look = self._look, self._settled()
        changed = []
        for name in _unlike(self._look, before):
            content = self._content(name)
            if content != self._seen[name]:
                self._seen[name] = content
                changed.append(name)
        return changed

    def _settled(self) -> _Look:
        look = self._looked()
        while True:
            time.sleep(LOOK_SECONDS)
            before, look = look, self._looked()
            if look == before:
                return look

    def _looked(self) -> _Look:
        return {
            name: frozenset(
                (path, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
                for path, status in _files(folder)
            )
            for name, folder in self._folders.items()
        }

    def _content(self, name: str) -> str:
        digest = hashlib.sha256()
        for path, _ in sorted(_files(self._folders[name]), key=lambda found: found[0]):
            try:
                with open(path, "rb") as file:
                    content = file.read()
            except OSError:
                continue  # gone, or closed to us: the check will say so
            digest.update(f"{path}\0{len(content)}\0".encode(errors="surrogateescape") + content)
        return digest.hexdigest()


def _unlike(one: _Look, other: _Look) -> list[str]:
    return [name for name in one if one[name] != other[name]]


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The files of an exercise, but for those that editors leave beside them and pages to read."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith((".", "#", "__")) or name.endswith(_IGNORED_ENDINGS):
                    continue
                try:
                    status = entry.stat()
                except OSError:
                    continue  # gone meanwhile
                if entry.is_dir():
                    yield from _files(Path(entry.path))
                elif entry.is_file():
                    yield entry.path, status
    except OSError:
        return  # the folder is gone, or not there yet


@dataclass(frozen=True, slots=True)
class Difference:
    """What a check found that the one before did not: titles of checks."""

    newly_right: tuple[str, ...] = ()
    newly_wrong: tuple[str, ...] = ()


class Verdicts:
    """What was right when an exercise was checked last."""

    def __init__(self) -> None:
        self._passed: dict[str, dict[str, bool]] = {}

    def failing(self) -> list[str]:
        """Names of the checks that failed when their exercise was checked last."""
        return [name for of in self._passed.values() for name, passed in of.items() if not passed]

    def is_newly_right(self, exercise: str, check: CheckResult) -> bool:
        """Whether a check that has passed now failed when its exercise was checked last."""
        from grader.results import Outcome

        before = self._passed.get(exercise, {}).get(check.name)
        return check.outcome is Outcome.PASSED and before is False

    def compare(self, grading: Grading) -> Mapping[str, Difference]:
        """By exercise, what is newly right and newly wrong since it was compared last; exercises
        that were not compared before are left out.
        """
        from grader.results import Outcome

        differences = {}
        for submission in grading.submissions:
            for result in submission.exercises:
                now = {
                    check.name: check.outcome is Outcome.PASSED
                    for check in result.checks
                    if check.outcome is not Outcome.ERROR  # which says nothing about the work
                }
                titles = {check.name: check.title for check in result.checks}
                before = self._passed.get(result.exercise)
                if before is not None:
                    differences[result.exercise] = Difference(
                        tuple(titles[n] for n in now if now[n] and before.get(n) is False),
                        tuple(titles[n] for n in now if not now[n] and before.get(n) is True),
                    )
                self._passed[result.exercise] = {**(before or {}), **now}
        return differences
