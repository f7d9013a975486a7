"""A grading read back: the same, or refused with the reason and the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import ReportInputError
from grader.reports import results_json, write_reports
from grader.reports.stored import read_results
from grader.results import Grading, Outcome, to_json

from .demo import UPDATE, check, demo_class, grading
from .strategies import gradings

ONE_FOLDER = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SMALL = to_json(grading(check(Outcome.FAILED, UPDATE)))


@given(graded=gradings())
@ONE_FOLDER
def test_writing_what_was_read_gives_the_same_bytes(graded: Grading, tmp_path: Path) -> None:
    (path,) = write_reports(graded, tmp_path, ["json"])
    before = path.read_bytes()
    assert b"".join(results_json.encoded(read_results(tmp_path))) == before


def test_a_class_is_read_back_as_it_was(tmp_path: Path) -> None:
    write_reports(demo_class(), tmp_path, ["json"])
    assert read_results(tmp_path) == demo_class()


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner: Any = value.items() if isinstance(value, dict) else []
    inner = enumerate(value) if isinstance(value, list) else inner
    return [path, *(found for key, one in inner for found in places(one, (*path, key)))]


def changed(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    if new is Ellipsis:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return copy


junk = st.sampled_from(
    [..., None, "", "x", -1, 1, True, 10**400, 1e300, float("nan"), float("inf"), [], [[]], {}]
)


@given(path=st.sampled_from(places(SMALL)), new=junk)
@settings(ONE_FOLDER, max_examples=300)
def test_what_is_damaged_is_refused_or_makes_every_report(
    path: tuple[str | int, ...], new: Any, tmp_path: Path
) -> None:
    data = changed(SMALL, path, new if path or new is not ... else None)
    (tmp_path / "results.json").write_text(json.dumps(data), encoding="utf-8")
    graded = read_or_told(tmp_path)
    if isinstance(graded, str):
        assert graded.startswith(str(tmp_path / "results.json"))
    else:
        formats = ("json", "csv", "scores", "junit", "html", "gradescope", "github", "xapi")
        assert write_reports(graded, tmp_path / "out", formats)


def read_or_told(folder: Path) -> Grading | str:
    try:
        return read_results(folder)
    except ReportInputError as error:
        return str(error)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe\xff", "is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "does not say its format"),
        (b'{"format": 2}', "of format 2; this kit reads 1"),
        (b'{"format": NaN}', "NaN is no number"),
        (json.dumps(SMALL).encode()[:-1], "is not JSON"),
    ],
)
def test_what_is_no_grading_is_refused_with_the_reason(
    content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(ReportInputError, match=said):
        read_results(tmp_path)


@pytest.mark.parametrize(
    ("path", "new", "said"),
    [
        (("course",), 7, "damaged: course is not of the kind str"),
        (("evidence", "seed"), "7", "evidence.seed is not a whole number"),
        (("submissions", 0, "exercises", 0, "checks", 0, "points"), -1, "not an amount from 0 up"),
        (("submissions", 0, "exercises", 0, "checks", 0, "visible"), 1, "not of the kind bool"),
        (
            ("timings",),
            {"by_student": {"ada": -1}},
            "damaged: a number of the timings is not an amount",
        ),
    ],
)
def test_damage_is_told_by_its_place(
    path: tuple[str | int, ...], new: Any, said: str, tmp_path: Path
) -> None:
    (tmp_path / "results.json").write_text(json.dumps(changed(SMALL, path, new)))
    with pytest.raises(ReportInputError, match=said):
        read_results(tmp_path)


def test_the_same_student_twice_is_damage(tmp_path: Path) -> None:
    twice = changed(SMALL, ("submissions",), SMALL["submissions"] * 2)
    (tmp_path / "results.json").write_text(json.dumps(twice))
    with pytest.raises(ReportInputError, match="student 'ada' is in it 2 times"):
        read_results(tmp_path)


def test_a_folder_without_results_says_which_folder_is_meant(tmp_path: Path) -> None:
    with pytest.raises(ReportInputError, match=r"no results\.json in .*kit grade wrote"):
        read_results(tmp_path)


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "results.json").mkdir()
    with pytest.raises(ReportInputError, match="cannot be read: Is a directory"):
        read_results(tmp_path)


def test_results_from_before_there_were_scores_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(changed(SMALL, ("scores",), ...)))
    assert read_results(tmp_path).scores is None
