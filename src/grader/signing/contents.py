"""What a folder of reports holds, in hashes small enough to be signed and fine enough to tell what
was changed.

::

    {"files": {"gradebook.csv": "…", "students/ana.html": "…"},
     "heading": {"course": "…", "evidence": "…", …},
     "submissions": {"ana": {"": "…", "04_repository": "…"}}}

Of ``results.json`` it is not the bytes that are hashed but what they say, part by part, in
canonical form. So a file that was only laid out otherwise is still the same, and one that was
changed has changed in a place that can be named. An empty name stands for what a submission says
beside its exercises.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from grader.errors import ReportInputError
from grader.reports import names_of
from grader.reports.results_json import NAME as RESULTS

Contents = dict[str, Any]
_LARGEST_PART = 1 << 20


def contents_of(folder: Path) -> Contents:
    """What a folder holds.

    Raises:
        ReportInputError: its ``results.json`` is not there, or is none.
        OSError: a file cannot be read.
    """
    plain = _read(folder / RESULTS)
    submissions: dict[str, dict[str, str]] = {}
    try:
        for submission in plain.pop("submissions"):
            exercises = {e["exercise"]: _hash(e) for e in submission.pop("exercises")}
            submissions[submission["student"]] = {"": _hash(submission), **exercises}
    except (KeyError, TypeError, AttributeError) as error:
        raise ReportInputError(f"{folder / RESULTS} is damaged.") from error
    return {
        "files": {name: _hash_of_file(folder / name) for name in _files(folder)},
        "heading": {name: _hash(value) for name, value in plain.items()},
        "submissions": submissions,
    }


def changes(signed: Contents, found: Contents) -> list[str]:
    """What is otherwise than it was signed, each in a line; files that were added are not."""
    told = [f"{RESULTS}: {what}" for what in _changed(signed["heading"], found["heading"])]
    there: Mapping[str, Mapping[str, str]] = found["submissions"]
    for student, parts in signed["submissions"].items():
        if student not in there:
            told.append(f"{RESULTS}: {student}: missing")
        else:
            told += [f"{RESULTS}: {student}: {what}" for what in _changed(parts, there[student])]
    new = [student for student in there if student not in signed["submissions"]]
    told += [f"{RESULTS}: {student}: added" for student in new]
    kept = {name: value for name, value in found["files"].items() if name in signed["files"]}
    return told + _changed(signed["files"], kept)


def unsigned(signed: Contents, found: Contents) -> list[str]:
    """Names of reports that were added since."""
    return [name for name in found["files"] if name not in signed["files"]]


def canonical(value: Any) -> bytes:
    """One sequence of bytes for what a JSON value says: no blanks, names sorted, UTF-8, whole
    numbers without a fraction.
    """
    text = json.dumps(_whole(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", errors="surrogatepass")


def _changed(signed: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    told = []
    for name, value in signed.items():
        if name not in found:
            told.append(f"{name}: missing")
        elif found[name] != value:
            told.append(f"{name}: changed" if name else "changed")
    return told + [f"{name}: added" for name in found if name not in signed]


def _read(path: Path) -> dict[str, Any]:
    try:
        plain = json.loads(path.read_bytes(), object_pairs_hook=_once)
    except FileNotFoundError as error:
        raise ReportInputError(
            f"There is no {RESULTS} in {path.parent}. Name a folder that kit grade wrote."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ReportInputError(f"{path} is damaged: {error}.") from error
    if not isinstance(plain, dict):
        raise ReportInputError(f"{path} is damaged.")
    return plain


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which each name stands once: of two, programs differ on which one counts."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name!r} stands twice in one object")
        found[name] = value
    return found


def _files(folder: Path) -> list[str]:
    """The reports beside ``results.json``, whatever their format."""
    found = []
    for name in names_of() - {RESULTS}:
        path = folder / name
        inside = path.rglob("*") if path.is_dir() else [path]
        found += [p.relative_to(folder).as_posix() for p in inside if p.is_file()]
    return sorted(found)


def _hash(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def _hash_of_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_LARGEST_PART):
            digest.update(part)
    return digest.hexdigest()


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    return [_whole(inner) for inner in value] if isinstance(value, list) else value
