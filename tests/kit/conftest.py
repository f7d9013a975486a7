"""What the tests of the command line share: a home of their own, a small course, real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@dataclass
class Ended:
    """How a process of ``kit`` ended."""

    code: int
    out: str
    err: str


@dataclass
class Kit:
    """Runs ``python -m kit`` as a person would, in an environment of the test's own."""

    cwd: Path
    environment: dict[str, str]

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "kit", *words]

    def __call__(self, *words: str, cwd: Path | None = None, **environment: str) -> Ended:
        return self.run(self.command(*words), cwd=cwd, **environment)

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        input: str = "",
        **environment: str,
    ) -> Ended:
        done = subprocess.run(
            command,
            cwd=cwd or self.cwd,
            env=self.environment | environment,
            capture_output=True,
            timeout=120,
            check=False,
            input=input.encode(),
        )
        return Ended(
            done.returncode,
            done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"),
        )


@pytest.fixture
def kit_home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def kit(tmp_path: Path, kit_home: Path) -> Kit:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("KIT_")}
    for name in ("NO_COLOR", "CI", "FORCE_COLOR", "DATABASE_URL"):
        kept.pop(name, None)
    return Kit(tmp_path, kept | {"KIT_HOME": str(kit_home), "COLUMNS": "100"})


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of three exercises that have names and nothing else."""
    root = tmp_path / "course"
    for name in ("04_repository", "08_n_plus_one", "12_repeatable_read"):
        folder = root / "exercises" / name
        folder.mkdir(parents=True)
        (folder / "exercise.toml").write_text(f'title = "{name}"\n', encoding="utf-8")
    return root
