"""Draw what `make grade` shows, for the README: docs/images/grade.svg.

    .venv/bin/python docs/images/grade.py

Grades the sample class and stores the table as it stood in the terminal, with its colors.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 100


def grade_in_color() -> str:
    """What `kit grade` prints on a terminal of WIDTH columns."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "kit", "grade", "samples/class", "--assignment", "samples"]
        command += ["--out", out]
        colors = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": str(WIDTH)}
        env = {**os.environ, **colors}
        env.pop("NO_COLOR", None)
        done = subprocess.run(
            command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout.replace(str(Path(out)), "out")


def draw(printed: str) -> str:
    """The SVG of a terminal that shows this; it loads no font from anywhere."""
    console = Console(width=WIDTH, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(Text.from_ansi("$ make grade\n" + printed.rstrip()))
    svg = console.export_svg(title="make grade", unique_id="grade")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    target = Path(__file__).with_suffix(".svg")
    target.write_text(draw(grade_in_color()) + "\n", encoding="utf-8")
    print(target.relative_to(ROOT))
