"""The autograder's archive, unpacked and run as Gradescope does."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest

from grader.catalog import load_course
from kit import bundle, gradescope
from kit.errors import WrongUsage
from tests.grader.reports.schemas import GRADESCOPE
from tests.kit.conftest import PROJECT, Ended, folder_for_servers
from tests.kit.tiny_course import EXERCISE, RIGHT, WRONG, make_course

Inside = Callable[..., Ended]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with folder_for_servers() as folder:
        yield folder


@pytest.fixture
def archive(inside: Inside, tmp_path: Path) -> Path:
    """What the command makes of a small course."""
    course = make_course(tmp_path / "tiny")
    target = tmp_path / "autograder.zip"
    ended = inside("release", str(target), "--gradescope", "--course", str(course))
    assert ended.code == 0, ended.err
    assert "4 points" in ended.out
    return target


@pytest.fixture
def autograder(archive: Path, tmp_path: Path) -> Path:
    """The folder /autograder, with the archive unpacked where Gradescope unpacks it."""
    root = tmp_path / "autograder"
    source = root / "source"
    source.mkdir(parents=True)
    (root / "submission").mkdir()
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            path = Path(opened.extract(entry, source))
            path.chmod(stat.S_IMODE(entry.external_attr >> 16))
    return root


def graded(autograder: Path, home: Path) -> dict[str, object]:
    """Run the script of the archive, and read what Gradescope reads."""
    kit = autograder / "kit"
    kit.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kit "$@"\n')
    kit.chmod(0o755)
    words = {"AUTOGRADER": autograder, "KIT_PROGRAM": kit, "KIT_HOME": home}
    done = subprocess.run(
        [autograder / "source" / "run_autograder"],
        env=os.environ | {key: str(value) for key, value in words.items()},
        cwd=autograder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text = (autograder / "results" / "results.json").read_text(encoding="utf-8")
    results: dict[str, object] = json.loads(text)
    jsonschema.validate(results, GRADESCOPE)
    return results


@pytest.mark.sandbox
@pytest.mark.parametrize(("answer", "score"), [(RIGHT, 4), (WRONG, 1)])
def test_the_unpacked_archive_grades_a_submission(
    autograder: Path, home: Path, answer: str, score: float
) -> None:
    (autograder / "submission" / "greetings.py").write_text(answer)
    results = graded(autograder, home)
    assert results["score"] == score
    assert isinstance(results["tests"], list)
    assert [test["visibility"] for test in results["tests"]].count("after_due_date") == 1


def test_the_script_names_what_is_graded(autograder: Path) -> None:
    run = (autograder / "source" / "run_autograder").read_text(encoding="utf-8")
    assert f"exercises=({EXERCISE})\n" in run


@pytest.mark.parametrize("upload", ["notes.txt", "greetings.pyc", None])
def test_an_upload_without_any_answer_is_told_so(
    autograder: Path, home: Path, upload: str | None
) -> None:
    if upload:
        (autograder / "submission" / upload).write_text("not an answer")
    results = graded(autograder, home)
    assert results["score"] == 0
    assert "under the very name" in str(results["output"])


def test_the_scripts_stand_at_the_top_and_can_be_run(autograder: Path) -> None:
    source = autograder / "source"
    assert {path.name for path in source.iterdir()} == {*gradescope.SCRIPTS, "course"}
    for name in gradescope.SCRIPTS:
        assert os.access(source / name, os.X_OK)
        assert subprocess.run(["bash", "-n", source / name], check=False).returncode == 0
    assert not os.access(source / "course" / "pyproject.toml", os.X_OK)


def test_the_archive_holds_what_its_setup_installs(autograder: Path) -> None:
    course = autograder / "source" / "course"
    assert '"$course/requirements.lock"' in (autograder / "source" / "setup.sh").read_text()
    settings = tomllib.loads((course / "pyproject.toml").read_text(encoding="utf-8"))
    assert "grade" in settings["project"]["optional-dependencies"]
    assert (course / settings["project"]["readme"]).is_file()
    for folder in ("src", "migrations"):
        kept = {
            path.relative_to(PROJECT)
            for path in (PROJECT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts and "egg-info" not in str(path)
        }
        assert kept == {
            path.relative_to(course) for path in (course / folder).rglob("*") if path.is_file()
        }


def test_the_archive_holds_the_hidden_checks_and_no_answer(autograder: Path) -> None:
    held = [path.name for path in (autograder / "source" / "course" / "solutions").rglob("*.*")]
    assert held == ["test_hidden.py"]
    assert load_course(autograder / "source" / "course").exercises[EXERCISE].points == 4


@pytest.mark.slow
def test_the_kit_can_be_built_from_the_archive(autograder: Path, tmp_path: Path) -> None:
    program = "import setuptools.build_meta as b, sys; print(b.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        cwd=autograder / "source" / "course",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"kit/gradescope.py", "grader/batch.py", "pglab/witness.py"} <= set(names)


def test_what_cannot_be_made_is_refused(inside: Inside, tmp_path: Path) -> None:
    course = make_course(tmp_path / "tiny")
    ended = inside("release", str(tmp_path / "folder"), "--gradescope", "--course", str(course))
    assert (ended.code, list(tmp_path.iterdir())) == (2, [course])
    assert ".zip" in ended.err
    with pytest.raises(WrongUsage, match="in a clone of the kit"):
        gradescope.autograder(load_course(course), [], tmp_path)


def test_a_script_in_a_folder_can_be_run(tmp_path: Path) -> None:
    bundle.write({"a": b"#!/bin/sh\n", "b": b"text"}, tmp_path / "out")
    assert os.access(tmp_path / "out" / "a", os.X_OK)
    assert not os.access(tmp_path / "out" / "b", os.X_OK)
