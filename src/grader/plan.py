"""What one grading is to do, as a file that every pytest process of it reads."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE_NAME = "grading.kitplan"


@dataclass(frozen=True)
class Plan:
    """One grading. Plain values only, because it crosses process boundaries as JSON."""

    course_root: str
    paths: tuple[str, ...]
    """Classes and submissions."""
    exercises: tuple[str, ...]
    """Names of the exercises."""
    visible_only: bool
    seed: int
    sandbox: str
    own_work: bool
    server: dict[str, Any]
    """A `pglab.servers.attached.Attachment` as plain values."""

    def write(self, folder: Path) -> Path:
        """Write the plan where only this user can read it: it holds the server's password."""
        path = folder / FILE_NAME
        path.touch(mode=0o600)
        path.write_text(json.dumps(dataclasses.asdict(self)), encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> Plan:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            **{**plain, "paths": tuple(plain["paths"]), "exercises": tuple(plain["exercises"])}
        )
