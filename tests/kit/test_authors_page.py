"""The guide for authors: each command on it is run, in its order, and does what the page says."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.catalog import _KEYS, _WORKER_KEYS
from kit.scaffold import files_for
from tests.kit.conftest import PROJECT, Ended

Inside = Callable[..., Ended]

PAGE = (PROJECT / "docs" / "authors.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.M | re.S)
COMMANDS = [line for language, block in BLOCKS if not language for line in block.splitlines()]
NAME = "01_soft_delete"


def test_the_page_names_every_setting_of_an_exercise() -> None:
    named = set(re.findall(r"`([\w.]+)`", PAGE))
    assert _KEYS - {"worker"} | {f"worker.{key}" for key in _WORKER_KEYS} <= named


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert len(links) >= 5
    assert not [link for link in links if not (PROJECT / "docs" / link).exists()]


def test_the_header_of_a_mistake_is_that_of_the_new_exercises() -> None:
    [header] = [block for language, block in BLOCKS if language == "python"]
    mistakes = [text for path, text in files_for(NAME).items() if "/mistakes/" in path]
    assert all(text.startswith(header) for text in mistakes)
    assert mistakes


class Author:
    """Somebody who follows the page in an empty folder."""

    def __init__(self, inside: Inside, folder: Path, home: Path) -> None:
        self._inside = inside
        self.here = folder
        self._home = home

    def types(self, line: str, monkeypatch: pytest.MonkeyPatch) -> Ended:
        program, *words = line.split()
        if program == "mkdir":
            (self.here / words[-1]).mkdir(parents=True)
        elif program == "cd":
            self.here = self.here / words[0]
            monkeypatch.chdir(self.here)
        else:
            assert program == "kit"
            return self._inside(*words, KIT_HOME=str(self._home))
        return Ended(0, "", "")

    def writes_what_is_to_be_written(self) -> None:
        for path in self.here.rglob("*.*"):
            if path.suffix in {".py", ".md", ".toml", ".sql"}:
                path.write_text(path.read_text("utf-8").replace("WRITE:", "Done:"), "utf-8")


@pytest.mark.sandbox
@pytest.mark.slow
def test_who_follows_the_page_gets_a_proved_exercise(
    inside: Inside, learners_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = Author(inside, tmp_path, learners_home)
    told: dict[str, Ended] = {}
    for line in COMMANDS:
        told[line] = author.types(line, monkeypatch)
    verified, checked = told["kit exercise verify 01"], told["kit check 01"]
    assert verified.code == 1
    assert verified.out.count("is still to be written") == verified.out.count("\n") - 1 > 10
    author.writes_what_is_to_be_written()
    again = author.types("kit exercise verify 01", monkeypatch)
    assert (again.code, again.out) == (
        0,
        "1 exercise, 4 answers, 8 checks: all as it should be.\n",
    )
    assert checked.code == 1
    assert "A note is stored" in checked.out
    mutants = told["kit exercise verify 01 --mutants"]
    assert "mutants failed" in mutants.out
    ledger = author.here / "solutions" / NAME / "mutants.json"
    assert json.loads(ledger.read_text())["mutants"] >= 5
    assert told["kit release ../students.zip --exercise 01"].code == 0
    with zipfile.ZipFile(tmp_path / "students.zip") as bundle:
        assert f"students/exercises/{NAME}/README.md" in bundle.namelist()
    mistake = next((author.here / "solutions" / NAME / "mistakes").iterdir())
    shutil.copy(mistake, author.here / "exercises" / NAME / "soft_delete.py")
    refused = author.types("kit release again.zip --exercise 01", monkeypatch)
    assert refused.code == 1
