"""Making a backup: whole under its name, or not there at all."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg

from tracker.backup.contents import connected, count_rows, one, revision_of
from tracker.backup.manifest import DUMP, MANIFEST, Backup, Manifest, folder_name, sha256_of
from tracker.backup.programs import require_version, run
from tracker.errors import BackupError

UNFINISHED = ".unfinished-"


def create(
    url: str,
    folder: Path,
    *,
    programs: Path | None = None,
    upload: Callable[[Backup], None] | None = None,
) -> Backup:
    """Back a database up, while others go on working with it.

    The dump and the counts in its manifest are of the same snapshot. What is not finished has
    another name, so nobody takes it for a backup.

    Arguments:
        url: of the database.
        folder: gets a folder of its own for this backup; it is made if need be.
        programs: the directory of pg_dump and pg_restore; None: where PATH finds them.
        upload: is given the finished backup, to keep it on another machine too.

    Raises:
        BackupError: pg_dump is older than the server, or failed, or the folder cannot be written.
        DatabaseUnavailable: the server does not answer.

    Source: PostgreSQL manual, pg_dump (``--snapshot``), and chapter 9.28.5 (Snapshot
    Synchronization Functions).
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=folder) as unfinished:
            place = Path(unfinished) / "backup"
            place.mkdir(mode=0o700)  # it holds what nobody else may read
            manifest = _dump(url, place, programs)
            run("pg_restore", "--list", str(place / DUMP), programs=programs)
            finished = place.rename(folder / folder_name(manifest.created_at))
    except OSError as error:
        raise BackupError(
            f"No backup can be written to {folder}: {error.strerror}. Choose another folder, or "
            "make room in this one."
        ) from error
    backup = Backup(finished, manifest)
    if upload is not None:
        upload(backup)
    return backup


def _dump(url: str, place: Path, programs: Path | None) -> Manifest:
    dump = place / DUMP
    with connected(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        require_version("pg_dump", connection.info.server_version // 10_000, programs)
        # From here to the end of the transaction, pg_dump sees what this connection sees.
        moment, version, snapshot = one(
            connection, "SELECT now(), current_setting('server_version'), pg_export_snapshot()"
        )
        rows, revision = count_rows(connection), revision_of(connection)
        run(
            "pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={dump}",
            programs=programs, url=url,
        )  # fmt: skip
    manifest = Manifest(
        created_at=moment,
        server_version=version,
        revision=revision,
        rows=rows,
        size_bytes=dump.stat().st_size,
        sha256=sha256_of(dump),
    )
    (place / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return manifest
