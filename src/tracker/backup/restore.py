"""Putting a backup back, and making sure beforehand that one could."""

from pathlib import Path

from tracker.backup.contents import connected, count_rows, is_empty
from tracker.backup.manifest import Backup, sha256_of
from tracker.backup.programs import require_version, run
from tracker.errors import BackupBroken, BackupError, TargetNotEmpty
from tracker.models.policies import CREATE_APP_ROLE, JOIN_APP_ROLE


def restore(url: str, backup: Backup, *, programs: Path | None = None) -> None:
    """Put a backup into an empty database: all of it, or nothing.

    Everything belongs to the role of the URL afterwards.

    Arguments:
        url: of the empty database.
        programs: the directory of pg_restore; None: where PATH finds it.

    Raises:
        TargetNotEmpty: there is something in the database.
        BackupBroken: the backup is not what its manifest says.
        BackupError: the server or pg_restore is too old, or pg_restore failed.
        DatabaseUnavailable: the server does not answer.

    Source: PostgreSQL manual, pg_restore.
    """
    with connected(url) as connection:
        if not is_empty(connection):
            raise TargetNotEmpty(
                f"The database {connection.info.dbname} is not empty, and a restore would mix two "
                "states of the same data. Restore into a new database."
            )
        server = connection.info.server_version // 10_000
        require_version("pg_restore", server, programs)
        dumped = int(backup.manifest.server_version.split(".")[0])
        if server < dumped:
            raise BackupError(
                f"The backup is of PostgreSQL {dumped}, and this server is {server}: an older "
                "server does not take all that a newer one held. Restore on a newer server."
            )
        verify(backup, programs=programs)
        # A role belongs to the server, not to the database: no dump of a database brings it along.
        connection.execute(CREATE_APP_ROLE)
        connection.execute(JOIN_APP_ROLE)
        connection.commit()
        run(
            "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", str(backup.dump),
            programs=programs, url=url,
        )  # fmt: skip
        _compare(backup.manifest.rows, count_rows(connection))
        connection.execute("ANALYZE")  # a dump holds no statistics, and plans need them


def verify(backup: Backup, *, programs: Path | None = None, scratch_url: str | None = None) -> None:
    """Make sure that a backup is what its manifest says.

    Arguments:
        programs: the directory of pg_restore; None: where PATH finds it.
        scratch_url: of an empty database. The backup is restored into it and its rows are counted,
            which alone proves that it can be.

    Raises:
        BackupBroken: it is not.
        BackupError: pg_restore is not there, or cannot read it.
    """
    if scratch_url is not None:
        restore(scratch_url, backup, programs=programs)
        return
    manifest = backup.manifest
    try:
        is_whole = (
            backup.dump.stat().st_size == manifest.size_bytes
            and sha256_of(backup.dump) == manifest.sha256
        )
    except OSError as error:
        raise BackupBroken(f"{backup.dump} cannot be read: {error.strerror}.") from error
    if not is_whole:
        raise BackupBroken(
            f"{backup.dump} is not the file that was written on {manifest.created_at:%Y-%m-%d}: "
            "its size or checksum differs from the manifest's. Take another backup."
        )
    run("pg_restore", "--list", str(backup.dump), programs=programs)


def _compare(expected: dict[str, int], found: dict[str, int]) -> None:
    differences = [
        f"{table} has {found.get(table, 0)} rows and should have {expected.get(table, 0)}"
        for table in sorted(expected | found)
        if found.get(table) != expected.get(table)
    ]
    if differences:
        raise BackupBroken(
            f"What was restored is not what was backed up: {', '.join(differences)}."
        )
