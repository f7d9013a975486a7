"""A copy on another machine: the one that is left when this one burns."""

import shlex
import subprocess
from collections.abc import Callable

from tracker.backup.manifest import Backup
from tracker.errors import BackupError


def uploader(template: str) -> Callable[[Backup], None]:
    """Return a function that hands a backup to a command: ``rclone copy {folder} far:{name}``.

    The template is split into words as a shell would, and then filled in. No shell runs: a space or
    a semicolon in a name is only that.

    Arguments:
        template: ``{folder}`` is the backup's folder, ``{name}`` the folder's name.

    Raises:
        BackupError: the template cannot be split, or names neither.
    """
    try:
        words = shlex.split(template)
    except ValueError as error:
        raise BackupError(f"The upload command cannot be read: {error}.") from error
    if "{folder}" not in template:
        raise BackupError(
            "The upload command does not say where the backup goes in: write {folder} for it, as "
            "in: rclone copy {folder} far:backups/{name}"
        )

    def upload(backup: Backup) -> None:
        folder = str(backup.folder.absolute())
        command = [
            word.replace("{name}", backup.folder.name).replace("{folder}", folder) for word in words
        ]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, errors="replace")
        except OSError as error:
            reason = f"{command[0]}: {error.strerror}"
        except subprocess.CalledProcessError as error:
            reason = error.stderr.strip() or f"{command[0]} ended with code {error.returncode}"
        else:
            return
        raise BackupError(
            f"The backup is in {folder}, but its upload failed: {reason}. Upload it by hand, and "
            "look after the command."
        )

    return upload
