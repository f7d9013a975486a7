"""The files that other places read: a dev container, VS Code, Binder, the shells' completion."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kit.cli.commands import COMMANDS


def test_the_dev_container_sets_up_what_a_learner_needs(root: Path) -> None:
    settings = json.loads((root / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    dockerfile = root / ".devcontainer" / settings["build"]["dockerfile"]
    image = dockerfile.read_text("utf-8")
    assert re.search(r"^FROM python:3\.1[1-4]-", image)
    assert f"useradd --create-home --shell /bin/bash {settings['remoteUser']}" in image
    make, target = settings["postCreateCommand"].split()
    assert make == "make"
    assert f"{target}:" in re.sub(r"(\S+) (?=.*:)", r"\1: ", (root / "Makefile").read_text("utf-8"))


def test_every_task_of_vs_code_is_a_command_that_there_is(root: Path) -> None:
    tasks = json.loads((root / ".vscode" / "tasks.json").read_text("utf-8"))["tasks"]
    kits = [task for task in tasks if task["command"] == "kit"]
    assert len(kits) >= 4
    assert {task["args"][0] for task in kits} <= set(COMMANDS)
    assert {task["args"][0] for task in tasks if task["command"] == "make"} == {"grade"}


def test_binder_gets_the_environment_and_a_start_that_goes_on(root: Path, tmp_path: Path) -> None:
    environment = root / ".binder" / "environment.yml"
    assert environment.read_text("utf-8") == (root / "environment.yml").read_text("utf-8")
    start = root / ".binder" / "start"
    kit = tmp_path / "kit"
    kit.write_text("#!/bin/sh\nexit 3\n")  # a database that does not start
    kit.chmod(0o755)
    done = subprocess.run(
        [str(start), "echo", "JupyterLab"], capture_output=True, text=True, check=False,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.stdout == "JupyterLab\n"
    assert "did not start" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_line_for_each_shell_gives_a_script(root: Path, shell: str) -> None:
    page = (root / "docs" / "places.md").read_text("utf-8")
    assert f"_KIT_COMPLETE={shell}_source kit" in page
    done = subprocess.run(
        [str(Path(sys.executable).parent / "kit")], capture_output=True, text=True, check=False,
        env={**os.environ, "_KIT_COMPLETE": f"{shell}_source"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "_KIT_COMPLETE" in done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "offered"),
    [("che", "check"), ("check 04", "04_repository"), ("grade --sandbox b", "bubblewrap")],
)
def test_tab_offers_what_fits(root: Path, words: str, offered: str) -> None:
    typed = ["kit", *words.split()]
    done = subprocess.run(
        [str(Path(sys.executable).parent / "kit")], cwd=root, capture_output=True, text=True,
        check=False,
        env={**os.environ, "_KIT_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(typed),
             "COMP_CWORD": str(len(typed) - 1)},
    )  # fmt: skip
    assert done.stdout.splitlines() == [f"plain,{offered}"]
