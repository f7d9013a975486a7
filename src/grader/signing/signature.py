"""A signature over a folder of reports, as a file in it.

``signature.json`` holds what was signed (`grader.signing.contents`), the fingerprint of the key,
and the Ed25519 signature over the canonical bytes of the former.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from grader.errors import ReportInputError, SigningError
from grader.reports.files import write_whole
from grader.signing import SIGNATURE, contents
from grader.signing.contents import canonical, contents_of
from grader.signing.keys import fingerprint

_FORMAT = 1
_PURPOSE = b"kit grade: signed results 1\n"
"""Stands before what is signed: no signature that the key has given elsewhere fits here."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of verifying a folder."""

    key: str
    """Fingerprint of the key that signed, or claims to have."""
    submissions: int
    files: int
    """Reports that were signed, beside ``results.json``."""
    problems: tuple[str, ...]
    """What is not as it was signed; nothing where all is."""
    unsigned: tuple[str, ...] = ()
    """Reports that the signature says nothing about."""


def sign(folder: Path, key: Ed25519PrivateKey) -> Path:
    """Sign a folder of reports as it is now; an earlier signature in it is replaced.

    Returns:
        The file with the signature.

    Raises:
        ReportInputError: the folder holds no grading.
        ReportError: the file cannot be written.
    """
    signed = _contents(folder)
    document = {
        "format": _FORMAT,
        "key": fingerprint(key.public_key()),
        "signature": base64.b64encode(key.sign(_PURPOSE + canonical(signed))).decode(),
        "signed": signed,
    }
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    return write_whole(folder / SIGNATURE, [text.encode("ascii")])


def verify(folder: Path, key: Ed25519PublicKey) -> Verdict:
    """Find out whether a folder is as the holder of the key has signed it.

    Raises:
        SigningError: it is not signed at all, or the signature is of another version.
        ReportInputError: there is no grading in the folder.
    """
    document = _document(folder)
    signed, named = document["signed"], document["key"]
    counts = len(signed["submissions"]), len(signed["files"])
    if named != fingerprint(key):
        problem = (
            f"It was signed with another key: {_short(named)}, and yours is "
            f"{_short(fingerprint(key))}"
        )
        return Verdict(named, *counts, (problem,))
    try:
        key.verify(document["signature"], _PURPOSE + canonical(signed))
    except InvalidSignature:
        return Verdict(named, *counts, (f"{SIGNATURE} was changed: its signature does not fit",))
    try:
        found = _contents(folder)
    except ReportInputError as error:
        return Verdict(named, *counts, (str(error),))
    problems = tuple(contents.changes(signed, found))
    return Verdict(named, *counts, problems, tuple(contents.unsigned(signed, found)))


def _short(print_: str) -> str:
    return print_[:16]


def _contents(folder: Path) -> contents.Contents:
    try:
        return contents_of(folder)
    except OSError as error:
        raise ReportInputError(f"{error.filename} cannot be read: {error.strerror}.") from error


def _document(folder: Path) -> dict[str, Any]:
    """The file with the signature, of the shape that `sign` gives it."""
    path = folder / SIGNATURE
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        signed = document["signed"]
        whole = isinstance(document["key"], str) and all(
            isinstance(signed[name], dict) for name in ("files", "heading", "submissions")
        )
        document["signature"] = base64.b64decode(document["signature"], validate=True)
    except FileNotFoundError as error:
        raise SigningError(
            f"{folder} is not signed: there is no {SIGNATURE} in it. To sign it: "
            f"kit results sign {folder} --key FILE."
        ) from error
    except OSError as error:
        raise SigningError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise SigningError(f"{path} is damaged: it holds no signature.") from error
    if not whole or document.get("format") != _FORMAT:
        raise SigningError(f"{path} is damaged, or of another version of the kit.")
    return document
