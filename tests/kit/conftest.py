"""What the tests of the command line share: a home of their own, a small course, real processes."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from kit.cli import main
from pglab.servers.durable import DurableServer

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
    for name in ("NO_COLOR", "CI", "FORCE_COLOR", "DATABASE_URL", "PYTHONUNBUFFERED"):
        kept.pop(name, None)
    # Without compiled files each process would take seconds to read its libraries.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    settings = {"KIT_HOME": str(kit_home), "COLUMNS": "100", "KIT_WARM": "0"}
    return Kit(tmp_path, kept | settings)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of three exercises that have names and nothing else."""
    root = tmp_path / "course"
    for name in ("04_repository", "08_n_plus_one", "12_repeatable_read"):
        folder = root / "exercises" / name
        folder.mkdir(parents=True)
        (folder / "exercise.toml").write_text(f'title = "{name}"\n', encoding="utf-8")
    return root


@contextlib.contextmanager
def folder_for_servers() -> Iterator[Path]:
    """A home outside pytest's own folder, which the user of root's server may not enter."""
    folder = Path(tempfile.mkdtemp(prefix="kit-tests-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        DurableServer(folder).stop()
        shutil.rmtree(folder)


@pytest.fixture
def kit_home_for_servers() -> Iterator[Path]:
    """A new home in which a server can be started."""
    with folder_for_servers() as folder:
        yield folder


@pytest.fixture(scope="session")
def learners_home() -> Iterator[Path]:
    """A home with a learner's server that runs for the whole session, as it does for a learner."""
    with folder_for_servers() as folder:
        DurableServer(folder).start()
        yield folder


@pytest.fixture
def inside(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Runs ``kit`` inside this process: what takes a second as a process takes a moment."""

    def run(*words: str, **environment: str) -> Ended:
        with monkeypatch.context() as patch:
            patch.delenv("DATABASE_URL", raising=False)
            patch.setenv("KIT_WARM", "0")
            for name, value in environment.items():
                patch.setenv(name, value)
            capsys.readouterr()
            code = main(words)
            return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture
def db(inside: Callable[..., Ended], learners_home: Path) -> Callable[..., Ended]:
    """Runs ``kit db …`` on the learner's server."""

    def run(*words: str, **environment: str) -> Ended:
        return inside("db", *words, KIT_HOME=str(learners_home), **environment)

    return run
