"""What pyproject.toml has no words for: a wheel carries the migrations and the course."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

COURSE = ("course.toml", "exercises", "notebooks", "docs/misconceptions")
"""What `kit init` gives to learners. Solutions stay in the repository."""

LEFT = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")


class BuildWithCourse(build_py):
    """Copies ``migrations/`` and the course to where they are looked for without a checkout."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:  # the checkout itself is used, with all of this in it
            return
        carry(("migrations",), Path(self.build_lib, "tracker", "_migrations"), below="migrations")
        carry(COURSE, Path(self.build_lib, "kit", "_course"))


def carry(names: tuple[str, ...], target: Path, below: str = ".") -> None:
    """Copy files and folders, by their paths below a folder, into a new folder."""
    shutil.rmtree(target, ignore_errors=True)  # an earlier build may have had other files
    for name in names:
        place = target / Path(name).relative_to(below)
        place.parent.mkdir(parents=True, exist_ok=True)
        if Path(name).is_dir():
            shutil.copytree(name, place, ignore=LEFT)
        elif Path(name).is_file():  # an autograder's source has no notebooks and pages
            shutil.copy(name, place)


setup(cmdclass={"build_py": BuildWithCourse})
