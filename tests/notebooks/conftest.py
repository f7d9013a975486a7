"""A learner's home with a real embedded server, and a real IPython shell with the kit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from kit.notebook import extension, storing, workspace
from kit.notebook.fresh import copy_course
from pglab.servers import open_server, status


@pytest.fixture(scope="session")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a learner whose server is stopped at the end."""
    home = tmp_path_factory.mktemp("learner")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_HOME", str(home))
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        patch.delenv("DATABASE_URL", raising=False)
        try:
            yield home
        finally:
            workspace.close_workspace()
            open_server("embedded", home=home, disposable=False).stop()
            # Beside the home, where the account that runs the server may not enter it.
            shutil.rmtree(status(home).data_dir.parent)


@dataclass
class Ran:
    """What a cell did."""

    result: Any
    error: BaseException | None
    printed: str
    shown: list[dict[str, str]] = field(default_factory=list)

    @property
    def receipts(self) -> list[str]:
        """The one-line text of each receipt shown."""
        return [one["text/plain"] for one in self.shown if "kit-receipt" in one["text/html"]]

    @property
    def receipt(self) -> str:
        assert len(self.receipts) == 1, f"one receipt was expected, there are {self.receipts}"
        return self.receipts[0]

    @property
    def html(self) -> str:
        return next(one["text/html"] for one in self.shown if "kit-receipt" in one["text/html"])


class Notebook:
    """Runs cells as a front end would, and keeps what they show."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell

    def __call__(self, cell: str) -> Ran:
        with capture_output() as captured:
            done = self.shell.run_cell(cell, store_history=True)
        shown = [output.data for output in captured.outputs]
        error = done.error_in_exec or done.error_before_exec
        printed = re.sub(r"\x1b\[[\d;]*m", "", captured.stdout + captured.stderr)
        return Ran(done.result, error, printed, shown)

    def run(self, *cells: str) -> Ran:
        """Run cells that must not fail, and return what the last one did."""
        for cell in cells:
            ran = self(cell)
            assert ran.error is None, f"{cell}\n{ran.error}\n{ran.printed}"
        return ran


@pytest.fixture
def bare(learner: Path) -> Iterator[Notebook]:
    """A notebook in which nothing is loaded."""
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config)
    try:
        yield Notebook(shell)
    finally:
        shell.run_line_magic("unload_ext", "kit")
        shell.user_ns.clear()
        InteractiveShell.clear_instance()
        # A traceback keeps what its functions had in hand, such as an open connection.
        for name in ("last_type", "last_value", "last_traceback", "last_exc"):
            vars(sys).pop(name, None)


@pytest.fixture
def notebook(bare: Notebook, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """A notebook that has loaded the kit; the workspace stays open for the next one."""
    monkeypatch.setattr(extension, "close_workspace", lambda: None)
    bare.run("%load_ext kit", "from kit.notebook import *")
    return bare


@pytest.fixture(scope="session")
def tracker_url(learner: Path) -> str:
    """The URL of the learner's database, whether a notebook is loaded or not."""
    workspace.open_workspace(lambda line: None)
    return workspace.url()


@pytest.fixture
def connection(tracker_url: str) -> Iterator[psycopg.Connection]:
    """A plain connection that is rolled back and closed."""
    with psycopg.connect(tracker_url) as opened:
        yield opened
        opened.rollback()


@pytest.fixture(scope="session")
def kernel_environment(learner: Path, root: Path) -> dict[str, str]:
    """The environment for a process that runs notebooks; the exercises are a copy."""
    course = copy_course(root, learner.parent / f"{learner.name}-course")
    return os.environ | {"KIT_COURSE": str(course)}


@pytest.fixture(scope="session")
def nbval(root: Path) -> Callable[[Path, dict[str, str]], subprocess.CompletedProcess[str]]:
    """Runs a notebook in an environment, and compares it, as a reader of the manual would."""
    sanitizer = root / "notebooks" / storing.SANITIZER

    def run(path: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-sanitize-with",
                str(sanitizer), "--nbval-cell-timeout", "60", "--rootdir", str(path.parent),
                "-p", "no:cacheprovider", "--timeout", "0", "-p", "tests.notebooks.complaints",
                path.name,
            ],
            cwd=path.parent, env=environment | {"PYTHONPATH": str(root)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run
