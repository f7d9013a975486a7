"""Reading forward through files that grow and are rotated while they are read."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pglab.errors import StatementsLost, StatementsUnavailable
from pglab.serverlog import Position, bytes_between, find_line


class GrowingFiles:
    """A log of which a little more is there each time somebody looks.

    Args:
        steps: what happens, one after the other: bytes that are written, or None for a new file.
        paces: how many of them happen before each look; one when there are no more paces.
    """

    def __init__(self, steps: list[bytes | None], paces: list[int] | None = None) -> None:
        self.files: dict[str, bytes] = {"0000": b""}
        self._steps = iter(steps)
        self._paces = iter(paces or [])

    def _happen(self) -> None:
        for step in itertools.islice(self._steps, next(self._paces, 1)):
            if step is None:
                self.files[f"{len(self.files):04}"] = b""
            else:
                self.files[max(self.files)] += step

    def finish(self) -> None:
        self._paces = iter([10_000])
        self._happen()

    def end(self) -> Position:
        file = max(self.files)
        return Position(file, len(self.files[file]))

    def read(self, file: str, offset: int, length: int) -> bytes | None:
        self._happen()
        content = self.files.get(file)
        return None if content is None else content[offset : offset + length]

    def after(self, file: str) -> str | None:
        self._happen()
        return min((name for name in self.files if name > file), default=None)


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[bytes], int, list[bytes | None]]:
    """Lines, which of them is the marker, and how they come: in pieces, over several files."""
    lines = draw(st.lists(st.text("aé🐘\\", max_size=12).map(str.encode), min_size=1, max_size=12))
    place = draw(st.integers(0, len(lines)))
    lines = [*lines[:place], b"the marker of this moment", *lines[place:]]
    steps: list[bytes | None] = []
    for each in lines:
        whole = each + b"\n"
        cut = draw(st.integers(0, len(whole)))
        steps += [whole[:cut], *[b""] * draw(st.integers(0, 2)), whole[cut:]]
        if draw(st.booleans()):
            steps.append(None)
    return lines, place, steps


@given(logs(), st.lists(st.integers(0, 4), max_size=30))
def test_the_marker_is_found_however_the_log_grows(
    log: tuple[list[bytes], int, list[bytes | None]], paces: list[int]
) -> None:
    lines, place, steps = log
    files = GrowingFiles(steps, paces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pglab.serverlog.CHUNK", 7)
        found = find_line(files, b"marker of this", Position("0000", 0), patience_s=30)
        before = b"".join(bytes_between(files, Position("0000", 0), found))
        assert before.split(b"\n")[:-1] == lines[: place + 1]
        files.finish()
        after = b"".join(bytes_between(files, found, files.end()))
        assert after.split(b"\n")[:-1] == lines[place + 1 :]


def test_a_marker_that_never_comes_is_an_error() -> None:
    with pytest.raises(StatementsUnavailable, match="disk full"):
        find_line(GrowingFiles([b"something else\n"]), b"marker", Position("0000", 0), patience_s=0)


def test_a_file_that_is_gone_is_an_error() -> None:
    files = GrowingFiles([b"one\n", None, b"two\n"])
    files.finish()
    end = files.end()
    del files.files["0000"]
    with pytest.raises(StatementsLost):
        list(bytes_between(files, Position("0000", 0), end))
    with pytest.raises(StatementsLost):
        find_line(files, b"marker", Position("0000", 0), patience_s=0)


def test_a_file_that_became_shorter_is_an_error() -> None:
    files = GrowingFiles([b"one\n"])
    with pytest.raises(StatementsLost):
        list(bytes_between(files, Position("0000", 0), Position("0000", 100)))


def test_what_is_written_just_before_the_rotation_is_not_passed_over() -> None:
    # Nothing at the first look; at the second the line is there and the file is already closed.
    files = GrowingFiles([b"the marker\n", None, b"later\n"], paces=[0, 2])
    assert find_line(files, b"marker", Position("0000", 0), patience_s=1) == Position("0000", 11)
