"""Names of students as names of files that every file system takes, no two of them alike."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

_MAX_BYTES = 120
_UNSAFE = re.compile(r"[^\w .,()'@+-]+")
# Microsoft, "Naming Files, Paths, and Namespaces": devices, whatever extension follows.
_DEVICES = re.compile(
    r"(?:con|prn|aux|nul|conin|conout|(?:com|lpt)[0-9¹²³])(?:$|[ .])", re.IGNORECASE
)


def page_names(students: Iterable[str]) -> dict[str, str]:
    """A file name, without its extension, for every student.

    A name that is safe as it stands is kept. Every other gets a mark made from a hash of the true
    name, which no safe name can imitate, so a name never depends on who else is in the class;
    except where names differ in case only: then each that is not all lower case is marked.
    """
    names = list(students)
    safe = {name: _safe(name) for name in names}
    crowded = Counter(_folded(safe[name]) for name in set(names) if safe[name] == name)
    return {
        name: name
        if safe[name] == name and (crowded[_folded(name)] == 1 or name == _folded(name))
        else f"{safe[name]}~{hashlib.sha256(_bytes(name)).hexdigest()[:16]}"
        for name in names
    }


def _safe(name: str) -> str:
    # The tilde, which sets off the mark, is among the characters that are replaced.
    text = _UNSAFE.sub("-", unicodedata.normalize("NFC", name))
    text = _cut(text).strip(" .-") or "student"
    return f"_{text}" if _DEVICES.match(text) else text


def _cut(text: str) -> str:
    return text.encode("utf-8", errors="replace")[:_MAX_BYTES].decode("utf-8", errors="ignore")


def _folded(name: str) -> str:
    """Equal for names that a file system may take for the same."""
    return unicodedata.normalize("NFKC", name).casefold()


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", errors="surrogatepass")
