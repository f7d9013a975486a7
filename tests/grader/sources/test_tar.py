"""A tar archive is read like a zip archive: bounded, once, and nothing of it reaches the disk."""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.catalog import Exercise, load_course
from grader.sources import Archive, Refused
from grader.sources import archive as archives
from tests.grader.courses import EXERCISE, make_course

ANSWER = b"def add_note(session, body): ...\n"


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Exercise:
    return load_course(make_course(tmp_path_factory.mktemp("course"))).exercises[EXERCISE]


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Archive]:
    def put(content: bytes, name: str = "ada.tar") -> Archive:
        (tmp_path / name).write_bytes(content)
        return Archive(tmp_path / name)

    return put


def tarred(*members: tuple[str, bytes] | tarfile.TarInfo, mode: str = "w") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return stream.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize("name", ["notes.py", f"{EXERCISE}/notes.py", f"a/b/{EXERCISE}/notes.py"])
def test_an_answer_is_found_whatever_the_compression(
    put: Callable[..., Archive], notes: Exercise, mode: str, name: str
) -> None:
    files = put(tarred(("._notes.py", b"x"), (name, ANSWER), mode=mode)).files(notes)
    assert files is not None
    assert {name: read() for name, read in files.items()} == {"notes.py": ANSWER}


def test_a_path_that_leads_out_leads_nowhere(
    put: Callable[..., Archive], notes: Exercise, tmp_path: Path
) -> None:
    assert put(tarred((f"../../{EXERCISE}/notes.py", ANSWER))).files(notes) is None
    assert {path.name for path in tmp_path.iterdir()} == {"ada.tar"}


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (tarfile.SYMTYPE, "notes.py is a link"),
        (tarfile.LNKTYPE, "notes.py is a link"),
        (tarfile.FIFOTYPE, "notes.py is not an ordinary file"),
        (tarfile.CHRTYPE, "notes.py is not an ordinary file"),
    ],
)
def test_what_is_no_file_is_refused_when_it_is_asked_for(
    put: Callable[..., Archive], notes: Exercise, kind: bytes, problem: str
) -> None:
    files = put(tarred(special("notes.py", kind, "/etc/passwd"))).files(notes)
    assert files is not None
    with pytest.raises(Refused, match=problem):
        files["notes.py"]()


def test_a_file_that_is_too_long_is_refused_when_it_is_asked_for(
    put: Callable[..., Archive], notes: Exercise
) -> None:
    files = put(tarred(("notes.py", b"#" * 600_000))).files(notes)
    assert files is not None
    with pytest.raises(Refused, match=r"notes\.py is larger than 512 KB"):
        files["notes.py"]()


def test_a_bomb_is_unpacked_no_further_than_the_limit(put: Callable[..., Archive]) -> None:
    bomb = gzip.compress(tarred(("x.bin", bytes(archives.MAX_UNPACKED_BYTES + 1))), 9)
    assert len(bomb) < 200_000
    with pytest.raises(Refused, match="unpacks to more than 32 MB"):
        put(bomb, "ada.tar.gz")


def test_a_sparse_file_that_says_it_is_huge_is_not_made(
    put: Callable[..., Archive], notes: Exercise
) -> None:
    info = tarfile.TarInfo("notes.py")
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,0",
        "GNU.sparse.size": str(1 << 40),
        "GNU.sparse.realsize": str(1 << 40),
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
    with pytest.raises(Refused):
        (put(stream.getvalue()).files(notes) or {})["notes.py"]()


def test_an_archive_of_very_many_files_is_refused(
    put: Callable[..., Archive], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_ENTRIES", 10)
    with pytest.raises(Refused, match="holds more than 10 files"):
        put(tarred(*((f"x{n}", b"") for n in range(11))))


@pytest.mark.parametrize(
    "content", [b"", b"no archive", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\0", b"\0" * 99]
)
def test_what_is_no_archive_is_refused(put: Callable[..., Archive], content: bytes) -> None:
    with pytest.raises(Refused, match="is not a tar archive that can be read"):
        put(content)


_WHOLE = tarred(
    (f"{EXERCISE}/notes.py", ANSWER), ("week.ipynb", b"{}"), special("l", tarfile.SYMTYPE, "x")
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(_WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=12
    ),
    cut=st.integers(0, len(_WHOLE)),
)
def test_a_damaged_archive_is_read_or_refused_and_never_anything_else(
    put: Callable[..., Archive], notes: Exercise, changes: list[tuple[int, int]], cut: int
) -> None:
    content = bytearray(_WHOLE)
    for place, value in changes:
        content[place] = value
    with contextlib.suppress(Refused):
        for read in (put(bytes(content[:cut])).files(notes) or {}).values():
            read()
