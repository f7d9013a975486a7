"""``solutions/NN_slug/mutants.json``: what became of an exercise's mutants when all of them were
last graded, and, for each one that passed every check, why it is right all the same.

The reasons are written by hand. Everything else is written by the kit, which takes a reason along
for as long as its mutant is made and survives.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.catalog import Exercise
from grader.errors import CatalogError
from grader.mutants.mutant import Mutant
from grader.tomlfile import read_text

FILE_NAME = "mutants.json"

Change = tuple[str, tuple[str, ...]]
"""What a mutant is known by: its place, and the lines that went and came."""


def change_of(mutant: Mutant) -> Change:
    return mutant.place, mutant.change


@dataclass(frozen=True, slots=True)
class Ledger:
    """One exercise's file; as of no time at all where it is not there."""

    key: str = ""
    """Of the solution, checks and operators that it was written for: `Mutants.key`."""
    reasons: Mapping[Change, str] = field(default_factory=dict)
    """For each survivor. Empty where nobody has written one yet."""


def read_ledger(exercise: Exercise) -> Ledger:
    """The ledger of an exercise.

    Raises:
        CatalogError: the file is damaged.
    """
    file = ledger_of(exercise)
    if not file.is_file():
        return Ledger()
    try:
        data = json.loads(read_text(file))
        return Ledger(str(data["key"]), dict(map(_survivor, data["survivors"])))
    except (ValueError, KeyError, TypeError) as error:
        raise CatalogError(
            f"{file} cannot be read ({type(error).__name__}: {error}). Mend it, or delete it and "
            "write the reasons again."
        ) from error


def write_ledger(
    exercise: Exercise, ledger: Ledger, *, key: str, mutants: int, survivors: Sequence[Mutant]
) -> None:
    """Write what was found, with the reasons that are known already."""
    told = [
        {
            "place": mutant.place,
            "change": list(mutant.change),
            "reason": ledger.reasons.get(change_of(mutant), ""),
        }
        for mutant in survivors
    ]
    data = {
        "key": key,
        "mutants": mutants,
        "killed": mutants - len(survivors),
        "survivors": told,
    }
    file = ledger_of(exercise)
    staging = file.with_suffix(".unfinished")
    try:
        staging.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(staging, file)
    except OSError as error:
        staging.unlink(missing_ok=True)
        raise CatalogError(f"{file} cannot be written: {error.strerror}.") from error


def ledger_of(exercise: Exercise) -> Path:
    """Where the ledger of an exercise that has a solution stands, if it is there."""
    assert exercise.solution_path is not None
    return exercise.solution_path / FILE_NAME


def _survivor(entry: Mapping[str, Any]) -> tuple[Change, str]:
    return (str(entry["place"]), tuple(map(str, entry["change"]))), str(entry["reason"])
