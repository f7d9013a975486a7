"""The quick starts: every command on them is run, in its order, in a copy of the course.

A line that begins with ``$`` is typed as it stands. What goes on until somebody ends it has tests
of its own, and is only looked at for its options; so is what stands in a block without prompts,
which is about folders that a reader has and this copy has not.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from kit.cli.commands import kit as root_command
from tests.kit.conftest import PROJECT, folder_for_servers

PAGES = ("learners", "instructors")
GOES_ON = {"make lab", "kit lab", "kit watch 04"}
"""Started, and ended by Ctrl-C: tests/kit/test_lab.py and tests/kit/cli/test_watch.py."""
BY_HAND = {"make grade": "kit grade --assignment samples samples/class --out out"}
"""What make does once it has set up what is here already; that takes minutes and the network."""
UNFINISHED = {"kit check 04": 1, "kit hint 04": 1}
"""Exit codes where the page says that something is left to do."""


def text_of(page: str) -> str:
    return (PROJECT / "docs" / f"{page}.md").read_text(encoding="utf-8")


def typed(page: str) -> list[str]:
    return re.findall(r"^\$ (.+)$", text_of(page), re.M)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_kit_exists_with_its_options(page: str) -> None:
    named = re.findall(r"(?:^\$ |^|`)(kit [a-z][^`\n…]*)", text_of(page), re.M)
    assert len(named) >= 5
    for line in named:
        command: click.Command = root_command
        context = click.Context(root_command)
        for word in shlex.split(line)[1:]:
            inner = command.get_command(context, word) if isinstance(command, click.Group) else None
            if isinstance(command, click.Group):
                assert inner is not None, line
                command = inner
            elif word.startswith("--"):
                assert word in {name for one in command.params for name in one.opts}, line


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.parametrize("page", PAGES)
def test_every_command_does_what_the_page_says(
    page: str, tracked_files: list[Path], tmp_path: Path
) -> None:
    course = tmp_path / "course"
    for path in tracked_files:
        place = course / path.relative_to(PROJECT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    programs = Path(sys.executable).parent
    with folder_for_servers() as home:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("KIT_") and k != "CI"}
        environment = kept | {
            "KIT_HOME": str(home), "KIT_WARM": "0", "PATH": f"{programs}:{kept['PATH']}",
        }  # fmt: skip
        lines = [BY_HAND.get(line, line) for line in typed(page) if line not in GOES_ON]
        assert len(lines) >= 4
        for line in lines:
            done = subprocess.run(
                ["/bin/bash", "-c", line], cwd=course, env=environment, capture_output=True,
                text=True, check=False, timeout=300,
            )  # fmt: skip
            assert done.returncode == UNFINISHED.get(line, 0), (line, done.stdout, done.stderr)
