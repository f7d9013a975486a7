"""``kit grade``: a class, graded for real, and all that can be wrong with the command line."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.conftest import PROJECT, Ended, Kit
from tests.kit.tiny_course import EXERCISE, RIGHT, WRONG, hand_in, make_course

Inside = Callable[..., Ended]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    course = make_course(tmp_path / "tiny")
    monkeypatch.chdir(course)
    return course


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    folder = tmp_path / "class"
    hand_in(folder, "ana", RIGHT)
    hand_in(folder, "ben", WRONG)
    return folder


@pytest.fixture
def grade(inside: Inside, learners_home: Path) -> Inside:
    """Runs ``kit grade`` inside this process, on a throw-away embedded server."""

    def run(*words: object, **environment: str) -> Ended:
        options = ("--database", "embedded", "--jobs", "1", "--seed", "1")
        return inside(
            "grade", *map(str, words), *options, KIT_HOME=str(learners_home), **environment
        )

    return run


@pytest.mark.sandbox
def test_a_class_is_graded_into_a_table_and_a_folder_of_reports(
    grade: Inside, tiny: Path, submissions: Path, tmp_path: Path
) -> None:
    (submissions / "ben" / EXERCISE / "greetings.py").write_bytes(b'"""\xff\xfe"""\n')
    out = tmp_path / "out"
    ended = grade(submissions, "--out", out, "--timings")
    assert ended.code == 0
    assert "ana" in ended.out
    assert f"Report: {out / 'report.html'}" in ended.out
    assert "Where the time went" in ended.err
    assert {"results.json", "gradebook.csv", "junit.xml", "report.html"} <= {
        entry.name for entry in out.iterdir()
    }
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    ana, ben = results["submissions"]
    assert (ana["student"], ana["earned"]) == ("ana", 4)
    assert (ben["student"], ben["earned"]) == ("ben", 0)
    assert "not UTF-8" in json.dumps(ben)
    assert not [entry for entry in out.iterdir() if entry.name.startswith(".")]


@pytest.mark.sandbox
def test_a_zero_of_what_did_not_run_says_why_where_it_stands(
    grade: Inside, tiny: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "class"
    why = {
        "bracket": ("def greet(session, words:\n    pass\n", "not valid Python"),
        "latin": (b"# \xdc\ndef greet(session, words):\n    pass\n", "not UTF-8"),
        "module": ("import nosuchmodule\n", "does not run"),
        "noname": ("def greeting(session, words):\n    pass\n", "something missing"),
        "starter": ("def greet(session, words):\n    raise NotImplementedError\n", "only errors"),
        "wrong": (WRONG, ""),
    }
    for student, (answer, _) in why.items():
        hand_in(folder, student, answer)
    (folder / "other" / EXERCISE).mkdir(parents=True)
    (folder / "other" / EXERCISE / "hello.py").write_text(RIGHT, encoding="utf-8")
    why["other"] = (RIGHT, "file missing")
    ended = grade(folder, "--out", tmp_path / "out", COLUMNS="120")
    rows = {line.split()[0]: line for line in ended.out.splitlines() if line.strip()}
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for student, (_, word) in why.items():
        if word:
            assert rows[student].rstrip().endswith(word), rows[student]
            assert f'<span class="f">{word}</span>' in page
    assert not any(word and word in rows["wrong"] for _, word in why.values())
    assert not [line for line in ended.out.splitlines() if line.endswith(" ")]


@pytest.mark.sandbox
def test_json_is_one_document_and_the_only_thing_on_standard_output(
    grade: Inside, tiny: Path, submissions: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ended = grade(submissions / "ana", "--out", out, "--json", "--exercise", "greetings")
    assert ended.code == 0
    printed = json.loads(ended.out)
    stored = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert printed == stored
    assert printed["evidence"]["seed"] == 1


@pytest.mark.sandbox
def test_a_broken_check_is_exit_code_3_and_says_whose_points_are_open_and_what_to_mend(
    grade: Inside, tiny: Path, submissions: Path, tmp_path: Path
) -> None:
    hidden = tiny / "solutions" / EXERCISE / "test_hidden.py"
    signature = "(student, db):\n"
    broken = hidden.read_text(encoding="utf-8").replace(signature, f"{signature}    1 / 0\n")
    hidden.write_text(broken, encoding="utf-8")
    ended = grade(submissions, "--out", tmp_path / "out")
    assert ended.code == 3
    assert "2 of 2 submissions could not be judged completely" in ended.err
    where = f"{EXERCISE}, test_two_greetings_are_two_rows: test_hidden.py, line 6: ZeroDivision"
    assert f"\nMend the check that broke: {where}" in ended.err
    assert ended.err.endswith("with --resume, which grades only those again.\n")
    assert "doctor" not in ended.err
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.sandbox
def test_grading_again_replaces_the_earlier_reports(
    grade: Inside, tiny: Path, submissions: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert grade(submissions, "--out", out).code == 0
    assert (out / "students" / "ben.html").is_file()
    assert grade(submissions / "ana", "--out", out).code == 0
    assert [page.name for page in (out / "students").iterdir()] == ["ana.html"]


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_format_that_was_asked_for_comes_with_the_usual_ones_and_goes_when_it_is_not(
    grade: Inside, tiny: Path, submissions: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ("--format", "gradescope", "--format", "github")
    assert grade(submissions / "ana", "--out", out, *words).code == 0
    scored = json.loads((out / "results.gradescope.json").read_text(encoding="utf-8"))
    assert (scored["score"], len(scored["tests"])) == (4, 3)
    assert (out / "github.summary.md").is_file()
    assert (out / "report.html").is_file()
    (out / "signature.json").write_text("{}", encoding="utf-8")
    again = grade(submissions / "ana", "--out", out)
    assert again.code == 0
    told = " ".join(again.err.split())
    names = "github.commands.txt, github.summary.md, results.gradescope.json, signature.json"
    assert f"Removed from {out}: {names}. They were of the grading before." in told
    assert f"kit report {out} --format gradescope --format github" in told
    kinds = {entry.name for entry in out.iterdir()}
    assert kinds == {"results.json", "gradebook.csv", "junit.xml", "report.html", "students"}


def test_a_worksheet_is_refused_before_the_grading_and_the_message_says_when(
    inside: Inside, tiny: Path, submissions: Path, tmp_path: Path
) -> None:
    ended = inside("grade", str(submissions), "--out", str(tmp_path / "out"), "--format", "moodle")
    assert ended.code == 2
    assert "kit report DIR --format moodle --worksheet FILE" in ended.err
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_of_submissions_says_so_before_anything_starts(
    inside: Inside, tiny: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    ended = inside("grade", str(tmp_path / "empty"), "--out", str(tmp_path / "out"))
    assert ended.code == 2
    assert ended.err == f"Error: {tmp_path / 'empty'} is empty: there is nothing to grade.\n"
    assert not (tmp_path / "out").exists()


def test_a_folder_without_submissions_says_what_should_be_in_it(
    grade: Inside, tiny: Path, tmp_path: Path
) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "notes.txt").touch()
    ended = grade(tmp_path / "odd", "--out", tmp_path / "out")
    assert ended.code == 2
    assert "one folder per student" in ended.err
    assert not (tmp_path / "out").exists()


def test_a_path_that_is_not_there_is_wrong_usage(
    inside: Inside, tiny: Path, tmp_path: Path
) -> None:
    ended = inside("grade", "nowhere", "--out", str(tmp_path / "out"))
    assert ended.code == 2
    assert "'nowhere' does not exist" in ended.err


def test_an_unknown_exercise_brings_up_the_nearest(
    grade: Inside, tiny: Path, submissions: Path, tmp_path: Path
) -> None:
    ended = grade(submissions, "--out", tmp_path / "out", "--exercise", "greeting")
    assert ended.code == 2
    assert f"Did you mean {EXERCISE}?" in ended.err


def test_reports_among_the_submissions_are_refused(
    inside: Inside, tiny: Path, submissions: Path
) -> None:
    ended = inside("grade", str(submissions), "--out", str(submissions / "out"))
    assert ended.code == 2
    assert "each folder is a student's" in ended.err
    assert not (submissions / "out").exists()


def test_reports_over_things_of_ones_own_are_refused(
    inside: Inside, tiny: Path, submissions: Path
) -> None:
    ended = inside("grade", str(submissions), "--out", str(tiny))
    assert ended.code == 2
    assert "not a grading" in ended.err


def test_a_file_in_place_of_the_report_folder_is_refused(
    inside: Inside, tiny: Path, submissions: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("precious", encoding="utf-8")
    ended = inside("grade", str(submissions), "--out", str(tmp_path / "out"))
    assert ended.code == 2
    assert "is a file" in ended.err
    assert (tmp_path / "out").read_text(encoding="utf-8") == "precious"


@pytest.mark.sandbox
def test_a_folder_on_a_read_only_disk_is_refused_before_anything_starts(
    kit: Kit, tiny: Path, submissions: Path, tmp_path: Path, kit_home: Path
) -> None:
    (tmp_path / "out").mkdir()
    read_only = ["bwrap", "--dev-bind", "/", "/", "--ro-bind", str(tmp_path / "out"),
                 str(tmp_path / "out")]  # fmt: skip
    words = kit.command("grade", str(submissions), "--out", str(tmp_path / "out"))
    ended = kit.run([*read_only, *words], cwd=tiny)
    assert ended.code == 2
    assert "Read-only file system" in ended.err
    assert "--out" in ended.err
    assert not kit_home.exists()


def test_a_folder_that_belongs_to_somebody_else_is_refused_before_anything_starts(
    kit: Kit, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can run a command as somebody else")
    python = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip("this Python is not installed where other users may run it")
    place = Path("/tmp") / f"kit-tests-{os.getpid()}"
    try:
        course = make_course(place)
        hand_in(place / "class", "ana", RIGHT)
        (place / "out").mkdir(mode=0o755)
        words = ["-m", "kit", "grade", str(place / "class"), "--out", str(place / "out")]
        paths = [str(PROJECT / "src"), *(p for p in sys.path if p.endswith("site-packages"))]
        ended = kit.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", python, *words],
            cwd=course,
            PYTHONPATH=os.pathsep.join(paths),
            KIT_HOME=str(place / "home"),
        )
    finally:
        shutil.rmtree(place)
    assert "Permission denied" in ended.err
    assert ended.code == 2
    assert "Traceback" not in ended.err


def test_without_a_course_the_message_says_how_to_name_one(
    inside: Inside, tmp_path: Path, submissions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = inside("grade", str(submissions), "--out", str(tmp_path / "out"))
    assert ended.code == 2
    assert "--course or KIT_COURSE" in ended.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--jobs", "0"], "'--jobs'"),
        (["--seed", "-1"], "'--seed'"),
        (["--sandbox", "none"], "'--sandbox'"),
        (["--database", "oracle"], "'--database'"),
        (["--frmat", "x"], "No such option"),
    ],
)
def test_wrong_options_are_wrong_usage_and_point_to_the_help(
    inside: Inside, submissions: Path, tmp_path: Path, options: list[str], says: str
) -> None:
    ended = inside("grade", str(submissions), "--out", str(tmp_path / "out"), *options)
    assert ended.code == 2
    assert says in ended.err
    assert "kit grade --help" in ended.err


def test_without_out_nothing_is_graded(inside: Inside, submissions: Path) -> None:
    ended = inside("grade", str(submissions))
    assert ended.code == 2
    assert "Missing option '--out'" in ended.err


@pytest.mark.sandbox
def test_a_mere_process_is_a_sandbox_for_others_only_by_name(
    kit: Kit, tiny: Path, submissions: Path, tmp_path: Path, learners_home: Path
) -> None:
    program = shutil.which("bwrap") or ""
    hidden = [
        program,
        "--dev-bind",
        "/",
        "/",
        "--ro-bind",
        "/dev/null",
        str(Path(program).resolve()),
    ]
    words = kit.command("grade", str(submissions), "--out", str(tmp_path / "out"), "--jobs", "1")
    words += ["--database", "embedded"]
    alone = {"KIT_HOME": str(learners_home), "DOCKER_HOST": "unix:///nonexistent.sock"}
    refused = kit.run([*hidden, *words], cwd=tiny, **alone)
    assert refused.code == 3
    assert "--sandbox process" in refused.err
    assert not (tmp_path / "out").exists()
    graded = kit.run([*hidden, *words, "--sandbox", "process"], cwd=tiny, **alone)
    assert graded.code == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert results["evidence"]["sandbox"] == "process"


@pytest.mark.sandbox
def test_a_roster_makes_scores_of_submissions(
    grade: Inside, tiny: Path, submissions: Path, tmp_path: Path
) -> None:
    with (tiny / "course.toml").open("a", encoding="utf-8") as file:
        file.write(
            'title = "T"\n[assignment.week1]\ndue = 2026-11-20T12:00:00Z\n'
            "[assignment.week1.late]\npercent_per_day = 50\n"
        )
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "id,folder,name,submitted_at\nu1,ana,Ana,2026-11-20T13:00:00Z\nu3,zoe,Zoe,\n",
        encoding="utf-8",
    )
    ended = grade(
        submissions, "--assignment", "week1", "--roster", roster, "--out", tmp_path / "out"
    )
    assert ended.code == 0
    for line in ("Handed in nothing: Zoe.", "Late: Ana.", "Not in the roster: ben."):
        assert line in ended.out
    scores = (tmp_path / "out" / "scores.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[8] for line in scores] == ["score", "2", "0"]


@pytest.fixture
def refused(grade: Inside, tiny: Path, submissions: Path, tmp_path: Path) -> Callable[..., str]:
    """What is said of options that are wrong usage; nothing is made then."""

    def refused(*options: str) -> str:
        ended = grade(submissions, *options, "--out", tmp_path / "out")
        assert ended.code == 2
        assert not (tmp_path / "out").exists()
        return ended.err

    return refused


def test_an_assignment_or_a_roster_that_cannot_be_used_is_wrong_usage(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("name\nana\n", encoding="utf-8")
    assert "There is no assignment 'week9'" in refused("--assignment", "week9")
    assert "line 1: it has no column called id" in refused("--roster", str(roster))
    assert "nowhere.csv" in refused("--roster", "nowhere.csv")
