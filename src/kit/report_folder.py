"""The folder for a grading's reports: proved usable before the work, replaced as a whole."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from kit.errors import WrongUsage

STAGING = ".unfinished-"
"""How the name of a half-written grading starts; the next grading clears it away."""

RESULTS = "results.json"
"""The file that shows that a folder holds an earlier grading."""


class ReportFolder:
    """A folder for reports, claimed for as long as a grading takes.

    ::

        with ReportFolder(Path("out")) as folder:   # says what is wrong with out before any work
            grading = grade(…)
            folder.replace(lambda staging: write_reports(grading, staging))

    Left without `replace`, the folder is as it was before: an earlier grading is whole, a new
    folder gone, unless a logbook (`grader.logbook`) was left in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self._made: list[Path] = []
        self._staging: Path | None = None

    def __enter__(self) -> Self:
        """Claim the folder.

        Raises:
            WrongUsage: it is a file, cannot be written to, or holds something that is no grading.
        """
        try:
            self._make()
            self._refuse_foreign()
            for left in self.path.glob(f"{STAGING}*"):
                _remove(left)
            self._staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=self.path))
        except FileExistsError as error:
            self._clear()
            msg = f"{error.filename} is a file. Name a folder for the reports with --out."
            raise WrongUsage(msg) from error
        except OSError as error:
            self._clear()
            msg = (
                f"Nothing can be written into {self.path}: {error.strerror}. "
                "Name another folder for the reports with --out."
            )
            raise WrongUsage(msg) from error
        except BaseException:
            self._clear()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clear()

    def replace(self, write: Callable[[Path], Any], names: Collection[str] = ()) -> list[str]:
        """Replace the earlier grading, if any, by what ``write`` writes, or leave it as it is.

        Args:
            write: writes all reports into the empty folder that it is given. If it fails, the
                earlier grading stands.
            names: files and folders that belong to the grading. One that ``write`` does not write
                is of an earlier grading: it goes, so that nobody takes it for part of this one.

        Returns:
            Which of ``names`` went.
        """
        if self._staging is None:
            msg = "The report folder is not claimed: use it in a with statement."
            raise RuntimeError(msg)
        write(self._staging)
        written = {entry.name for entry in self._staging.iterdir()}
        with _signals_wait():
            # The results first: a folder with them is known as a grading, so the next one may mend
            # it.
            for name in sorted(written, key=lambda name: (name != RESULTS, name)):
                target = self.path / name
                if target.is_dir() and not target.is_symlink():
                    shutil.rmtree(target)
                os.replace(self._staging / name, target)
            removed = [
                name for name in sorted(set(names) - written) if os.path.lexists(self.path / name)
            ]
            for name in removed:
                _remove(self.path / name)
        self._made.clear()
        return removed

    def _make(self) -> None:
        missing = [p for p in (self.path, *self.path.parents) if not p.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            self._made.append(folder)
        if not self.path.is_dir():
            raise FileExistsError(17, os.strerror(17), str(self.path))

    def _refuse_foreign(self) -> None:
        held = [entry for entry in self.path.iterdir() if not entry.name.startswith(STAGING)]
        if not held or _is_grading(self.path / RESULTS) or _is_unfinished(self.path):
            return
        msg = (
            f"{self.path} holds things that are not a grading ({held[0].name}, …). So that nothing "
            "of yours is overwritten, give --out an empty folder, or one of an earlier grading."
        )
        raise WrongUsage(msg)

    def _clear(self) -> None:
        if self._staging is not None:
            shutil.rmtree(self._staging, ignore_errors=True)
            self._staging = None
        while self._made:
            with suppress(OSError):
                self._made.pop().rmdir()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _is_grading(results: Path) -> bool:
    try:
        data = json.loads(results.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and "format" in data and "submissions" in data


def _is_unfinished(folder: Path) -> bool:
    from grader.logbook import NAME, is_logbook  # the grader is loaded when it is needed

    return is_logbook(folder / NAME)


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Hold back Ctrl-C and its like for the few milliseconds in which files are put in place."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[tuple[int, FrameType | None]] = []
    held = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if number := getattr(signal, name, None):
            held[number] = signal.signal(number, lambda *got: waiting.append(got))
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
        for number, frame in waiting:
            handler = held[number]
            if callable(handler):
                handler(number, frame)
            elif handler is signal.SIG_DFL:
                signal.raise_signal(number)
