"""``kit results`` and ``kit grade --sign`` and ``--replay``, as an instructor types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import reports
from tests.grader.reports.demo import demo_class
from tests.kit.conftest import Ended
from tests.kit.tiny_course import EXERCISE, RIGHT, WRONG, hand_in, make_course

Inside = Callable[..., Ended]


@pytest.fixture
def results(inside: Inside) -> Inside:
    def run(*words: object) -> Ended:
        return inside("results", *map(str, words))

    return run


@pytest.fixture
def key(results: Inside, tmp_path: Path) -> Path:
    path = tmp_path / "grading.key"
    ended = results("key", path)
    assert ended.code == 0
    assert f"Private key: {path}. Keep it to yourself" in ended.out
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    reports.write_reports(demo_class(), folder)
    return folder


def test_what_was_signed_is_verified(results: Inside, key: Path, out: Path) -> None:
    ended = results("sign", out, "--key", key)
    assert (ended.code, ended.out) == (0, f"{out / 'signature.json'}\n")
    for one in (key, f"{key}.pub"):
        ended = results("verify", out, "--key", one)
        assert ended.code == 0
        assert ended.out.startswith("As it was signed: ")


def test_what_was_changed_is_exit_code_1_and_named(results: Inside, key: Path, out: Path) -> None:
    results("sign", out, "--key", key)
    (out / "gradebook.csv").write_text("student\n")
    (out / "canvas.csv").write_text("x")
    ended = results("verify", out, "--key", f"{key}.pub")
    assert (ended.code, ended.out) == (1, "gradebook.csv: changed\n")
    assert ended.err == "Note: added since, and not signed: canvas.csv.\n"
    ended = results("verify", out, "--key", f"{key}.pub", "--json")
    assert ended.code == 1
    assert json.loads(ended.out)["problems"] == ["gradebook.csv: changed"]


def test_another_key_is_exit_code_1(results: Inside, key: Path, out: Path, tmp_path: Path) -> None:
    results("sign", out, "--key", key)
    results("key", tmp_path / "other.key")
    ended = results("verify", out, "--key", tmp_path / "other.key.pub")
    assert ended.code == 1
    assert "It was signed with another key" in ended.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["verify", "OUT", "--key", "KEY.pub"], "is not signed"),
        (["verify", "OUT", "--key", "nowhere"], "There is no key nowhere"),
        (["verify", "OUT"], "Missing option '--key'"),
        (["sign", "OUT", "--key", "KEY.pub"], "is a public key"),
        (["sign", "EMPTY", "--key", "KEY"], "There is no results.json"),
        (["key", "KEY"], "is there already"),
        (["verify", "nowhere", "--key", "KEY"], "does not exist"),
    ],
)
def test_wrong_usage_is_exit_code_2(  # noqa: PLR0917 - fixtures
    results: Inside, key: Path, out: Path, tmp_path: Path, words: list[str], told: str
) -> None:
    (tmp_path / "empty").mkdir()
    names = {"OUT": out, "KEY": key, "KEY.pub": f"{key}.pub", "EMPTY": tmp_path / "empty"}
    ended = results(*(names.get(word, word) for word in words))
    assert ended.code == 2
    assert told in ended.err


@pytest.fixture
def grade(
    inside: Inside, learners_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Inside:
    """Runs ``kit grade`` on a small class, in ``out``."""
    monkeypatch.chdir(make_course(tmp_path / "tiny"))
    hand_in(tmp_path / "class", "ana", RIGHT)
    hand_in(tmp_path / "class", "ben", WRONG)

    def run(*words: object) -> Ended:
        options = ("--database", "embedded", "--jobs", "1")
        return inside("grade", *map(str, words), *options, KIT_HOME=str(learners_home))

    return run


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_grading_is_signed_replayed_and_no_longer_signed_when_it_is_another(
    grade: Inside, results: Inside, key: Path, tmp_path: Path
) -> None:
    submissions, out = tmp_path / "class", tmp_path / "out"
    assert grade(submissions, "--out", out, "--sign", key).code == 0
    assert results("verify", out, "--key", f"{key}.pub").code == 0

    ended = grade("--replay", out, submissions)
    assert ended.code == 0
    assert ended.out == "ana: 3 of 3 verdicts agree.\nben: 3 of 3 verdicts agree.\n"
    assert results("verify", out, "--key", f"{key}.pub").code == 0

    (submissions / "ben" / EXERCISE / "greetings.py").write_text(RIGHT, encoding="utf-8")
    ended = grade("--replay", out / "results.json", submissions / "ben")
    assert ended.code == 1
    assert "ben: 1 of 3 verdicts agree.\n" in ended.out
    assert "test_a_greeting_is_stored: failed (0 of 1) then, passed (1 of 1) now" in ended.out
    assert "Otherwise than it was then:\n    the files of the submission: " in ended.out
    ended = grade("--replay", out, submissions / "ben", "--json")
    assert json.loads(ended.out)[0]["student"] == "ben"

    assert grade(submissions, "--out", out).code == 0
    assert not (out / "signature.json").exists()


def test_a_key_that_cannot_sign_is_found_out_before_anything_is_graded(
    grade: Inside, tmp_path: Path
) -> None:
    ended = grade(tmp_path / "class", "--out", tmp_path / "out", "--sign", tmp_path / "no.key")
    assert ended.code == 2
    assert "Make a pair with: kit results key FILE" in ended.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--out", "x"], "--out does not go with --replay"),
        (["--seed", "7"], "--seed does not go with --replay"),
        (["--format", "github"], "--format does not go with --replay"),
        (["--resume"], "--resume does not go with --replay"),
        ([], "There is no results.json in"),
    ],
)
def test_what_cannot_be_replayed_is_wrong_usage(
    grade: Inside, tmp_path: Path, words: list[str], told: str
) -> None:
    ended = grade("--replay", tmp_path, tmp_path / "class", *words)
    assert ended.code == 2
    assert told in ended.err
    (tmp_path / "notes.txt").touch()
    ended = grade("--replay", tmp_path / "notes.txt", tmp_path / "class")
    assert ended.code == 2
    assert "holds no results" in ended.err
