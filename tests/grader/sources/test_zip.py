"""Whatever bytes a zip archive holds, it is read or refused, and no name in it leads out of it."""

from __future__ import annotations

import contextlib
import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from grader.catalog import Exercise, load_course
from grader.sources import Archive, Refused
from grader.sources import archive as archives
from grader.sources.base import MAX_FILE_BYTES
from tests.grader.courses import EXERCISE, make_course

Put = Callable[[bytes], Archive]
ANSWER = b"def add_note(session, body): ...\n" * 20


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Exercise:
    return load_course(make_course(tmp_path_factory.mktemp("course"))).exercises[EXERCISE]


@pytest.fixture(scope="module")
def put(tmp_path_factory: pytest.TempPathFactory) -> Put:
    path = tmp_path_factory.mktemp("zips") / "ada.zip"

    def put(content: bytes) -> Archive:
        path.write_bytes(content)
        return Archive(path)

    return put


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], compression: int = 8) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for member, content in members:
            info = member if isinstance(member, zipfile.ZipInfo) else zipfile.ZipInfo()
            if isinstance(member, str):  # as it is, also where no program would write it
                info.filename = info.orig_filename = member
            info.compress_type = compression
            archive.writestr(info, content)
    return stream.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def read_all(archive: Archive, exercise: Exercise) -> dict[str, bytes]:
    """Every file that can be read; one that is refused is left out."""
    read: dict[str, bytes] = {}
    with contextlib.suppress(Refused):
        for name, content in (archive.files(exercise) or {}).items():
            with contextlib.suppress(Refused):
                read[name] = content()
    return read


METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
WHOLE = {
    compression: zipped(
        (f"{EXERCISE}/notes.py", ANSWER),
        (f"{EXERCISE}/more.sql", b"SELECT 1"),
        ("week.ipynb", b"{}"),
        (link(f"{EXERCISE}/link.py"), b"/etc/passwd"),
        compression=compression,
    )
    for compression in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
        zipfile.ZIP_BZIP2,
        zipfile.ZIP_LZMA,
    )
}


@pytest.mark.parametrize("compression", WHOLE)
def test_what_was_put_in_is_read(put: Put, notes: Exercise, compression: int) -> None:
    found = read_all(put(WHOLE[compression]), notes)
    assert found == {"notes.py": ANSWER, "more.sql": b"SELECT 1"}


@settings(max_examples=300, deadline=None)
@given(
    compression=st.sampled_from(sorted(WHOLE)),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=12),
    cut=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_a_damaged_archive_is_read_or_refused_and_never_anything_else(
    put: Put,
    notes: Exercise,
    compression: int,
    changes: list[tuple[float, int]],
    cut: float,
) -> None:
    content = bytearray(WHOLE[compression])
    for place, value in changes:
        content[int(place * (len(content) - 1))] = value
    with contextlib.suppress(Refused):
        found = read_all(put(bytes(content[: int(cut * len(content))])), notes)
        assert all(len(read) <= MAX_FILE_BYTES for read in found.values())


@settings(max_examples=200, deadline=None)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4),
    compression=st.sampled_from(sorted(WHOLE)),
)
def test_a_directory_that_lies_makes_no_file_longer_than_its_limit(
    put: Put, notes: Exercise, changes: list[tuple[float, int]], compression: int
) -> None:
    """The central directory alone is changed: sizes, offsets, names, flags, methods."""
    content = bytearray(WHOLE[compression])
    start = content.index(b"PK\x01\x02")
    for place, value in changes:
        content[start + int(place * (len(content) - 1 - start))] = value
    with contextlib.suppress(Refused):
        found = read_all(put(bytes(content)), notes)
        assert all(len(read) <= MAX_FILE_BYTES for read in found.values())


NAMES = st.lists(
    st.sampled_from(["..", ".", "", "/", "\\", "C:", EXERCISE, "notes.py", "a", "é", "…", "\r\n"]),
    min_size=1,
    max_size=5,
).map("/".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(names=st.lists(NAMES, min_size=1, max_size=6, unique=True))
@example(names=["", f"{EXERCISE}/notes.py"])
@example(names=[f"../../{EXERCISE}/notes.py"])
@example(names=[f"/{EXERCISE}/notes.py", f"{EXERCISE}\\notes.py"])
def test_every_name_that_comes_out_is_that_of_a_file_alone(
    put: Put, notes: Exercise, names: list[str]
) -> None:
    archive = put(zipped(*((name, b"x = %d" % n) for n, name in enumerate(names))))
    found = read_all(archive, notes)
    assert not [name for name in found if {"/", "\\", "\0"} & set(name) or name in ("", ".", "..")]
    assert all(Path(name).name == name for name in found)


def test_an_archive_of_very_many_files_is_refused(
    put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_ENTRIES", 10)
    with pytest.raises(Refused, match="holds more than 10 files"):
        put(zipped(*((f"x{n}", b"") for n in range(11))))
    assert put(zipped(*((f"x{n}", b"") for n in range(10))))


def test_notebooks_that_unpack_to_more_than_the_limit_are_not_unpacked(
    put: Put, notes: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 3 * 1024**2)
    blank = b'{"cells": []}' + b" " * 1024**2
    with pytest.raises(Refused, match="unpacks to more than 3 MB"):
        put(zipped(*((f"week{n}.ipynb", blank) for n in range(3))))
    # What is not read may be large: a dump beside the answer.
    two = put(zipped(("week.ipynb", blank), ("dump.bin", bytes(4 * 1024**2))))
    assert two.files(notes) is None
