"""Which backups to keep."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tracker.backup.dump import UNFINISHED
from tracker.backup.manifest import Backup, find
from tracker.errors import BackupError

ABANDONED = timedelta(days=1)
"""A backup that is unfinished for so long was given up: its program was killed."""


@dataclass(frozen=True)
class Keep:
    """For how many of the last days, weeks and months that have a backup one is kept."""

    daily: int = 7
    weekly: int = 4
    monthly: int = 12


def kept(moments: Iterable[datetime], keep: Keep) -> set[datetime]:
    """Return which of the moments to keep: the last one of each day, week and month that counts.

    The last one of all is always kept, whatever the numbers are. Days, ISO weeks and months are
    those of UTC. Nothing depends on today: where no backup was made for a year, none is lost.
    """
    newest_first = sorted(set(moments), reverse=True)
    chosen = set(newest_first[:1])
    periods: tuple[tuple[int, Callable[[datetime], object]], ...] = (
        (keep.daily, lambda moment: moment.date()),
        (keep.weekly, lambda moment: moment.isocalendar()[:2]),
        (keep.monthly, lambda moment: (moment.year, moment.month)),
    )
    for number, period in periods:
        last_of: dict[object, datetime] = {}
        for moment in newest_first:
            last_of.setdefault(period(moment.astimezone(UTC)), moment)
        chosen.update(list(last_of.values())[:number])
    return chosen


def prune(folder: Path, keep: Keep) -> list[Backup]:
    """Delete the backups that need not be kept, and what killed programs left unfinished.

    Returns:
        The backups that were deleted, the newest first.

    Raises:
        BackupError: one cannot be deleted.
    """
    backups = find(folder)
    wanted = kept((backup.manifest.created_at for backup in backups), keep)
    surplus = [backup for backup in backups if backup.manifest.created_at not in wanted]
    oldest = (datetime.now(UTC) - ABANDONED).timestamp()
    abandoned = [p for p in folder.glob(f"{UNFINISHED}*") if p.stat().st_mtime < oldest]
    for path in [*(backup.folder for backup in surplus), *abandoned]:
        try:
            shutil.rmtree(path)
        except OSError as error:
            raise BackupError(f"{path} cannot be deleted: {error.strerror}.") from error
    return surplus
