"""What is kept: the last one of so many days, weeks and months, and always the last of all."""

import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tracker.backup import Backup, Keep, Manifest, find, kept, prune

moments = st.lists(
    st.datetimes(datetime(2024, 12, 1), datetime(2026, 3, 1), timezones=st.just(UTC)), max_size=60
)
keeps = st.builds(Keep, *[st.integers(0, 15)] * 3)


@given(moments, keeps)
def test_what_is_kept_is_what_the_rule_says(made: list[datetime], keep: Keep) -> None:
    """The rule, said once more by asking of each moment alone."""

    def is_kept(moment: datetime) -> bool:
        def counts(number: int, period: object) -> bool:
            of = period  # a function from a moment to its day, week or month
            later = {of(other) for other in made if other > moment}
            return of(moment) not in later and len(later) < number

        return (
            moment == max(made)
            or counts(keep.daily, datetime.date)
            or counts(keep.weekly, lambda m: m.date() - timedelta(days=m.weekday()))
            or counts(keep.monthly, lambda m: date(m.year, m.month, 1))
        )

    assert kept(made, keep) == {moment for moment in made if is_kept(moment)}


@given(moments, keeps)
def test_deleting_day_by_day_keeps_what_deleting_once_keeps(
    made: list[datetime], keep: Keep
) -> None:
    left: set[datetime] = set()
    for moment in sorted(made):
        left = kept({*left, moment}, keep)
    assert left == kept(made, keep)


def test_a_year_of_nightly_backups_leaves_seven_days_four_weeks_and_twelve_months() -> None:
    nights = [datetime(2025, 1, 1, 3, tzinfo=UTC) + timedelta(days=n) for n in range(365)]
    left = kept(nights, Keep())
    assert {night for night in left if night >= datetime(2025, 12, 25, tzinfo=UTC)} == set(
        nights[-7:]
    )
    assert {night.month for night in left} == set(range(1, 13))
    # The last two weeks, and the last month, end with nights of the last seven days.
    assert len(left) == 7 + 2 + 11


def write_backup(folder: Path, moment: datetime) -> Backup:
    place = folder / f"{moment:%Y%m%d}"
    place.mkdir(parents=True)
    manifest = Manifest(
        created_at=moment, server_version="18.1", revision=None, rows={}, size_bytes=0, sha256=""
    )
    (place / "manifest.json").write_text(manifest.model_dump_json(), encoding="utf-8")
    return Backup(place, manifest)


def test_only_surplus_backups_and_abandoned_work_are_deleted(tmp_path: Path) -> None:
    made = [write_backup(tmp_path, datetime(2026, 1, n, tzinfo=UTC)) for n in (1, 2, 3)]
    for name in (".unfinished-old", ".unfinished-new", "mine"):
        (tmp_path / name).mkdir()
    long_ago = time.time() - 3 * 24 * 3600
    for name in (".unfinished-old", "mine"):
        os.utime(tmp_path / name, (long_ago, long_ago))
    assert prune(tmp_path, Keep(daily=2, weekly=0, monthly=0)) == [made[0]]
    assert find(tmp_path) == [made[2], made[1]]
    assert not (tmp_path / ".unfinished-old").exists()
    assert (tmp_path / ".unfinished-new").exists()
    assert (tmp_path / "mine").exists()
