"""What must not be in a file that is tracked."""

import re

import pytest

MARKED = re.compile(r"\b(TODO|FIXME|XXX)\b|^(<{7}|>{7}) ", re.MULTILINE)
# Home folders of the machine that a file was written on. /home/student is a sandbox's own.
HOMES = re.compile(r"(?<![\w.])/(root|work|Users/\w+|home/(?!student\b)\w+)/")
INDEX_SETTINGS = re.compile(r"(?<!no-emit)[-_](extra-)?index[-_]url\b.*//|trusted-host")
LARGEST = 2_000_000
BINARY = {".png", ".gif", ".ico", ".zip", ".woff2"}


@pytest.fixture(scope="module")
def texts(tracked_files, root):
    files = [path for path in tracked_files if path.suffix not in BINARY]
    # Samples are what students might hand in: an unreadable file is one of them.
    files = [path for path in files if root / "samples" not in path.parents]
    assert len(files) > 50
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_every_text_is_utf8_with_unix_line_ends_and_ends_with_a_newline(texts):
    for name, content in texts.items():
        content.decode("utf-8")
        assert b"\r\n" not in content, name
        assert not content or content.endswith(b"\n"), name


@pytest.mark.parametrize(
    "pattern", [MARKED, HOMES, INDEX_SETTINGS], ids=["unfinished", "home", "index"]
)
def test_no_text_holds(texts, pattern):
    here = "tests/architecture/test_tracked_files.py"
    found = {
        name: match.group()
        for name, content in texts.items()
        if name != here and (match := pattern.search(content.decode("utf-8")))
    }
    assert not found


def test_nothing_large_is_tracked(tracked_files):
    assert not [path for path in tracked_files if path.stat().st_size > LARGEST]
