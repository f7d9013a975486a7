"""The templates for other systems: well formed, and every command in them is one that exists."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from grader.reports import FORMATS, names_of
from kit.cli.commands import kit as root_command
from tests.grader.reports.schemas import GRADESCOPE
from tests.kit.conftest import PROJECT, folder_for_servers
from tests.kit.tiny_course import EXERCISE, RIGHT, WRONG, answer_own, hand_in, make_course

Run = Callable[[], subprocess.CompletedProcess[str]]

TEMPLATES = PROJECT / "docs" / "integrations" / "templates"
GUIDES = PROJECT / "docs" / "integrations"
PAGES = [*sorted(GUIDES.glob("*.md")), PROJECT / "docs" / "formats.md"]
SCRIPTS = [TEMPLATES / "gradescope" / name for name in ("setup.sh", "run_autograder")]
COLLECTED = TEMPLATES / "nbgrader" / "grade_submitted"


def loaded(*path: str) -> Any:
    return yaml.safe_load(TEMPLATES.joinpath(*path).read_text(encoding="utf-8"))


def steps_of_github() -> list[dict[str, Any]]:
    (job,) = loaded("github", "classroom.yml")["jobs"].values()
    steps: list[dict[str, Any]] = job["steps"]
    return steps


def shell_of(name: str) -> str:
    """All that a template has a shell do."""
    if name == "github":
        return "\n".join(step["run"] for step in steps_of_github() if "run" in step)
    if name == "gitlab":
        return "\n".join(loaded("gitlab", "gitlab-ci.yml")["grade"]["script"])
    if name == "pre-commit":
        (repo,) = loaded("pre-commit", "pre-commit-config.yaml")["repos"]
        return "\n".join(hook["entry"] for hook in repo["hooks"])
    script = {"gradescope": "run_autograder", "nbgrader": "grade_submitted"}[name]
    text = (TEMPLATES / name / script).read_text(encoding="utf-8")
    return text.replace("\\\n", " ").replace('"$kit"', "kit")


def calls_of_kit(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        words = shlex.split(line, comments=True) if re.match(r"\s*kit ", line) else []
        if words:
            yield words[1:]


def assert_understood(words: list[str]) -> None:
    context = click.Context(root_command)
    command = root_command.get_command(context, words[0])
    assert command is not None, words
    known = {name: one for one in command.params for name in one.opts}
    used = [word.partition("=")[0] for word in words if re.match(r"--\w", word)]
    assert set(used) <= set(known), words
    for at, word in enumerate(words):
        if word == "--format":
            assert words[at + 1] in FORMATS


@pytest.mark.parametrize("name", ["github", "gitlab", "pre-commit", "gradescope", "nbgrader"])
def test_every_command_of_kit_in_a_template_exists(name: str) -> None:
    calls = list(calls_of_kit(shell_of(name)))
    assert calls
    for words in calls:
        assert_understood(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_kit_in_a_guide_exists(page: Path) -> None:
    blocks = re.findall(r"^```\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    for words in calls_of_kit("\n".join(blocks)):
        assert_understood(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_of_a_guide_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert links
    assert not [x for x in links if "://" not in x and not (page.parent / x).exists()]


def test_every_template_has_a_guide_that_links_to_it() -> None:
    for folder in TEMPLATES.iterdir():
        guide = (GUIDES / f"{folder.name}.md").read_text(encoding="utf-8")
        for template in folder.iterdir():
            assert f"(templates/{folder.name}/{template.name})" in guide


def test_the_page_of_formats_names_every_format_and_its_files() -> None:
    page = (PROJECT / "docs" / "formats.md").read_text(encoding="utf-8").partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \*? ?\| (.+?) \|", page, re.M))
    assert tuple(rows) == FORMATS
    for name, files in rows.items():
        assert {file.rstrip("/") for file in re.findall("`(.+?)`", files)} == names_of([name])


def test_github_reports_also_where_the_grading_failed() -> None:
    steps = {step.get("name"): step for step in steps_of_github()}
    assert steps["Report"]["if"] == "always()"
    shown = re.findall(r"cat (\S+)", steps["Report"]["run"])
    assert set(shown) == names_of(["github"])
    assert 'cat github.summary.md >> "$GITHUB_STEP_SUMMARY"' in steps["Report"]["run"]


@pytest.mark.sandbox
def test_githubs_steps_grade_a_students_repository(tmp_path: Path, home: Path) -> None:
    course = make_course(tmp_path / "course")
    hand_in(tmp_path / "work", "exercises", RIGHT)
    (tmp_path / "work" / "README.md").touch()
    words = {
        "KIT_HOME": home, "GITHUB_ACTOR": "ada-l",
        "RUNNER_TEMP": tmp_path / "temp", "GITHUB_STEP_SUMMARY": tmp_path / "summary.md",
    }  # fmt: skip
    (tmp_path / "temp").mkdir()
    scripts = {step["name"]: step["run"] for step in steps_of_github() if "run" in step}
    out = ""
    for name in ("Grade", "Report"):
        done = in_a_shell(scripts[name], course.parent, tmp_path / "bin", words)
        assert done.returncode == 0, done.stderr
        out += done.stdout
    assert '::notice title=Autograding report::{"totalPoints":4,"maxPoints":4}\n' in out
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("# ada-l: 4 of 4 points\n")


@pytest.mark.sandbox
def test_gitlabs_script_grades_a_students_project(tmp_path: Path, home: Path) -> None:
    make_course(tmp_path / "course")
    hand_in(tmp_path, "exercises", WRONG)
    script = loaded("gitlab", "gitlab-ci.yml")["grade"]["script"]
    installs = ("apt-get -q ", "git clone ", "python -m pip install ")
    ours = [line for line in script if not line.startswith(installs)]
    assert len(ours) == len(script) - 4
    words = {"KIT_HOME": home, "GITLAB_USER_LOGIN": "ada-l"}
    done = in_a_shell("\n".join(ours), tmp_path, tmp_path / "bin", words)
    assert done.returncode == 0, done.stderr  # a pipeline fails for the kit, and not for an answer
    kept = loaded("gitlab", "gitlab-ci.yml")["grade"]["artifacts"]
    assert (tmp_path / kept["reports"]["junit"]).is_file()
    (pages,) = kept["paths"]
    assert [page.name for page in (tmp_path / pages).glob("*.html")] == ["ada-l.html"]


@pytest.mark.sandbox
@pytest.mark.parametrize(("answer", "code"), [(RIGHT, 0), (WRONG, 1)])
def test_pre_commit_lets_pass_what_passes(
    tmp_path: Path, home: Path, answer: str, code: int
) -> None:
    course = make_course(tmp_path / "course")
    answer_own(course, answer)
    config = TEMPLATES / "pre-commit" / "pre-commit-config.yaml"
    shutil.copy(config, course / ".pre-commit-config.yaml")
    run = "git init -q && git add -A && pre-commit run --hook-stage pre-push --all-files"
    words = {"KIT_HOME": home, "PRE_COMMIT_HOME": tmp_path / "cache"}
    done = in_a_shell(run, course, tmp_path / "bin", words)
    assert done.returncode == code, done.stdout + done.stderr
    assert "kit check" in done.stdout
    assert ("The greeting is not in the table." in done.stdout) == bool(code)


def in_a_shell(
    script: str, folder: Path, bin_: Path, words: dict[str, Any]
) -> subprocess.CompletedProcess[str]:
    """Run a script as a runner does, with this kit on the path."""
    bin_.mkdir(exist_ok=True)
    (bin_ / "kit").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kit "$@"\n')
    (bin_ / "kit").chmod(0o755)
    path = f"{bin_}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-e", "-c", script],
        env=os.environ | {"PATH": path} | {key: str(value) for key, value in words.items()},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_no_template_pastes_what_others_may_choose_into_a_shell() -> None:
    assert "${{" not in shell_of("github")
    actions = [step["uses"] for step in steps_of_github() if "uses" in step]
    assert actions
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", action) for action in actions)
    for step in steps_of_github():
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False
    assert loaded("github", "classroom.yml")["permissions"] == {"contents": "read"}


def test_gitlab_keeps_reports_that_kit_writes() -> None:
    kept = loaded("gitlab", "gitlab-ci.yml")["grade"]["artifacts"]
    assert kept["when"] == "always"
    files = {Path(p).name for p in (*kept["paths"], kept["reports"]["junit"])}
    assert files <= names_of(["junit", "html"])


def test_pre_commit_takes_answers_and_nothing_else() -> None:
    (repo,) = loaded("pre-commit", "pre-commit-config.yaml")["repos"]
    pattern = re.compile(repo["hooks"][0]["files"])
    assert pattern.search("exercises/04_repository/repository.py")
    assert pattern.search("exercises/06_sql/answer.sql")
    assert not pattern.search("exercises/04_repository/README.md")
    assert not pattern.search("src/exercises/04_repository/repository.py")


@pytest.mark.parametrize("script", [*SCRIPTS, COLLECTED], ids=lambda script: script.name)
def test_scripts_are_executable_bash(script: Path) -> None:
    assert script.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
    assert os.access(script, os.X_OK)
    bash = shutil.which("bash") or "bash"
    done = subprocess.run([bash, "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def collected(tmp_path: Path, home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """nbgrader's course folder after collecting, and the script run in it."""
    make_course(tmp_path / "course")
    for student, source in (("ada", RIGHT), ("bob", WRONG)):
        folder = tmp_path / "nb" / "submitted" / student / "week3"
        folder.mkdir(parents=True)
        (folder / "timestamp.txt").write_text("2026-01-31 12:00:00.000000 UTC")
        cells = [{"cell_type": "code", "source": f"%%exercise 01\n{source}"}]
        (folder / "week3.ipynb").write_text(json.dumps({"cells": cells}))
    (tmp_path / "nb" / "submitted" / "cleo" / "week2").mkdir(parents=True)
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "kit").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kit "$@"\n')
    (bin_ / "kit").chmod(0o755)

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        given = {"KIT_COURSE": str(tmp_path / "course"), "KIT_HOME": str(home), **more}
        return subprocess.run(
            [COLLECTED, *words],
            env=os.environ | {"PATH": f"{bin_}:{os.environ['PATH']}"} | given,
            cwd=tmp_path / "nb",
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run


@pytest.mark.sandbox
def test_what_nbgrader_collected_is_graded_and_told_in_its_columns(
    collected: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "nb" / "class.csv").write_text("id,name\nada,Ada L\nbob,=Bob\ncleo,Cleo\n")
    options = ("--database", "embedded", "--jobs", "1", "--roster", "class.csv")
    done = collected("week3", *options)
    assert done.returncode == 0, done.stderr
    reports = tmp_path / "nb" / "reports" / "week3"
    with (reports / "nbgrader.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    # As nbgrader 0.9 writes them: nbgrader/plugins/export.py.
    assert list(rows[0]) == [
        *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
        *("raw_score", "late_submission_penalty", "score", "max_score"),
    ]
    told = [(r["assignment"], r["student_id"], r["score"], r["max_score"]) for r in rows]
    assert told == [
        ("week3", "ada", "4", "4"),
        ("week3", "bob", "1", "4"),
        ("week3", "cleo", "0", "4"),
    ]
    assert {path.name for path in (tmp_path / "nb").iterdir()} == {
        "submitted",
        "reports",
        "class.csv",
    }


def test_nbgraders_script_says_what_it_lacks(
    collected: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    for words, more, told in (
        ((), {}, "Which assignment?"),
        (("week3",), {"KIT_COURSE": str(tmp_path / "nowhere")}, "Set KIT_COURSE"),
        (("week9",), {}, "run nbgrader collect week9 first"),
        (("week3", "--exercise", "99"), {}, "99"),
    ):
        done = collected(*words, **more)
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "nb" / "reports" / "week3" / "nbgrader.csv").exists()


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with folder_for_servers() as folder:
        yield folder


@pytest.fixture
def autograder(tmp_path: Path) -> Path:
    """The folder /autograder as Gradescope lays it out, with a small course."""
    make_course(tmp_path / "source" / "course")
    (tmp_path / "submission").mkdir()
    return tmp_path


@pytest.fixture
def run(autograder: Path, home: Path) -> Run:
    """Runs the script as Gradescope does."""

    def run() -> subprocess.CompletedProcess[str]:
        kit = autograder / "kit"
        kit.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kit "$@"\n')
        kit.chmod(0o755)
        words = {"AUTOGRADER": autograder, "KIT_PROGRAM": kit, "KIT_HOME": home}
        return subprocess.run(
            [SCRIPTS[1]],
            env=os.environ | {key: str(value) for key, value in words.items()},
            cwd=autograder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("place", "answer", "score"),
    [
        ("greetings.py", RIGHT, 4),
        (f"{EXERCISE}/greetings.py", WRONG, 1),
    ],
)
def test_gradescope_gets_a_score_for_a_file_and_for_a_folder(
    autograder: Path, run: Run, place: str, answer: str, score: float
) -> None:
    path = autograder / "submission" / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(answer)
    done = run()
    assert done.returncode == 0, done.stderr
    results = json.loads((autograder / "results" / "results.json").read_text(encoding="utf-8"))
    jsonschema.validate(results, GRADESCOPE)
    assert (results["score"], len(results["tests"])) == (score, 3)


@pytest.mark.sandbox
def test_gradescope_gets_no_score_where_the_kit_is_at_fault(autograder: Path, run: Run) -> None:
    (autograder / "submission" / "greetings.py").write_text(RIGHT)
    hidden = autograder / "source" / "course" / "solutions" / EXERCISE / "test_hidden.py"
    hidden.write_text(hidden.read_text().replace("(student, db):\n", "(student, db):\n    1 / 0\n"))
    assert run().returncode == 0
    results = json.loads((autograder / "results" / "results.json").read_text(encoding="utf-8"))
    assert "score" not in results
    assert not [test for test in results["tests"] if "score" in test]


@pytest.mark.sandbox
def test_gradescope_tells_a_student_who_uploaded_something_else(autograder: Path, run: Run) -> None:
    (autograder / "submission" / "notes.py").write_text("1")
    (autograder / "submission" / "more.py").write_text("2")
    assert run().returncode == 0
    results = json.loads((autograder / "results" / "results.json").read_text(encoding="utf-8"))
    assert results["score"] == 0
    assert "under the very name" in results["output"]


def test_gradescope_gets_nothing_where_the_course_is_not_there(autograder: Path, run: Run) -> None:
    shutil.rmtree(autograder / "source" / "course" / "exercises")
    (autograder / "submission" / "greetings.py").write_text(RIGHT)
    done = run()
    assert done.returncode == 2
    assert "is not a course" in done.stderr
    assert not (autograder / "results" / "results.json").exists()
