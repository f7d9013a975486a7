"""The folder for reports: checked before the work, replaced as a whole, never half-written."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from kit.errors import WrongUsage
from kit.report_folder import ReportFolder

GRADING = '{"format": 1, "submissions": []}'


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files}


def test_a_new_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    with ReportFolder(tmp_path / "a" / "b") as folder:
        folder.replace(lambda new: write(new, results_json=GRADING, students__ana_html="A"))
    assert contents(tmp_path / "a" / "b") == {"results.json": GRADING, "students/ana.html": "A"}


def test_an_earlier_grading_is_replaced_with_nothing_of_it_left(tmp_path: Path) -> None:
    write(tmp_path, results_json=GRADING, students__left_html="old")
    with ReportFolder(tmp_path) as folder:
        folder.replace(lambda new: write(new, results_json=GRADING, students__ana_html="A"))
    assert contents(tmp_path) == {"results.json": GRADING, "students/ana.html": "A"}


def test_what_a_teacher_put_beside_an_earlier_grading_stays(tmp_path: Path) -> None:
    write(tmp_path, results_json=GRADING, notes_txt="mine")
    with ReportFolder(tmp_path) as folder:
        folder.replace(lambda new: write(new, results_json=GRADING))
    assert contents(tmp_path)["notes.txt"] == "mine"


def test_what_belongs_to_a_grading_and_was_not_written_again_goes(tmp_path: Path) -> None:
    write(tmp_path, results_json=GRADING, canvas_csv="old", notes_txt="mine", gradescope__a_json="")
    names = {"results.json", "canvas.csv", "gradescope", "moodle.csv"}
    with ReportFolder(tmp_path) as folder:
        folder.replace(lambda new: write(new, results_json=GRADING), names)
    assert contents(tmp_path) == {"results.json": GRADING, "notes.txt": "mine"}
    assert not (tmp_path / "gradescope").exists()


def test_a_link_that_was_not_written_again_goes_and_its_target_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    out = tmp_path / "out"
    write(out.parent, mine__a_json="precious")
    out.mkdir()
    write(out, results_json=GRADING)
    (out / "gradescope").symlink_to(tmp_path / "mine")
    with ReportFolder(out) as folder:
        folder.replace(lambda new: write(new, results_json=GRADING), {"gradescope"})
    assert not (out / "gradescope").exists()
    assert contents(tmp_path / "mine") == {"a.json": "precious"}


def test_left_without_results_a_new_folder_is_gone_again(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), ReportFolder(tmp_path / "a" / "b"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_left_without_results_an_earlier_grading_is_whole(tmp_path: Path) -> None:
    write(tmp_path, results_json=GRADING, report_html="old")

    def fail(new: Path) -> None:
        write(new, results_json="{}")
        raise OSError

    with pytest.raises(OSError), ReportFolder(tmp_path) as folder:  # noqa: PT011
        folder.replace(fail)
    assert contents(tmp_path) == {"results.json": GRADING, "report.html": "old"}


def test_what_a_killed_grading_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".unfinished-xyz").mkdir()
    (tmp_path / ".unfinished-xyz" / "results.json").touch()
    with ReportFolder(tmp_path) as folder:
        folder.replace(lambda new: write(new, results_json=GRADING))
    assert contents(tmp_path) == {"results.json": GRADING}
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("results", [None, "not JSON", "[]", '{"format": 1}'])
def test_a_folder_with_other_things_in_it_is_refused_and_untouched(
    tmp_path: Path, results: str | None
) -> None:
    write(tmp_path, thesis_tex="years of work")
    if results is not None:
        write(tmp_path, results_json=results)
    before = contents(tmp_path)
    with pytest.raises(WrongUsage, match="not a grading"), ReportFolder(tmp_path):
        pass
    assert contents(tmp_path) == before


@pytest.mark.parametrize("inside", ["", "sub/folder"])
def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path, inside: str) -> None:
    (tmp_path / "out").write_text("precious", encoding="utf-8")
    with pytest.raises(WrongUsage, match="--out"), ReportFolder(tmp_path / "out" / inside):
        pass
    assert contents(tmp_path) == {"out": "precious"}


def test_ctrl_c_while_files_are_put_in_place_waits_until_they_all_are(tmp_path: Path) -> None:
    seen = []

    real = os.replace

    def replace(source: Path, target: Path) -> None:
        if not seen:
            signal.raise_signal(signal.SIGINT)
        seen.append(target.name)
        real(source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", replace)
        with pytest.raises(KeyboardInterrupt), ReportFolder(tmp_path) as folder:
            folder.replace(lambda new: write(new, results_json=GRADING, report_html="new"))
    assert sorted(contents(tmp_path)) == ["report.html", "results.json"]
    assert seen == ["results.json", "report.html"]
