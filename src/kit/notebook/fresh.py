"""A home, a server and a copy of the exercises that last for a while: to run notebooks as new."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pglab.servers import open_server, status

_COURSE = ("exercises", "course.toml", "docs/misconceptions")


@contextlib.contextmanager
def fresh_home(course: Path | None = None) -> Iterator[dict[str, str]]:
    """The environment for processes that shall find nothing of this user's; gone afterwards.

    Args:
        course: the folder whose exercises are copied, so that a notebook may write to them.
    """
    with tempfile.TemporaryDirectory(prefix="kit-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        Path(folder).chmod(0o755)  # root's servers run as another user, who must be able to pass
        surroundings = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
        surroundings |= {"KIT_HOME": str(home), "IPYTHONDIR": str(home / "ipython")}
        if course is not None:
            surroundings["KIT_COURSE"] = str(copy_course(course, Path(folder) / "course"))
        try:
            yield surroundings
        finally:
            open_server("embedded", home=home, disposable=False).stop()
            # As root it is beside the home.
            shutil.rmtree(status(home).data_dir.parent, ignore_errors=True)


def copy_course(course: Path, target: Path) -> Path:
    """A copy of what a learner has of the course, for exercises to be written to."""
    for name in _COURSE:
        source = course / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.is_file():
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / name)
    return target
