"""How long it takes from git clone to the first query receipt, with nothing there but Python.

    python bench/first_receipt.py [--python PYTHON]

Clones the project into a new folder, says `make lab` there, and runs, when JupyterLab answers, the
first cell and the first `%%sql` cell of notebook 00 in a kernel of the clone's own environment.
Prints what each step took in seconds. Most of it is pip, which takes as long as the network and the
disk make it; what pip keeps in its cache it does not load again.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

PROJECT = Path(__file__).resolve().parents[1]
FIRST_RECEIPT = """
import sys
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read("notebooks/00_start.ipynb", as_version=4)
cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
client = NotebookClient(notebook, timeout=120, kernel_name="python3")
client.reset_execution_trackers()
with client.setup_kernel(cwd="notebooks"):
    for cell in (cells[0], next(cell for cell in cells if cell.source.startswith("%%sql"))):
        client.execute_cell(cell, notebook.cells.index(cell))
sys.exit("kit-receipt" not in str(cell.outputs))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default="", help="the Python that make is to take")
    options = parser.parse_args()
    out = PROJECT / "out"  # not below /tmp, which the sandbox has for itself
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kit-bench-", dir=out) as folder:
        Path(folder).chmod(0o755)
        rows = measured(Path(folder), options.python)
    for name, seconds in [*rows, ("together", sum(seconds for _, seconds in rows))]:
        print(f"{name:44}{seconds:8.1f} s")


def measured(folder: Path, python: str) -> list[tuple[str, float]]:
    """What was done and how long it took, in seconds, one after another."""
    clone = folder / "course"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KIT_", "CI", "VIRTUAL_ENV"))}
    environment = kept | {"KIT_HOME": str(folder / "home"), "JUPYTER_PREFER_ENV_PATH": "1"}
    rows = []
    began = time.perf_counter()

    def done(name: str) -> None:
        nonlocal began
        rows.append((name, time.perf_counter() - began))
        began = time.perf_counter()

    subprocess.run(["git", "clone", "--quiet", PROJECT, clone], check=True)
    done("git clone")
    make = ["make", *([f"PYTHON={python}"] if python else [])]
    subprocess.run([*make, "setup-lab"], cwd=clone, env=environment, check=True)
    done("make lab, setting itself up")
    with subprocess.Popen(
        [*make, "lab", "ARGS=--no-browser --port=0"],
        cwd=clone, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as lab:  # fmt: skip
        try:
            wait_for(lab)
            done("make lab, until JupyterLab answers")
            python_of_clone = clone / ".venv" / "bin" / "python"
            subprocess.run(
                [python_of_clone, "-c", FIRST_RECEIPT], cwd=clone, env=environment, check=True
            )
            done("the first two cells, with a receipt")
        finally:
            os.killpg(lab.pid, signal.SIGINT)
            lab.communicate()
    return rows


def wait_for(lab: subprocess.Popen[str]) -> None:
    """Wait until JupyterLab has said its address and answers there."""
    assert lab.stderr is not None
    for line in lab.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+/\S+", line):
            requests.get(found.group(), timeout=30).raise_for_status()
            return
    sys.exit("JupyterLab did not start.")


if __name__ == "__main__":
    main()
