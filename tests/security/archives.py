"""Hostile archives, links and names (threats 11 and 12), which cannot lie in a repository as they
are.
"""

from __future__ import annotations

import gzip
import io
import itertools
import os
import string
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ANSWER = b"def add_note(session, body): return 1\ndef find_notes(session, word): return []\n"
FORGED = b"raise SystemExit('this was not for you')\n"
NOTES = "01_notes/notes.py"


@dataclass(frozen=True)
class Made:
    """A submission that is made for the test.

    Attributes:
        name: of what is tried.
        make: puts it into the folder of the class.
        shows: a part of the reason why its checks fail; None where its files are taken as they are
            and fail by themselves.
        student: what its student is called, where that is not the name.
        threat: the class of threats.
    """

    name: str
    make: Callable[[Path], None]
    shows: str | None
    student: str = ""
    threat: int = 12

    @property
    def called(self) -> str:
        """The student's name in the class."""
        return self.student or self.name


def _zip(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)


def _slips_out(folder: Path) -> None:
    """Beside its own answer, files for the neighbor, the root and the home."""
    # Of its own exercise too, so that a place has to be chosen.
    outside = (
        "../zora/" + NOTES,
        "../../aaron/" + NOTES,
        "/" + NOTES,
        "01_notes/../../mia/notes.py",
    )
    _zip(folder / "slips_out.zip", (NOTES, ANSWER), *((name, FORGED) for name in outside))


def _has_no_name(folder: Path) -> None:
    """A file of the archive that has no name at all, beside its answer."""
    nameless = zipfile.ZipInfo()
    nameless.filename = ""
    _zip(folder / "has_no_name.zip", (NOTES, ANSWER), (nameless, FORGED))


def _links_to_a_neighbor(folder: Path) -> None:
    link = zipfile.ZipInfo(NOTES)
    link.create_system, link.external_attr = 3, 0o120777 << 16
    _zip(folder / "links_to_a_neighbor.zip", (link, b"../../zora/01_notes/notes.py"))


def _is_a_bomb(folder: Path) -> None:
    _zip(folder / "is_a_bomb.zip", (NOTES, b"#" * 200_000_000))


def _many_names() -> Iterator[str]:
    """100,000 names, as short as they can be: such an archive must not be too large to be read."""
    letters = string.ascii_letters + string.digits
    return map("".join, itertools.islice(itertools.product(letters, repeat=3), 100_000))


def _holds_very_many_files(folder: Path) -> None:
    with zipfile.ZipFile(folder / "holds_very_many_files.zip", "w") as archive:
        for name in (*_many_names(), NOTES):
            archive.writestr(name, ANSWER if name == NOTES else b"")


def _holds_very_many_files_in_a_tar(folder: Path) -> None:
    """The same name 100,000 times, which is made at once and no less to read."""
    with gzip.open(folder / "holds_very_many_files_in_a_tar.tar.gz", "wb", 1) as archive:
        archive.write(tarfile.TarInfo(NOTES).tobuf() * 100_000)


def _holds_more_files_than_anybody_needs(folder: Path) -> None:
    place = folder / "holds_more_files_than_anybody_needs" / "01_notes"
    place.mkdir(parents=True)
    (place / "notes.py").write_bytes(ANSWER)
    for number in range(1000):
        (place / f"{number}.py").write_bytes(b"")


def _tar(path: Path, *members: tarfile.TarInfo) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(ANSWER) if member.isreg() else None)


def _is_a_device(folder: Path) -> None:
    device = tarfile.TarInfo(NOTES)
    device.type, device.devmajor, device.devminor = tarfile.CHRTYPE, 1, 5  # /dev/zero
    _tar(folder / "is_a_device.tar.gz", device)


def _links_hard(folder: Path) -> None:
    link = tarfile.TarInfo(NOTES)
    link.type, link.linkname = tarfile.LNKTYPE, "../zora/" + NOTES
    _tar(folder / "links_hard.tar.gz", link)


def _is_damaged(folder: Path) -> None:
    (folder / "is_damaged.zip").write_bytes(b"PK\x03\x04" + bytes(range(256)) * 20)


def _links_in_a_folder(folder: Path) -> None:
    place = folder / "links_in_a_folder" / "01_notes"
    place.mkdir(parents=True)
    (place / "notes.py").symlink_to(folder / "zora" / NOTES)


def _is_a_link_itself(folder: Path) -> None:
    place = folder / "is_a_link_itself"
    place.mkdir()
    (place / "01_notes").symlink_to(folder / "zora" / "01_notes", target_is_directory=True)


def _waits_in_a_pipe(folder: Path) -> None:
    place = folder / "waits_in_a_pipe" / "01_notes"
    place.mkdir(parents=True)
    os.mkfifo(place / "notes.py")


def _has_odd_names(folder: Path) -> None:
    place = folder / "has_odd_names" / "01_notes"
    place.mkdir(parents=True)
    (place / "notes.py").write_bytes(ANSWER)
    for name in (b"a\nb.py", b"\xff\xfe.py", b"\x1b[31m.py", b"=cmd.py", b"-rf.py", b"<b>.py"):
        (Path(os.fsdecode(os.path.join(os.fsencode(place), name)))).write_bytes(FORGED)


def _is_not_text(folder: Path) -> None:
    place = folder / "is_not_text" / "01_notes"
    place.mkdir(parents=True)
    (place / "notes.py").write_bytes("# coding: nonsense\nx = 1\n".encode("utf-16"))


def _is_called_so(name: str, folder: Path) -> None:
    """An answer like any other, of a student with an odd name."""
    place = folder / name / "01_notes"
    place.mkdir(parents=True)
    (place / "notes.py").write_bytes(ANSWER)


def _called(name: str, student: str, shown: str = "") -> Made:
    return Made(name, partial(_is_called_so, student), None, student=shown or student, threat=11)


MADE = (
    Made("slips_out", _slips_out, "is in the archive more than once"),
    Made("links_to_a_neighbor", _links_to_a_neighbor, "Links are not followed"),
    Made("is_a_bomb", _is_a_bomb, "is larger than 512 KB"),
    Made("holds_very_many_files", _holds_very_many_files, "holds more than 20000 files"),
    Made(
        "holds_very_many_files_in_a_tar",
        _holds_very_many_files_in_a_tar,
        "holds more than 20000 files",
    ),
    Made(
        "holds_more_files_than_anybody_needs",
        _holds_more_files_than_anybody_needs,
        "More than 64 files",
    ),
    Made("is_a_device", _is_a_device, "not an ordinary file"),
    Made("links_hard", _links_hard, "Links are not followed"),
    Made("is_damaged", _is_damaged, "not a zip archive that can be read"),
    Made("links_in_a_folder", _links_in_a_folder, "Links are not followed"),
    Made("is_a_link_itself", _is_a_link_itself, "Links are not followed"),
    Made("waits_in_a_pipe", _waits_in_a_pipe, "not an ordinary file"),
    Made("has_no_name", _has_no_name, None),
    Made("has_odd_names", _has_odd_names, None),
    Made("is_not_text", _is_not_text, "not UTF-8 text"),
    _called("is_called_like_a_formula", "=HYPERLINK(forged)"),
    _called("is_called_like_a_wide_formula", "\uff1dSUM(forged)"),
    _called("is_called_like_a_sum", "+1 forged"),
    _called("is_called_like_a_difference", "-1 forged"),
    _called("is_called_like_a_function", "@SUM(forged)"),
    _called("is_called_like_a_cell", "\t=forged", "\\t=forged"),
    _called("is_called_like_cells", "x,=forged;=forged\r=forged", "x,=forged;=forged\\r=forged"),
    _called("is_called_like_a_command", "::error::forged"),
    _called("is_called_like_markup", "<img src=x onerror=alert(1)>forged"),
    _called(
        "is_called_like_a_table", "| forged | **10** |\n# forged", "| forged | **10** |\\n# forged"
    ),
    _called("is_called_like_a_color", "\x1b[32mforged", "\\x1b[32mforged"),
)
THREATS = frozenset(made.threat for made in MADE)


def add_archives(folder: Path) -> None:
    """Put all of them into the folder of a class."""
    for each in MADE:
        each.make(folder)
