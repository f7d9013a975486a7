"""The autograder for Gradescope: its two scripts, and what they install and grade with.

In the archive, as Gradescope unpacks it into ``/autograder/source``::

    setup.sh  run_autograder
    course/exercises/     what students get of the chosen exercises
    course/solutions/     their hidden checks; no answer, because the container holds students' code
    course/src/ …         the kit itself, and the versions of all that it needs

"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.catalog import Course, Exercise
from grader.release import bundle
from kit.errors import WrongUsage

SCRIPTS = ("setup.sh", "run_autograder")
_NAMED = "exercises=()\n"
"""The line of ``run_autograder`` that says what is graded."""
_KIT = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "requirements.lock")
_FOLDERS = ("src", "migrations")
_LEFT_OUT = ("__pycache__", ".egg-info")


def autograder(course: Course, exercises: Sequence[Exercise], kit: Path) -> dict[str, bytes]:
    """The files of the archive, by path.

    Args:
        exercises: those that are graded.
        kit: the folder of the kit's source: where ``pyproject.toml`` stands.

    Raises:
        WrongUsage: the kit is installed without its source.
        CatalogError: a file or a check cannot be read.
    """
    templates = kit / "docs" / "integrations" / "templates" / "gradescope"
    if not all((kit / name).is_file() for name in _KIT) or not templates.is_dir():
        msg = (
            f"The autograder holds the kit's source, and {kit} is not it. Make it in a clone of "
            "the kit: kit release autograder.zip --gradescope --course DIR."
        )
        raise WrongUsage(msg)
    files = {name: (templates / name).read_bytes() for name in SCRIPTS}
    names = " ".join(shlex.quote(exercise.name) for exercise in exercises)
    run = files["run_autograder"].decode()
    assert run.count(_NAMED) == 1
    files["run_autograder"] = run.replace(_NAMED, f"exercises=({names})\n").encode()
    for path, content in bundle(course, exercises).items():
        if not path.startswith("notebooks/"):
            files[f"course/{path}"] = content
    for exercise in exercises:
        hidden = exercise.solution_path / "test_hidden.py" if exercise.solution_path else None
        if hidden and hidden.is_file():
            files[f"course/solutions/{exercise.name}/{hidden.name}"] = hidden.read_bytes()
        _ = exercise.checks  # one that is broken is found now, and not by the students
    for source in _source(kit):
        files[f"course/{source.relative_to(kit).as_posix()}"] = source.read_bytes()
    return dict(sorted(files.items()))


def _source(kit: Path) -> Iterator[Path]:
    yield from (kit / name for name in _KIT)
    for folder in _FOLDERS:
        for path in sorted((kit / folder).rglob("*")):
            if path.is_file() and not any(part in str(path) for part in _LEFT_OUT):
                yield path
