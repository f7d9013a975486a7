"""A bundle is written wholly, or not at all."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from kit import bundle
from kit.errors import WrongUsage

FILES = {"README.md": b"# x\n", "exercises/01_x/x.py": b"pass\n"}


def test_a_folder_holds_the_files(tmp_path: Path) -> None:
    bundle.write(FILES, tmp_path / "out")
    for name, content in FILES.items():
        assert (tmp_path / "out" / name).read_bytes() == content
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_archive_holds_the_files_and_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    bundle.write(FILES, tmp_path / "week.zip")
    with zipfile.ZipFile(tmp_path / "week.zip") as archive:
        assert {n: archive.read(n) for n in archive.namelist()} == {
            f"week/{name}": content for name, content in FILES.items()
        }
    first = (tmp_path / "week.zip").read_bytes()
    (tmp_path / "week.zip").unlink()
    bundle.write(FILES, tmp_path / "week.zip")
    assert (tmp_path / "week.zip").read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == ["week.zip"]


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_what_cannot_be_written_wholly_leaves_nothing(tmp_path: Path, name: str) -> None:
    broken = {**FILES, "README.md/below/a/file": b""}
    if name.endswith(".zip"):
        broken = {**FILES, "x": None}
    with pytest.raises((WrongUsage, AttributeError)):
        bundle.write(broken, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="is there already"):
        bundle.refuse_taken(tmp_path)
    with pytest.raises(WrongUsage, match="is not a folder"):
        bundle.refuse_taken(tmp_path / "no" / "out")
    bundle.refuse_taken(tmp_path / "out")
