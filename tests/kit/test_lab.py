"""``kit lab``: the right notebook, a server that is there, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from kit import lab
from kit.errors import WrongUsage
from pglab.servers import status
from tests.kit.conftest import Kit

NOTEBOOK = {
    "cells": [],
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.fixture
def notebooks(course: Path) -> Path:
    folder = course / "notebooks"
    folder.mkdir()
    for name in ("00_start", "05_crud", "06_analytics"):
        (folder / f"{name}.ipynb").write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (None, "00_start"),
        ("00", "00_start"),
        ("0", "00_start"),
        ("05", "05_crud"),
        ("5", "05_crud"),
        ("crud", "05_crud"),
        ("05_crud.ipynb", "05_crud"),
        ("notebooks/06_analytics.ipynb", "06_analytics"),
    ],
)
def test_a_notebook_answers_to_number_name_and_path(
    notebooks: Path, monkeypatch: pytest.MonkeyPatch, asked: str | None, found: str
) -> None:
    monkeypatch.chdir(notebooks.parent)
    assert lab.find_notebook(notebooks.parent, asked) == notebooks / f"{found}.ipynb"


def test_a_notebook_of_ones_own_inside_the_course_opens_too(notebooks: Path) -> None:
    own = notebooks.parent / "mine.ipynb"
    own.write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    assert lab.find_notebook(notebooks.parent, str(own)) == own


def test_a_notebook_outside_the_course_is_refused(notebooks: Path, tmp_path: Path) -> None:
    own = tmp_path / "mine.ipynb"
    own.touch()
    with pytest.raises(WrongUsage, match="not inside the course"):
        lab.find_notebook(notebooks.parent, str(own))


def test_a_misspelled_notebook_brings_up_the_nearest(notebooks: Path) -> None:
    with pytest.raises(WrongUsage, match="Did you mean 06_analytics"):
        lab.find_notebook(notebooks.parent, "anlytics")


def test_a_course_without_notebooks_says_so(course: Path) -> None:
    with pytest.raises(WrongUsage, match="There are no notebooks"):
        lab.find_notebook(course, None)


def test_kernels_are_told_which_server_is_meant(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://from/environment")
    assert lab.environment(course, "auto")["DATABASE_URL"] == "postgresql://from/environment"
    assert lab.environment(course, "postgresql://x/y")["DATABASE_URL"] == "postgresql://x/y"
    assert "DATABASE_URL" not in lab.environment(course, "embedded")
    assert lab.environment(course, "auto")["KIT_COURSE"] == str(course)


def test_without_jupyterlab_the_message_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from kit.cli import main

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["lab"]) == 3
    assert "make lab" in capsys.readouterr().err


@pytest.mark.slow
def test_the_lab_opens_the_notebook_and_ctrl_c_ends_all_that_it_started(
    kit: Kit, notebooks: Path, kit_home_for_servers: Path
) -> None:
    with subprocess.Popen(
        kit.command("lab", "05", "--no-browser", "--ServerApp.port_retries=50"),
        cwd=notebooks.parent,
        env=kit.environment | {"KIT_HOME": str(kit_home_for_servers)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        family: list[psutil.Process] = []
        try:
            url = next(line.strip() for line in process.stderr if "http://127.0.0.1" in line)
            family = psutil.Process(process.pid).children(recursive=True)
            served = answers(url)
            up = status(kit_home_for_servers).running
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.stderr.read()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert "/lab/tree/notebooks/05_crud.ipynb?token=" in url
    assert served
    assert up
    assert process.returncode == 130
    assert family
    assert alive == []
    assert not status(kit_home_for_servers).running


def answers(url: str) -> bool:
    """Whether JupyterLab shows a page there; it prints its URL a moment before it listens."""
    for _attempt in range(100):
        try:
            with urllib.request.urlopen(url) as page:
                return bool(page.status == 200)
        except urllib.error.URLError:
            time.sleep(0.1)
    return False


def test_a_server_that_was_up_before_the_lab_stays_up(
    learners_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIT_HOME", str(learners_home))
    with lab.server_for_lab("embedded", lambda _line: None):
        pass
    assert status(learners_home).running


def test_a_server_that_others_use_by_the_end_of_the_lab_stays_up(
    kit_home_for_servers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    monkeypatch.setenv("KIT_HOME", str(kit_home_for_servers))
    said: list[str] = []
    with lab.server_for_lab("embedded", said.append) as server:
        other = psycopg.connect(server.admin_url)
    assert status(kit_home_for_servers).running
    assert "1 other session" in said[-1]
    other.close()


def test_a_server_that_the_lab_started_ends_with_it(
    kit_home_for_servers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIT_HOME", str(kit_home_for_servers))
    with lab.server_for_lab("embedded", lambda _line: None):
        assert status(kit_home_for_servers).running
    assert not status(kit_home_for_servers).running
