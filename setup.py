"""What pyproject.toml has no words for: a wheel carries the migrations inside the tracker."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithMigrations(build_py):
    """Copies ``migrations/`` to where `tracker.migrations` looks for it without a checkout."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:  # the checkout itself is used, with migrations/ in it
            return
        target = Path(self.build_lib, "tracker", "_migrations")
        shutil.rmtree(target, ignore_errors=True)  # an earlier build may have had other versions
        shutil.copytree("migrations", target, ignore=shutil.ignore_patterns("__pycache__"))


setup(cmdclass={"build_py": BuildWithMigrations})
