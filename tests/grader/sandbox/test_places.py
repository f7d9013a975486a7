"""What a cell gets fresh never hides what its programs need."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from grader import sandbox

PROGRAM = """
import sys
from pathlib import Path
from grader.sandbox import BubblewrapSandbox

with BubblewrapSandbox(Path("/")).start() as sandbox:
    cell = sandbox.cell()
    runner = cell.runner()
    answer = runner.ask({"op": "import", "files": {}, "module": "wave"}, 20)
    print(type(answer).__name__)
    runner.close()
    cell.close()
"""


@pytest.mark.sandbox
def test_a_kit_that_lies_in_the_temporary_directory_works_as_anywhere_else() -> None:
    package = Path(sandbox.__file__).parents[1]
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        for name in ("grader", "pglab"):
            shutil.copytree(package.parent / name, Path(folder) / name)
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={"PYTHONPATH": folder, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
    assert done.stdout.strip() == "Answer", done.stderr
