"""Reports as files: all of them, whole or not at all, and a clear message where they cannot be."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.errors import GraderError, ReportError
from grader.reports import write_reports
from grader.reports.files import write_whole
from grader.results import Outcome

from .demo import check, demo_class, grading

GRADING = grading(check(Outcome.PASSED))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_usual_formats_are_written_and_told(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    written = write_reports(GRADING, out)
    names = {"results.json", "gradebook.csv", "junit.xml", "report.html", "students/ada.html"}
    assert files(out) == names
    assert {str(path.relative_to(out)) for path in written} == names


def test_only_the_formats_that_were_asked_for_are_written(tmp_path: Path) -> None:
    assert write_reports(GRADING, tmp_path, ["csv", "csv"]) == [tmp_path / "gradebook.csv"]
    assert files(tmp_path) == {"gradebook.csv"}


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"no report format 'pdf'.*json, csv, scores, .*xapi"):
        write_reports(GRADING, tmp_path, ["json", "pdf"])
    assert files(tmp_path) == set()


def test_writing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    class_ = demo_class(8)
    first = {p: p.read_bytes() for p in write_reports(class_, tmp_path)}
    second = {p: p.read_bytes() for p in write_reports(class_, tmp_path)}
    assert first == second
    assert len(first) == 4 + 8


def test_nothing_but_whole_files_is_left(tmp_path: Path) -> None:
    write_reports(GRADING, tmp_path)
    assert not [name for name in files(tmp_path) if "unfinished" in name]


def test_a_file_is_as_open_to_others_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        path = write_whole(tmp_path / "file", [b"x"])
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def _ends_with(error: BaseException) -> Iterator[bytes]:
    yield b"half of a file"
    raise error


@pytest.mark.parametrize(
    ("number", "cure"), [(errno.ENOSPC, "disk is full"), (errno.EDQUOT, "quota is used up")]
)
def test_on_a_full_disk_the_earlier_file_stands(tmp_path: Path, number: int, cure: str) -> None:
    path = write_whole(tmp_path / "file", [b"earlier"])
    with pytest.raises(ReportError, match=cure):
        write_whole(path, _ends_with(OSError(number, os.strerror(number))))
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == {path: b"earlier"}


def test_after_ctrl_c_the_earlier_file_stands(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "file", [b"earlier"])
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, _ends_with(KeyboardInterrupt()))
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == {path: b"earlier"}


def _write_with_too_little_room(out: Path, said: multiprocessing.SimpleQueue[str]) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        write_reports(demo_class(), out, ["json"])
    except ReportError as error:
        said.put(str(error))
    else:
        said.put("no error")


def test_a_file_that_grows_too_large_for_the_system_leaves_nothing_behind(tmp_path: Path) -> None:
    said: multiprocessing.SimpleQueue[str] = multiprocessing.get_context("fork").SimpleQueue()
    target = multiprocessing.get_context("fork").Process(
        target=_write_with_too_little_room, args=(tmp_path, said)
    )
    target.start()
    target.join()
    assert "results.json cannot be written: File too large" in said.get()
    assert files(tmp_path) == set()


def test_a_folder_where_writing_is_forbidden_is_named(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o555)
    owner = os.geteuid()
    # The superuser may write everywhere: be nobody for a moment.
    if owner == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(ReportError, match=r"results\.json cannot be written.*permissions"):
            write_reports(GRADING, out)
    finally:
        os.seteuid(owner)
    assert files(out) == set()


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ReportError, match="A file stands where a folder is needed"):
        write_reports(GRADING, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "gradebook.csv").mkdir()
    with pytest.raises(ReportError, match=r"gradebook\.csv cannot be written.*A folder stands"):
        write_reports(GRADING, tmp_path)
    assert files(tmp_path) == {"results.json"}


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    (tmp_path / "results.json").symlink_to(elsewhere)
    write_reports(GRADING, tmp_path, ["json"])
    assert elsewhere.read_text() == "mine"
    assert not (tmp_path / "results.json").is_symlink()


def test_a_report_error_is_an_error_of_the_grader() -> None:
    assert issubclass(ReportError, GraderError)
