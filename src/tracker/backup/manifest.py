"""What a backup says of itself, and where backups are found."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tracker.errors import BackupBroken

DUMP = "tracker.dump"
MANIFEST = "manifest.json"


class Manifest(BaseModel):
    """What was dumped, and what the file must be like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    created_at: datetime  # the moment whose rows it holds
    server_version: str
    revision: str | None  # of the schema
    rows: dict[str, int]  # by table
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Backup:
    """A backup on disk."""

    folder: Path
    manifest: Manifest

    @property
    def dump(self) -> Path:
        """The file that pg_dump wrote."""
        return self.folder / DUMP


def open_backup(folder: Path) -> Backup:
    """Return the backup in a folder, without a look at its dump.

    Raises:
        BackupBroken: there is no manifest, or it cannot be read.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise BackupBroken(
            f"{folder} is no backup: its {MANIFEST} cannot be read ({error.strerror})."
        ) from error
    except ValidationError as error:
        raise BackupBroken(
            f"{folder / MANIFEST} is damaged, so nobody can say what its dump should hold. "
            "Take another backup."
        ) from error
    return Backup(folder, manifest)


def find(folder: Path) -> list[Backup]:
    """Return the backups in a folder, the newest first; other things in it are left out."""
    manifests = folder.glob(f"[0-9]*/{MANIFEST}") if folder.is_dir() else []
    found = [open_backup(manifest.parent) for manifest in manifests]
    return sorted(found, key=lambda backup: backup.manifest.created_at, reverse=True)


def folder_name(moment: datetime) -> str:
    """Return the name of a backup's folder; by name, they sort by time."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
